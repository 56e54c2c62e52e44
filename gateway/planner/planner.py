"""One operation → its query plan. `Planner.plan` reads as the list of stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSchema

from gateway.errors import NoPath
from gateway.graphql_kit.selections import FieldSelection, InlineFragment
from gateway.planner.choose.combine import Budget
from gateway.planner.contexts import BoundOperation, bind_contexts, mark_of
from gateway.planner.fetch_graph.build import build_fetch_graph
from gateway.planner.fetch_graph.model import FetchGraph
from gateway.planner.fetch_graph.order import improve
from gateway.planner.fetch_graph.source_keys import SourceKeys
from gateway.planner.normalize.operation import NormalizedOperation
from gateway.planner.normalize.order import normalize
from gateway.planner.plan.emit import emit_plan
from gateway.planner.plan.nodes import PlanVerdict, QueryPlan
from gateway.planner.positions import PositionChooser
from gateway.planner.query_tree import TreePosition
from gateway.planner.selection_table import SelectionTable
from gateway.planner.walk import Demand
from gateway.query_graph.build import build_query_graph
from gateway.query_graph.model import QueryGraph
from gateway.query_graph.reach import Reachability
from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.model import FieldJoin, ObjectType, SubgraphName, Supergraph

__all__ = ["DEFAULT_STATES", "Planner", "Stages"]

DEFAULT_STATES = 60_000
"""States that choosing may look at for one operation: about a second on one core. Ordinary ones need under 100."""

STATES_PER_POSITION = 1_000
"""States for one position of an operation, so that a hard one leaves something for the others."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage made of one operation, for people who look for the first wrong one."""

    positions: tuple[TreePosition, ...]
    fetch_graph: FetchGraph
    plan: QueryPlan


