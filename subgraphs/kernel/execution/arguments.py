"""A field's arguments at one place of a document: what can be known without a request is found out once.

Leaves that name no variable are made once; leaves that are a variable are taken from it as it was coerced. All others,
as lists and input objects, are made anew for each request as graphql-core and strawberry do it: a resolver could change
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    NameNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    is_enum_type,
    is_non_null_type,
    is_required_argument,
    is_scalar_type,
    is_specified_scalar_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import ListValueNode, ObjectValueNode
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

__all__ = ["ArgumentReader", "variables_in"]

_PLAIN_TYPES = (bool, float, int, str, strawberry.ID)


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
        name_of = config.name_converter.from_argument
        given = {each.name.value: each for each in node.arguments or ()}
        constant, others = dict[str, GraphQLArgument](), dict[str, GraphQLArgument]()
        self._variables: list[_OfVariable] = []
        for argument in arguments:
            name = name_of(argument)
            declared, value = definition.args[name], given.get(name)
            if not _is_leaf(declared, argument):
                others[name] = declared
            elif value is not None and isinstance(value.value, VariableNode):
                self._variables.append(_OfVariable.of(declared, argument, value.value.name.value))
            else:
                constant[name] = declared
        self._arguments = [each for each in arguments if name_of(each) in others]
        self._field = GraphQLField(definition.type, args=others)
        self._whole = (definition, list(arguments))
        self._constant = self._read(
            GraphQLField(definition.type, args=constant),
            [each for each in arguments if name_of(each) in constant],
            None,
            None,
        )

    def read(self, variables: VariableValues, info: Info) -> dict[str, Any]:
        """This request's arguments; raises GraphQLError for a variable that is missing."""
        made = dict(self._constant)
        for each in self._variables:
            value = variables.coerced.get(each.variable, each.default)
            if value is None and not each.is_nullable:
                # graphql-core knows what to say.
                return self._read(*self._whole, variables, info)
            if value is not Undefined:
                made[each.python_name] = value
        return made | self._read(self._field, self._arguments, variables, info) if self._arguments else made

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


@dataclass(frozen=True, slots=True)
class _OfVariable:
    """An argument that is a variable; `default` is for when that has no value, None for none where one is needed."""

    python_name: str
    variable: str
    is_nullable: bool
    default: Any

    @classmethod
    def of(cls, declared: GraphQLArgument, argument: StrawberryArgument, variable: str) -> _OfVariable:
        field = GraphQLField(declared.type, args={"argument": declared})  # type: ignore[arg-type]  # only its arguments count
        default: Any = None
        if not is_required_argument(declared):
            given = get_argument_values(field, FieldNode(name=NameNode(value="field")))
            default = next(iter(given.values()), Undefined)
        return cls(argument.python_name, variable, not is_non_null_type(declared.type), default)


def _is_leaf(declared: GraphQLArgument, argument: StrawberryArgument) -> bool:
    """Whether a coerced value is what the resolver gets; not so for strawberry's Maybe and the ids of its relay."""
    type_ = get_nullable_type(declared.type)
    if isinstance(argument.type, StrawberryMaybe):
        return False
    python_type = argument.type.of_type if isinstance(argument.type, StrawberryOptional) else argument.type
    return is_enum_type(type_) or (
        is_scalar_type(type_) and is_specified_scalar_type(type_) and python_type in _PLAIN_TYPES
    )
