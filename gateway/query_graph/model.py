"""Graph nodes and moves.

A graph node is a type as one subgraph has it. Three refinements make moves unconditional on where one came from:
- a `@provides` copy is a node of its own (`view` holds what is provided), with the provided fields added;
- an interface object is an object type in its subgraph but stands for objects whose concrete type that subgraph does
  not know: its kind says so, and it has no abstract moves;
- the root types' nodes have one key that needs nothing: a request can always start there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from gateway.graphql_kit.selections import FieldSelection, SelectionSet
from gateway.graphql_kit.type_refs import TypeRef
from gateway.supergraph.model import InterfaceType, ObjectType, SubgraphName, Supergraph, UnionType

__all__ = [
    "ContextArgument",
    "Contexts",
    "FieldMove",
    "GraphNode",
    "NodeId",
    "NodeKind",
    "OverrideGuard",
    "QueryGraph",
    "TypeSplit",
]

NodeId = int


class NodeKind(Enum):
    """What the type is in its subgraph."""

    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    INTERFACE_OBJECT = "interface object"


@dataclass(frozen=True, slots=True)
class OverrideGuard:
    """A gradual override: the move exists when the label is active (`active`) or inactive (not `active`)."""

    label: str
    active: bool


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument that the gateway fills in: with `selection` of the nearest object above that sets `context`."""

    name: str
    context: str
    selection: SelectionSet
    type: TypeRef


@dataclass(frozen=True, slots=True)
class FieldMove:
    """Follow a field inside a subgraph.

    `type` is the field's type in the subgraph; `target` the node of its named type, None for leaves. `requires` must
    be known of the object, and the object be entered by a key with these fields, before the subgraph can resolve the
    field. `context_arguments`: the values of these arguments are not known inside the subgraph, so the object must be
    entered by a key with them.
    """

    field_name: str
    type: TypeRef
    target: NodeId | None
    requires: SelectionSet = ()
    guard: OverrideGuard | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(slots=True)
class GraphNode:
    """A type in a subgraph; filled by build.py and never changed afterwards.

    `keys`: entity moves into this node, each by the selection that must be known of the object. `members`: abstract
    moves, from each concrete type that the subgraph knows for this interface or union to its node.
    """

    id: NodeId
    type_name: str
    subgraph: SubgraphName
    kind: NodeKind
    view: SelectionSet = ()
    is_root: bool = False
    is_abstract: bool = False
    fields: dict[str, FieldMove] = field(default_factory=dict)
    keys: tuple[SelectionSet, ...] = ()
    members: dict[str, NodeId] = field(default_factory=dict)

    def __str__(self) -> str:
        """As in pictures and messages."""
        return f"{self.type_name}@{self.subgraph}" + ("+" if self.view else "")


@dataclass(frozen=True, slots=True)
class TypeSplit:
    """The objects at one place by concrete type, each with the nodes that the object is known in.

    `typed`: whether the objects' concrete types are known to some subgraph there. When not (interface objects, or an
    interface without objects), `nodes_by_type` has one entry, named after the interface.
    """

    typed: bool
    nodes_by_type: Mapping[str, frozenset[NodeId]]


class Contexts:
    """Who sets which context, and where arguments are filled from contexts."""

    def __init__(self, set_by: Mapping[str, frozenset[str]], nodes: Iterable[GraphNode]) -> None:
        self._set_by = set_by
        self._arguments: dict[tuple[str, str], dict[SubgraphName, tuple[ContextArgument, ...]]] = {}
        for node in nodes:
            if node.kind not in (NodeKind.OBJECT, NodeKind.INTERFACE_OBJECT):
                continue
            for name, move in node.fields.items():
                if move.context_arguments:
                    self._arguments.setdefault((node.type_name, name), {})[node.subgraph] = move.context_arguments
        self.field_names = frozenset(name for _, name in self._arguments)
        """Fields of any type that have such arguments; empty in most graphs."""
        self.uses = tuple(
            dict.fromkeys(
                (argument.context, argument.selection)
                for by_subgraph in self._arguments.values()
                for arguments in by_subgraph.values()
                for argument in arguments
            )
        )
        """Every selection that is made of some context."""

    def set_by(self, type_name: str) -> frozenset[str]:
        """The contexts that objects of a type set, because of the type itself or of an abstract type around it."""
        return self._set_by.get(type_name, frozenset())

    def arguments(
        self, type_names: Iterable[str], field_name: str
    ) -> Mapping[SubgraphName, tuple[ContextArgument, ...]]:
        """Per subgraph the arguments of a field that are filled from contexts; give a type with its interfaces."""
        found: dict[SubgraphName, tuple[ContextArgument, ...]] = {}
        for type_name in type_names:
            found |= self._arguments.get((type_name, field_name), {})
        return found