class Planner:
    """Plans operations against one supergraph. Safe to use from several threads: all state belongs to one call."""

    def __init__(
        self, supergraph: Supergraph, api_schema: GraphQLSchema | None = None, *, states: int = DEFAULT_STATES
    ) -> None:
        self.supergraph = supergraph
        self.api_schema = api_schema if api_schema is not None else build_api_schema(supergraph)
        self.query_graph: QueryGraph = build_query_graph(supergraph)
        self.states = states

    def plan(
        self, document: DocumentNode, operation_name: str | None = None, active_labels: frozenset[str] = frozenset()
    ) -> QueryPlan:
        """The plan for one operation of a document that is valid against the API schema.

        `active_labels`: the labels of gradual overrides that hold for the request. Raises RequestInvalid when the
        operation is not there, NoPath when some field can't be had, PlanningFailed when it can't be asked.
        """
        operation = normalize(document, self.api_schema, operation_name)
        return self.stages(operation, active_labels).plan

    def stages(self, operation: NormalizedOperation, active_labels: frozenset[str] = frozenset()) -> Stages:
        """The plan with everything on the way to it."""
        budget = Budget(self.states, STATES_PER_POSITION)
        bound, positions = self._choose_bound(operation, active_labels, budget)
        operation = bound.operation
        keys = SourceKeys(operation.selections)
        fetch_graph = build_fetch_graph(self.query_graph, positions, keys, operation.kind, bound.bindings)
        improve(fetch_graph)
        verdict = PlanVerdict.BUDGET_REACHED if budget.reached else PlanVerdict.OPTIMAL
        cost = sum(position.cost for position in positions)
        plan = emit_plan(self.query_graph, fetch_graph, bound, keys, verdict=verdict, cost=cost, states=budget.spent)
        return Stages(tuple(positions), fetch_graph, plan)

    def _choose_bound(
        self, operation: NormalizedOperation, active_labels: frozenset[str], budget: Budget
    ) -> tuple[BoundOperation, list[TreePosition]]:
        """The choice with the operation as it was bound to contexts for it; the cheapest of several ways to bind it."""
        bound = bind_contexts(self.query_graph, operation)
        if not bound.bindings.by_mark:
            return bound, self._choose(bound, active_labels, budget)
        if bound.bindings.has_untried_combinations:
            budget.reached = True  # an honest verdict: what is left out might have been cheaper
        found: list[tuple[BoundOperation, list[TreePosition]]] = []
        failures: list[NoPath] = []
        for kept in (*bound.bindings.alternatives(), {}):
            if found and not kept:
                break  # without any filled argument only where there is no other way
            try:
                found.append(self._choose_keeping(operation, kept, active_labels, budget))
            except NoPath as failure:
                failures.append(failure)
        if not found:
            raise failures[0]
        return min(found, key=lambda each: sum(position.cost for position in each[1]))

    def _choose_keeping(
        self,
        operation: NormalizedOperation,
        kept: Mapping[int, frozenset[SubgraphName]],
        active_labels: frozenset[str],
        budget: Budget,
    ) -> tuple[BoundOperation, list[TreePosition]]:
        """The choice when only some subgraphs may fill arguments; nothing is asked for those that then do not."""
        bound = bind_contexts(self.query_graph, operation, lambda mark, subgraph, _: subgraph in kept.get(mark, ()))
        positions = self._choose(bound, active_labels, budget)
        used = _filling_subgraphs(self.query_graph, positions)
        if all(set(filled) == used.get(mark, set()) for mark, filled in enumerate(bound.bindings.by_mark)):
            return bound, positions
        bound = bind_contexts(self.query_graph, operation, lambda mark, subgraph, _: subgraph in used.get(mark, ()))
        return bound, self._choose(bound, active_labels, budget)

    def _choose(self, bound: BoundOperation, active_labels: frozenset[str], budget: Budget) -> list[TreePosition]:
        """One position for a query; for a mutation one per run of root fields that a single request answers wholly."""
        reachability = Reachability(self.query_graph, active_labels)
        operation, table = bound.operation, SelectionTable(self.query_graph)
        chooser = PositionChooser(self.query_graph, reachability, table, budget, bound.bindings)
        fields = _root_fields(operation)
        if operation.kind == "query":
            return [self._choose_fields(chooser, operation, fields)] if fields else []
        runs: list[tuple[FieldSelection, ...]] = []
        positions: list[TreePosition] = []
        for field in fields:
            position = self._choose_fields(chooser, operation, (field,))
            if runs and _is_one_request(positions[-1]) and self._same_subgraph(positions[-1], position):
                runs[-1] = (*runs[-1], field)
                positions[-1] = self._choose_fields(chooser, operation, runs[-1])
            else:
                runs.append((field,))
                positions.append(position)
        return positions

    def _choose_fields(
        self, chooser: PositionChooser, operation: NormalizedOperation, fields: tuple[FieldSelection, ...]
    ) -> TreePosition:
        position = chooser.choose_root(operation.root_type, fields)
        if position is None:
            raise self._no_path(chooser.failures[0])
        return position

    def _same_subgraph(self, one: TreePosition, other: TreePosition) -> bool:
        return {self.query_graph.nodes[entry.node].subgraph for entry in (*one.entries, *other.entries[:1])} == {
            self.query_graph.nodes[one.entries[0].node].subgraph
        }

    def _no_path(self, demand: Demand) -> NoPath:
        definition = self.supergraph.types.get(demand.type_name)
        field = definition.fields.get(demand.name) if isinstance(definition, ObjectType) else None
        tried = [f"'{join.subgraph}' {_why_not(join)}" for join in (field.joins.values() if field else ())]
        return NoPath(f"{demand.type_name}.{demand.name}", tried)


def _why_not(join: FieldJoin) -> str:
    if join.context_arguments:
        return "fills arguments from a context that nothing above gives"
    return "declares it external" if join.external else "can not be reached from here"


def _filling_subgraphs(graph: QueryGraph, positions: Iterable[TreePosition]) -> dict[int, set[SubgraphName]]:
    """By mark, the subgraphs that were chosen to be asked for fields with arguments from contexts."""
    found: dict[int, set[SubgraphName]] = {}
    seen: set[int] = set()
    waiting = list(positions)
    while waiting:
        position = waiting.pop()
        if id(position) in seen:  # equal positions are one value
            continue
        seen.add(id(position))
        for tree_field in position.fields:
            mark = mark_of(tree_field.arguments)
            if mark is not None:
                nodes = [graph.nodes[provider.node] for provider in tree_field.providers]
                filled = {node.subgraph for node in nodes if node.fields[tree_field.name].context_arguments}
                found.setdefault(mark, set()).update(filled)
            if tree_field.child is not None:
                waiting.append(tree_field.child)
    return found


def _root_fields(operation: NormalizedOperation) -> tuple[FieldSelection, ...]:
    """The fields to ask of subgraphs, fragments on the root type opened (normalization leaves none)."""
    fields: list[FieldSelection] = []
    for item in operation.selections:
        assert not isinstance(item, InlineFragment)
        if not item.name.startswith("__"):
            fields.append(item)
    return tuple(fields)


def _is_one_request(position: TreePosition) -> bool:
    """Whether nothing but one root request is needed."""

    def request_count(at: TreePosition) -> int:
        return len(at.requests) + sum(request_count(f.child) for f in at.fields if f.child is not None)

    return request_count(position) == 1
