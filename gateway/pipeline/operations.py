"""From an operation's text to its compiled form, kept for the next time.

Preparing (parse, limits, validate, plan, compile) runs in threads beside the event loop, at most a few at once and
never twice for the same text at the same time; who waits too long is told so, while the result still reaches the cache.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    NoSchemaIntrospectionCustomRule,
    Source,
    parse,
    specified_rules,
    validate,
)

from gateway.errors import GatewayError, InternalError, PlanningBudgetExceeded, RequestInvalid, ResponseError
from gateway.executor.operation import CompiledOperation, compile_operation
from gateway.executor.projection.shape import HiddenNames
from gateway.pipeline.limits import OperationLimits, check_limits, measure_operation
from gateway.planner.normalize.order import select_operation
from gateway.planner.planner import Planner

__all__ = ["OperationCache", "OperationCompiler", "response_error"]

_MAX_WAITING = 200
"""Preparations waiting or running; more are refused, since each costs milliseconds to seconds of processor time."""
_MAX_CACHED_CHARACTERS = 8_000_000
_MAX_CACHED_FIELDS = 100_000
"""Of all cached operations, fragments expanded, as a short text stands for many: one takes 2 kB with its plan and its
place in an answer's shape, of which an operation has up to four. A thousand operations of screens fit."""
_Key: TypeAlias = tuple[str, str | None, frozenset[str]]


@dataclass(frozen=True, slots=True)
class OperationCompiler:
    """Turns texts into compiled operations; pure, so it may run in any thread."""

    schema: GraphQLSchema
    hidden: HiddenNames
    planner: Planner
    limits: OperationLimits
    max_tokens: int
    max_errors: int
    introspection: bool
    suggestions: bool

    def compile(self, text: str, operation_name: str | None, labels: frozenset[str]) -> CompiledOperation:
        """Parse, check limits, validate, plan, compile. Raises RequestInvalid or PlanningFailed."""
        document = self._parse(text)
        check_limits(document, self.limits)
        operation = select_operation(document, operation_name)
        self._validate(document)
        if operation.operation.value == "subscription":
            raise RequestInvalid(
                [ResponseError("subscriptions are not offered by this server; send a query", "SUBSCRIPTIONS_DISABLED")]
            )
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        plan = self.planner.plan(document, operation_name, labels)
        field_count = measure_operation(operation, fragments).fields
        return compile_operation(self.schema, operation, fragments, plan, self.hidden, field_count=field_count)

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(
                Source(text),
                max_tokens=self.max_tokens,
                max_lexical_tokens=self.max_tokens * 20,
                allow_empty_selection_sets=False,
            )
        except GraphQLError as error:
            raise RequestInvalid([response_error(error, "GRAPHQL_PARSE_FAILED")]) from error
        except RecursionError as error:
            raise RequestInvalid(
                [ResponseError("the document is nested too deeply to be read", "GRAPHQL_PARSE_FAILED")]
            ) from error

    def _validate(self, document: DocumentNode) -> None:
        rules = [*specified_rules, MaxIntrospectionDepthRule]
        if not self.introspection:
            rules.append(NoSchemaIntrospectionCustomRule)
        errors = validate(
            self.schema,
            document,
            rules,
            max_errors=self.max_errors,
            hide_suggestions=not self.suggestions,
            allow_empty_selection_sets=False,
        )
        if errors:
            raise RequestInvalid([response_error(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])


def response_error(error: GraphQLError, code: str) -> ResponseError:
    """A syntax, validation or coercion error of graphql-core as we answer it."""
    locations = tuple((place.line, place.column) for place in error.locations or ())
    return ResponseError(error.message, code, locations=locations)


class OperationCache:
    """Compiled operations by text, operation name and active override labels, least recently used out first.

    Bounded by count, by characters of text and by fields. One instance belongs to one snapshot; only the event loop's
    thread touches it.
    """

    def __init__(
        self,
        compile_text: Callable[[str, str | None, frozenset[str]], CompiledOperation],
        threads: ThreadPoolExecutor,
        *,
        max_operations: int,
        timeout_s: float,
    ) -> None:
        self._compile = compile_text
        self._threads = threads
        self._max_operations = max_operations
        self._timeout_s = timeout_s
        self._ready: OrderedDict[_Key, CompiledOperation] = OrderedDict()
        self._pending: dict[_Key, asyncio.Future[CompiledOperation]] = {}
        self._characters = 0
        self._fields = 0

    def __len__(self) -> int:
        return len(self._ready)

    def get(
        self, text: str, operation_name: str | None, labels: frozenset[str] = frozenset()
    ) -> CompiledOperation | None:
        """The compiled operation when it is known."""
        key = (text, operation_name, labels)
        known = self._ready.get(key)
        if known is not None:
            self._ready.move_to_end(key)
        return known

    async def prepare(
        self, text: str, operation_name: str | None, labels: frozenset[str] = frozenset()
    ) -> CompiledOperation:
        """The compiled operation, made now if need be. Raises RequestInvalid, PlanningFailed or InternalError."""
        key = (text, operation_name, labels)
        known = self.get(text, operation_name, labels)
        if known is not None:
            return known
        pending = self._pending.get(key)
        if pending is None:
            if len(self._pending) >= _MAX_WAITING:
                raise RequestInvalid(
                    [ResponseError("too many new operations at once; try again in a second", "OVERLOADED")], status=503
                )
            pending = asyncio.get_running_loop().run_in_executor(self._threads, self._compile, *key)
            self._pending[key] = pending
            pending.add_done_callback(lambda done: self._store(key, done))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(pending)
        except TimeoutError as error:
            raise PlanningBudgetExceeded("seconds", self._timeout_s, self._timeout_s) from error
        except (GatewayError, asyncio.CancelledError):
            raise
        except Exception as error:  # this is the stage's edge: whatever a planner does wrong is one failed request
            raise InternalError(f"preparing an operation failed: {error!r}") from error

    def _store(self, key: _Key, done: asyncio.Future[CompiledOperation]) -> None:
        self._pending.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        self._ready[key] = done.result()
        self._characters += len(key[0])
        self._fields += self._ready[key].field_count
        while self._ready and self._is_too_full():
            (text, _, _), oldest = self._ready.popitem(last=False)
            self._characters -= len(text)
            self._fields -= oldest.field_count

    def _is_too_full(self) -> bool:
        return (
            len(self._ready) > self._max_operations
            or self._characters > _MAX_CACHED_CHARACTERS
            or self._fields > _MAX_CACHED_FIELDS
        )
