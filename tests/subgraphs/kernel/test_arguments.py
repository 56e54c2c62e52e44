"""Arguments of which what can be is found out once are those that graphql-core and strawberry make for each request."""

import enum
from collections.abc import Callable
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, parse
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types.arguments import convert_arguments

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.execution.arguments import ArgumentReader


@strawberry.enum
class Color(enum.Enum):
    """With values that are not their names."""

    RED = "r"
    BLUE = "b"


@strawberry.input
class Measure:
    """What a resolver could change."""

    factor: int = 2
    labels: list[str] | None = None


@strawberry.type
class Query:
    """One field with arguments of every kind."""

    @strawberry.field
    def takes(
        self,
        needed: int,
        text: str | None = None,
        unset: str | None = strawberry.UNSET,
        maybe: strawberry.Maybe[int | None] = None,
        perhaps: strawberry.Maybe[Color | None] = None,
        number: float = 1.5,
        color: Color = Color.RED,
        shade: Color | None = None,
        key: strawberry.ID | None = None,
        by: Measure | None = None,
        labels: list[str] | None = None,
    ) -> int:
        """Never asked."""
        raise NotImplementedError


SCHEMA = build_schema(query=Query)
TYPES = {
    "needed": ("Int!", ["3", "0"], [4, 0]),
    "text": ("String", ['"x"', "null"], ["y", None]),
    "unset": ("String", ['"x"', "null"], ["y", None]),
    "maybe": ("Int", ["3", "null"], [4, None]),
    "perhaps": ("Color", ["BLUE", "null"], ["RED", None]),
    "number": ("Float", ["2", "2.5"], [1, 0.5, None]),
    "color": ("Color", ["BLUE"], ["RED", None]),
    "shade": ("Color", ["BLUE", "null"], ["RED", None]),
    "key": ("ID", ["5", '"a"'], [5, "a", None]),
    "by": ("Measure", ["{factor: $v_factor}", '{labels: ["a"]}', "null"], [{"factor": 3}, None]),
    "labels": ("[String!]", ['["a"]', '"a"', "null"], [["b"], "b", None]),
}
chosen = st.fixed_dictionaries(
    {},
    optional={
        name: st.tuples(
            st.sampled_from([*literals, "$"]), st.booleans(), st.none() | st.tuples(st.sampled_from(values))
        )
        for name, (_, literals, values) in TYPES.items()
    },
)


@given(chosen, st.sampled_from([{}, {"v_factor": 7}]))
def test_arguments_are_what_they_were(
    asked: dict[str, tuple[str, bool, tuple[Any] | None]], inner: dict[str, int]
) -> None:
    """Literals, variables with a value, without one and null: the same names, values and classes, or the same error."""
    asked = {"needed": ("1", False, None)} | asked
    arguments = " ".join(f"{name}: {text if text != '$' else f'$v_{name}'}" for name, (text, _, _) in asked.items())
    declared = " ".join(
        f"$v_{name}: {TYPES[name][0]} {f'= {TYPES[name][1][0]}' if has_default and '$' not in TYPES[name][1][0] else ''}"
        for name, (text, has_default, _) in asked.items()
        if text == "$"
    )
    operation = parse(f"query($v_factor: Int! = 5 {declared}) {{ takes({arguments}) }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    given_ = {f"v_{name}": value[0] for name, (text, _, value) in asked.items() if text == "$" and value is not None}
    variables = get_variable_values(SCHEMA._schema, operation.variable_definitions or (), given_ | inner)
    if not isinstance(variables, VariableValues):
        return
    (node,) = operation.selection_set.selections
    assert isinstance(node, FieldNode)
    definition = SCHEMA._schema.query_type.fields["takes"]  # type: ignore[union-attr]
    field = definition.extensions["strawberry-definition"]
    registry, config = SCHEMA.schema_converter.scalar_registry, SCHEMA.config
    info: Any = None
    reader = ArgumentReader(definition, node, field.arguments, registry, config)

    def made_each_time() -> dict[str, Any]:
        values = get_argument_values(definition, node, variables)
        return convert_arguments(values, field.arguments, scalar_registry=registry, config=config)

    expected = _outcome(made_each_time)
    for _ in range(2):
        assert _outcome(lambda: reader.read(variables, info)) == expected


def _outcome(read: Callable[[], dict[str, Any]]) -> dict[str, str] | str:
    """The arguments with their classes, or what is wrong with them."""
    try:
        return {name: f"{value.__class__.__name__} {value!r}" for name, value in read().items()}
    except GraphQLError as error:
        return error.message
