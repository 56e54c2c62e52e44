"""Type references as values: `[String!]!` is NonNullRef(ListRef(NonNullRef(NamedRef("String"))))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, parse_type

__all__ = ["ListRef", "NamedRef", "NonNullRef", "TypeRef", "named_type", "read_type_ref", "write_type_ref"]


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A type by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class ListRef:
    """A list of something."""

    of: TypeRef


@dataclass(frozen=True, slots=True)
class NonNullRef:
    """Something that may not be null."""

    of: NamedRef | ListRef


TypeRef: TypeAlias = NamedRef | ListRef | NonNullRef


def read_type_ref(source: str | TypeNode) -> TypeRef:
    """The reference written as text or parsed as an AST node; raises GraphQLSyntaxError on bad text."""
    node = parse_type(source, no_location=True) if isinstance(source, str) else source
    match node:
        case NonNullTypeNode():
            inner = read_type_ref(node.type)
            assert not isinstance(inner, NonNullRef)  # the grammar has no `!!`
            return NonNullRef(inner)
        case ListTypeNode():
            return ListRef(read_type_ref(node.type))
        case NamedTypeNode():
            return NamedRef(node.name.value)
        case _:
            raise TypeError(f"not a type reference: {node!r}")


def write_type_ref(ref: TypeRef) -> str:
    """The reference in GraphQL notation."""
    match ref:
        case NamedRef(name):
            return name
        case ListRef(of):
            return f"[{write_type_ref(of)}]"
        case NonNullRef(of):
            return f"{write_type_ref(of)}!"


def named_type(ref: TypeRef) -> str:
    """The innermost type's name."""
    while not isinstance(ref, NamedRef):
        ref = ref.of
    return ref.name
