"""Builders for small hand-made plans, so that the executor is tested without a planner."""

from __future__ import annotations

from gateway.graphql_kit.paths import EVERY_ITEM, FlattenPath, KeyElement, TypeCondition
from gateway.graphql_kit.selections import Condition
from gateway.planner.plan.nodes import (
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
from gateway.supergraph.model import SubgraphName


def path(text: str) -> FlattenPath:
    """`a.@.b|X,Y` → a flatten path."""
    elements: list[object] = []
    for part in text.split(".") if text else []:
        key, _, condition = part.partition("|")
        elements.append(EVERY_ITEM if key == "@" else KeyElement(key))
        if condition:
            elements.append(TypeCondition(tuple(sorted(condition.split(",")))))
    return tuple(elements)


def root(
    id: int,
    subgraph: str,
    operation: str,
    *,
    after: tuple[int, ...] = (),
    kind: str = "query",
    variables: tuple[str, ...] = (),
    condition: tuple[Condition, ...] = (),
    at: str = "",
    rewrites: tuple[OutputRewrite, ...] = (),
) -> RootStep:
    return RootStep(id, SubgraphName(subgraph), kind, operation, None, variables, after, condition, path(at), rewrites)


def shape(*fields: str, types: tuple[str, ...] | None = None, sent: str | None) -> RepresentationShape:
    return RepresentationShape(types, sent, tuple(RepresentationField(name, name) for name in fields))


def entity_input(
    *paths: str,
    shapes: tuple[RepresentationShape, ...],
    alias: str = "_entities",
    variable: str = "representations",
    rewrites: tuple[OutputRewrite, ...] = (),
) -> EntityInput:
    return EntityInput(alias, variable, tuple(path(each) for each in paths), shapes, rewrites)


def entities(
    id: int, subgraph: str, selection: str, *inputs: EntityInput, after: tuple[int, ...], **more: object
) -> EntityStep:
    fields = " ".join(
        f"{'' if each.alias == '_entities' else each.alias + ': '}_entities(representations: ${each.variable}) {selection}"
        for each in inputs
    )
    definitions = ", ".join(f"${each.variable}: [_Any!]!" for each in inputs)
    return EntityStep(
        id, SubgraphName(subgraph), f"query({definitions}) {{ {fields} }}", None, (), after, tuple(inputs), **more
    )


def plan(*steps: FetchStep, kind: str = "query") -> QueryPlan:
    return QueryPlan(kind, tuple(steps), PlanVerdict.OPTIMAL, 0, 0)
