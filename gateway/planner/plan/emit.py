"""Fetch graph → query plan: steps numbered in a topological order, operations as text, equal inputs as one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.graphql_kit.paths import FlattenPath
from gateway.planner.contexts import BoundOperation
from gateway.planner.fetch_graph.model import (
    DraftPath,
    DraftShape,
    DraftStep,
    FetchGraph,
    Narrowing,
    depths,
    flatten_path,
)
from gateway.planner.fetch_graph.source_keys import SourceKeys
from gateway.planner.plan.nodes import (
    ContextValue,
    EntityInput,
    EntityStep,
    FetchStep,
    OutputRewrite,
    PlanVerdict,
    QueryPlan,
    RepresentationField,
    RepresentationShape,
    RootStep,
)
from gateway.planner.plan.operation_text import OperationWriter
from gateway.query_graph.model import QueryGraph

__all__ = ["emit_plan"]


def emit_plan(
    graph: QueryGraph,
    fetch_graph: FetchGraph,
    bound: BoundOperation,
    keys: SourceKeys,
    *,
    verdict: PlanVerdict,
    cost: int,
    states: int,
) -> QueryPlan:
    """The executable plan of a finished fetch graph."""
    depth_of = depths(fetch_graph)
    order = sorted(fetch_graph.steps.values(), key=lambda step: (depth_of[step.id], step.id))
    number_of = {step.id: number for number, step in enumerate(order)}
    steps = tuple(_Emitter(graph, bound, keys, step, number_of).emit() for step in order)
    return QueryPlan(bound.operation.kind, steps, verdict, cost, states)


_Shape = tuple[str, tuple[DraftShape, ...]]
"""The `__typename` to send, and the fields."""
_PlaceKey = tuple[DraftPath, str, tuple[OutputRewrite, ...], bool]
"""Where, what is selected, what is renamed, and whether objects there are told apart by type."""


@dataclass(slots=True)
class _WrittenInput:
    paths: list[DraftPath]
    shapes: tuple[RepresentationShape, ...]
    selection: str
    rewrites: tuple[OutputRewrite, ...]


class _Emitter:
    def __init__(
        self,
        graph: QueryGraph,
        bound: BoundOperation,
        keys: SourceKeys,
        step: DraftStep,
        number_of: dict[int, int],
    ) -> None:
        self.operation = bound.operation
        self.contexts = bound.bindings.variables
        self.step = step
        self.number = number_of[step.id]
        self.depends_on = tuple(sorted(number_of[parent] for parent in step.parents))
        self.condition = step.condition()
        self.writer = OperationWriter(graph, keys, self.condition)

    def emit(self) -> FetchStep:
        if self.step.root is None:
            return self.entity_step()
        rewrites = self.writer.settle_keys([self.step.root])
        selection = self.writer.root_text(self.step.root)
        variables = tuple(self.writer.variables)
        head = self.head(self.step.kind, [])
        return RootStep(
            id=self.number,
            subgraph=self.step.subgraph,
            kind=self.step.kind,
            operation=f"{head}{selection}",
            operation_name=self.operation_name(),
            variables=variables,
            depends_on=self.depends_on,
            condition=tuple(sorted(self.condition)),
            path=flatten_path(self.step.path),
            output_rewrites=tuple(rewrites),
        )

    def entity_step(self) -> EntityStep:
        written = self.written_inputs()
        inputs: list[EntityInput] = []
        fields: list[str] = []
        definitions: list[str] = []
        for index, item in enumerate(written):
            alias = "_entities" if len(written) == 1 else f"_e{index}"
            variable = self.free_variable("representations" if len(written) == 1 else f"representations{index}")
            name = alias if alias == "_entities" else f"{alias}: _entities"
            fields.append(f"{name}(representations: ${variable}){item.selection}")
            definitions.append(f"${variable}: [_Any!]!")
            paths = tuple(dict.fromkeys(_flat(path) for path in item.paths))
            contexts = self.contexts_in(item.selection)
            definitions += [f"${each.variable}: {each.type}" for each in contexts]
            inputs.append(EntityInput(alias, variable, paths, item.shapes, item.rewrites, contexts))
        return EntityStep(
            id=self.number,
            subgraph=self.step.subgraph,
            operation=f"{self.head('query', list(dict.fromkeys(definitions)))}{{{' '.join(fields)}}}",
            operation_name=self.operation_name(),
            variables=tuple(name for name in self.writer.variables if name not in self.contexts),
            depends_on=self.depends_on,
            inputs=tuple(inputs),
            condition=tuple(sorted(self.condition)),
        )

    def contexts_in(self, selection: str) -> tuple[ContextValue, ...]:
        """The variables from contexts that a selection uses; binding has chosen names that stand nowhere else."""
        return tuple(
            ContextValue(each.name, each.type, each.level, each.keys)
            for each in self.contexts.values()
            if re.search(rf"\${each.name}\b", selection)
        )

    def written_inputs(self) -> list[_WrittenInput]:
        """The inputs as text; equal ones are one with several paths, their type conditions united where possible."""
        by_place: list[tuple[_PlaceKey, dict[str, _Shape]]] = []
        for item in self.step.inputs:
            selections = list(item.selection.values())
            rewrites = tuple(self.writer.settle_keys(selections))
            key = (item.path, self.writer.entity_text(selections, item.enforced()), rewrites, item.needs_type)
            for have, shapes in by_place:
                if have == key and item.needs_type and not item.shapes.keys() & shapes.keys():
                    shapes.update(item.shapes)
                    break
            else:
                by_place.append((key, dict(item.shapes)))
        written: list[_WrittenInput] = []
        for (path, text, rewrites, needs_type), by_type in by_place:
            made = _shapes(by_type, needs_type=needs_type)
            for known in written:
                if known.selection == text and known.shapes == made and known.rewrites == rewrites:
                    known.paths = _unite_paths(known.paths, path)
                    break
            else:
                written.append(_WrittenInput([path], made, text, rewrites))
        return written

    def free_variable(self, name: str) -> str:
        used = {variable.name for variable in self.operation.variables}
        while name in used:
            name += "_"
        return name

    def head(self, kind: str, definitions: list[str]) -> str:
        client = [str(v) for v in self.operation.variables if v.name in self.writer.variables]
        variables = ", ".join([*client, *definitions])
        name = self.operation_name()
        return f"{kind}{' ' + name if name else ''}" + (f"({variables})" if variables else "")

    def operation_name(self) -> str | None:
        """The client's name with subgraph and number, so that subgraphs' logs can be read."""
        if self.operation.name is None:
            return None
        subgraph = re.sub(r"[^_0-9A-Za-z]", "_", self.step.subgraph)
        return f"{self.operation.name}__{subgraph}__{self.number}"


def _flat(path: DraftPath) -> FlattenPath:
    return flatten_path(path)


def _unite_paths(paths: list[DraftPath], more: DraftPath) -> list[DraftPath]:
    """One path more; two that differ in one type condition only become one."""
    for index, have in enumerate(paths):
        united = _unite(have, more)
        if united is not None:
            return _unite_paths([*paths[:index], *paths[index + 1 :]], united)
    return [*paths, more]


def _unite(one: DraftPath, other: DraftPath) -> DraftPath | None:
    if len(one) != len(other):
        return None
    differing = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if not differing:
        return one
    first, second = one[differing[0]], other[differing[0]]
    if len(differing) > 1 or not isinstance(first, Narrowing) or not isinstance(second, Narrowing):
        return None
    both = Narrowing(first.names | second.names, first.universe | second.universe)
    return (*one[: differing[0]], both, *one[differing[0] + 1 :])


def _shapes(by_type: dict[str, _Shape], *, needs_type: bool) -> tuple[RepresentationShape, ...]:
    """Shapes per type; types that send the same fields share one."""
    grouped: dict[tuple[str | None, tuple[RepresentationField, ...]], list[str]] = {}
    for type_name in sorted(by_type):
        sent, fields = by_type[type_name]
        own = sent == type_name and needs_type
        key = (None if own else sent, tuple(_field(field) for field in fields))
        grouped.setdefault(key, []).append(type_name)
    shapes: list[RepresentationShape] = []
    for (sent_typename, fields_sent), names in grouped.items():
        one = names[0] if len(names) == 1 else None
        sent_name = one if sent_typename is None else sent_typename
        shapes.append(RepresentationShape(tuple(names) if needs_type else None, sent_name, fields_sent))
    return tuple(shapes)


def _field(shape: DraftShape) -> RepresentationField:
    nested = tuple(_field(field) for field in shape.fields)
    return RepresentationField(shape.name, shape.source_key, nested, shape.type_names)
