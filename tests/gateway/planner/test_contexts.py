"""Arguments from contexts: what is bound, what waits for what, and what the plan check finds wrong with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse

from gateway.composition.compose import compose
from gateway.composition.stages import CompositionFailed, SubgraphSource
from gateway.errors import NoPath
from gateway.planner.check import check_plan
from gateway.planner.contexts import ContextBindings
from gateway.planner.normalize import normalize
from gateway.planner.plan.json import plan_to_json
from gateway.planner.plan.nodes import EntityStep, QueryPlan
from gateway.planner.planner import Planner
from gateway.supergraph.model import SubgraphName
from gateway.supergraph.read import SupergraphInvalid, read_supergraph
from tests.support.planning import checked_plan, planner_of

SUPERGRAPH = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/context/v0.1", import: [{name: "@context", as: "@sets"}], for: SECURITY)
{ query: Query }
directive @sets(name: String!) repeatable on INTERFACE | OBJECT | UNION
enum join__Graph {
  ONE @join__graph(name: "One", url: "http://one.invalid/")
  TWO @join__graph(name: "Two", url: "http://two.invalid/")
}
type Query @join__type(graph: ONE) @join__type(graph: TWO) {
  t: T! @join__field(graph: ONE)
  u: U @join__field(graph: ONE)
}
type T @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id") @sets(name: "One__context") {
  id: ID!
  u: U! @join__field(graph: ONE)
  prop: String! @join__field(graph: TWO)
}
type U @join__type(graph: ONE, key: "id") {
  id: ID!
  field: Int! @join__field(graph: ONE, contextArguments: [
    {context: "One__context", name: "a", type: "String!", selection: " { prop }"}
  ])
  plain: Int
}
"""


LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@shareable", "@override", "@context", "@fromContext"])\n'
)


def planner() -> Planner:
    return Planner(read_supergraph(SUPERGRAPH))


def problems(made: Planner, text: str, plan: QueryPlan) -> list[str]:
    return check_plan(made.query_graph, normalize(parse(text), made.api_schema), plan)


def test_other_composers_supergraphs_are_planned() -> None:
    """The value is fetched first, from whoever has it, and given to the request for the object below."""
    plan = checked_plan(planner(), "{ t { u { field plain } } }")

    last = plan.steps[-1]
    assert isinstance(last, EntityStep)
    assert [step.subgraph for step in plan.steps] == ["One", "Two", "One"]
    (context,) = last.inputs[0].contexts
    assert (context.type, context.level, context.keys) == ("String!", 1, ("prop",))
    assert f"field(a: ${context.variable})" in last.operation
    assert f"${context.variable}: String!" in last.operation


def test_a_field_without_its_context_has_no_way() -> None:
    """Where nothing above sets the context, the operation is refused, and the reason tells why."""
    with pytest.raises(NoPath, match="'One' fills arguments from a context that nothing above gives"):
        planner().plan(parse("{ u { field } }"))


def test_broken_selections_are_refused_when_they_are_read() -> None:
    """A supergraph with a context selection that is none does not load."""
    with pytest.raises(SupergraphInvalid, match="selection of a context argument"):
        read_supergraph(SUPERGRAPH.replace(" { prop }", " { prop"))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"keys": ("other",)}, id="another key"),
        pytest.param({"level": 0}, id="another object"),
    ],
)
def test_the_check_finds_wrong_values(wrong: dict[str, object]) -> None:
    """A value that is not where the plan says it is found."""
    made, text = planner(), "{ t { u { field } } }"
    plan = checked_plan(made, text)
    step = plan.steps[-1]
    assert isinstance(step, EntityStep)
    (item,) = step.inputs
    broken = replace(item, contexts=(replace(item.contexts[0], **wrong),))  # type: ignore[arg-type]
    steps = (*plan.steps[:-1], replace(step, inputs=(broken,)))

    assert any("otherwise than it is bound" in each for each in problems(made, text, replace(plan, steps=steps)))


def test_the_check_finds_values_that_nobody_waits_for() -> None:
    """A step that does not wait for the value of its argument is found."""
    made, text = planner(), "{ t { u { field } } }"
    plan = checked_plan(made, text)
    steps = (*plan.steps[:-1], replace(plan.steps[-1], depends_on=(0,)))

    assert any("before it is there" in each for each in problems(made, text, replace(plan, steps=steps)))


def test_the_check_finds_arguments_that_are_not_filled() -> None:
    """Asking the field without its argument is not what was bound."""
    made, text = planner(), "{ t { u { field } } }"
    plan = checked_plan(made, text)
    step = plan.steps[-1]
    assert isinstance(step, EntityStep)
    bare = step.operation.replace(f"(a: ${step.inputs[0].contexts[0].variable})", "")
    assert bare != step.operation

    assert any(
        "field is not fetched" in each
        for each in problems(made, text, replace(plan, steps=(*plan.steps[:-1], replace(step, operation=bare))))
    )


