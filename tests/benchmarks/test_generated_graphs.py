"""Graphs that the benchmark generates are what it says: they compose, are the same every time, and have right plans."""

from __future__ import annotations

import pytest

from benchmarks.gateway.generated_graphs import (
    GeneratedSubgraph,
    many_plans,
    many_plans_query,
    many_subgraphs,
    many_subgraphs_query,
)
from gateway.planner.plan.nodes import PlanVerdict
from gateway.planner.planner import Planner
from gateway.supergraph.model import ObjectType
from tests.support.planning import checked_plan, planner_of


def planner_for(subgraphs: list[GeneratedSubgraph]) -> Planner:
    return planner_of({each.name: each.sdl for each in subgraphs})


@pytest.mark.parametrize("count", [1, 2, 25])
def test_teams_compose_and_their_query_crosses_them(count: int) -> None:
    planner = planner_for(many_subgraphs(count))
    plan = checked_plan(planner, many_subgraphs_query(count))
    assert len(planner.supergraph.subgraphs) == count
    assert {step.subgraph for step in plan.steps} == {"team000", f"team{count - 1:03}"}


def test_generating_twice_gives_the_same() -> None:
    assert many_subgraphs(12) == many_subgraphs(12)
    assert many_plans() == many_plans()
    assert many_plans_query() == many_plans_query()


def test_many_plans_has_hundreds_of_fields_that_several_subgraphs_offer() -> None:
    supergraph = planner_for(many_plans()).supergraph
    types = [
        each for name, each in supergraph.types.items() if name.startswith("Level") and isinstance(each, ObjectType)
    ]
    shared = [field for each in types for field in each.fields.values() if len(field.joins) > 1]
    assert len(supergraph.subgraphs) == 8
    assert len(types) == 6
    assert len(shared) > 300


@pytest.mark.parametrize(("states", "verdict"), [(60_000, PlanVerdict.OPTIMAL), (10, PlanVerdict.BUDGET_REACHED)])
def test_many_plans_are_planned_right_whatever_the_budget(states: int, verdict: PlanVerdict) -> None:
    planner = planner_for(many_plans())
    planner.states = states
    assert checked_plan(planner, many_plans_query()).verdict is verdict
