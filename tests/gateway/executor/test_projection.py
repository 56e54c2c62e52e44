"""Projection against an oracle: graphql-core executing the same operation over the same tree."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ResponseError
from gateway.executor.projection.generate import generate_projection, write_projection
from gateway.executor.projection.project import project
from gateway.executor.projection.shape import (
    HiddenNames,
    ObjectShape,
    build_operation_shape,
    clip_path,
    condition_variables,
)

SCHEMA = build_schema("""
    type Query {
      node: Node
      nodes: [Node!]
      strict: [Node!]!
      person: Person
      result: Result
      grid: [[Int!]]
      cells: [[Cell]!]!
      mood: Mood
      moods: [Mood!]!
      json: Json
      json2: Json!
      id: ID!
      number: Int
      float: Float!
      flag: Boolean
    }
    interface Node { id: ID! parent: Node name: String }
    type Person implements Node { id: ID! parent: Node name: String! age: Int friends: [Person] best: Person! }
    type Robot implements Node { id: ID! parent: Robot name: String model: String! mood: Mood }
    union Result = Person | Robot | Cell
    type Cell { x: Int! y: Float text: String at: [String!] }
    enum Mood { GLAD SAD }
    scalar Json
""")

OPERATIONS = [
    "{ node { id name ... on Person { age best { id } } ... on Robot { model } } }",
    "{ nodes { __typename id parent { id parent { name } } } strict { id kind: __typename } }",
    "{ person { friends { id friends { name best { name } } } name: age } }",
    "{ result { ... on Node { id } ... on Cell { x y text at } ... on Person { id name } } }",
    "{ grid cells { x at } mood moods json json2 id number float flag }",
    """
    query($a: Boolean!, $b: Boolean!) {
      node @include(if: $a) { id @skip(if: $b) name }
      number
      ...F @skip(if: $a)
      x: person { ...G @include(if: $b) id }
    }
    fragment F on Query { node { name id } flag }
    fragment G on Person { age id }
    """,
    "{ node { ... on Node { id ... on Person { id age parent { ... on Robot { model } } } } parent { id } } }",
    "{ a: node { id } b: node { name } person { best { best { best { name } } } } id }",
]


def _shape(document: DocumentNode, conditions: Mapping[str, bool]) -> ObjectShape:
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    assert set(condition_variables(operation, fragments)) <= set(conditions)
    return build_operation_shape(SCHEMA, operation, fragments, conditions)


def _tree(shape: ObjectShape, rng: random.Random, wrong: float) -> dict[str, Any]:
    """A response tree for the shape in which every value is off with probability `wrong`."""
    return _object(shape, rng, wrong)


def _object(shape: ObjectShape, rng: random.Random, wrong: float) -> dict[str, Any]:
    type_name = rng.choice(sorted(shape.fields_by_type))
    made: dict[str, Any] = {}
    if shape.is_abstract:
        made["__typename"] = type_name if rng.random() >= wrong else rng.choice(["Unknown", "Query", ""])
    for field in shape.fields_by_type[type_name]:
        if field.value is not None and rng.random() >= wrong / 2:
            made[field.response_key] = _value(field.value, rng, wrong)
    return made


def _value(shape: Any, rng: random.Random, wrong: float) -> Any:
    if rng.random() < wrong:
        # The reference takes anything for an object, so there null is the only wrong value.
        return None if rng.random() < 0.7 or type(shape).__name__ == "ObjectShape" else {}
    match type(shape).__name__:
        case "ObjectShape":
            return _object(shape, rng, wrong)
        case "ListShape":
            return [_value(shape.item, rng, wrong) for _ in range(rng.randrange(4))]
        case _:
            return {
                "INT": 4,
                "FLOAT": 1.5,
                "STRING": "text",
                "BOOLEAN": True,
                "ID": "i",
                "ENUM": "GLAD",
                "CUSTOM": [1],
            }[shape.kind.name]


def _oracle(document: DocumentNode, tree: dict[str, Any], variables: Mapping[str, Any]) -> ExecutionResult:
    """graphql-core over the same tree; fields are read by response key, as the tree has them."""

    def resolve(source: Any, info: Any, **_arguments: Any) -> Any:
        return source.get(info.path.key) if isinstance(source, dict) else None

    def resolve_type(value: Any, _info: Any, _type: Any) -> str | None:
        return value.get("__typename") if isinstance(value, dict) else None

    schema: GraphQLSchema = SCHEMA
    return execute_sync(
        schema, document, tree, field_resolver=resolve, type_resolver=resolve_type, variable_values=dict(variables)
    )


@settings(max_examples=400, deadline=None)
@given(
    operation=st.sampled_from(OPERATIONS),
    seed=st.integers(0, 10**9),
    wrong=st.sampled_from([0.0, 0.05, 0.3]),
    a=st.booleans(),
    b=st.booleans(),
)
def test_projection_agrees_with_a_reference_executor(operation: str, seed: int, wrong: float, a: bool, b: bool) -> None:
    """The same data in the same order, and an error at every path where the reference has one."""
    document = parse(operation)
    variables = {"a": a, "b": b} if "$a" in operation else {}
    shape = _shape(document, variables)
    tree = _tree(shape, random.Random(seed), wrong)
    expected = _oracle(document, tree, variables)
    projected = project(shape, tree)

    assert projected.data == expected.data
    assert str(projected.data) == str(expected.data)  # the order of keys, too
    assert {error.path for error in projected.errors} == {tuple(error.path or ()) for error in expected.errors or ()}


@settings(max_examples=300, deadline=None)
@given(
    operation=st.sampled_from(OPERATIONS),
    seed=st.integers(0, 10**9),
    wrong=st.sampled_from([0.0, 0.0, 0.05]),
    a=st.booleans(),
    b=st.booleans(),
)
def test_generated_code_agrees_with_the_careful_projection(
    operation: str, seed: int, wrong: float, a: bool, b: bool
) -> None:
    """Straight-line code gives the same answer, or leaves a tree with problems to the careful projection."""
    shape = _shape(parse(operation), {"a": a, "b": b})
    tree = _tree(shape, random.Random(seed), wrong)
    careful = project(shape, tree)
    fast = generate_projection(shape)(tree)
    if fast is None:
        assert careful.errors
    else:
        assert not careful.errors
        assert str(fast) == str(careful.data)


def test_operations_are_valid() -> None:
    """The oracle is only one for valid operations. The one exception merges fields that can't be merged on purpose."""
    for operation in OPERATIONS:
        assert validate(SCHEMA, parse(operation)) == []


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("number", 2147483647, 2147483647),
        ("number", 2147483648, None),
        ("number", 1.0, 1),
        ("number", 1.5, None),
        ("number", True, None),
        ("number", "1", None),
        ("flag", 1, None),
        ("flag", False, False),
        ("mood", "GLAD", "GLAD"),
        ("mood", "GRUMPY", None),
        ("mood", 1, None),
        ("mood", [], None),
        ("json", {"a": [1, None]}, {"a": [1, None]}),
        ("json", 0, 0),
    ],
)
def test_leaves_are_checked_by_type(field: str, value: Any, expected: Any) -> None:
    """A leaf that is none of its type is null with an error; nothing is guessed."""
    shape = _shape(parse(f"{{ {field} }}"), {})
    projected = project(shape, {field: value})
    assert projected.data == {field: expected}
    assert len(projected.errors) == (expected is None)


