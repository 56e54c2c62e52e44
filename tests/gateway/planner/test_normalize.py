"""Normalization: one form for all ways to write an operation, nothing of its meaning lost."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse

from gateway.errors import RequestInvalid
from gateway.planner.normalize import normalize
from gateway.planner.normalize.operation import write_operation

SCHEMA = build_schema("""
    interface Node { id: ID! next: Node }
    interface Named { id: ID! name: String }
    type Cat implements Node & Named { id: ID! next: Node name: String lives: Int }
    type Dog implements Node { id: ID! next: Node bark(loud: Int, tone: [Int!], how: How): String }
    union Pet = Cat | Dog
    input How { far: Int near: Int }
    type Query { node: Node pet: Pet }
    type Mutation { feed: Int }
""")


def normalized(text: str, name: str | None = None) -> str:
    return write_operation(normalize(parse(text), SCHEMA, name))


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("query { node { id } }", "{ node { id ...F id } } fragment F on Node { id }"),
        ("query { node { id next { id next { id } } } }", "{ node { id next { id } } node { next { next { id } } } }"),
        (
            "query { node { ... on Cat { id lives } } }",
            "{ node { ... on Named { ... on Cat { id } } ... on Cat { lives } } }",
        ),
        ("query { pet { ... on Node { id } } }", "{ pet { ... on Pet { ... on Node { id } } } }"),
        ("query { node { id } }", "{ node { ... on Node { id } ... { id } } }"),
        ("query { node { id } }", "{ node { id ... on Node @skip(if: true) { next { id } } id @include(if: true) } }"),
        ("query { node }", "{ node { id @include(if: false) } }"),
        (
            "query { pet { ... on Dog { bark(how: {far: 1, near: 2}, loud: 1, tone: [1, 2]) } } }",
            "{ pet { ... on Dog { bark(tone: [1,2], loud: 1, how: {near: 2, far: 1}) } } }",
        ),
        (
            "query Q($a: Boolean = true) { node { id next @include(if: $a) { id } } }",
            "query Q($a: Boolean = true) { node { id ... @include(if: $a) { id next { id } } } }",
        ),
        (
            "query Q($a: Boolean!, $b: Boolean!) { node { id @include(if: $a) id @include(if: $b) } }",
            "query Q($a: Boolean!, $b: Boolean!) { node { id @include(if: $a) id @include(if: $b) } }",
        ),
        (
            "query Q($a: Boolean!) { node { next { id @skip(if: $a) } } }",
            "query Q($a: Boolean!) { node { next @skip(if: $a) { id } next @skip(if: $a) @include(if: $a) { id } next { id @skip(if: $a) } } }",
        ),
        ("query { node { x: id ... on Dog { y: id } z: id } }", "{ node { x: id ... on Dog { y: id } z: id } }"),
    ],
)
def test_canonical_form(expected: str, text: str) -> None:
    """Fragments are inlined and flattened, duplicates merged, literal conditions folded, order kept."""
    assert expected == normalized(text)


def test_normalizing_is_idempotent() -> None:
    """A canonical operation is its own canonical form."""
    text = "query Q($a: Boolean!) { node { id ... on Cat { lives name } next { id @skip(if: $a) } } pet { ... on Dog { id } } }"
    assert normalized(text) == normalized(normalized(text))


def test_operation_is_selected_by_name() -> None:
    """Of several operations the named one is taken."""
    assert normalized("query A { node { id } } query B { pet { __typename } }", "B").startswith("query B")


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("query A { node { id } } query B { pet { __typename } }", None, "2 operations"),
        ("query A { node { id } }", "C", "'C'"),
        ("subscription { x }", None, "no subscription type"),
        ("fragment F on Cat { id }", None, "no operation"),
    ],
)
def test_operation_that_is_not_there(text: str, name: str | None, says: str) -> None:
    """The error names what was looked for."""
    with pytest.raises(RequestInvalid, match=says):
        normalize(parse(text), SCHEMA, name)


def test_fragments_that_spread_each_other_do_not_multiply() -> None:
    """Thirty fragments that each spread the next one twice stand for a billion fields and are one chain."""
    levels = 30
    spreads = " ".join(f"fragment f{i} on Node {{ next {{ ...f{i + 1} ...f{i + 1} }} }}" for i in range(levels))
    found = normalized(f"{{ node {{ ...f0 }} }} {spreads} fragment f{levels} on Node {{ id }}")
    assert levels == found.count("next")
