"""Random operations on the graphs with contexts: proved plans, and the answers of one server that holds everything."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from graphql import OperationDefinitionNode, parse, validate

from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import Answer, compile_operation
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.planner import Planner
from gateway.supergraph.read import read_supergraph
from tests.conformance.conftest import Suite
from tests.support.random_operation import RandomOperation

OPERATIONS = 8
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


@pytest.mark.parametrize("first_seed", [0, 10_000, 20_000])
@pytest.mark.parametrize("name", SUITES)
def test_the_answer_is_one_servers(
    name: str, first_seed: int, suites: dict[str, Suite], planners: dict[str, Planner]
) -> None:
    """Whatever is asked of objects below contexts; many random operations use one key for two things and fall out."""
    planner, suite = planners[name], suites[name]
    asked, seed = 0, first_seed
    while asked < OPERATIONS and seed < first_seed + 10_000:
        seed += 1
        operation = RandomOperation(random.Random(seed), planner.api_schema, depth=3)
        if validate(planner.api_schema, parse(operation.text)):
            continue
        expected = suite.federation.oracle(planner.api_schema, operation.text, operation.variables)
        if "errors" in expected:
            continue
        asked += 1

        answer = answer_of(planner, suite, operation)

        assert answer.errors == (), (seed, operation.text)
        assert answer.data == expected["data"], (seed, operation.text)
    assert asked == OPERATIONS
