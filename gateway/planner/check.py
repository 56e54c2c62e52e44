"""The plan check: proof that a plan yields what was asked and that every input is there before it is used.

It interprets the plan (interpret.py) and compares the tree with the operation, type by type. Problems are returned
in words; an empty list is the proof. What it does not prove: that a plan is cheap, and anything about data.
"""

from __future__ import annotations

from gateway.graphql_kit.selections import Condition, InlineFragment
from gateway.planner.contexts import bind_contexts
from gateway.planner.interpret import Interpreter, Place, Source
from gateway.planner.normalize.inline_fragments import is_contradiction
from gateway.planner.normalize.operation import NormalizedOperation
from gateway.planner.plan.nodes import EntityStep, QueryPlan
from gateway.planner.selection_table import SelectionTable
from gateway.query_graph.model import QueryGraph
from gateway.supergraph.model import UnionType

__all__ = ["check_plan"]


def check_plan(graph: QueryGraph, operation: NormalizedOperation, plan: QueryPlan) -> list[str]:
    """What is wrong with a plan for an operation; [] when nothing is."""
    filled = {
        each.variable for step in plan.steps if isinstance(step, EntityStep) for i in step.inputs for each in i.contexts
    }
    bound = bind_contexts(graph, operation, lambda _mark, _subgraph, variables: variables <= filled)
    operation = bound.operation
    interpreter = Interpreter(graph, plan, operation.root_type, bound.bindings)
    interpreter.run()
    if not interpreter.problems:
        table = SelectionTable(graph)
        comparison = _Comparison(graph, table, interpreter.problems)
        comparison.compare(interpreter.root, table.number(operation.selections), frozenset(), operation.kind)
        _find_unused(interpreter.root, plan, interpreter.problems)
        _find_order(operation, interpreter)
    return interpreter.problems


class _Comparison:
    def __init__(self, graph: QueryGraph, table: SelectionTable, problems: list[str]) -> None:
        self.graph = graph
        self.table = table
        self.problems = problems

    def compare(self, place: Place, selection: int, conditions: frozenset[Condition], path: str) -> None:
        """Everything selected for each type that may stand at a place is in the tree."""
        narrows = any(isinstance(item, InlineFragment) for item in self.table.selections(selection))
        for type_name in sorted(place.types - self.graph.hidden_types - self.doubtful(place)):
            if (
                narrows
                and not _delivered(place.typename_sources.get(type_name, []), conditions)
                and len(place.types) > 1
            ):
                self.problems.append(f"{path}: __typename of {type_name} is needed to tell objects apart")
            for wanted in self.table.fields(selection, type_name):
                where = f"{path}.{wanted.response_key}"
                needed = conditions | frozenset(wanted.conditions)
                if is_contradiction(tuple(needed)):
                    continue
                if wanted.name == "__typename":
                    sources = place.typename_sources.get(type_name, [])
                    if not _delivered(sources, needed) and len(place.types) > 1:
                        self.problems.append(f"{where}: __typename of {type_name} is not fetched")
                    continue
                if wanted.name.startswith("__"):
                    continue
                fact = place.facts.get(type_name, {}).get(wanted.response_key)
                if fact is None or not fact.means(wanted):
                    self.problems.append(f"{where}: {type_name}.{wanted.name} is not fetched")
                elif not _delivered(fact.sources, needed):
                    self.problems.append(f"{where}: {type_name}.{wanted.name} is not fetched under all conditions")
                elif fact.below is not None:
                    self.compare(fact.below, self.table.number(wanted.selections), needed, where)

    def doubtful(self, place: Place) -> set[str]:
        """Members that some subgraph's union lacks: planning may leave them out (see positions.py)."""
        return {
            name
            for definition in self.graph.supergraph.types.values()
            if isinstance(definition, UnionType)
            for name, subgraphs in definition.members.items()
            if name in place.types and len(subgraphs) < len(definition.joins)
        }


def _delivered(sources: list[Source], conditions: frozenset[Condition]) -> bool:
    """Whether some source delivers whenever the conditions hold."""
    found = False
    for source in sources:
        if source.conditions <= conditions:
            source.used = True
            found = True
    return found


def _find_unused(root: Place, plan: QueryPlan, problems: list[str]) -> None:
    """Steps of which nobody uses anything."""
    used: set[int] = set()
    seen: set[int] = set()
    stack = [root]
    while stack:
        place = stack.pop()
        if id(place) in seen:
            continue
        seen.add(id(place))
        for sources in place.typename_sources.values():
            used.update(source.step for source in sources if source.used)
        for by_key in place.facts.values():
            for fact in by_key.values():
                used.update(source.step for source in fact.sources if source.used)
                if fact.below is not None:
                    stack.append(fact.below)
    problems += [
        f"step {step.id} delivers nothing that is used"
        for step in plan.steps
        if step.id not in used and isinstance(step, EntityStep)
    ]


def _find_order(operation: NormalizedOperation, interpreter: Interpreter) -> None:
    """Root fields of a mutation must be asked one after the other, in the client's order."""
    if operation.kind != "mutation":
        return
    last: Source | None = None
    for item in operation.selections:
        fact = interpreter.root.facts.get(operation.root_type, {}).get(getattr(item, "response_key", ""))
        if fact is None:
            continue
        source = fact.sources[0]
        if last is not None and source.step != last.step and last.step not in interpreter.before[source.step]:
            interpreter.problems.append(f"step {source.step} does not wait for step {last.step}")
        last = source
