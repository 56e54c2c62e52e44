"""Planning in tests: a planner for a case folder, and plans that are always checked."""

from __future__ import annotations

from pathlib import Path

from graphql import parse, validate

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, SubgraphSource
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.plan.nodes import QueryPlan
from gateway.planner.planner import Planner

CASES = Path(__file__).resolve().parents[1] / "cases" / "planning"


def planner_of(subgraphs: dict[str, str]) -> Planner:
    """A planner for subgraphs given as SDL by name; they must compose."""
    result = compose([SubgraphSource(name, sdl, "") for name, sdl in subgraphs.items()])
    assert isinstance(result, Composed), "\n".join(str(each) for each in result.diagnostics)
    return Planner(result.supergraph)


def planner_of_case(topic: str) -> Planner:
    """A planner for a folder of tests/cases/planning."""
    files = sorted((CASES / topic / "subgraphs").glob("*.graphql"))
    return planner_of({path.stem: path.read_text() for path in files})


def checked_plan(planner: Planner, text: str, labels: frozenset[str] = frozenset()) -> QueryPlan:
    """The plan for an operation, proved by the plan check."""
    document = parse(text)
    assert validate(planner.api_schema, document) == []
    plan = planner.plan(document, None, labels)
    assert check_plan(planner.query_graph, normalize(document, planner.api_schema), plan) == []
    return plan
