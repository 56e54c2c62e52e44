"""Random operations on the graphs with contexts: proved plans, and the answers of one server that holds everything."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from graphql import OperationDefinitionNode, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import Answer, compile_operation
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.planner import Planner
from gateway.supergraph.read import read_supergraph
from tests.conformance.conftest import Suite
from tests.support.random_operation import RandomOperation

SUITES = ("contexts", "contexts_of_abstract_types")


@pytest.fixture(scope="module")
def planners(suites: dict[str, Suite]) -> dict[str, Planner]:
    return {name: Planner(read_supergraph(suites[name].sdl)) for name in SUITES}


def answer_of(planner: Planner, suite: Suite, operation: RandomOperation) -> Answer:
    """The gateway's answer; the plan is proved on the way."""
    document = parse(operation.text)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    plan = planner.plan(document)
    assert check_plan(planner.query_graph, normalize(document, planner.api_schema), plan) == [], operation.text
    compiled = compile_operation(planner.api_schema, definition, {}, plan)
    encoded = {
        name: json.dumps(name).encode() + b":" + json.dumps(value).encode()
        for name, value in operation.variables.items()
    }

    async def execute() -> Answer:
        request = ExecutionRequest(operation.variables, encoded, {}, float("inf"), 30)
        return await compiled.run(request, operation.variables, suite.federation.transport(), ErrorPolicy())

    return asyncio.run(execute())


@pytest.mark.parametrize("name", SUITES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000_000))
def test_the_answer_is_one_servers(
    name: str, seed: int, suites: dict[str, Suite], planners: dict[str, Planner]
) -> None:
    """Whatever is asked of objects below contexts."""
    operation = RandomOperation(random.Random(seed), planners[name].api_schema)
    if validate(planners[name].api_schema, parse(operation.text)):
        return
    expected = suites[name].federation.oracle(planners[name].api_schema, operation.text, operation.variables)
    if "errors" in expected:
        return

    answer = answer_of(planners[name], suites[name], operation)

    assert json.loads(answer.body) == expected, operation.text
