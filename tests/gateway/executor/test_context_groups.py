"""Requests in groups of equal values: which objects are asked for together, with which variables, and which not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.executor.compile import CompiledPlan, compile_plan
from gateway.executor.fetch import PreparedFetch, prepare_fetch
from gateway.graphql_kit.paths import EVERY_ITEM, KeyElement
from gateway.planner.plan.nodes import (
    ContextValue,
    EntityInput,
    EntityStep,
    PlanVerdict,
    QueryPlan,
    RepresentationField,
    RepresentationShape,
    RootStep,
)

PATH = (KeyElement("shelves"), EVERY_ITEM, KeyElement("film"))
SHAPES = (RepresentationShape(None, "Film", (RepresentationField("id", "id"),)),)


def compiled(*contexts: ContextValue, client: str = "") -> CompiledPlan:
    """One entity request at shelves.@.film whose field has an argument for each context."""
    arguments = ", ".join(f"{each.variable}: ${each.variable}" for each in contexts)
    definitions = "".join(f", ${each.variable}: {each.type}" for each in contexts)
    operation = (
        f"query Q({f'${client}: Int, ' if client else ''}$representations: [_Any!]!{definitions})"
        f"{{_entities(representations: $representations){{...on Film{{title({arguments}) plain}}}}}}"
    )
    step = EntityStep(
        id=1,
        subgraph="films",  # type: ignore[arg-type]
        operation=operation,
        operation_name="Q",
        variables=(client,) if client else (),
        depends_on=(0,),
        inputs=(EntityInput("_entities", "representations", (PATH,), SHAPES, (), contexts),),
    )
    root = RootStep(0, "films", "query", "{shelves{film{id}}}", None, (), ())  # type: ignore[arg-type]
    return compile_plan(QueryPlan("query", (root, step), PlanVerdict.OPTIMAL, 0, 0))


def sent(plan: CompiledPlan, tree: dict[str, Any], **client: bytes) -> tuple[PreparedFetch, dict[str, Any]]:
    prepared = prepare_fetch(plan.steps[1], tree, client)
    assert prepared is not None
    body: dict[str, Any] = json.loads(prepared.body)
    return prepared, body


def shelves(*styles: Any) -> dict[str, Any]:
    """A shelf for each style, with a film of its own."""
    return {"shelves": [{"style": style, "film": {"id": str(number)}} for number, style in enumerate(styles)]}


STYLE = ContextValue("style", "String", 1, ("style",))


def test_equal_values_are_one_field() -> None:
    """Objects with equal values are asked for together, each value is a variable of its own."""
    prepared, body = sent(compiled(STYLE), shelves("a", "b", "a"))

    assert body["variables"] == {
        "representations_0_0": [{"__typename": "Film", "id": "0"}, {"__typename": "Film", "id": "2"}],
        "style_0_0": "a",
        "representations_0_1": [{"__typename": "Film", "id": "1"}],
        "style_0_1": "b",
    }
    assert body["operationName"] == "Q"
    assert body["query"] == (
        "query Q($representations_0_0: [_Any!]!, $style_0_0: String, $representations_0_1: [_Any!]!, $style_0_1: String)"
        "{_e_0_0: _entities(representations: $representations_0_0){...on Film{title(style: $style_0_0) plain}}"
        " _e_0_1: _entities(representations: $representations_0_1){...on Film{title(style: $style_0_1) plain}}}"
    )
    assert [[target["id"] for target in targets] for each in prepared.merged.sent for targets in each.targets] == [
        ["0"],
        ["2"],
        ["1"],
    ]


def test_equal_objects_with_equal_values_are_sent_once() -> None:
    """Within a group a representation is sent once and its answer belongs to all who asked."""
    tree = {"shelves": [{"style": "a", "film": {"id": "1"}}, {"style": "a", "film": {"id": "1"}}]}
    prepared, body = sent(compiled(STYLE), tree)

    assert body["variables"]["representations_0_0"] == [{"__typename": "Film", "id": "1"}]
    assert [len(targets) for targets in prepared.merged.sent[0].targets] == [2]


@pytest.mark.parametrize(
    ("value", "as_sent"),
    [(None, None), (1, 1), (True, True), (1.0, 1.0), ({"b": [1]}, {"b": [1]}), (["x", None], ["x", None])],
)
def test_values_are_sent_as_they_are(value: Any, as_sent: Any) -> None:
    """Null, numbers, objects of custom scalars and lists are values like any other."""
    _, body = sent(compiled(STYLE), shelves(value))

    assert json.dumps(body["variables"]["style_0_0"]) == json.dumps(as_sent)


def test_values_that_python_takes_for_equal_are_apart() -> None:
    """1, 1.0 and true are three values."""
    prepared, _ = sent(compiled(STYLE), shelves(1, 1.0, True))

    assert len(prepared.merged.sent) == 3


def test_nested_values_through_lists() -> None:
    """A list on the way makes a list of the value, null stays null."""
    context = ContextValue("tags", "[[String]]", 1, ("rows", "tags", "name"))
    rows = [{"tags": [{"name": "x"}, None]}, {"tags": None}]
    _, body = sent(compiled(context), {"shelves": [{"rows": rows, "film": {"id": "1"}}]})

    assert body["variables"]["tags_0_0"] == [["x", None], None]


@pytest.mark.parametrize(
    "shelf",
    [
        pytest.param({"film": {"id": "1"}}, id="missing"),
        pytest.param({"style": None, "film": {"id": "1"}}, id="null where the argument allows none"),
    ],
)
def test_objects_without_a_value_are_not_asked_for(shelf: dict[str, Any]) -> None:
    """A value that failed to come takes the field with it; nothing is sent that could only be refused."""
    plan = compiled(ContextValue("style", "String!", 1, ("style",)))

    assert prepare_fetch(plan.steps[1], {"shelves": [shelf]}, {}) is None


def test_objects_that_are_null_or_lack_their_key_are_left_out() -> None:
    """As for every entity request."""
    tree = {
        "shelves": [{"style": "a", "film": None}, None, {"style": "a", "film": {}}, {"style": "b", "film": {"id": "1"}}]
    }
    _, body = sent(compiled(STYLE), tree)

    assert body["variables"] == {"representations_0_0": [{"__typename": "Film", "id": "1"}], "style_0_0": "b"}


def test_clients_variables_keep_their_names() -> None:
    """A variable of the client that looks like one of a group is not taken for it."""
    _, body = sent(
        compiled(STYLE, client="representations_0_0"), shelves("a"), representations_0_0=b'"representations_0_0":7'
    )

    assert body["variables"]["representations_0_0"] == 7
    assert body["variables"]["representations__0_0"] == [{"__typename": "Film", "id": "0"}]
    assert "$representations_0_0: Int" in body["query"]


def test_two_values_make_one_group() -> None:
    """Objects are together only when all their values are equal."""
    plan = compiled(STYLE, ContextValue("top", "Int", 0, ("top",)))
    prepared, body = sent(plan, {"top": 3, **shelves("a", "b")})

    assert len(prepared.merged.sent) == 2
    assert (body["variables"]["top_0_0"], body["variables"]["top_0_1"]) == (3, 3)
