"""The supergraph: the merged schema that also records which subgraph provides what.

Immutable values with per-subgraph provenance (`joins`), filled either by reading supergraph SDL of any
composer (read.py) or by our own composition. Mappings keep the order of the document that they came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType, TypeAlias

from gateway.graphql_kit.type_refs import TypeRef

__all__ = [
    "Argument",
    "DirectiveApplication",
    "DirectiveDefinition",
    "EntityKey",
    "EnumType",
    "EnumValue",
    "Field",
    "FieldJoin",
    "InputField",
    "InputObjectType",
    "InterfaceType",
    "LinkedSpecification",
    "ObjectType",
    "Override",
    "ScalarType",
    "Subgraph",
    "SubgraphName",
    "Supergraph",
    "TypeDefinition",
    "TypeJoin",
    "UnionType",
]

SubgraphName = NewType("SubgraphName", str)
"""A subgraph's real name ("titles"), not its `join__Graph` enum value ("TITLES")."""


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One service: its name, the `join__Graph` value that stands for it in SDL, and its address ("" where unknown)."""

    name: SubgraphName
    graph_enum: str
    url: str


@dataclass(frozen=True, slots=True)
class DirectiveApplication:
    """A directive applied in the supergraph and not consumed by the join model: @tag, @cost, composed ones.

    `arguments` maps each name to its value in GraphQL notation.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntityKey:
    """One `@key` of one type in one subgraph; `fields` is the field set's text in canonical printing."""

    fields: str
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class TypeJoin:
    """What one subgraph says of a type.

    `extension`: the subgraph only extends it (Federation 1). `is_interface_object`: the supergraph's interface is an
    object type there. `interfaces`: the interfaces that the type implements *in this subgraph*.
    """

    subgraph: SubgraphName
    keys: tuple[EntityKey, ...] = ()
    extension: bool = False
    is_interface_object: bool = False
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """The field is taken over from subgraph `source`; `label` is set where the move is gradual."""

    source: SubgraphName
    label: str | None = None


@dataclass(frozen=True, slots=True)
class FieldJoin:
    """What one subgraph says of a field.

    `type` is the field's type *in that subgraph*. A field is resolvable there unless `external`;
    an external field with `used_overridden` stays known there because a key or requirement names it.
    `requires` and `provides` are field-set texts. `context_arguments` maps argument name to (context name,
    selection text, type): arguments that the gateway fills in.
    """

    subgraph: SubgraphName
    type: TypeRef
    external: bool = False
    requires: str | None = None
    provides: str | None = None
    override: Override | None = None
    used_overridden: bool = False
    context_arguments: Mapping[str, tuple[str, str, TypeRef]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field or directive; `default` is GraphQL notation."""

    name: str
    type: TypeRef
    default: str | None = None
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()
    subgraphs: tuple[SubgraphName, ...] | None = None
    """Where the argument exists, when known (None: not recorded)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface. `joins` has one entry per subgraph that declares the field.

    Empty `joins` on an object's field: only an interface object provides it, so it is found through the interface.
    """

    name: str
    type: TypeRef
    arguments: Mapping[str, Argument]
    joins: Mapping[SubgraphName, FieldJoin]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object type; entities have keys in `joins`."""

    name: str
    fields: Mapping[str, Field]
    interfaces: tuple[str, ...]
    joins: Mapping[SubgraphName, TypeJoin]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class InterfaceType:
    """An interface; with keys it is an interface entity. `possible_types`: all implementing objects, sorted."""

    name: str
    fields: Mapping[str, Field]
    interfaces: tuple[str, ...]
    possible_types: tuple[str, ...]
    joins: Mapping[SubgraphName, TypeJoin]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class UnionType:
    """A union; `members` gives for each member the subgraphs where it belongs to the union."""

    name: str
    members: Mapping[str, tuple[SubgraphName, ...]]
    joins: Mapping[SubgraphName, TypeJoin]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value and where it exists."""

    name: str
    subgraphs: tuple[SubgraphName, ...]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enum."""

    name: str
    values: Mapping[str, EnumValue]
    joins: Mapping[SubgraphName, TypeJoin]
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class InputField:
    """One field of an input object; `types` gives its type per subgraph."""

    name: str
    type: TypeRef
    types: Mapping[SubgraphName, TypeRef]
    default: str | None = None
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class InputObjectType:
    """An input object; `is_one_of` for `@oneOf`."""

    name: str
    fields: Mapping[str, InputField]
    joins: Mapping[SubgraphName, TypeJoin]
    is_one_of: bool = False
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A custom scalar."""

    name: str
    joins: Mapping[SubgraphName, TypeJoin]
    specified_by_url: str | None = None
    description: str | None = None
    directives: tuple[DirectiveApplication, ...] = ()


TypeDefinition: TypeAlias = ObjectType | InterfaceType | UnionType | EnumType | InputObjectType | ScalarType


@dataclass(frozen=True, slots=True)
class DirectiveDefinition:
    """A directive that the supergraph defines beyond the specified ones, executable or composed."""

    name: str
    locations: tuple[str, ...]
    arguments: Mapping[str, Argument]
    repeatable: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class LinkedSpecification:
    """One `@link` on the supergraph's schema: the specification's URL and what is imported under which name.

    The headers of the link and join specifications themselves belong to the notation and are not kept.
    """

    url: str
    purpose: str | None = None
    prefix: str | None = None
    imports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Supergraph:
    """The whole: every derived structure (API schema, query graph) is made from this value alone."""

    subgraphs: Mapping[SubgraphName, Subgraph]
    types: Mapping[str, TypeDefinition]
    query_type: str
    mutation_type: str | None = None
    subscription_type: str | None = None
    directive_definitions: Mapping[str, DirectiveDefinition] = field(default_factory=dict)
    links: tuple[LinkedSpecification, ...] = ()
    description: str | None = None
    schema_directives: tuple[DirectiveApplication, ...] = ()
