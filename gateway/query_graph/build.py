"""Supergraph → query graph, in named steps: nodes on demand from the roots and entities, then each node's moves."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import StringValueNode, parse_const_value

from gateway.graphql_kit.field_sets import read_field_set
from gateway.graphql_kit.selections import FieldSelection, InlineFragment, SelectionSet
from gateway.graphql_kit.type_refs import named_type
from gateway.query_graph.model import (
    ContextArgument,
    Contexts,
    FieldMove,
    GraphNode,
    NodeId,
    NodeKind,
    OverrideGuard,
    QueryGraph,
)
from gateway.supergraph.api_schema import inaccessible_directive
from gateway.supergraph.links import linked_directive
from gateway.supergraph.model import (
    DirectiveApplication,
    Field,
    FieldJoin,
    InterfaceType,
    ObjectType,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    UnionType,
)

__all__ = ["build_query_graph"]


def build_query_graph(supergraph: Supergraph) -> QueryGraph:
    """The graph of everything that the subgraphs can resolve; deterministic for equal supergraphs."""
    return _Builder(supergraph).build()


class _Builder:
    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self.nodes: list[GraphNode] = []
        self.ids: dict[tuple[str, SubgraphName, SelectionSet], NodeId] = {}
        self.unfinished: list[GraphNode] = []
        self.roots = {supergraph.query_type, supergraph.mutation_type, supergraph.subscription_type} - {None}
        self.implementers = self._implementers()

    def build(self) -> QueryGraph:
        for name, definition in self.supergraph.types.items():
            if isinstance(definition, ObjectType | InterfaceType | UnionType):
                for subgraph in sorted(definition.joins):
                    self.node(name, subgraph)
        while self.unfinished:
            self.finish(self.unfinished.pop())
        return QueryGraph(self.supergraph, self.nodes, self._hidden_types(), Contexts(self._contexts_set(), self.nodes))

    def _hidden_types(self) -> frozenset[str]:
        inaccessible = inaccessible_directive(self.supergraph)
        return frozenset(
            name
            for name, definition in self.supergraph.types.items()
            if any(applied.name == inaccessible for applied in definition.directives)
        )

    def _contexts_set(self) -> dict[str, frozenset[str]]:
        """By type the contexts that its objects set. Mutations and subscriptions set none: their fields are actions."""
        directive = linked_directive(self.supergraph.links, "context")
        own = {
            name: frozenset(_context_name(applied) for applied in definition.directives if applied.name == directive)
            for name, definition in self.supergraph.types.items()
        }
        if not any(own.values()):
            return {}
        found: dict[str, frozenset[str]] = {}
        for name, definition in self.supergraph.types.items():
            around = definition.interfaces if isinstance(definition, ObjectType | InterfaceType) else ()
            unions = (u.name for u in self.supergraph.types.values() if isinstance(u, UnionType) and name in u.members)
            names = own[name].union(*(own.get(each, frozenset()) for each in (*around, *unions)))
            if names and name not in (self.supergraph.mutation_type, self.supergraph.subscription_type):
                found[name] = names
        return found

    def _implementers(self) -> dict[tuple[str, SubgraphName], list[str]]:
        found: dict[tuple[str, SubgraphName], list[str]] = {}
        for name, definition in self.supergraph.types.items():
            if isinstance(definition, ObjectType):
                for subgraph, join in definition.joins.items():
                    for interface in join.interfaces:
                        found.setdefault((interface, subgraph), []).append(name)
        return found

    def node(self, type_name: str, subgraph: SubgraphName, view: SelectionSet = ()) -> NodeId:
        """The id of a type in a subgraph with what is provided there, made when first asked for."""
        key = (type_name, subgraph, view)
        known = self.ids.get(key)
        if known is not None:
            return known
        kind = self.kind(type_name, subgraph)
        node = GraphNode(len(self.nodes), type_name, subgraph, kind, view)
        node.is_abstract = kind in {NodeKind.INTERFACE, NodeKind.UNION}
        self.ids[key] = node.id
        self.nodes.append(node)
        self.unfinished.append(node)
        return node.id

    def kind(self, type_name: str, subgraph: SubgraphName) -> NodeKind:
        definition = self.supergraph.types[type_name]
        if isinstance(definition, UnionType):
            return NodeKind.UNION
        if isinstance(definition, InterfaceType):
            join = definition.joins.get(subgraph)
            return NodeKind.INTERFACE_OBJECT if join and join.is_interface_object else NodeKind.INTERFACE
        return NodeKind.OBJECT

    def finish(self, node: GraphNode) -> None:
        definition = self.supergraph.types[node.type_name]
        self.add_keys(node, definition)
        self.add_members(node, definition)
        if isinstance(definition, ObjectType | InterfaceType):
            self.add_fields(node, definition)

    def add_keys(self, node: GraphNode, definition: TypeDefinition) -> None:
        if node.view:
            return
        if node.type_name in self.roots:
            node.is_root = True
            node.keys = ((),)
        elif isinstance(definition, ObjectType | InterfaceType):
            join = definition.joins.get(node.subgraph)
            keys = [read_field_set(key.fields) for key in join.keys if key.resolvable] if join else []
            node.keys = tuple(dict.fromkeys(keys))

    def add_members(self, node: GraphNode, definition: TypeDefinition) -> None:
        if isinstance(definition, UnionType):
            names = [name for name, subgraphs in definition.members.items() if node.subgraph in subgraphs]
        elif node.kind is NodeKind.INTERFACE:
            names = self.implementers.get((node.type_name, node.subgraph), [])
        else:
            return
        for name in sorted(names):
            node.members[name] = self.node(name, node.subgraph, self.view_for(node.view, name))

    def add_fields(self, node: GraphNode, definition: ObjectType | InterfaceType) -> None:
        provided = {
            item.name: item
            for item in self.view_for(node.view, node.type_name)
            if isinstance(item, FieldSelection) and not item.name.startswith("__")
        }
        for name, field in definition.fields.items():
            join = field.joins.get(node.subgraph)
            if join is None:
                continue
            given = provided.get(name)
            resolvable = not join.external and not join.used_overridden and not overridden(field, join)
            if given is None and not resolvable:
                continue
            requires = read_field_set(join.requires) if join.requires and given is None else ()
            node.fields[name] = FieldMove(
                name,
                join.type,
                self.field_target(join, given),
                requires,
                override_guard(field, join),
                tuple(
                    ContextArgument(argument, context, read_field_set(selection), type_ref)
                    for argument, (context, selection, type_ref) in join.context_arguments.items()
                )
                if join.context_arguments
                else (),
            )

    def field_target(self, join: FieldJoin, given: FieldSelection | None) -> NodeId | None:
        name = named_type(join.type)
        if not isinstance(self.supergraph.types.get(name), ObjectType | InterfaceType | UnionType):
            return None
        view: SelectionSet = given.selections if given else ()
        if join.provides:
            view += read_field_set(join.provides)
        return self.node(name, join.subgraph, self.useful_view(view))

    def useful_view(self, view: SelectionSet) -> SelectionSet:
        """Without repetitions, so that equal views are one node."""
        return tuple(dict.fromkeys(view))

    def view_for(self, view: SelectionSet, type_name: str) -> SelectionSet:
        """The part of a view that holds for one type, with the fragments that apply opened."""
        items: list[FieldSelection | InlineFragment] = []
        for item in view:
            if isinstance(item, FieldSelection):
                items.append(item)
            elif self.applies(item.type_condition, type_name):
                items.extend(self.view_for(item.selections, type_name))
        return self.useful_view(tuple(items))

    def applies(self, condition: str, type_name: str) -> bool:
        definition = self.supergraph.types.get(type_name)
        if condition == type_name:
            return True
        if isinstance(definition, ObjectType | InterfaceType) and condition in definition.interfaces:
            return True
        outer = self.supergraph.types.get(condition)
        return isinstance(outer, UnionType) and type_name in outer.members


def _context_name(applied: DirectiveApplication) -> str:
    value = parse_const_value(applied.arguments.get("name", "null"))
    return value.value if isinstance(value, StringValueNode) else ""


def overridden(field: Field, join: FieldJoin) -> bool:
    """Whether another subgraph has taken the field over for good."""
    return any(
        other.override is not None and other.override.label is None and other.override.source == join.subgraph
        for other in field.joins.values()
    )


def override_guard(field: Field, join: FieldJoin) -> OverrideGuard | None:
    """The gradual override that decides whether this subgraph resolves the field, if there is one."""
    if join.override is not None and join.override.label is not None:
        return OverrideGuard(join.override.label, active=True)
    others: Mapping[SubgraphName, FieldJoin] = field.joins
    for other in others.values():
        if other.override is not None and other.override.label and other.override.source == join.subgraph:
            return OverrideGuard(other.override.label, active=False)
    return None
