"""Running a compiled plan: every step starts when all that it depends on is done, and no sooner or later.

Steps are counted down instead of arranged in waves, so that the child of a quick step never waits for the slow sibling
of its parent. A step that gives nothing is a failure: what it would have delivered is missing from the tree, and so is
what its dependants would have; `ResponseTree.missing_reason` tells projection which failure explains a missing field.
Everything a request started ends with it: the steps are children of one task group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from gateway.errors import ResponseError, SubgraphError, SubgraphMalformed
from gateway.executor.answers import read_answer
from gateway.executor.compile import CompiledPlan, CompiledStep, delivered_keys
from gateway.executor.errors import ErrorPolicy, error_of_failure
from gateway.executor.fetch import merge_answer, prepare_fetch
from gateway.executor.places import response_keys
from gateway.executor.transport.base import SubgraphAnswer, SubgraphRequest, SubgraphTransport
from gateway.planner.plan.nodes import EntityStep, RootStep

__all__ = ["ExecutionRequest", "ResponseTree", "execute_plan"]

_MAX_LOGGED_ERRORS = 3
_MAX_LOGGED_CHARACTERS = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """What one request brings to a compiled plan.

    `variables`: coerced values, which decide conditions; `encoded_variables`: for each variable that the client gave,
    `"name":value` as JSON. `headers` go to every subgraph. `deadline`: event loop time after which nobody waits;
    `subgraph_timeout_s` bounds each request within it.
    """

    variables: Mapping[str, Any]
    encoded_variables: Mapping[str, bytes]
    headers: Mapping[str, str]
    deadline: float
    subgraph_timeout_s: float


@dataclass(slots=True)
class ResponseTree:
    """The merged answers, the errors that subgraphs told, and the steps that gave nothing."""

    plan: CompiledPlan
    data: dict[str, Any] = field(default_factory=dict)
    errors: list[ResponseError] = field(default_factory=list)
    failures: dict[int, ResponseError] = field(default_factory=dict)
    """By step: its own failure, or for a dependant the failure of a step that it needed."""
    explained: set[int] = field(default_factory=set)
    """Failures (by identity) that some missing field of the answer was explained with."""
    requests_sent: int = 0

    def missing_reason(self, keys: tuple[str, ...]) -> ResponseError | None:
        """The failure because of which nothing stands at a place; `keys` are response keys from the root."""
        for step_id, error in self.failures.items():
            if keys in delivered_keys(self.plan, step_id):
                self.explained.add(id(error))
                return error
        return None

    def unexplained(self) -> list[ResponseError]:
        """Failures that no missing field told of, with the path of the place concerned as far as it is known."""
        told: set[int] = set(self.explained)
        errors: list[ResponseError] = []
        for step_id, error in self.failures.items():
            if id(error) in told:
                continue
            told.add(id(error))
            errors.append(ResponseError(error.message, error.code, self._place(step_id), extensions=error.extensions))
        return errors

    def _place(self, step_id: int) -> tuple[str, ...] | None:
        step = self.plan.plan.steps[step_id]
        match step:
            case EntityStep():
                return response_keys(step.inputs[0].paths[0])[:1] or None
            case RootStep():
                return response_keys(step.path)[:1] or None


async def execute_plan(
    plan: CompiledPlan, request: ExecutionRequest, transport: SubgraphTransport, policy: ErrorPolicy
) -> ResponseTree:
    """Run all steps and return the tree; failures of subgraphs are in it, never raised."""
    run = _Run(plan, request, transport, policy)
    roots = [index for index, count in enumerate(plan.parent_counts) if count == 0]
    if not roots:
        return run.tree
    if len(plan.steps) == 1:
        await run.perform(plan.steps[0])
        return run.tree
    async with asyncio.TaskGroup() as group:
        for index in roots[1:]:
            group.create_task(run.chain(index, group))
        await run.chain(roots[0], group)
    return run.tree


class _Run:
    """One execution: the tree that grows, and how many parents each step still waits for."""

    def __init__(
        self, plan: CompiledPlan, request: ExecutionRequest, transport: SubgraphTransport, policy: ErrorPolicy
    ) -> None:
        self.plan = plan
        self.request = request
        self.transport = transport
        self.policy = policy
        self.tree = ResponseTree(plan)
        self.waiting_for = list(plan.parent_counts)

    async def chain(self, index: int, group: asyncio.TaskGroup) -> None:
        """Run one step, then whichever child becomes ready in the same task and the others in tasks of their own."""
        following: int | None = index
        while following is not None:
            step = self.plan.steps[following]
            await self.perform(step)
            following = None
            for child in step.children:
                self.waiting_for[child] -= 1
                if self.waiting_for[child] == 0:
                    if following is None:
                        following = child
                    else:
                        group.create_task(self.chain(child, group))

    async def perform(self, compiled: CompiledStep) -> None:
        step = compiled.step
        variables = self.request.variables
        if step.condition and any(bool(variables.get(each.variable)) == each.negated for each in step.condition):
            return
        self._inherit_failure(compiled)
        try:
            prepared = prepare_fetch(compiled, self.tree.data, self.request.encoded_variables)
            if prepared is None:
                return
            answer = await self._load(compiled, prepared.body)
            read = read_answer(step.subgraph, answer)
            errors = merge_answer(prepared, read, self.tree.data, self.policy)
        except SubgraphError as error:
            _log.warning(
                "subgraph request failed",
                subgraph=step.subgraph,
                code=error.code,
                error=str(error),
                cause=repr(error.__cause__),
            )
            self.tree.failures[step.id] = error_of_failure(error, self.policy)
            return
        except (TypeError, RecursionError) as error:
            # Values nested too deeply to be written or walked: one step's failure, never the whole answer's.
            _log.warning("data of a subgraph can't be handled", subgraph=step.subgraph, error=repr(error))
            name = step.subgraph
            malformed = SubgraphMalformed(name, f"subgraph '{name}' answered with data that can't be handled")
            self.tree.failures[step.id] = error_of_failure(malformed, self.policy)
            return
        if read.errors:
            # Clients may not see the texts; whoever runs the gateway must.
            told = [str(each)[:_MAX_LOGGED_CHARACTERS] for each in read.errors[:_MAX_LOGGED_ERRORS]]
            _log.warning("subgraph told errors", subgraph=step.subgraph, count=len(read.errors), first=told)
        if read.data is None:
            self._fail_with(compiled, errors)
        else:
            self.tree.errors += errors[: self.policy.max_errors]

    async def _load(self, compiled: CompiledStep, body: bytes) -> SubgraphAnswer:
        self.tree.requests_sent += 1
        deadline = min(self.request.deadline, asyncio.get_running_loop().time() + self.request.subgraph_timeout_s)
        return await self.transport.send(
            SubgraphRequest(
                compiled.step.subgraph, body, self.request.headers, deadline, may_repeat=compiled.step.kind == "query"
            )
        )

    def _fail_with(self, compiled: CompiledStep, errors: list[ResponseError]) -> None:
        """An answer without data: what it tells without a place explains every field that is missing because of it."""
        self.tree.errors += [error for error in errors if error.path is not None]
        general = next((error for error in errors if error.path is None), None)
        if general is None:
            name = compiled.step.subgraph
            general = error_of_failure(SubgraphMalformed(name, f"subgraph '{name}' answered without data"), self.policy)
        self.tree.failures[compiled.step.id] = general

    def _inherit_failure(self, compiled: CompiledStep) -> None:
        step = compiled.step
        if isinstance(step, RootStep) and not step.path:
            return  # mutations wait for each other without needing each other's data
        for parent in step.depends_on:
            if parent in self.tree.failures:
                self.tree.failures[step.id] = self.tree.failures[parent]
                return