def test_printed_plans_say_where_values_come_from() -> None:
    """The JSON form names the variable, the level and the keys."""
    plan = checked_plan(planner(), "{ t { u { field } } }")

    last = plan_to_json(plan)["node"]["nodes"][-1]["node"]
    assert last["contextVariables"] == [{"variable": "_c_0", "type": "String!", "level": 1, "keys": ["prop"]}]


def test_names_that_clients_use_are_left_to_them() -> None:
    """A client's alias, variable or text that looks like an internal name changes nothing."""
    text = "query ($_c_0: Boolean!) { t { _c_1: id prop: id u { field _c_2: plain @include(if: $_c_0) } } }"
    plan = checked_plan(planner(), text)

    step = next(each for each in plan.steps if isinstance(each, EntityStep) and each.inputs[0].contexts)
    (context,) = step.inputs[0].contexts
    assert context.variable not in ("_c_0", "_c_1", "_c_2")
    assert context.keys[0] not in ("prop", "_c_1")


def test_several_subgraphs_fill_the_same_field() -> None:
    """Each subgraph gets its own arguments; the one that gives the plan with the fewest requests is asked."""
    made = planner_of(
        {
            "a": LINK
            + """
                type Query { t: T }
                type T @key(fields: "id") @context(name: "own") { id: ID! x: String u: U }
                type U @key(fields: "id") { id: ID! f(p: String @fromContext(field: "$own { x }")): Int @shareable }
            """,
            "b": LINK
            + """
                type T @key(fields: "id") @context(name: "own") { id: ID! y: String }
                type U @key(fields: "id") { id: ID! f(q: String @fromContext(field: "$own { y }")): Int @shareable g: Int }
            """,
        }
    )

    alone = checked_plan(made, "{ t { u { f } } }")
    both = checked_plan(made, "{ t { u { f g } } }")

    assert [step.subgraph for step in alone.steps] == ["a", "a"]
    assert any("f(p: $" in step.operation for step in alone.steps)
    assert [step.subgraph for step in both.steps] == ["a", "a", "b"]
    assert both.steps[1].depends_on == both.steps[2].depends_on == (0,)  # side by side, without a wait for T.y


def test_gradual_overrides_of_filled_fields() -> None:
    """A field that moves gradually keeps each subgraph's own way to fill its argument."""
    made = planner_of(
        {
            "a": LINK
            + """
                type Query { t: T }
                type T @key(fields: "id") @context(name: "own") { id: ID! x: String u: U }
                type U @key(fields: "id") { id: ID! f(p: String @fromContext(field: "$own { x }")): Int }
            """,
            "b": LINK
            + """
                type T @key(fields: "id") @context(name: "own") { id: ID! y: String }
                type U @key(fields: "id") {
                  id: ID!
                  f(p: String @fromContext(field: "$own { y }")): Int @override(from: "a", label: "percent(5)")
                }
            """,
        }
    )

    assert "b" not in {step.subgraph for step in checked_plan(made, "{ t { u { f } } }").steps}
    moved = checked_plan(made, "{ t { u { f } } }", frozenset({"percent(5)"}))
    assert moved.steps[-1].subgraph == "b"


PAYLOAD = """
    type Query { t: T }
    type Mutation { change: T }
    type T @context(name: "own") { x: String u: U }
    type U @key(fields: "id") { id: ID! f(p: String @fromContext(field: "$own { x }")): Int }
"""


def test_mutations_are_not_asked_twice_for_a_value() -> None:
    """What fills an argument below a mutation's result comes from that result; the next action waits for all of it."""
    plan = checked_plan(planner_of({"a": LINK + PAYLOAD}), "mutation { change { u { f } } again: change { x } }")

    assert [step.kind for step in plan.steps] == ["mutation", "query", "mutation"]
    assert plan.steps[0].operation == "mutation{change{x u{id}}}"


def test_actions_set_no_context() -> None:
    """What a mutation's root type declares cannot fill anything: asking for it would be an action."""
    sdl = PAYLOAD.replace("type Mutation {", 'type Mutation @context(name: "own") { x: String u: U')
    result = compose([SubgraphSource("a", LINK + sdl)])

    assert isinstance(result, CompositionFailed)
    assert [each.code for each in result.diagnostics] == ["SATISFIABILITY_ERROR"]
    assert "mutation {\n  u {\n    f" in result.diagnostics[0].message


@pytest.mark.parametrize(("contested", "untried"), [(0, False), (1, False), (2, True)])
def test_a_plan_whose_ways_were_not_all_combined_is_not_called_optimal(contested: int, untried: bool) -> None:
    """One contested field is tried with every subgraph; with two, the pairs are not, and the bindings say so."""
    several = {SubgraphName("a"): (), SubgraphName("b"): ()}
    single = {SubgraphName("a"): ()}
    bindings = ContextBindings(by_mark=[*[several] * contested, *[single] * 2])

    assert bindings.has_untried_combinations is untried
