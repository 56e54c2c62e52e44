"""What planning promises beside the plans themselves: determinism, labels, refusals, printed forms."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from graphql import parse

from gateway.errors import NoPath, PlanningBudgetExceeded
from gateway.planner.fetch_graph import build
from gateway.planner.fetch_graph.text import write_fetch_graph
from gateway.planner.normalize import normalize
from gateway.planner.plan.json import plan_to_json
from gateway.planner.plan.nodes import EntityStep, PlanVerdict
from gateway.planner.planner import Planner
from gateway.planner.query_tree import write_query_tree
from gateway.query_graph.dot import write_dot
from gateway.supergraph.read import read_supergraph
from tests.support.planning import CASES, checked_plan, planner_of_case

SUPERGRAPH = Path(__file__).parents[3] / "schema" / "supergraph.graphql"
UNREACHABLE = """
schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for:
EXECUTION) { query: Query } directive @join__field(graph: join__Graph, requires: join__FieldSet, external: Boolean)
repeatable on FIELD_DEFINITION directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: join__FieldSet, resolvable: Boolean! = true) repeatable on OBJECT
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { EXECUTION SECURITY }
enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
type Query @join__type(graph: A) @join__type(graph: B) { thing: Thing @join__field(graph: A) }
type Thing @join__type(graph: A) @join__type(graph: B) { here: Int @join__field(graph: A) there: Int
@join__field(graph: B) }
"""


@pytest.mark.parametrize("topic", ["requires", "interface-objects", "batches"])
def test_plans_are_deterministic(topic: str) -> None:
    """Two planners make the same plan, down to ids and aliases."""
    for path in sorted((CASES / topic).glob("*.graphql")):
        first = checked_plan(planner_of_case(topic), path.read_text())
        assert first == checked_plan(planner_of_case(topic), path.read_text())


def test_label_decides_gradual_override() -> None:
    """With the label active the field is asked of the subgraph that takes it over."""
    planner = planner_of_case("override")
    before = checked_plan(planner, "{ orders { status } }")
    after = checked_plan(planner, "{ orders { status } }", frozenset({"percent(10)"}))
    assert [step.subgraph for step in before.steps] == ["old"]
    assert [step.subgraph for step in after.steps] == ["old", "new"]


def test_field_without_a_way_is_refused() -> None:
    """A supergraph that composition should not have let through: the error names the field and who declares it."""
    planner = Planner(read_supergraph(UNREACHABLE))
    with pytest.raises(NoPath, match=r"Thing\.there.*'b'"):
        planner.plan(parse("{ thing { there } }"))


def test_small_budget_still_gives_a_right_plan() -> None:
    """When the budget ends the search, the plan says so and is proved all the same."""
    source = planner_of_case("requires")
    planner = Planner(source.supergraph, states=1)
    plan = checked_plan(planner, "{ parts { bill zone weight(unit: KG) } }")
    assert PlanVerdict.BUDGET_REACHED is plan.verdict
    assert PlanVerdict.OPTIMAL is checked_plan(source, "{ parts { bill zone weight(unit: KG) } }").verdict


def test_levels_of_abstract_types_end_at_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each level multiplies what is below it by its types: what a short text stands for is bounded."""
    monkeypatch.setattr(build, "MAX_PLACED", 2_000)
    planner = Planner(read_supergraph(SUPERGRAPH.read_text("utf-8")))
    for levels, is_refused in ((2, False), (12, True)):
        below = f"{'trailers { of { ' * levels}id displayName{' } }' * levels}"
        document = parse(f"{{ titles(first: 1) {{ edges {{ node {{ {below} }} }} }} }}")
        with pytest.raises(PlanningBudgetExceeded) if is_refused else nullcontext():
            planner.plan(document)


def test_representation_variable_never_takes_a_clients_name() -> None:
    """A client variable called as ours keeps its name and value."""
    planner = planner_of_case("conditions")
    plan = checked_plan(
        planner, "query ($representations: Boolean!) { me { posts { title @include(if: $representations) } } }"
    )
    step = plan.steps[1]
    assert isinstance(step, EntityStep)
    assert "representations" not in {item.variable for item in step.inputs}
    assert step.variables == ("representations",)


def test_plan_as_json() -> None:
    """The usual node kinds, plain JSON values, and our numbers."""
    planner = planner_of_case("batches")
    plan = checked_plan(planner, (CASES / "batches" / "02-different_selections.graphql").read_text())
    printed = json.loads(json.dumps(plan_to_json(plan)))
    assert printed["node"]["kind"] == "Sequence"
    assert [node["kind"] for node in printed["node"]["nodes"]] == ["Fetch", "Parallel", "Flatten"]
    assert printed["node"]["nodes"][1]["nodes"][0]["kind"] == "BatchFetch"
    assert printed["node"]["nodes"][1]["nodes"][0]["inputs"][0]["paths"] == [["basket", "lines", "@", "product"]]
    assert printed["verdict"] == "optimal"


def test_every_stage_can_be_printed() -> None:
    """Query graph, query tree and fetch graph name what they hold."""
    planner = planner_of_case("requires")
    stages = planner.stages(normalize(parse("{ parts { zone } }"), planner.api_schema))
    assert "digraph query_graph" in write_dot(planner.query_graph)
    assert "Part.zone ← Part@shipping" in write_query_tree(stages.positions[0], planner.query_graph)
    assert "at parts.@.maker" in write_fetch_graph(stages.fetch_graph, planner.query_graph)
