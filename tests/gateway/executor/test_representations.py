"""Representations: which objects give one, and that equal ones are one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.executor.compile import compile_plan, delivered_keys
from gateway.executor.generate_collector import write_grouping
from gateway.executor.merge import copy_json, merge_into_all, merge_object
from gateway.executor.places import build_finder, locate
from gateway.executor.representations import build_collector
from gateway.planner.plan.nodes import EntityInput, RepresentationField, RepresentationShape
from tests.support.hand_made_plans import entities, entity_input, path, plan, root, shape


def collected(entity_input_: EntityInput, tree: dict[str, Any]) -> list[Any]:
    found: list[Any] = orjson.loads(build_collector(entity_input_)(tree).written)
    return found


def test_only_objects_of_the_shapes_types_give_representations() -> None:
    both = entity_input(
        "items.@", shapes=(shape("id", types=("A", "B"), sent=None), shape("code", types=("C",), sent="I"))
    )
    tree = {
        "items": [
            {"__typename": "A", "id": 1},
            {"__typename": "C", "code": "x"},
            {"__typename": "D", "id": 2},
            {"id": 3},
            {"__typename": ["A"], "id": 4},
            None,
            "text",
        ]
    }
    assert collected(both, tree) == [{"__typename": "A", "id": 1}, {"__typename": "I", "code": "x"}]


def test_a_missing_input_leaves_the_object_out_and_a_null_one_is_sent() -> None:
    one = entity_input("items.@", shapes=(shape("id", "size", sent="T"),))
    tree = {"items": [{"id": 1}, {"id": 2, "size": None}]}
    assert collected(one, tree) == [{"__typename": "T", "id": 2, "size": None}]


def test_nested_inputs_take_only_the_named_fields() -> None:
    fields = (
        RepresentationField(
            "owner", "own", (RepresentationField("id", "id"), RepresentationField("x", "x", (), ("Y",)))
        ),
    )
    one = EntityInput("_entities", "r", (path("items.@"),), (RepresentationShape(None, "T", fields),))
    tree = {
        "items": [
            {"own": {"id": 1, "more": 2, "x": 3}},
            {"own": [{"id": 1}, None, [{"__typename": "Y", "id": 2, "x": 5}]]},
            {"own": None},
            {"own": {"other": 1}},
            {"own": "text"},
        ]
    }
    assert collected(one, tree) == [
        {"__typename": "T", "owner": {"id": 1}},
        {"__typename": "T", "owner": [{"id": 1}, None, [{"id": 2, "x": 5}]]},
        {"__typename": "T", "owner": None},
    ]


@pytest.mark.parametrize(("left", "right"), [(1, True), (1, "1"), (0, False), (None, "null"), ([1], "[1]")])
def test_values_of_different_kinds_are_different_keys(left: Any, right: Any) -> None:
    one = entity_input("items.@", shapes=(shape("id", sent="T"),))
    assert len(collected(one, {"items": [{"id": left}, {"id": right}, {"id": left}]})) == 2


def test_each_object_is_a_target_once_although_lists_are_shared() -> None:
    shared = [{"id": "1"}]
    tree = {"a": [{"list": shared}, {"list": shared}], "b": shared}
    representations = build_collector(entity_input("a.@.list.@", "b.@", shapes=(shape("id", sent="T"),)))(tree)
    assert [len(group) for group in representations.targets] == [1]


def test_type_conditions_in_paths_let_only_those_objects_through() -> None:
    found: list[dict[str, Any]] = []
    tree = {"n": [{"__typename": "A", "x": {"k": 1}}, {"__typename": "B", "x": {"k": 2}}, {"__typename": None}]}
    build_finder(path("n.@|B.x"))(tree, found)
    assert found == [{"k": 2}]
    assert locate(tree, path("n.@|B.x"), {id(found[0])}, 10) == [(("n", 1, "x"), id(found[0]))]


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.sampled_from(["", "1", "x"]),
    st.floats(0, 2),
    st.lists(st.integers(0, 1), max_size=2),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 1), max_size=2),
)
_OBJECTS = st.dictionaries(st.sampled_from(["id", "code", "__typename"]), _VALUES, max_size=3).map(
    lambda made: {**made, "__typename": "T"} if "id" in made and "code" in made else made
)
_TREES = st.fixed_dictionaries(
    {
        "list": st.lists(st.one_of(st.none(), _OBJECTS, st.lists(_OBJECTS, max_size=2)), max_size=6),
        "one": st.one_of(_OBJECTS, st.none(), st.just("text")),
    }
)


@settings(max_examples=200, deadline=None)
@given(tree=_TREES, share=st.booleans())
@pytest.mark.parametrize(
    "shapes",
    [
        (shape("id", sent="T"),),
        (shape("id", "code", sent="T"),),
        (shape("id", types=("T", "1"), sent="I"),),
        (shape("id", "code", types=("T",), sent="T"),),
        (shape("id", types=("T",), sent=None), shape("code", sent="I")),
        (RepresentationShape(None, "T", (RepresentationField("x", "id", (RepresentationField("a", "a"),)),)),),
    ],
)
def test_generated_loops_agree_with_closures(
    shapes: tuple[RepresentationShape, ...], tree: dict[str, Any], share: bool
) -> None:
    """The same representations in the same order, built from the same objects."""
    if share and tree["list"]:
        tree = {**tree, "one": tree["list"][0] if isinstance(tree["list"][0], dict) else None}
    one = entity_input("list.@", "list.@.@|T", "one", shapes=shapes)
    careful = build_collector(one)(tree)
    quick = build_collector(one, keep_paths=False)(tree)
    assert quick.written == careful.written
    assert [{id(each) for each in group} for group in quick.targets] == [
        {id(each) for each in group} for group in careful.targets
    ]


def test_generated_loops_can_be_read() -> None:
    one = entity_input("users.@.reviews.@", shapes=(shape("id", sent="Review"),))
    text = write_grouping(one.paths, one.shapes)
    assert "for v2 in v1:" in text
    assert ".get('reviews')" in text


@given(
    targets=st.lists(st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3), min_size=1, max_size=3),
    source=st.dictionaries(st.sampled_from("abcd"), st.one_of(st.none(), st.integers()), max_size=4),
)
def test_merging_into_many_never_loses_a_value(targets: list[dict[str, Any]], source: dict[str, Any]) -> None:
    before = [copy_json(each) for each in targets]
    merge_into_all(targets, source)
    for target, old in zip(targets, before, strict=True):
        assert target.keys() == old.keys() | source.keys()
        for key, value in target.items():
            assert (value is None) == (old.get(key) is None and source.get(key) is None)


def test_merging_never_replaces_a_value_by_null_and_keeps_leaves() -> None:
    target = {"a": 1, "b": None, "c": {"x": 1, "__typename": "T"}, "d": [{"p": 1}, None], "e": {"f": 1}}
    merge_object(target, {"a": None, "b": 2, "c": {"y": 2, "__typename": "I"}, "d": [{"q": 2}, {"r": 3}, {}], "e": 5})
    assert target == {
        "a": 1,
        "b": 2,
        "c": {"x": 1, "__typename": "T", "y": 2},
        "d": [{"p": 1, "q": 2}, {"r": 3}],
        "e": {"f": 1},
    }


def test_a_copy_shares_nothing() -> None:
    value = {"a": [{"b": {}}]}
    copy = copy_json(value)
    assert copy == value
    assert copy["a"][0]["b"] is not value["a"][0]["b"]


def test_delivered_keys_name_everything_a_step_fills() -> None:
    compiled = compile_plan(
        plan(
            root(0, "a", "{ items { id ... on T { part { size } } } }"),
            entities(1, "b", "{ ... on T { name } }", entity_input("items.@", "x", shapes=()), after=(0,)),
        )
    )
    assert delivered_keys(compiled, 0) == {("items",), ("items", "id"), ("items", "part"), ("items", "part", "size")}
    assert delivered_keys(compiled, 1) == {("items", "name"), ("x", "name")}
