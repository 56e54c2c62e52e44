"""Introspection: `__schema` and `__type` answered from the API schema, never by a subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    execute_sync,
)

from gateway.errors import ResponseError

__all__ = ["IntrospectionPart", "introspection_part"]

_INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


class IntrospectionPart:
    """The introspection fields of one operation, ready to be answered."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document

    def answer(self, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[ResponseError]]:
        """Values by response key, and errors. Pure, and slow for large schemas: run it in a thread.

        `variables` are the client's own, uncoerced.
        """
        result = execute_sync(self._schema, self._document, root_value={}, variable_values=dict(variables))
        return dict(result.data or {}), [_response_error(error) for error in result.errors or ()]


def introspection_part(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> IntrospectionPart | None:
    """The part of an operation that asks `__schema` or `__type` at its root; None when there is none."""
    selection_set = _only_introspection(operation.selection_set, fragments, set())
    if selection_set is None:
        return None
    reduced = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=selection_set,
    )
    return IntrospectionPart(schema, DocumentNode(definitions=(reduced, *fragments.values())))


def _only_introspection(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> SelectionSetNode | None:
    kept: list[SelectionNode] = []
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            if selection.name.value in _INTROSPECTION_FIELDS:
                kept.append(selection)
            continue
        if isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name in seen:
                continue
            seen.add(name)
            inner = _only_introspection(fragments[name].selection_set, fragments, seen)
        elif isinstance(selection, InlineFragmentNode):
            inner = _only_introspection(selection.selection_set, fragments, seen)
        else:
            continue
        if inner is not None:
            kept.append(InlineFragmentNode(directives=selection.directives, selection_set=inner))
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _response_error(error: GraphQLError) -> ResponseError:
    path = tuple(error.path) if error.path else None
    return ResponseError(error.message, "INTROSPECTION_FAILED", path)
