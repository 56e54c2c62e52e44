"""A request's variables, coerced; lists of representations without a look at each of their parts.

They are most of what the gateway sends, and of the scalar `_Any`, which takes whatever comes: each representation is
looked at where it is resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, VariableDefinitionNode, print_ast
from graphql.execution.values import VariableValues, get_variable_values

__all__ = ["read_variables"]

MAX_ERRORS = 50
_REPRESENTATIONS = "[_Any!]!"


def read_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> VariableValues | list[GraphQLError]:
    """The values, or what is wrong with them."""
    general: list[VariableDefinitionNode] = []
    representations: dict[str, list[Any]] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        value = given.get(name)
        if isinstance(value, list) and None not in value and print_ast(definition.type) == _REPRESENTATIONS:
            representations[name] = value
        else:
            general.append(definition)
    values = get_variable_values(schema, general, dict(given), max_errors=MAX_ERRORS)
    if isinstance(values, VariableValues):
        values.coerced.update(representations)
    return values
