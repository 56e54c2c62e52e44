"""The walk: every field of every type, at every place where objects of the type can stand.

A place is a type together with the graph nodes that an object there may be known in. What can be had there is the
query graph's fixed point (gateway.query_graph.reach). A place with more nodes can do all that one with fewer can, so
it is skipped when a place of the same type with a subset of its nodes was walked before; hence each type is walked
few times, however many ways lead to it. Gradual overrides are checked with all labels inactive and with all active.

Places are walked in the order of their distance from the roots, so that a witness is short. Where that does not come
to an end (fields that each lead to another subset of the subgraphs), the places with the fewest nodes go first, since
they make most others needless; where that does not either, composition is refused by a named bound instead of hanging.

Where arguments are filled from contexts, it matters what stands above: a place then also has the context selections
that objects above it can give, and more of these are as good as more nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from gateway.composition.diagnostics import Diagnostic, error
from gateway.composition.satisfiability.reasons import explain
from gateway.composition.satisfiability.witness import Step, write_witness
from gateway.graphql_kit.selections import SelectionSet
from gateway.query_graph.build import build_query_graph
from gateway.query_graph.context_values import read_context_value
from gateway.query_graph.model import NodeId, NodeKind, QueryGraph
from gateway.query_graph.reach import Reach, Reachability
from gateway.supergraph.api_schema import inaccessible_directive
from gateway.supergraph.model import Field, InterfaceType, ObjectType, Supergraph

__all__ = ["check_satisfiability"]

_Given = frozenset[tuple[str, SelectionSet]]
"""Contexts, each with a selection of it that can be had from the nearest object above that sets it."""

_Place = tuple[str, frozenset[NodeId], _Given, tuple[Step, ...]]
"""A type, the nodes that its objects are known in, what contexts give there, and the way there."""

_MAX_DIAGNOSTICS = 100
"""One missing key can make hundreds of fields unreachable; beyond so many nobody reads on."""


_PATIENCE = (1_000, 20)
"""So many places, and so many more for each type, are walked by distance. Real graphs need 1 to 4 for each type."""

_MAX_PLACES = (5_000, 200)
"""So many places, and so many more for each type, are walked at all."""


def check_satisfiability(supergraph: Supergraph) -> list[Diagnostic]:
    """One SATISFIABILITY_ERROR for each field that some operation can't get, with that operation and the reasons.

    MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED in addition when the places are too many to be walked.
    """
    graph = build_query_graph(supergraph)
    labels = frozenset(
        move.guard.label for node in graph.nodes for move in node.fields.values() if move.guard is not None
    )
    found: dict[tuple[str, str], Diagnostic] = {}
    for active in [frozenset[str]()] + ([labels] if labels else []):
        _Walk(graph, Reachability(graph, active), found).run()
    return list(found.values())


class _Walk:
    def __init__(self, graph: QueryGraph, reachability: Reachability, found: dict[tuple[str, str], Diagnostic]) -> None:
        self.graph = graph
        self.supergraph = graph.supergraph
        self.inaccessible = inaccessible_directive(graph.supergraph)
        self.reachability = reachability
        self.found = found
        self.walked: dict[str, list[tuple[frozenset[NodeId], _Given]]] = {}
        self.waiting: list[tuple[int, int, _Place]] = []
        """A heap by urgency and order of arrival."""
        self.arrivals = count()
        self.fewest_first = False

    def run(self) -> None:
        roots = (self.supergraph.query_type, self.supergraph.mutation_type, self.supergraph.subscription_type)
        for root in roots:
            if root is not None:
                self.wait((root, frozenset(), frozenset(), ()))
        patience, most = (fixed + each * len(self.supergraph.types) for fixed, each in (_PATIENCE, _MAX_PLACES))
        walked = 0
        while self.waiting and len(self.found) < _MAX_DIAGNOSTICS:
            _, _, (type_name, nodes, given, path) = heappop(self.waiting)
            if any(fewer <= nodes and less <= given for fewer, less in self.walked.get(type_name, ())):
                continue
            self.walked.setdefault(type_name, []).append((nodes, given))
            if walked >= most:
                message = f"what operations can reach is too much to be checked: more than {most} places; share fewer "
                message += f'fields without keys, for example of "{type_name}"'
                self.found["", ""] = error("MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED", message)
                return
            self.walk(type_name, nodes, given, path)
            walked += 1
            if walked == patience:
                self.fewest_first = True
                places = [place for _, _, place in self.waiting]
                self.waiting.clear()
                for place in places:
                    self.wait(place)

    def wait(self, place: _Place) -> None:
        """Have a place walked later."""
        heappush(self.waiting, (len(place[1]) if self.fewest_first else 0, next(self.arrivals), place))

    def walk(self, type_name: str, nodes: frozenset[NodeId], given: _Given, path: tuple[Step, ...]) -> None:
        definition = self.supergraph.types[type_name]
        assert isinstance(definition, ObjectType | InterfaceType)
        reach = self.reachability.at(type_name, nodes)
        below = self.given_below(type_name, nodes, given)
        for field in self.visible_fields(definition):
            step = Step(type_name, field)
            providers = [*reach.providers.get(field.name, ()), *self.filled(reach, field.name, given)]
            if providers:
                targets = (self.graph.nodes[node_id].fields[field.name].target for node_id in providers)
                self.enter(frozenset(target for target in targets if target is not None), below, (*path, step))
            elif (type_name, field.name) not in self.found:
                self.report(type_name, field, nodes, (*path, step))

    def filled(self, reach: Reach, field_name: str, given: _Given) -> Iterator[NodeId]:
        """The nodes that can provide a field because the contexts of its arguments are given."""
        for node_id in reach.contextual.get(field_name, ()):
            arguments = self.graph.nodes[node_id].fields[field_name].context_arguments
            if all((argument.context, argument.selection) in given for argument in arguments):
                yield node_id

    def given_below(self, type_name: str, nodes: frozenset[NodeId], given: _Given) -> _Given:
        """What contexts give to all that is below objects of a type: the nearest object that sets one decides."""
        set_here = self.graph.contexts.set_by(type_name)
        if not set_here:
            return given
        found = {use for use in given if use[0] not in set_here}
        for context, selection in self.graph.contexts.uses:
            value = read_context_value(self.graph, type_name, selection) if context in set_here else None
            if value is not None and (
                value.field is None or self.reachability.can_select(type_name, nodes, (value.field,))
            ):
                found.add((context, selection))
        return frozenset(found)

    def enter(self, nodes: frozenset[NodeId], given: _Given, path: tuple[Step, ...]) -> None:
        """Wait to walk every place that objects from these nodes can stand at."""
        if not nodes:
            return
        split = self.graph.split(nodes)
        if not split.typed:
            ((interface, known_in),) = split.nodes_by_type.items()
            if any(self.graph.nodes[node_id].kind is NodeKind.INTERFACE_OBJECT for node_id in known_in):
                self.enter_interface_object(interface, known_in, given, path)
            return
        for type_name, known_in in split.nodes_by_type.items():
            if type_name not in self.graph.hidden_types:
                self.wait((type_name, known_in, given, path))

    def enter_interface_object(
        self, interface: str, nodes: frozenset[NodeId], given: _Given, path: tuple[Step, ...]
    ) -> None:
        """Objects whose concrete type some other subgraph must tell; what the interface itself has needs no type."""
        self.wait((interface, nodes, given, path))
        telling = frozenset(self.telling_types(self.reachability.at(interface, nodes)))
        known = self.graph.split(nodes | telling).nodes_by_type if telling else {}
        for type_name in sorted(self.graph.possible_types(interface) - self.graph.hidden_types):
            self.wait((type_name, known.get(type_name, nodes), given, path))

    def telling_types(self, reach: Reach) -> Iterator[NodeId]:
        for node_id in reach.entered:
            node = self.graph.nodes[node_id]
            if node.kind is NodeKind.INTERFACE and node.members:
                yield node_id

    def visible_fields(self, definition: ObjectType | InterfaceType) -> Iterator[Field]:
        for field in definition.fields.values():
            if not any(applied.name == self.inaccessible for applied in field.directives):
                yield field

    def report(self, type_name: str, field: Field, nodes: frozenset[NodeId], path: tuple[Step, ...]) -> None:
        witness = write_witness(self.supergraph, path)
        reasons = "\n".join(f"- {reason}" for reason in explain(self.graph, self.reachability, type_name, field, nodes))
        message = f"no way to answer {type_name}.{field.name} in the operation\n{witness}\nbecause\n{reasons}"
        self.found[type_name, field.name] = error("SATISFIABILITY_ERROR", message, tuple(field.joins))
