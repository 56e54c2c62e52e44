"""A field's arguments at one place of a document: those that name no variable are made once, and not for each request.

Only leaves are: what a resolver could change, as lists and input objects, is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    ValueNode,
    VariableNode,
    get_nullable_type,
    is_enum_type,
    is_scalar_type,
    is_specified_scalar_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import ListValueNode, ObjectValueNode
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info
from strawberry.types.arguments import StrawberryArgument, convert_arguments

__all__ = ["ArgumentReader", "variables_in"]


class ArgumentReader:
    """Reads one field's arguments at one place, by the names that its resolver has for them."""

    def __init__(
        self,
        definition: GraphQLField,
        node: FieldNode,
        arguments: Sequence[StrawberryArgument],
        scalar_registry: Any,
        config: StrawberryConfig,
    ) -> None:
        self._node = node
        self._scalar_registry = scalar_registry
        self._config = config
        given = {each.name.value: each for each in node.arguments or ()}
        constant = {
            name: argument for name, argument in definition.args.items() if _is_constant(argument, given.get(name))
        }
        others = {name: argument for name, argument in definition.args.items() if name not in constant}
        name_of = config.name_converter.from_argument
        self._arguments = [each for each in arguments if name_of(each) in others]
        self._field = GraphQLField(definition.type, args=others)
        self._constant = self._read(
            GraphQLField(definition.type, args=constant),
            [each for each in arguments if name_of(each) in constant],
            None,
            None,
        )

    def read(self, variables: VariableValues, info: Info) -> dict[str, Any]:
        """This request's arguments; raises GraphQLError for a variable that is missing."""
        if not self._arguments:
            return dict(self._constant)
        return self._constant | self._read(self._field, self._arguments, variables, info)

    def _read(
        self,
        field: GraphQLField,
        arguments: list[StrawberryArgument],
        variables: VariableValues | None,
        info: Info | None,
    ) -> dict[str, Any]:
        given = get_argument_values(field, self._node, variables)
        return convert_arguments(
            given, arguments, scalar_registry=self._scalar_registry, config=self._config, info=info
        )


def variables_in(arguments: Sequence[ArgumentNode]) -> Iterator[str]:
    """Names of the variables in arguments, wherever they stand."""
    waiting: list[ValueNode] = [argument.value for argument in arguments]
    while waiting:
        value = waiting.pop()
        if isinstance(value, VariableNode):
            yield value.name.value
        elif isinstance(value, ListValueNode):
            waiting += value.values
        elif isinstance(value, ObjectValueNode):
            waiting += [each.value for each in value.fields]


def _is_constant(argument: GraphQLArgument, node: ArgumentNode | None) -> bool:
    type_ = get_nullable_type(argument.type)
    is_leaf = is_enum_type(type_) or (is_scalar_type(type_) and is_specified_scalar_type(type_))
    return is_leaf and (node is None or not any(variables_in([node])))
