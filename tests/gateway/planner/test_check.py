"""The plan check finds what is wrong: each broken plan here differs from a right one in a single thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graphql import parse

from gateway.graphql_kit.paths import KeyElement
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.plan.nodes import QueryPlan
from tests.support.planning import checked_plan, planner_of, planner_of_case

PLANNER = planner_of_case("requires")
TEXT = "query Q($x: Boolean!) { parts { bill zone @include(if: $x) } }"


def problems(plan: QueryPlan, text: str = TEXT) -> list[str]:
    return check_plan(PLANNER.query_graph, normalize(parse(text), PLANNER.api_schema), plan)


def changed(plan: QueryPlan, index: int, **changes: Any) -> QueryPlan:
    steps = list(plan.steps)
    steps[index] = replace(steps[index], **changes)
    return replace(plan, steps=tuple(steps))


@pytest.fixture
def plan() -> QueryPlan:
    """catalogue → makers → shipping → billing."""
    return checked_plan(PLANNER, TEXT)


def test_missing_dependency(plan: QueryPlan) -> None:
    """An input must be delivered by a step that is waited for."""
    assert any("before it is there" in p for p in problems(changed(plan, 3, depends_on=(0,))))


def test_missing_field(plan: QueryPlan) -> None:
    """What was asked must be fetched."""
    assert any("Part.bill is not fetched" in p for p in problems(replace(plan, steps=plan.steps[:3])))


def test_wrong_subgraph(plan: QueryPlan) -> None:
    """A subgraph must know what it is asked."""
    assert any("can't answer" in p or "can't be entered" in p for p in problems(changed(plan, 2, subgraph="makers")))


def test_requirement_not_sent(plan: QueryPlan) -> None:
    """A required field must be in the representation."""
    step = plan.steps[2]
    (item,) = step.inputs  # type: ignore[union-attr]
    shapes = tuple(replace(shape, fields=shape.fields[:1]) for shape in item.shapes)
    assert any(
        "can't answer Part.zone" in p for p in problems(changed(plan, 2, inputs=(replace(item, shapes=shapes),)))
    )


def test_wrong_path(plan: QueryPlan) -> None:
    """Objects must be where the step looks for them."""
    step = plan.steps[1]
    (item,) = step.inputs  # type: ignore[union-attr]
    assert any(
        "nothing is known" in p
        for p in problems(changed(plan, 1, inputs=(replace(item, paths=((KeyElement("x"),),)),)))
    )


def test_condition_too_strict(plan: QueryPlan) -> None:
    """A step must not be left out when what it delivers was asked."""
    conditional = checked_plan(PLANNER, "query Q($x: Boolean!) { parts { id maker { id } zone @include(if: $x) } }")
    step = conditional.steps[-1]
    assert step.condition
    found = problems(conditional, "query Q($x: Boolean!) { parts { id maker { id } zone } }")
    assert any("under all conditions" in p for p in found)


def test_unused_step(plan: QueryPlan) -> None:
    """A step that nobody needs is a problem."""
    assert any("delivers nothing that is used" in p for p in problems(plan, "{ parts { zone } }"))


def test_steps_out_of_order(plan: QueryPlan) -> None:
    """Every step stands after all that it waits for."""
    assert problems(replace(plan, steps=plan.steps[::-1])) != []


HIDDEN_TYPES = {
    "titles": """
        type Query { titles: [Title!]! }
        interface Title @key(fields: "id") { id: ID! name: String! }
        type Movie implements Title @key(fields: "id") { id: ID! name: String! }
        type Series implements Title @key(fields: "id") { id: ID! name: String! }
    """,
    "recommendations": """
        type Query { forYou: [Title!]! }
        type Title @key(fields: "id") @interfaceObject { id: ID! similar: [Title!]! }
    """,
}


def test_a_path_narrowed_by_a_type_that_nobody_has_told_yet() -> None:
    """An interface object hides its objects' types: what is below one of them waits for the step that tells."""
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key", "@interfaceObject"])'
    planner = planner_of({name: link + sdl for name, sdl in HIDDEN_TYPES.items()})
    text = "{ forYou { ... on Series { name similar { name } } } }"
    plan = checked_plan(planner, text)
    (narrowed,) = [index for index, step in enumerate(plan.steps) if "TypeCondition" in repr(step)]
    unwaited = changed(plan, narrowed, depends_on=(0,))
    found = check_plan(planner.query_graph, normalize(parse(text), planner.api_schema), unwaited)
    assert any("before __typename is there" in problem for problem in found)