def _hiding(text: str) -> ObjectShape:
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    hidden = HiddenNames(frozenset({"Secret"}), {"Mood": frozenset({"SECRET"})})
    return build_operation_shape(SCHEMA, operation, {}, {}, hidden)


def test_what_clients_must_not_see_is_null_without_an_error() -> None:
    """A subgraph may well answer with a type or a value that the API schema hides; nothing went wrong then."""
    shape = _hiding("{ mood node { id } }")
    projected = project(shape, {"mood": "SECRET", "node": {"__typename": "Secret", "id": "1"}})
    assert projected.data == {"mood": None, "node": None}
    assert projected.errors == ()


def test_hidden_things_move_null_up_where_null_is_not_allowed() -> None:
    projected = project(_hiding("{ nodes { id } moods }"), {"nodes": [{"__typename": "Secret"}], "moods": ["GLAD"]})
    assert projected.data == {"nodes": None, "moods": ["GLAD"]}
    assert [error.path for error in projected.errors] == [("nodes", 0)]
    projected = project(_hiding("{ moods }"), {"moods": ["SECRET"]})
    assert projected.data is None
    assert [error.path for error in projected.errors] == [("moods", 0)]


def test_an_integer_id_becomes_a_string() -> None:
    shape = _shape(parse("{ id }"), {})
    assert project(shape, {"id": 12}).data == {"id": "12"}
    assert generate_projection(shape)({"id": 12}) == {"id": "12"}


