"""Variables that are read with what is known of their operation are what graphql-core makes of them."""

import enum
from typing import Any

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given
from hypothesis import strategies as st
from strawberry.federation.schema import FederationAny

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.execution import VariableReader


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
    weight: float = 1.0


@strawberry.federation.type(keys=["id"])
class Thing:
    """Makes the schema one with representations."""

    id: strawberry.ID

    @classmethod
    async def resolve_reference(cls, id: strawberry.ID) -> "Thing":
        """Never asked."""
        return Thing(id=id)


@strawberry.type
class Query:
    """Names the types."""

    @strawberry.field
    def takes(self, by: Measure | None = None, color: Color | None = None, like: FederationAny | None = None) -> Thing:
        """Never asked."""
        raise NotImplementedError


SCHEMA = build_schema(query=Query, types=[Thing])._schema
TYPES = ("String", "Int", "Boolean", "ID", "Float", "Color", "Measure", "_Any", "[Int!]", "[_Any!]", "[[_Any!]!]")
DEFAULTS = {
    "String": '"d"',
    "Int": "7",
    "Boolean": "true",
    "ID": "5",
    "Color": "BLUE",
    "Measure": '{factor: 4, labels: ["a"]}',
    "_Any": "{a: 1}",
    "[Int!]": "[1]",
}
values = st.sampled_from(
    [
        *(None, "", "x", "RED", "r", 0, 1, -5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**400),
        *(True, False, 0.0, 1.0, 1.5, float("nan"), [], [1], [None], ["x"], [[1]], [{"id": "a"}], {}, {"factor": 3}),
        *({"factor": "x"}, {"labels": "one"}, {"unknown": 1}),
    ]
)


@given(
    declared=st.lists(st.tuples(st.sampled_from(TYPES), st.booleans(), st.booleans()), min_size=1, max_size=4),
    sent=st.lists(st.none() | st.tuples(values), min_size=4, max_size=4),
)
def test_variables_are_what_graphql_core_makes_of_them(
    declared: list[tuple[str, bool, bool]], sent: list[tuple[Any] | None]
) -> None:
    """The same values of the same classes and the same sources, or the same errors, also the second time."""
    head = " ".join(
        f"$v{number}: {type_}{'!' if is_required else ''} {f'= {DEFAULTS[type_]}' if has_default and type_ in DEFAULTS else ''}"
        for number, (type_, is_required, has_default) in enumerate(declared)
    )
    operation = parse(f"query({head}) {{ __typename }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    given_ = {f"v{number}": value[0] for number, value in enumerate(sent) if value is not None}
    expected = get_variable_values(SCHEMA, operation.variable_definitions or (), given_, max_errors=50)
    reader = VariableReader(SCHEMA, operation)
    for _ in range(2):
        got = reader.read(given_)
        if isinstance(expected, VariableValues):
            assert isinstance(got, VariableValues)
            assert _told(got) == _told(expected)
        else:
            assert not isinstance(got, VariableValues)
            assert [error.formatted for error in got] == [error.formatted for error in expected]


def _told(values: VariableValues) -> dict[str, str]:
    sources = {
        name: repr((source.signature.name, str(source.signature.type), bool(source.signature.default), source.value))
        for name, source in values.sources.items()
    }
    return sources | {f"${name}": repr(value) for name, value in values.coerced.items()}


@pytest.mark.parametrize("type_", ["Measure", "_Any", "[Int!]"])
def test_a_default_that_could_be_changed_is_made_anew(type_: str) -> None:
    """One request's change of it must not be the next one's default."""
    operation = parse(f"query($v: {type_} = {DEFAULTS[type_]}) {{ __typename }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    reader = VariableReader(SCHEMA, operation)
    first, second = reader.read({}), reader.read({})
    assert isinstance(first, VariableValues)
    assert isinstance(second, VariableValues)
    assert first.coerced == second.coerced
    assert first.coerced["v"] is not second.coerced["v"]
