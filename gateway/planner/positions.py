"""The recursion over positions: choose below first, then here.

What is best below a field depends only on the nodes that the field is asked at, so each (nodes, selection) is solved
once. A requirement may lead back to a position that is being solved; that way is then no option (reach.py has shown
that another exists), and a failure found under that assumption is not remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gateway.errors import PlanningBudgetExceeded
from gateway.graphql_kit.selections import FieldSelection, InlineFragment
from gateway.planner.choose.combine import Budget, Combination, combine
from gateway.planner.contexts import ContextBindings
from gateway.planner.query_tree import Asked, Need, Provider, TreeEntry, TreeField, TreePosition
from gateway.planner.selection_table import SelectionTable
from gateway.planner.walk import Demand, Entry, EntryWay, FieldWay, PositionProblem
from gateway.query_graph.model import NodeId, NodeKind, QueryGraph
from gateway.query_graph.reach import Reachability
from gateway.supergraph.model import UnionType

__all__ = ["PositionChooser"]

_MAX_POSITIONS = 100_000
"""Positions solved for one operation. The benchmark's heavy query needs 15, a query with very many plans 2,000."""

_Place = tuple[frozenset[NodeId], int, frozenset[NodeId] | None, bool]


class PositionChooser:
    """Solves positions for one operation; `failures` collects the demands that had no option, first met first."""

    def __init__(
        self,
        graph: QueryGraph,
        reachability: Reachability,
        table: SelectionTable,
        budget: Budget,
        bindings: ContextBindings,
    ) -> None:
        self.graph = graph
        self.reachability = reachability
        self.table = table
        self.budget = budget
        self.bindings = bindings
        self.failures: list[Demand] = []
        self._known: dict[_Place, TreePosition | None] = {}
        self._in_progress: set[_Place] = set()
        self._circles_met = 0

    def choose_root(self, root_type: str, fields: tuple[FieldSelection, ...]) -> TreePosition | None:
        """The choice for root fields (introspection left out); None when some field below has no way."""
        number = self.table.number(fields)
        return self._solve({root_type: frozenset()}, number, frozenset(), frozenset(), typed=True)

    def choose(
        self, nodes: frozenset[NodeId], selection: int, possible: frozenset[NodeId] | None, *, internal: bool
    ) -> TreePosition | None:
        """The choice for objects that come from `nodes`.

        `possible`: the nodes that they could have come from (unions ask for it). `internal`: the selection is a
        requirement's, for which types that clients do not see count, too.
        """
        place = (nodes, selection, possible, internal)
        if place in self._known:
            return self._known[place]
        if place in self._in_progress:
            self._circles_met += 1
            return None
        if len(self._known) >= _MAX_POSITIONS:
            raise PlanningBudgetExceeded("positions", _MAX_POSITIONS, len(self._known))
        circles_before = self._circles_met
        self._in_progress.add(place)
        result = self._choose(nodes, selection, possible, internal=internal)
        self._in_progress.discard(place)
        if result is not None or self._circles_met == circles_before or not self._in_progress:
            self._known[place] = result
        return result

    def _choose(
        self, nodes: frozenset[NodeId], selection: int, possible: frozenset[NodeId] | None, *, internal: bool
    ) -> TreePosition | None:
        split = self.graph.split(nodes)
        if split.typed:
            hand = self._without_doubtful_members(split.nodes_by_type, possible)
            if not internal:
                hand = self._visible(hand)
            return self._solve(hand, selection, possible, nodes, typed=True)
        ((interface, known_in),) = split.nodes_by_type.items()
        if not self._needs_type(known_in, selection, interface):
            found = self._solve(split.nodes_by_type, selection, possible, nodes, typed=False)
            if found is not None:
                return found
        found = None
        for node_id in self.reachability.at(interface, known_in).entered:
            node = self.graph.nodes[node_id]
            if node.kind is not NodeKind.INTERFACE or not node.members:
                continue
            hand = dict(self.graph.split(nodes | {node_id}).nodes_by_type)
            if not internal:
                hand = self._visible(hand)
            other = self._solve_typed_by((interface, node_id), hand, selection, possible, nodes)
            if other is not None and (found is None or other.cost < found.cost):
                found = other
        return found

    def _solve_typed_by(
        self,
        typing: tuple[str, NodeId],
        hand: dict[str, frozenset[NodeId]],
        selection: int,
        possible: frozenset[NodeId] | None,
        nodes: frozenset[NodeId],
    ) -> TreePosition | None:
        """An interface object's concrete type is told by the node in `typing`, which is entered first.

        What interface objects have and all types are asked for is asked of the interface, without waiting for the type.
        """
        interface, node_id = typing
        through = frozenset(self.graph.nodes[node_id].members.values())
        types = list(hand)
        problem = self._problem({**hand, interface: nodes}, possible)
        problem.typing = Entry(interface, node_id, self.table.number(()))
        problem.through_typing = through
        general = self._asked_of_interface(interface, nodes, selection, types)
        asked = [(interface, field) for field in general]
        asked += [(name, f) for name in types for f in self.table.fields(selection, name) if f not in general]
        return self._combine(problem, asked, types, nodes, typed=True)

    def _asked_of_interface(
        self, interface: str, nodes: frozenset[NodeId], selection: int, types: list[str]
    ) -> list[FieldSelection]:
        """The fields that every type is asked for alike and that some interface object has."""
        providers = self.reachability.at(interface, nodes).providers
        return [
            field
            for field in self.table.fields(selection, interface)
            if any(self.graph.nodes[i].kind is NodeKind.INTERFACE_OBJECT for i in providers.get(field.name, ()))
            and all(field in self.table.fields(selection, name) for name in types)
        ]

    def _solve(
        self,
        hand: Mapping[str, frozenset[NodeId]],
        selection: int,
        possible: frozenset[NodeId] | None,
        nodes: frozenset[NodeId],
        *,
        typed: bool,
    ) -> TreePosition | None:
        asked = [(name, field) for name in hand for field in self.table.fields(selection, name)]
        return self._combine(self._problem(hand, possible), asked, list(hand), nodes, typed=typed)

    def _problem(self, hand: Mapping[str, frozenset[NodeId]], possible: frozenset[NodeId] | None) -> PositionProblem:
        def choose_below(demand: Demand, nodes: frozenset[NodeId]) -> TreePosition | None:
            return self.choose(nodes, demand.below, self._possible_below(demand, possible), internal=demand.internal)

        return PositionProblem(self.graph, self.reachability, self.table, hand, choose_below, bindings=self.bindings)

    def _combine(
        self,
        problem: PositionProblem,
        fields: list[tuple[str, FieldSelection]],
        types: list[str],
        nodes: frozenset[NodeId],
        *,
        typed: bool,
    ) -> TreePosition | None:
        asked: list[tuple[str, FieldSelection, Demand]] = []
        problem.contested = _contested(fields, types)
        for type_name, field in fields:
            if field.name == "__typename":
                continue
            demand = problem.demand(type_name, field)
            if not problem.options(demand):
                self.failures.append(demand)
                return None
            asked.append((type_name, field, demand))
        wanted: list[Demand | Entry] = [demand for _, _, demand in asked]
        if problem.typing is not None:
            wanted.insert(0, problem.typing)
        combination = combine(problem, wanted, self.budget)
        if combination is None:
            self.failures.extend(demand for _, _, demand in asked)
            return None
        return _position(problem, types, asked, combination, nodes, typed=typed)

    def _needs_type(self, nodes: frozenset[NodeId], selection: int, interface: str) -> bool:
        """Whether what is asked of interface objects depends on their concrete types."""
        if any(self.graph.nodes[node_id].kind is not NodeKind.INTERFACE_OBJECT for node_id in nodes):
            return False
        return any(
            item.name == "__typename"
            if isinstance(item, FieldSelection)
            else not self.graph.applies(item.type_condition, interface)
            for item in self._opened(self.table.selections(selection), interface)
        )

    def _opened(
        self, selections: tuple[FieldSelection | InlineFragment, ...], interface: str
    ) -> list[FieldSelection | InlineFragment]:
        found: list[FieldSelection | InlineFragment] = []
        for item in selections:
            if isinstance(item, InlineFragment) and self.graph.applies(item.type_condition, interface):
                found += self._opened(item.selections, interface)
            else:
                found.append(item)
        return found

    @cached_property
    def _has_partial_unions(self) -> bool:
        return any(
            isinstance(definition, UnionType)
            and any(len(subgraphs) < len(definition.joins) for subgraphs in definition.members.values())
            for definition in self.graph.supergraph.types.values()
        )

    def _possible_below(self, demand: Demand, possible: frozenset[NodeId] | None) -> frozenset[NodeId] | None:
        """Every node that the value of a field could have come from, whatever is chosen; only unions ask for it."""
        if possible is None or not self._has_partial_unions:
            return None
        hand = self.graph.split(possible).nodes_by_type.get(demand.type_name, frozenset())
        reach = self.reachability.at(demand.type_name, hand)
        providers = (*reach.providers.get(demand.name, ()), *reach.contextual.get(demand.name, ()))
        targets = (self.graph.nodes[node_id].fields[demand.name].target for node_id in providers)
        return frozenset(target for target in targets if target is not None)

    def _visible(self, hand: Mapping[str, frozenset[NodeId]]) -> dict[str, frozenset[NodeId]]:
        """Without the types that clients do not see."""
        return {name: nodes for name, nodes in hand.items() if name not in self.graph.hidden_types}

    def _without_doubtful_members(
        self, hand: Mapping[str, frozenset[NodeId]], possible: frozenset[NodeId] | None
    ) -> Mapping[str, frozenset[NodeId]]:
        """A union's members that some subgraph which could have answered does not know are not planned for.

        Subgraphs that share a field must agree on its value; a member that one of them can't even name can't be that
        value.
        """
        unions = [self.graph.nodes[i] for i in possible or () if self.graph.nodes[i].kind is NodeKind.UNION]
        if not unions:
            return hand
        return {name: nodes for name, nodes in hand.items() if all(name in union.members for union in unions)}


