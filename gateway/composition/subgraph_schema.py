"""One subgraph's schema as composition sees it: extensions folded in, federation directives known by their own names.

Immutable; a stage that changes something (the Federation 1 upgrade, root type renaming) makes a new value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from graphql import ConstDirectiveNode, ConstValueNode, Node, StringValueNode

from gateway.graphql_kit.type_refs import NonNullRef, TypeRef
from gateway.supergraph.model import SubgraphName

__all__ = [
    "Applications",
    "DirectiveUse",
    "Element",
    "Link",
    "SubgraphArgument",
    "SubgraphDirective",
    "SubgraphEnumValue",
    "SubgraphField",
    "SubgraphSchema",
    "SubgraphType",
    "TypeKind",
]


class TypeKind(Enum):
    """The kinds of named types; the value is how messages call them."""

    SCALAR = "scalar"
    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT = "input object"


@dataclass(frozen=True, slots=True)
class DirectiveUse:
    """A directive applied to an element.

    `name` is as written in the document; `role` is the federation directive's own name ("key", also where the
    document calls it "@federation__key" or "@primary") and None for others. `extension` tells which `extend` block
    it stands in (0 for the definition).
    """

    name: str
    role: str | None
    arguments: Mapping[str, ConstValueNode]
    node: ConstDirectiveNode | None
    """None where the upgrade from Federation 1 added the directive."""
    extension: int = 0

    def text(self, argument: str) -> str | None:
        """A string argument's value; None where it is absent or no string."""
        value = self.arguments.get(argument)
        return value.value if isinstance(value, StringValueNode) else None

    def is_false(self, argument: str) -> bool:
        """Whether a Boolean argument is given as `false`."""
        return getattr(self.arguments.get(argument), "value", None) is False


Applications = tuple[DirectiveUse, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """What all parts of a schema have in common. `node` is None for what composition added itself."""

    name: str
    description: str | None = None
    uses: Applications = ()
    node: Node | None = None

    def using(self, role: str) -> Applications:
        """The applications of one federation directive."""
        return tuple(use for use in self.uses if use.role == role)

    def has(self, role: str) -> bool:
        """Whether a federation directive is applied here."""
        return any(use.role == role for use in self.uses)


@dataclass(frozen=True, slots=True)
class SubgraphArgument(Element):
    """An argument of a field or directive, or a field of an input object."""

    type: TypeRef = field(kw_only=True)
    default: ConstValueNode | None = field(default=None, kw_only=True)

    @property
    def is_required(self) -> bool:
        """Non-null without default."""
        return isinstance(self.type, NonNullRef) and self.default is None


@dataclass(frozen=True, slots=True)
class SubgraphField(Element):
    """A field of an object or interface. `parent` is its type's name."""

    parent: str = field(kw_only=True)
    type: TypeRef = field(kw_only=True)
    arguments: Mapping[str, SubgraphArgument] = field(default_factory=dict, kw_only=True)
    extension: int = field(default=0, kw_only=True)

    @property
    def coordinate(self) -> str:
        """`Type.field`."""
        return f"{self.parent}.{self.name}"


@dataclass(frozen=True, slots=True)
class SubgraphEnumValue(Element):
    """A value of an enum."""


@dataclass(frozen=True, slots=True)
class SubgraphType(Element):
    """A named type of any kind; only the parts of its kind are filled."""

    kind: TypeKind = field(kw_only=True)
    interfaces: tuple[str, ...] = field(default=(), kw_only=True)
    fields: Mapping[str, SubgraphField] = field(default_factory=dict, kw_only=True)
    inputs: Mapping[str, SubgraphArgument] = field(default_factory=dict, kw_only=True)
    members: tuple[str, ...] = field(default=(), kw_only=True)
    values: Mapping[str, SubgraphEnumValue] = field(default_factory=dict, kw_only=True)
    is_defined: bool = field(default=True, kw_only=True)
    """False where the document only extends the type."""
    is_extended: bool = field(default=False, kw_only=True)

    @property
    def is_composite(self) -> bool:
        """Whether fields can be selected on it."""
        return self.kind in (TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION)

    @property
    def is_interface_object(self) -> bool:
        """An object type that stands for an interface of other subgraphs."""
        return self.kind is TypeKind.OBJECT and self.has("interfaceObject")

    @property
    def merged_kind(self) -> TypeKind:
        """The kind that it has in the supergraph."""
        return TypeKind.INTERFACE if self.is_interface_object else self.kind


@dataclass(frozen=True, slots=True)
class SubgraphDirective(Element):
    """A directive definition of the document (not the ones that composition knows)."""

    arguments: Mapping[str, SubgraphArgument] = field(default_factory=dict, kw_only=True)
    locations: tuple[str, ...] = field(default=(), kw_only=True)
    is_repeatable: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Link:
    """One `@link` of a subgraph: the specification's identity, own name and version, and the names given to it here."""

    identity: str
    specification: str
    version: tuple[int, int]
    namespace: str
    imports: Mapping[str, str]
    """Own name → name here, directives with "@"."""
    node: ConstDirectiveNode | None = None

    @property
    def url(self) -> str:
        """The URL as it is written in supergraphs."""
        return f"{self.identity}/v{self.version[0]}.{self.version[1]}"

    def directive_name(self, own_name: str) -> str:
        """What the specification's directive is called in the document (without "@")."""
        if imported := self.imports.get(f"@{own_name}"):
            return imported.removeprefix("@")
        return self.namespace if own_name == self.specification else f"{self.namespace}__{own_name}"

    def type_name(self, own_name: str) -> str:
        """What the specification's type is called in the document."""
        return self.imports.get(own_name) or f"{self.namespace}__{own_name}"

    def own_directive_name(self, name: str) -> str | None:
        """The specification's name of a directive of the document; None where it is not this specification's."""
        for own, local in self.imports.items():
            if local == f"@{name}":
                return own.removeprefix("@")
        if name == self.namespace:
            return self.specification
        return name.removeprefix(f"{self.namespace}__") if name.startswith(f"{self.namespace}__") else None


@dataclass(frozen=True)  # without slots: implementations are computed once and kept
class SubgraphSchema:
    """A subgraph's schema. `federation` is the linked version, None for a Federation 1 document."""

    name: SubgraphName
    url: str
    federation: tuple[int, int] | None
    types: Mapping[str, SubgraphType]
    directives: Mapping[str, SubgraphDirective]
    roots: Mapping[str, str]
    """"query", "mutation", "subscription" → type name."""
    links: tuple[Link, ...] = ()
    uses: Applications = ()
    """Directives applied to the schema itself."""
    description: str | None = None

    def fields(self) -> Iterator[tuple[SubgraphType, SubgraphField]]:
        """Every field of every object and interface."""
        for definition in self.types.values():
            for member in definition.fields.values():
                yield definition, member

    def composites(self, kind: TypeKind) -> Iterator[SubgraphType]:
        """Every type of one kind."""
        return (definition for definition in self.types.values() if definition.kind is kind)

    @cached_property
    def implementations(self) -> Mapping[str, frozenset[str]]:
        """Interface → the object types that implement it here."""
        found: dict[str, set[str]] = {}
        for definition in self.composites(TypeKind.OBJECT):
            for interface in definition.interfaces:
                found.setdefault(interface, set()).add(definition.name)
        return {interface: frozenset(names) for interface, names in found.items()}

    def is_root(self, type_name: str) -> bool:
        """Whether the type is a root operation type here."""
        return type_name in self.roots.values()
