"""A request's variables, coerced: what an operation declares is looked at once, and then only what has to be.

Lists of representations are most of what the gateway sends, and of the scalar `_Any`, which takes whatever comes: each
representation is looked at where it is resolved. Strings, whole numbers and the like are what they are; everything else
is coerced as graphql-core does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    get_nullable_type,
    is_enum_type,
    is_scalar_type,
    print_ast,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from subgraphs.kernel.execution.leaves import MAX_INT, MIN_INT

__all__ = ["VariableReader"]

MAX_ERRORS = 50
_REPRESENTATIONS = "[_Any!]!"
_CLASSES: Mapping[GraphQLScalarType, type] = {GraphQLString: str, GraphQLID: str, GraphQLInt: int, GraphQLBoolean: bool}
"""Values of exactly this class are what they stand for; numbers within GraphQL's bounds."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """One variable. `default` is Undefined without one, and for those that are made anew for each request."""

    name: str
    node: VariableDefinitionNode
    signature: GraphQLVariableSignature
    is_representations: bool
    is_nullable: bool
    plain_class: type | None
    default: Any

    @classmethod
    def of(cls, schema: GraphQLSchema, node: VariableDefinitionNode) -> _Declared:
        signature = get_variable_signature(schema, node)
        assert isinstance(signature, GraphQLVariableSignature), "a validated operation's variables are of input types"
        type_ = get_nullable_type(signature.type)
        plain_class = _CLASSES.get(type_) if is_scalar_type(type_) else None
        default = Undefined
        if node.default_value is not None and (plain_class is not None or is_enum_type(type_)):
            values = get_variable_values(schema, [node], {})
            if isinstance(values, VariableValues):
                default = values.coerced.get(signature.name, Undefined)
        return cls(
            name=signature.name,
            node=node,
            signature=signature,
            is_representations=print_ast(node.type) == _REPRESENTATIONS,
            is_nullable=type_ is signature.type,
            plain_class=plain_class,
            default=default,
        )

    def read(self, value: Any) -> Any:
        """What the value, or Undefined for none, stands for; Undefined where that takes a closer look."""
        if value is Undefined:
            return self.default
        if value is None:
            return None if self.is_nullable else Undefined
        if self.is_representations:
            return value if isinstance(value, list) and None not in value else Undefined
        if value.__class__ is not self.plain_class:
            return Undefined
        is_too_big = value.__class__ is int and not MIN_INT <= value <= MAX_INT
        return Undefined if is_too_big else value


class VariableReader:
    """Reads the variables of one validated operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._declared = tuple(_Declared.of(schema, node) for node in operation.variable_definitions or ())

    def read(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values, or what is wrong with them."""
        coerced: dict[str, Any] = {}
        sources: dict[str, VariableValueSource] = {}
        others: list[VariableDefinitionNode] = []
        for declared in self._declared:
            name, value = declared.name, given.get(declared.name, Undefined)
            read = declared.read(value)
            if read is not Undefined:
                coerced[name], sources[name] = read, VariableValueSource(declared.signature, value)
            elif value is Undefined and declared.is_nullable and declared.node.default_value is None:
                sources[name] = VariableValueSource(declared.signature)
            else:
                others.append(declared.node)
        if not others:
            return VariableValues(sources, coerced)
        values = get_variable_values(self._schema, others, dict(given), max_errors=MAX_ERRORS)
        if isinstance(values, VariableValues):
            values.coerced.update(coerced)
            values.sources.update(sources)
        return values
