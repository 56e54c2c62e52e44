"""One operation, compiled: its plan, its answer's shapes, its introspection; and running it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode

from gateway.errors import ResponseError
from gateway.executor.compile import CompiledPlan, compile_plan
from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest, ResponseTree, execute_plan
from gateway.executor.introspection import introspection_part
from gateway.executor.projection.generate import FastProjection, generate_projection
from gateway.executor.projection.project import project
from gateway.executor.projection.shape import (
    HiddenNames,
    ObjectShape,
    build_operation_shape,
    clip_path,
    condition_variables,
)
from gateway.executor.transport.base import SubgraphTransport
from gateway.planner.plan.nodes import QueryPlan

__all__ = ["Answer", "CompiledOperation", "compile_operation"]

_MAX_VARIANTS = 4
"""Shapes kept per operation, one per combination of @skip/@include values in use; real clients use few."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets: `data` in its shape (None when a null moved up to the root), errors, and what it cost."""

    data: dict[str, Any] | None
    errors: tuple[ResponseError, ...]
    requests_sent: int


@dataclass(frozen=True, slots=True)
class _Variant:
    """The answer's shape for one combination of condition values."""

    shape: ObjectShape
    fast: FastProjection


class CompiledOperation:
    """Everything about one operation that does not depend on a request. Safe for concurrent use."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        plan: CompiledPlan,
        hidden: HiddenNames,
        *,
        field_count: int,
    ) -> None:
        self.operation = operation
        self.field_count = field_count
        self.plan = plan
        self._schema = schema
        self._fragments = fragments
        self._hidden = hidden
        self._introspection = introspection_part(schema, operation, fragments)
        self._condition_variables = condition_variables(operation, fragments)
        self._variants: dict[tuple[bool, ...], _Variant] = {}

    async def run(
        self,
        request: ExecutionRequest,
        raw_variables: Mapping[str, Any],
        transport: SubgraphTransport,
        policy: ErrorPolicy,
    ) -> Answer:
        """Execute for one request; failures of subgraphs are in the answer, never raised."""
        tree = await execute_plan(self.plan, request, transport, policy)
        if self._introspection is not None:
            data, errors = await asyncio.to_thread(self._introspection.answer, raw_variables)
            tree.data.update(data)
            tree.errors += errors
        key = self._conditions_of(request.variables)
        variant = self._variants.get(key)
        if variant is None:
            # Of the largest operations it takes half a second, in which others' requests go on.
            variant = self._keep_variant(key, await asyncio.to_thread(self._new_variant, key))
        if not tree.failures:
            fast = variant.fast(tree.data)
            if fast is not None:
                return Answer(fast, self._clipped(tree.errors, variant.shape, policy), tree.requests_sent)
        return self._careful(tree, variant.shape, policy)

    def _careful(self, tree: ResponseTree, shape: ObjectShape, policy: ErrorPolicy) -> Answer:
        told = self._clipped(tree.errors, shape, policy)
        projected = project(
            shape,
            tree.data,
            known_paths=[error.path for error in told if error.path is not None],
            missing_reason=tree.missing_reason if tree.failures else None,
            max_errors=policy.max_errors,
        )
        errors = (*told, *projected.errors, *tree.unexplained())
        return Answer(projected.data, errors[: policy.max_errors], tree.requests_sent)

    @staticmethod
    def _clipped(errors: list[ResponseError], shape: ObjectShape, policy: ErrorPolicy) -> tuple[ResponseError, ...]:
        """Errors with paths cut to what the client asked for, each place and message once."""
        if not errors:
            return ()
        kept: dict[tuple[object, ...], ResponseError] = {}
        for error in errors:
            path = None if error.path is None else clip_path(shape, error.path) or None
            clipped = (
                error
                if path == error.path
                else ResponseError(error.message, error.code, path, error.locations, error.extensions)
            )
            kept.setdefault((path, error.message, error.code), clipped)
        return tuple(kept.values())[: policy.max_errors]

    def _conditions_of(self, variables: Mapping[str, Any]) -> tuple[bool, ...]:
        return tuple(bool(variables.get(name)) for name in self._condition_variables)

    def _new_variant(self, key: tuple[bool, ...]) -> _Variant:
        values = dict(zip(self._condition_variables, key, strict=True))
        shape = build_operation_shape(self._schema, self.operation, self._fragments, values, self._hidden)
        return _Variant(shape, generate_projection(shape))

    def _keep_variant(self, key: tuple[bool, ...], variant: _Variant) -> _Variant:
        if key not in self._variants and len(self._variants) >= _MAX_VARIANTS:
            self._variants.pop(next(iter(self._variants)))
        self._variants[key] = variant
        return variant


def compile_operation(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    plan: QueryPlan,
    hidden: HiddenNames | None = None,
    *,
    field_count: int = 0,
) -> CompiledOperation:
    """Compile a valid operation; `schema` is the API schema, `hidden` what the supergraph has beyond it.

    `field_count`: how many fields it asks for, for who keeps it.
    """
    return CompiledOperation(
        schema, operation, fragments, compile_plan(plan), hidden or HiddenNames(), field_count=field_count
    )
