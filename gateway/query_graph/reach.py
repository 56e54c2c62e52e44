"""What can be had at one object that is known in certain graph nodes.

Problem: entity moves need keys, fields need requirements, and both may have to come from other subgraphs, which need
keys again. Idea: derive facts ("the object can be entered at node n", "field f can be had from node n") from facts,
beginning with the nodes at hand, until nothing new follows. Only what is derivable without a circle is ever derived;
the order of derivation (`rank`) says which of two ways leans on the other never.

Places are (type, nodes at hand). Requirements with nested selections look at places further down; all places met are
advanced together to one least fixed point, so circles through several types end too.
Invariant: a fact's rank is greater than the rank of every fact it was derived from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.graphql_kit.selections import SelectionSet
from gateway.query_graph.model import NodeId, OverrideGuard, QueryGraph

__all__ = ["Place", "Reach", "Reachability"]

Place = tuple[str, frozenset[NodeId]]


@dataclass(slots=True)
class Reach:
    """Facts about one place: ranks by node entered, and for each field the ranks by providing node.

    A provider that is among the nodes at hand needs nothing; any other has to be entered first. `contextual`: the
    same for fields with arguments from contexts: these always have to be entered, and no key or requirement may name
    them, since what is above the object is not known there.
    """

    entered: dict[NodeId, int] = field(default_factory=dict)
    providers: dict[str, dict[NodeId, int]] = field(default_factory=dict)
    contextual: dict[str, dict[NodeId, int]] = field(default_factory=dict)


class Reachability:
    """The fixed point, computed for places as they are asked for; `active_labels` decide gradual overrides."""

    def __init__(self, graph: QueryGraph, active_labels: frozenset[str] = frozenset()) -> None:
        self.graph = graph
        self.active_labels = active_labels
        self._final: dict[Place, Reach] = {}
        self._growing: dict[Place, Reach] = {}
        self._clock = 0

    def is_open(self, guard: OverrideGuard | None) -> bool:
        """Whether a gradually overridden move exists under the active labels."""
        return guard is None or (guard.label in self.active_labels) == guard.active

    def at(self, type_name: str, nodes: frozenset[NodeId]) -> Reach:
        """Everything derivable at a place."""
        place = (type_name, nodes)
        known = self._final.get(place)
        if known is not None:
            return known
        self._growing = {place: Reach()}
        changed = True
        while changed:
            place_count, clock = len(self._growing), self._clock
            for growing in list(self._growing):
                self._advance(growing)
            changed = self._clock > clock or len(self._growing) > place_count
        self._final.update(self._growing)
        self._growing = {}
        return self._final[place]

    def can_select(self, type_name: str, nodes: frozenset[NodeId], selections: SelectionSet) -> bool:
        """Whether a whole selection can be had at a place."""
        reach = self.at(type_name, nodes)
        return self._selectable(type_name, reach, selections, lambda place: self.at(*place))

    def _reach_while_growing(self, place: Place) -> Reach:
        known = self._final.get(place) or self._growing.get(place)
        if known is None:
            known = self._growing[place] = Reach()
        return known

    def _advance(self, place: Place) -> None:
        """Derive what follows now."""
        type_name, at_hand = place
        reach = self._growing[place]
        for node_id in at_hand:
            for name, move in self.graph.nodes[node_id].fields.items():
                if not move.requires and not move.context_arguments and self.is_open(move.guard):
                    self._provide(reach.providers, name, node_id)
        for node_id in self.graph.entity_targets(type_name):
            node = self.graph.nodes[node_id]
            if node_id not in reach.entered:
                ways = (self._selectable(type_name, reach, key, self._reach_while_growing) for key in node.keys)
                if any(ways):
                    self._clock += 1
                    reach.entered[node_id] = self._clock
        for node_id in list(reach.entered):
            for name, move in self.graph.nodes[node_id].fields.items():
                known = reach.contextual if move.context_arguments else reach.providers
                if node_id in known.get(name, ()) or not self.is_open(move.guard):
                    continue
                if not move.requires or self._selectable(type_name, reach, move.requires, self._reach_while_growing):
                    self._provide(known, name, node_id)

    def _provide(self, known: dict[str, dict[NodeId, int]], name: str, node_id: NodeId) -> None:
        providers = known.setdefault(name, {})
        if node_id not in providers:
            self._clock += 1
            providers[node_id] = self._clock

    def _selectable(
        self,
        type_name: str,
        reach: Reach,
        selections: SelectionSet,
        look: Callable[[Place], Reach],
    ) -> bool:
        for item in self.graph.fields_for(selections, type_name):
            if item.name == "__typename":
                continue
            providers = reach.providers.get(item.name)
            if not providers:
                return False
            if item.selections and not self._below(item.name, providers, item.selections, look):
                return False
        return True

    def _below(
        self, field_name: str, providers: dict[NodeId, int], selections: SelectionSet, look: Callable[[Place], Reach]
    ) -> bool:
        targets = {self.graph.nodes[node_id].fields[field_name].target for node_id in providers}
        nodes = frozenset(target for target in targets if target is not None)
        split = self.graph.split(nodes)
        for name, known_in in split.nodes_by_type.items():
            reach = look((name, known_in))
            if not split.typed and self._needs_type(selections, name):
                if not self._selectable_typed(known_in, reach, selections, look):
                    return False
            elif not self._selectable(name, reach, selections, look):
                return False
        return True

    def _needs_type(self, selections: SelectionSet, interface: str) -> bool:
        """Whether a selection on an interface object asks for anything that depends on the concrete type."""
        return any(
            getattr(item, "name", "") == "__typename"
            or (hasattr(item, "type_condition") and not self.graph.applies(item.type_condition, interface))
            for item in selections
        )

    def _selectable_typed(
        self,
        at_hand: frozenset[NodeId],
        reach: Reach,
        selections: SelectionSet,
        look: Callable[[Place], Reach],
    ) -> bool:
        """The same for an interface object whose concrete type some subgraph must tell first."""
        for node_id in reach.entered:
            node = self.graph.nodes[node_id]
            if not node.is_abstract:
                continue
            split = self.graph.split(at_hand | {node_id})
            if all(
                self._selectable(name, look((name, known_in)), selections, look)
                for name, known_in in split.nodes_by_type.items()
            ):
                return True
        return False