def test_an_object_without_type_name_is_shown_where_the_type_does_not_matter() -> None:
    """Objects that came from an interface object have none when nothing depends on it."""
    shape = _shape(parse("{ node { id name } }"), {})
    tree = {"node": {"id": "1", "name": "n"}}
    assert project(shape, tree).data == tree
    assert generate_projection(shape)(tree) == tree
    typed = _shape(parse("{ node { id ... on Robot { model } } }"), {})
    assert project(typed, tree).data == {"node": None}


@pytest.mark.parametrize("value", [7, "x", [], True])
def test_something_else_where_an_object_belongs_is_null_with_an_error(value: Any) -> None:
    shape = _shape(parse("{ person { id } }"), {})
    projected = project(shape, {"person": value})
    assert projected.data == {"person": None}
    assert [error.path for error in projected.errors] == [("person",)]
    assert generate_projection(shape)({"person": value}) is None


def test_a_missing_field_tells_the_failure_that_explains_it() -> None:
    shape = _shape(parse("{ person { friends { name } } number }"), {})
    asked: list[tuple[str, ...]] = []

    def reason(keys: tuple[str, ...]) -> ResponseError | None:
        asked.append(keys)
        return ResponseError("down", "SUBREQUEST_TIMEOUT", extensions={"service": "s"})

    projected = project(shape, {"person": {"friends": [{}, {"name": "x"}]}}, missing_reason=reason)
    assert projected.data == {"person": {"friends": [None, {"name": "x"}]}, "number": None}
    assert [(error.path, error.code) for error in projected.errors] == [
        (("person", "friends", 0, "name"), "SUBREQUEST_TIMEOUT"),
        (("number",), "SUBREQUEST_TIMEOUT"),
    ]
    assert asked == [("person", "friends", "name"), ("number",)]


def test_a_null_that_was_explained_by_a_subgraph_is_not_told_twice() -> None:
    shape = _shape(parse("{ person { best { name } } }"), {})
    tree = {"person": {"best": {"name": None}}}
    known = project(shape, tree, known_paths=[("person", "best", "name")])
    assert known.data == {"person": None}
    assert known.errors == ()
    assert [error.path for error in project(shape, tree).errors] == [("person", "best", "name")]


def test_errors_are_bounded() -> None:
    shape = _shape(parse("{ person { friends { age } } }"), {})
    tree = {"person": {"friends": [{"age": "x"}] * 1000}}
    assert len(project(shape, tree, max_errors=7).errors) == 7


def test_paths_are_clipped_to_what_was_asked() -> None:
    shape = _shape(parse("{ person { friends { name } } grid }"), {})
    assert clip_path(shape, ("person", "friends", 3, "name")) == ("person", "friends", 3, "name")
    assert clip_path(shape, ("person", "friends", 3, "secret", "x")) == ("person", "friends", 3)
    assert clip_path(shape, ("grid", 1, 2, 3)) == ("grid", 1, 2)
    assert clip_path(shape, ("nope",)) == ()


def test_shared_lists_are_projected_once() -> None:
    shape = _shape(parse("{ nodes { id parent { ... on Person { friends { id } } } } }"), {})
    friends = [{"id": "f"}]
    tree = {
        "nodes": [
            {"__typename": "Person", "id": str(index), "parent": {"__typename": "Person", "friends": friends}}
            for index in range(3)
        ]
    }
    answer = generate_projection(shape)(tree)
    assert answer == project(shape, tree).data
    assert answer is not None
    assert answer["nodes"][0]["parent"]["friends"] is answer["nodes"][1]["parent"]["friends"]


def test_generated_code_can_be_read() -> None:
    """A person sees functions named after types, with the client's keys; small objects stand where they are used."""
    text = write_projection(_shape(parse("{ person { label: name friends { name } } }"), {}))
    assert "_Person(value, memo):" in text
    assert "{'label': v0, 'friends': v1}" in text
    assert "item = {'name': item_0}" in text
