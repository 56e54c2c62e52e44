"""The passes of normalization in their order."""

from __future__ import annotations

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, print_ast

from gateway.errors import RequestInvalid, ResponseError
from gateway.planner.normalize.flatten_fragments import flatten_fragments
from gateway.planner.normalize.inline_fragments import inline_fragments
from gateway.planner.normalize.merge_duplicates import merge_duplicates
from gateway.planner.normalize.operation import NormalizedOperation, VariableDefinition

__all__ = ["normalize", "select_operation"]


def normalize(document: DocumentNode, schema: GraphQLSchema, operation_name: str | None = None) -> NormalizedOperation:
    """The operation called `operation_name` (or the only one) in canonical form.

    The document must be valid against `schema`. Raises RequestInvalid when the operation is not in the document, or
    is of a kind that the schema has no root type for.
    """
    operation = select_operation(document, operation_name)
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise _invalid(f"the schema has no {operation.operation.value} type")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    selections = inline_fragments(operation.selection_set, fragments)
    selections = flatten_fragments(selections, root, schema)
    selections = merge_duplicates(selections)
    return NormalizedOperation(
        kind=operation.operation.value,
        name=operation.name.value if operation.name else None,
        root_type=root.name,
        variables=tuple(
            VariableDefinition(
                v.variable.name.value, print_ast(v.type), print_ast(v.default_value) if v.default_value else None
            )
            for v in operation.variable_definitions or ()
        ),
        selections=selections,
    )


def select_operation(document: DocumentNode, operation_name: str | None) -> OperationDefinitionNode:
    """The named operation, or the only one when no name is given; raises RequestInvalid otherwise."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if operation_name:
        for operation in operations:
            if operation.name and operation.name.value == operation_name:
                return operation
        raise _invalid(f"unknown operation named '{operation_name}'; send one of the names in the document")
    if len(operations) != 1:
        seen = "no operation" if not operations else f"{len(operations)} operations"
        raise _invalid(f"the document has {seen}; send exactly one, or name one by operationName")
    return operations[0]


def _invalid(message: str) -> RequestInvalid:
    return RequestInvalid([ResponseError(message, "OPERATION_RESOLUTION_FAILURE")])
