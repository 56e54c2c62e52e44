"""Random federations with one subgraph away: what is answered is true, and what is missing is explained."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

from graphql import OperationDefinitionNode, parse, validate
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.errors import SubgraphUnavailable
from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import Answer, compile_operation
from gateway.executor.transport.base import SubgraphAnswer, SubgraphRequest, SubgraphTransport
from gateway.planner.planner import Planner
from tests.conformance.test_faults import problems_of
from tests.support.random_federation import RandomFederation
from tests.support.random_operation import RandomOperation


class WithoutOne:
    """A transport to which one subgraph is away."""

    def __init__(self, inner: SubgraphTransport, away: str) -> None:
        self._inner = inner
        self._away = away

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        if request.subgraph_name == self._away:
            raise SubgraphUnavailable(self._away, f"subgraph '{self._away}' can't be reached")
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _run(planner: Planner, operation: RandomOperation, labels: frozenset[str], transport: SubgraphTransport) -> Answer:
    document = parse(operation.text)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    compiled = compile_operation(planner.api_schema, definition, {}, planner.plan(document, None, labels))
    encoded = {
        name: json.dumps(name).encode() + b":" + json.dumps(value).encode()
        for name, value in operation.variables.items()
    }

    async def execute() -> Answer:
        request = ExecutionRequest(operation.variables, encoded, {}, float("inf"), 30)
        return await compiled.run(request, operation.variables, transport, ErrorPolicy())

    return asyncio.run(execute())


def _cases(seed: int) -> Iterator[tuple[str, str, Answer, dict[str, Any]]]:
    """(operation, subgraph that is away, answer, what a single server says)."""
    rng = random.Random(seed)
    world = RandomFederation(rng)
    supergraph = world.compose()
    assume(not isinstance(supergraph, list))
    assert not isinstance(supergraph, list)
    planner = Planner(supergraph)
    for _ in range(2):
        operation = RandomOperation(rng, planner.api_schema)
        if validate(planner.api_schema, parse(operation.text)):
            continue
        expected = world.answer(planner.api_schema, operation.text, operation.variables)
        if "errors" in expected:
            continue
        for away in supergraph.subgraphs:
            yield (
                operation.text,
                away,
                _run(planner, operation, world.labels, WithoutOne(world.transport(), away)),
                expected,
            )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_subgraph_that_is_away_leaves_no_lies_and_no_unexplained_nulls(seed: int) -> None:
    for operation, away, answer, expected in _cases(seed):
        errors = [tuple(error.path or ()) for error in answer.errors]
        assert list(problems_of(answer.data, expected["data"], errors)) == [], (operation, away, answer, expected)