class QueryGraph:
    """All nodes; look-ups are by id, by (type, subgraph), and by type for entity moves."""

    def __init__(
        self, supergraph: Supergraph, nodes: list[GraphNode], hidden_types: frozenset[str], contexts: Contexts
    ) -> None:
        self.supergraph = supergraph
        self.nodes = nodes
        self.hidden_types = hidden_types
        self.contexts = contexts
        self._entity_targets: dict[str, tuple[NodeId, ...]] = {}
        self._splits: dict[frozenset[NodeId], TypeSplit] = {}

    @cached_property
    def _entity_nodes(self) -> dict[str, list[GraphNode]]:
        by_type: dict[str, list[GraphNode]] = {}
        for node in self.nodes:
            if node.keys and not node.view:
                by_type.setdefault(node.type_name, []).append(node)
        return {name: sorted(nodes, key=lambda n: n.subgraph) for name, nodes in by_type.items()}

    def entity_targets(self, type_name: str) -> tuple[NodeId, ...]:
        """The nodes that an object of this type, or an interface object of this interface, can be entered at."""
        known = self._entity_targets.get(type_name)
        if known is None:
            found = list(self._entity_nodes.get(type_name, ()))
            for interface in self.interfaces_of(type_name):
                found += [n for n in self._entity_nodes.get(interface, ()) if n.kind is NodeKind.INTERFACE_OBJECT]
            known = tuple(node.id for node in found)
            self._entity_targets[type_name] = known
        return known

    def interfaces_of(self, type_name: str) -> tuple[str, ...]:
        """The interfaces that a type implements in the supergraph."""
        definition = self.supergraph.types.get(type_name)
        return definition.interfaces if isinstance(definition, ObjectType | InterfaceType) else ()

    def root_nodes(self, type_name: str) -> tuple[GraphNode, ...]:
        """Where requests for a root type can start, by subgraph."""
        return tuple(node for node in self._entity_nodes.get(type_name, ()) if node.is_root)

    def possible_types(self, type_name: str) -> frozenset[str]:
        """The concrete types below a type in the whole supergraph."""
        definition = self.supergraph.types.get(type_name)
        if isinstance(definition, InterfaceType):
            return frozenset(definition.possible_types)
        if isinstance(definition, UnionType):
            return frozenset(definition.members)
        return frozenset((type_name,))

    def applies(self, type_condition: str, type_name: str) -> bool:
        """Whether a fragment's selections are for every object of the (concrete or interface) type."""
        return (
            type_condition == type_name
            or type_condition in self.interfaces_of(type_name)
            or type_name in self.possible_types(type_condition)
        )

    def fields_for(self, selections: SelectionSet, type_name: str) -> list[FieldSelection]:
        """The fields selected for objects of one type, fragments that apply included, in order, not merged."""
        found: list[FieldSelection] = []
        for item in selections:
            if isinstance(item, FieldSelection):
                found.append(item)
            elif self.applies(item.type_condition, type_name):
                found += self.fields_for(item.selections, type_name)
        return found

    def split(self, nodes: frozenset[NodeId]) -> TypeSplit:
        """The concrete types of objects that are known in all these nodes (of one place) at once."""
        known = self._splits.get(nodes)
        if known is None:
            known = self._split([self.nodes[i] for i in sorted(nodes)])
            self._splits[nodes] = known
        return known

    def _split(self, nodes: Iterable[GraphNode]) -> TypeSplit:
        by_type: dict[str, set[NodeId]] = {}
        general: list[GraphNode] = []
        for node in nodes:
            if node.kind is NodeKind.OBJECT:
                by_type.setdefault(node.type_name, set()).add(node.id)
            elif node.is_abstract and node.members:
                for name, member in node.members.items():
                    by_type.setdefault(name, set()).add(member)
            else:
                general.append(node)
        if not by_type and general:
            return TypeSplit(typed=False, nodes_by_type={general[0].type_name: frozenset(n.id for n in general)})
        for node in general:
            for name, ids in by_type.items():
                if self.applies(node.type_name, name):
                    ids.add(node.id)
        return TypeSplit(typed=True, nodes_by_type={name: frozenset(by_type[name]) for name in sorted(by_type)})