def _contested(
    fields: list[tuple[str, FieldSelection]], types: list[str]
) -> frozenset[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """The fields (with their types) whose response key means another field for another of the types."""
    meanings: dict[str, set[tuple[str, tuple[tuple[str, str], ...]]]] = {}
    for _, field in fields:
        meanings.setdefault(field.response_key, set()).add((field.name, field.arguments))
    return frozenset(
        (type_name, field.name, field.arguments)
        for type_name, field in fields
        if type_name in types and len(meanings[field.response_key]) > 1
    )


def _position(
    problem: PositionProblem,
    types: list[str],
    asked: list[tuple[str, FieldSelection, Demand]],
    combination: Combination,
    nodes: frozenset[NodeId],
    *,
    typed: bool,
) -> TreePosition:
    demands = [key for key in combination.options if isinstance(key, Demand)]
    entries = [key for request in combination.requests for key in request if isinstance(key, Entry)]
    field_index = {demand: index for index, demand in enumerate(demands)}
    entry_index = {entry: index for index, entry in enumerate(entries)}
    tree_fields: list[TreeField] = []
    for demand in demands:
        way = combination.options[demand].meaning
        assert isinstance(way, FieldWay)
        providers = tuple(
            Provider(node, None if entry is None else entry_index[entry]) for node, entry in way.providers
        )
        tree_fields.append(TreeField(demand.type_name, demand.name, demand.arguments, providers, way.child))
    tree_entries: list[TreeEntry] = []
    for entry in entries:
        entry_way = combination.options[entry].meaning
        assert isinstance(entry_way, EntryWay)
        needs = tuple(Need(selection, field_index[demand]) for selection, demand in entry_way.needs)
        tree_entries.append(TreeEntry(entry.type_name, entry.node, needs))
    return TreePosition(
        at_hand=nodes,
        typed=typed,
        typing=None if problem.typing is None else entry_index[problem.typing],
        types=tuple(types),
        asked=tuple(Asked(type_name, field, field_index[demand]) for type_name, field, demand in asked),
        fields=tuple(tree_fields),
        entries=tuple(tree_entries),
        requests=tuple(
            tuple(entry_index[key] for key in request if isinstance(key, Entry)) for request in combination.requests
        ),
        cost=combination.cost,
        field_count=sum(1 if field.child is None else 1 + field.child.field_count for field in tree_fields),
    )
