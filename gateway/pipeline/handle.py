"""One request through the pipeline: find its text, its compiled form, its variables; then execute."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import structlog
from graphql import OperationType

from gateway.errors import (
    InternalError,
    PlanningFailed,
    RequestInvalid,
    RequestRefused,
    ResponseError,
)
from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import Answer, CompiledOperation
from gateway.executor.transport.base import SubgraphTransport
from gateway.pipeline.in_flight import InFlight, SharedAnswer, request_key
from gateway.pipeline.persisted import PersistedOperations
from gateway.pipeline.request import Executed, GatewayRequest, Outcome, RefusedRequest, RequestError, StageTimes
from gateway.pipeline.snapshot import Snapshot
from gateway.pipeline.variables import VariableReader

__all__ = ["Pipeline"]

_log = structlog.get_logger(__name__)


class Pipeline:
    """Handles requests against whatever snapshot is current when each arrives."""

    def __init__(
        self,
        snapshot: Snapshot,
        transport: SubgraphTransport,
        persisted: PersistedOperations,
        policy: ErrorPolicy,
        *,
        subgraph_timeout_s: float,
        deduplicate_queries: bool = False,
    ) -> None:
        self.snapshot = snapshot
        self._transport = transport
        self._persisted = persisted
        self._policy = policy
        self._subgraph_timeout_s = subgraph_timeout_s
        self._in_flight = InFlight() if deduplicate_queries else None
        self._variables = VariableReader()

    async def handle(self, request: GatewayRequest) -> Outcome:
        """The outcome; never raises but CancelledError."""
        try:
            return await self._handle(request)
        except RequestRefused as error:
            return RefusedRequest(error.status, error.error, error.headers)
        except RequestInvalid as error:
            return RequestError(error.errors, error.status)
        except PlanningFailed as error:
            _log.warning("planning failed", error=str(error), operation_name=request.operation_name)
            return RequestError((ResponseError(str(error), error.code),))
        except Exception as error:  # noqa: BLE001  # the request's edge: logged in full, told without details
            _log.exception("request failed", operation_name=request.operation_name, error=repr(error))
            return RequestError((ResponseError("internal error", InternalError.code),), 500)

    async def _handle(self, request: GatewayRequest) -> Executed:
        now = asyncio.get_running_loop().time
        began = now()
        snapshot = self.snapshot
        text = self._persisted.resolve(request.query, request.extensions, request.document_id)
        labels = snapshot.labels.active(random.uniform(0, 100))
        compiled = snapshot.operations.get(text, request.operation_name, labels)
        if compiled is None:
            compiled = await snapshot.operations.prepare(text, request.operation_name, labels)
        if not request.allow_mutation and compiled.operation.operation.value == "mutation":
            raise RequestRefused(
                405, "a mutation can't be sent by GET; use POST", code="METHOD_NOT_ALLOWED", headers={"allow": "POST"}
            )
        variables = self._variables.read(snapshot.schema, compiled, request.variables)
        execution = ExecutionRequest(
            variables=variables.coerced,
            encoded_variables=variables.encoded,
            headers=request.headers,
            deadline=request.deadline,
            subgraph_timeout_s=self._subgraph_timeout_s,
        )
        prepared = now()
        answer = await self._answer(compiled, execution, request)
        times = StageTimes(prepared - began, now() - prepared)
        return Executed(answer.data, answer.errors, answer.requests_sent, times)

    async def _answer(
        self, compiled: CompiledOperation, execution: ExecutionRequest, request: GatewayRequest
    ) -> Answer | SharedAnswer:
        """Execute, or wait for equal work where that is allowed."""

        def run() -> Coroutine[Any, Any, Answer]:
            return compiled.run(execution, request.variables, self._transport, self._policy)

        in_flight = self._in_flight
        if in_flight is None:
            return await run()
        if compiled.operation.operation is OperationType.QUERY:
            return await in_flight.share(request_key(compiled, execution.encoded_variables, request.headers), run)
        try:
            return await run()
        finally:
            # Whoever changed something asks next, and must not be answered from before the change.
            in_flight.let_nobody_join()
