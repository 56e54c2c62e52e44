"""The shortest way to a field, written as an operation that a client could send."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.graphql_kit.type_refs import ListRef, NamedRef, NonNullRef, TypeRef, named_type
from gateway.supergraph.model import EnumType, Field, InputObjectType, InterfaceType, ObjectType, Supergraph, UnionType

__all__ = ["Step", "write_witness"]

_MAX_INPUT_DEPTH = 5
"""Input objects may require each other; a witness shows the first levels."""


@dataclass(frozen=True, slots=True)
class Step:
    """A field of an object of a concrete type (or of an interface)."""

    type_name: str
    field: Field


def write_witness(supergraph: Supergraph, path: tuple[Step, ...]) -> str:
    """The operation as indented text. Arguments that must be given get example values."""
    kinds = {supergraph.mutation_type: "mutation", supergraph.subscription_type: "subscription"}
    lines = [f"{kinds.get(path[0].type_name, 'query')} {{"]
    closing = ["}"]
    static = path[0].type_name
    for step in path:
        if step.type_name != static:
            lines.append("  " * len(closing) + f"... on {step.type_name} {{")
            closing.append("  " * len(closing) + "}")
        lines.append("  " * len(closing) + step.field.name + _arguments(supergraph, step.field))
        static = named_type(step.field.type)
        if isinstance(supergraph.types.get(static), ObjectType | InterfaceType | UnionType):
            lines[-1] += " {"
            closing.append("  " * len(closing) + "}")
            if step is path[-1]:
                lines.append("  " * len(closing) + "__typename")
    return "\n".join(lines + closing[::-1])


def _arguments(supergraph: Supergraph, field: Field) -> str:
    needed = [a for a in field.arguments.values() if isinstance(a.type, NonNullRef) and a.default is None]
    if not needed:
        return ""
    return "(" + ", ".join(f"{a.name}: {_example(supergraph, a.type, 0)}" for a in needed) + ")"


def _example(supergraph: Supergraph, ref: TypeRef, depth: int) -> str:
    match ref:
        case NonNullRef(of):
            return _example(supergraph, of, depth)
        case ListRef():
            return "[]"
        case NamedRef(name):
            return _named_example(supergraph, name, depth)


def _named_example(supergraph: Supergraph, name: str, depth: int) -> str:
    builtin = {"Int": "0", "Float": "0.5", "Boolean": "true", "ID": '"1"', "String": '"text"'}
    if name in builtin:
        return builtin[name]
    definition = supergraph.types.get(name)
    if isinstance(definition, EnumType) and definition.values:
        return next(iter(definition.values))
    if isinstance(definition, InputObjectType):
        if depth >= _MAX_INPUT_DEPTH:
            return "{}"
        needed = [f for f in definition.fields.values() if isinstance(f.type, NonNullRef) and f.default is None]
        return "{" + ", ".join(f"{f.name}: {_example(supergraph, f.type, depth + 1)}" for f in needed) + "}"
    return '"value"'
