"""All candidate ways for every field of one position: the problem that choosing solves.

Variables are demands (a field of objects of one type, with its arguments and what is selected below) and entries (an
entity move for objects of one type into a node, together with the requirement that it must satisfy). The same demand
of the client and of a requirement is one variable, so nothing is asked twice without need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, TypeAlias

from gateway.graphql_kit.selections import FieldSelection, SelectionSet
from gateway.planner.choose.combine import Option, VariableKey
from gateway.planner.choose.cost import FIELD_COST, LATE_FIELD_COST, REQUEST_COST
from gateway.planner.contexts import ContextBindings, mark_of
from gateway.planner.query_tree import TreePosition
from gateway.planner.selection_table import SelectionTable, merge_fields
from gateway.query_graph.model import GraphNode, NodeId, NodeKind, QueryGraph
from gateway.query_graph.reach import Reachability

_PAIRED = 6
"""Of so many candidates, cheapest first, all pairs are tried where one would do but needs requests below."""

__all__ = ["Demand", "Entry", "EntryWay", "FieldWay", "PositionProblem"]


class Demand(NamedTuple):
    """A field of objects of one type; `below` numbers the selection set under it.

    `internal`: wanted by a requirement, so that objects below count even where clients do not see their types. Only
    set where that can make a difference.
    """

    type_name: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    below: int
    internal: bool = False


class Entry(NamedTuple):
    """Objects of one type are entered at a node with `requires` (a selection's number) in the representation.

    `mark`: the mark of the fields with arguments from contexts that are asked through it, else None.
    """

    type_name: str
    node: NodeId
    requires: int
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class FieldWay:
    """Ask these nodes, each through an entry or at hand; `child` is what was chosen below."""

    providers: tuple[tuple[NodeId, Entry | None], ...]
    child: TreePosition | None


@dataclass(frozen=True, slots=True)
class EntryWay:
    """Enter by a key: the fields of the representation, and the demand that answers each."""

    needs: tuple[tuple[FieldSelection, Demand], ...]


ChooseBelow: TypeAlias = Callable[[Demand, frozenset[NodeId]], TreePosition | None]


class PositionProblem:
    """The variables of one position and their options, made as the search asks for them.

    `hand`: for each concrete type the nodes at hand; `typing`: the entry that tells concrete types, through which
    nodes in `through_typing` are at hand. `choose_below` solves the position below a field for a set of nodes that
    it comes from.
    """

    def __init__(
        self,
        graph: QueryGraph,
        reachability: Reachability,
        table: SelectionTable,
        hand: Mapping[str, frozenset[NodeId]],
        choose_below: ChooseBelow,
        *,
        bindings: ContextBindings,
    ) -> None:
        self.graph = graph
        self.reachability = reachability
        self.table = table
        self.hand = hand
        self.choose_below = choose_below
        self.bindings = bindings
        self.typing: Entry | None = None
        self.through_typing: frozenset[NodeId] = frozenset()
        self.contested: frozenset[tuple[str, str, tuple[tuple[str, str], ...]]] = frozenset()
        """Fields whose response key means another field for another type: an interface object must not be asked at
        hand for them, where it would answer for every type."""
        self._options: dict[VariableKey, Sequence[Option]] = {}

    def demand(self, type_name: str, field: FieldSelection, *, internal: bool = False) -> Demand:
        """The variable for a selected field."""
        internal = internal and bool(field.selections) and bool(self.graph.hidden_types)
        return Demand(type_name, field.name, field.arguments, self.table.number(field.selections), internal)

    def options(self, key: VariableKey) -> Sequence[Option]:
        """All ways to settle a variable."""
        known = self._options.get(key)
        if known is None:
            if isinstance(key, Demand):
                known = self._field_options(key)
            else:
                assert isinstance(key, Entry)
                known = self._entry_options(key)
            self._options[key] = known
        return known

    def group(self, key: VariableKey) -> str | None:
        """An entry's subgraph."""
        return self.graph.nodes[key.node].subgraph if isinstance(key, Entry) else None

    def may_share(self, one: VariableKey, other: VariableKey) -> bool:
        """Entries share a request unless their requirements want one field with different arguments.

        Entries that wait for the concrete type do not share one with those that do not, nor do fields that are filled
        from different contexts: their values may depend on conditions of their own.
        """
        assert isinstance(one, Entry)
        assert isinstance(other, Entry)
        if one.mark != other.mark:
            return False
        if self.typing is not None and self.typing.type_name in {one.type_name, other.type_name}:
            return one.type_name == other.type_name  # what need not wait for the type must not be told apart by it
        if one.requires == other.requires or one.type_name != other.type_name:
            return True
        return not _conflict(self.table.selections(one.requires), self.table.selections(other.requires))

    def _candidates(self, demand: Demand) -> list[tuple[NodeId, Entry | None]]:
        hand = self.hand.get(demand.type_name, frozenset())
        reach = self.reachability.at(demand.type_name, hand)
        ranks = reach.providers.get(demand.name, {})
        bound = self.bindings.subgraphs(demand.arguments)
        if bound:
            contextual = reach.contextual.get(demand.name, {}).items()
            ranks = ranks | {i: rank for i, rank in contextual if self._is_bound(self.graph.nodes[i], bound)}
        at_hand: list[tuple[NodeId, Entry | None]] = []
        entered: list[tuple[NodeId, Entry | None]] = []
        for node_id in sorted(ranks, key=ranks.__getitem__):
            move = self.graph.nodes[node_id].fields[demand.name]
            if move.context_arguments:
                entry = Entry(demand.type_name, node_id, self.table.number(move.requires), mark_of(demand.arguments))
                entered.append((node_id, entry))
            elif node_id in hand and not move.requires and not self._is_contested(demand, node_id):
                at_hand.append((node_id, self.typing if node_id in self.through_typing else None))
            else:
                entry = Entry(demand.type_name, node_id, self.table.number(move.requires))
                entered.append((node_id, entry))
        present = {self.graph.nodes[node_id].subgraph for node_id, _ in at_hand}
        return at_hand + [c for c in entered if self.graph.nodes[c[0]].subgraph not in present]

    def _is_bound(self, node: GraphNode, subgraphs: frozenset[str]) -> bool:
        return node.subgraph in subgraphs and not node.is_root  # root fields are asked without representations

    def _is_contested(self, demand: Demand, node_id: NodeId) -> bool:
        return (demand.type_name, demand.name, demand.arguments) in self.contested and (
            self.graph.nodes[node_id].kind is NodeKind.INTERFACE_OBJECT
        )

    def _field_options(self, demand: Demand) -> list[Option]:
        candidates = self._candidates(demand)
        leaf = not candidates or self.graph.nodes[candidates[0][0]].fields[demand.name].target is None
        if leaf:
            return [
                Option(
                    self._field_cost(entry, None),
                    (entry,) if entry else (),
                    FieldWay(((node_id, entry),), None),
                    free=entry is None,
                )
                for node_id, entry in candidates
            ]
        alone = [(self._way_below(demand, (candidate,)), candidate) for candidate in candidates]
        options = [option for option, _ in alone if option is not None]
        cheapest = min((option.cost for option in options), default=None)
        if len(candidates) == 1 or (cheapest is not None and cheapest < REQUEST_COST):
            return options
        if cheapest is not None:
            able = sorted((way.cost, index) for index, (way, _) in enumerate(alone) if way is not None)
            candidates = [candidates[index] for _, index in able[:_PAIRED]]
        return options + self._ways_together(demand, candidates, cheapest)

    def _ways_together(
        self, demand: Demand, candidates: list[tuple[NodeId, Entry | None]], cheapest: int | None
    ) -> list[Option]:
        """The field asked of several subgraphs at once, where that is cheaper below or the only way.

        Pairs; larger sets only while nothing answers everything, and then all candidates that can't be left out.
        """
        for size in (2, 3) if len(candidates) <= _PAIRED else ():
            found = [self._way_below(demand, together) for together in combinations(candidates, size)]
            options = [o for o in found if o is not None and (cheapest is None or o.cost < cheapest)]
            if options or cheapest is not None:
                return options
        together = list(candidates)
        best = self._way_below(demand, tuple(together))
        for candidate in candidates[::-1] if best is not None else ():
            fewer = [other for other in together if other != candidate]
            option = self._way_below(demand, tuple(fewer)) if fewer else None
            if option is not None:
                together, best = fewer, option
        return [] if best is None else [best]

    def _way_below(self, demand: Demand, providers: tuple[tuple[NodeId, Entry | None], ...]) -> Option | None:
        targets = (self.graph.nodes[node_id].fields[demand.name].target for node_id, _ in providers)
        nodes = frozenset(target for target in targets if target is not None)
        if len(providers) > 1 and self._is_split(demand, nodes):
            return None
        child = self.choose_below(demand, nodes)
        if child is None:
            return None
        entries = tuple(dict.fromkeys(entry for _, entry in providers if entry is not None))
        cost = sum(self._field_cost(entry, child) for _, entry in providers) + child.cost
        return Option(cost, entries, FieldWay(providers, child), free=not entries)

    def _field_cost(self, entry: Entry | None, child: TreePosition | None) -> int:
        """A field, and everything below it, is worth more when it need not wait for an entity request."""
        late = entry is not None and not self.graph.nodes[entry.node].is_root
        below = 0 if child is None else child.field_count
        return FIELD_COST + (LATE_FIELD_COST * (1 + below) if late else 0)

    def _is_split(self, demand: Demand, targets: frozenset[NodeId]) -> bool:
        """Whether a field asked of several subgraphs would be answered for some types by one, for others by another.

        They all return the same objects; who can't answer a field for all types that it may return must not be taken
        for half of them.
        """
        if not any(self.graph.nodes[target].is_abstract for target in targets):
            return False
        for item in self.table.selections(demand.below):
            if not isinstance(item, FieldSelection) or item.name == "__typename":
                continue
            if not any(self._answers_for_all(target, item.name) for target in targets):
                return True
        return False

    def _answers_for_all(self, target: NodeId, field_name: str) -> bool:
        split = self.graph.split(frozenset((target,)))
        return all(
            field_name in self.reachability.at(type_name, nodes).providers
            or field_name in self.reachability.at(type_name, nodes).contextual
            for type_name, nodes in split.nodes_by_type.items()
            if type_name not in self.graph.hidden_types
        )

    def _entry_options(self, entry: Entry) -> list[Option]:
        node = self.graph.nodes[entry.node]
        hand = self.hand.get(entry.type_name, frozenset())
        requires = self.table.selections(entry.requires)
        options: list[Option] = []
        for key in node.keys:
            if not self.reachability.can_select(entry.type_name, hand, key):
                continue
            fields = merge_fields(self.graph.fields_for(key + requires, entry.type_name))
            needs = tuple((f, self.demand(entry.type_name, f, internal=True)) for f in fields if f.name != "__typename")
            variables: tuple[VariableKey, ...] = tuple(dict.fromkeys(demand for _, demand in needs))
            free = all(self._is_free(demand) for _, demand in needs)
            if self.typing is not None and entry.type_name != self.typing.type_name:
                variables = (self.typing, *variables)
            options.append(Option(0, variables, EntryWay(needs), free=free))
        options.sort(key=lambda option: (not option.free, len(option.needs)))
        return options

    def _is_free(self, demand: Demand) -> bool:
        """Whether a leaf can be read where the object is at hand."""
        hand = self.hand.get(demand.type_name, frozenset())
        for node_id in hand:
            move = self.graph.nodes[node_id].fields.get(demand.name)
            if (
                move is not None
                and not move.requires
                and not move.context_arguments
                and self.reachability.is_open(move.guard)
            ):
                return move.target is None
        return False


def _conflict(one: SelectionSet, other: SelectionSet) -> bool:
    """Whether two requirements want one key of a representation to hold different values."""
    first = {item.name: item for item in one if isinstance(item, FieldSelection)}
    for item in other:
        if not isinstance(item, FieldSelection):
            if any(not isinstance(have, FieldSelection) for have in one):
                return True
            continue
        have = first.get(item.name)
        if have is not None and (have.arguments != item.arguments or _conflict(have.selections, item.selections)):
            return True
    return False
