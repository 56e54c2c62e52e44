"""The cheaper way to execute fields gives what graphql-core gives, data and errors, also where something is wrong."""

import enum
from typing import Any

import pytest
import strawberry
from graphql import execute, parse, validate
from hypothesis import given
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable

from subgraphs.kernel.entities import build_schema


@strawberry.enum
class Color(enum.Enum):
    """With values that are not their names."""

    RED = "r"
    BLUE = "b"


@strawberry.input
class Measure:
    """An input object with a default."""

    factor: int = 2
    labels: list[str] | None = None


@strawberry.interface
class Thing:
    """What both have."""

    name: str
    weight: float | None
    color: Color
    broken_text: str
    missing: str | None = strawberry.UNSET

    @strawberry.field
    def scaled(self, info: strawberry.Info, by: Measure | None = None, plus: int = 0) -> int:
        """Reads an input object, a default and the context."""
        factor = 1 if by is None else by.factor + len(by.labels or ())
        return len(self.name) * factor + plus + int(info.context["add"])

    @strawberry.field
    def fails(self, where: str) -> str:
        """An error in a field that may not be null."""
        raise ValueError(f"no {where} of {self.name}")

    @strawberry.field
    def may_fail(self, where: Color | None = None) -> str | None:
        """An error, or a value, or null."""
        if where is Color.RED:
            raise ValueError("red")
        return None if where is None else where.name

    @strawberry.field
    async def later(self, n: int = 1) -> "Thing | None":
        """An object that has to be waited for."""
        return Stone(name="s" * n, weight=1.0, color=Color.RED, broken_text="") if n else None

    @strawberry.field
    def near(self) -> "list[Thing]":
        """Objects that hold what has to be waited for."""
        return [Leaf(name="leaf", weight=None, color=Color.BLUE, broken_text="x")]


@strawberry.type
class Stone(Thing):
    """One kind."""

    density: int = 3


@strawberry.type
class Leaf(Thing):
    """The other kind."""

    edge: str | None = None


@strawberry.type
class Query:
    """Both kinds, one of them with values that its types do not allow."""

    @strawberry.field
    def things(self) -> list[Thing | None]:
        """Right ones and wrong ones."""
        wrong: Any = Stone(name="wrong", weight="heavy", color="RED", broken_text=None)  # type: ignore[arg-type]
        return [
            Stone(name="a", weight=1, color=Color.RED, broken_text="t"),
            Leaf("b", None, Color.BLUE, "t"),
            None,
            wrong,
        ]


SCHEMA = build_schema(query=Query, types=[Stone, Leaf])
FIELDS = (
    "__typename",
    "name",
    "weight",
    "color",
    "brokenText",
    "missing",
    "scaled",
    "scaled(plus: $plus)",
    "scaled(by: {factor: $plus})",
    "scaled(by: $by)",
    'scaled(plus: 3, by: {labels: ["x", "y"]})',
    'fails(where: "it")',
    "mayFail",
    "mayFail(where: RED)",
    "mayFail(where: $color)",
    "later { name scaled }",
    "later(n: $plus) { __typename color }",
    'near { name ... on Leaf { edge } later { name } fails(where: "near") }',
    "... on Stone { density stone: name }",
    '... on Leaf { edge fails(where: "leaf") }',
)


async def _general(document: str, variables: dict[str, Any]) -> Any:
    parsed = parse(document)
    assert validate(SCHEMA._schema, parsed) == []
    outcome = execute(
        SCHEMA._schema,
        parsed,
        context_value={"add": 7},
        variable_values=variables,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    return outcome if hasattr(outcome, "data") else await outcome


@given(
    chosen=st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True),
    plus=st.integers(0, 2),
    color=st.sampled_from(["RED", "BLUE", None]),
)
async def test_gives_what_graphql_core_gives(chosen: list[str], plus: int, color: str | None) -> None:
    """For any selection: the same data, and the same errors at the same places, in whatever order they came."""
    fields = [field if field.startswith((".", "_")) else f"f{n}: {field}" for n, field in enumerate(chosen)]
    selection = " ".join(fields)
    declared = {"$plus": "$plus: Int! = 1", "$color": "$color: Color", "$by": "$by: Measure"}
    head = ", ".join(text for name, text in declared.items() if name in selection)
    document = f"query{f'({head})' if head else ''} {{ things {{ {selection} }} }}"
    variables: dict[str, Any] = {"plus": plus, "color": color, "by": {"factor": plus}}
    expected = await _general(document, variables)
    got = await SCHEMA.execute(document, variable_values=variables, context_value={"add": 7})
    assert expected.data == got.data
    as_text = [sorted(str(error.formatted) for error in errors or ()) for errors in (expected.errors, got.errors)]
    assert as_text[0] == as_text[1]


@pytest.mark.parametrize(
    "document",
    [
        "{ things { ...Part } } fragment Part on Thing { scaled(plus: 4) name }",
        "{ things { a: scaled(plus: 1) b: scaled(plus: 2) ... on Stone { a: scaled(plus: 1) } } }",
        '{ __schema { queryType { name } } __type(name: "Stone") { name } _service { sdl } }',
    ],
)
async def test_fragments_aliases_and_introspection_are_as_they_were(document: str) -> None:
    """Arguments belong to their place in the document, not to the field."""
    expected = await _general(document, {})
    got = await SCHEMA.execute(document, context_value={"add": 7})
    assert (expected.data, expected.errors) == (got.data, got.errors)
