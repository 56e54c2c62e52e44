"""Random federations: the federated answer is the single server's, the plan check holds, nothing is fetched in vain.

`python -m tests.properties.gateway_answer_test FIRST COUNT` runs many seeds and prints those that fail.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from typing import Any

from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse, validate
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import compile_operation
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.plan.text import write_plan_text
from gateway.planner.planner import Planner
from tests.support.random_federation import InProcess, RandomFederation, RandomOperation

OPERATIONS_PER_FEDERATION = 3


@dataclass
class Outcome:
    """One operation's answers, and what the plan check said."""

    operation: str
    expected: dict[str, Any]
    answer: dict[str, Any]
    problems: list[str]
    plan: str

    @property
    def is_right(self) -> bool:
        return self.answer == self.expected and not self.problems


def outcomes(seed: int) -> list[Outcome] | None:
    """What happened for the federation of a seed; None when it does not compose (its subgraphs can't reach each other)."""
    rng = random.Random(seed)
    world = RandomFederation(rng)
    supergraph = world.compose()
    if isinstance(supergraph, list):
        return None
    planner = Planner(supergraph)
    transport = world.transport()
    found: list[Outcome] = []
    for _ in range(OPERATIONS_PER_FEDERATION):
        operation = RandomOperation(rng, planner.api_schema)
        if validate(planner.api_schema, parse(operation.text)):
            continue
        expected = world.answer(planner.api_schema, operation.text, operation.variables)
        if "errors" not in expected:  # a null where the world's schema allows none: nothing to compare
            found.append(run(planner, transport, operation, expected))
    return found


def run(planner: Planner, transport: InProcess, operation: RandomOperation, expected: dict[str, Any]) -> Outcome:
    document = parse(operation.text)
    plan = planner.plan(document)
    problems = check_plan(planner.query_graph, normalize(document, planner.api_schema), plan)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    fragments: dict[str, FragmentDefinitionNode] = {}
    compiled = compile_operation(planner.api_schema, definition, fragments, plan)

    async def execute() -> dict[str, Any]:
        variables = operation.variables
        encoded = {k: json.dumps(k).encode() + b":" + json.dumps(v).encode() for k, v in variables.items()}
        deadline = asyncio.get_running_loop().time() + 30
        request = ExecutionRequest(variables, encoded, {}, deadline, 30)
        answer = await compiled.run(request, variables, transport, ErrorPolicy(mask=False))
        result: dict[str, Any] = {"data": answer.data}
        if answer.errors:
            result["errors"] = [error.to_json() for error in answer.errors]
        return result

    return Outcome(operation.text, expected, asyncio.run(execute()), problems, write_plan_text(plan))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
@example(72162)  # an entry of which conditions that exclude each other leave nothing
def test_federated_answer_is_the_single_servers(seed: int) -> None:
    """For any federation that composes and any valid operation."""
    found = outcomes(seed)
    assume(found is not None)
    for outcome in found or []:
        assert outcome.problems == []
        assert outcome.answer == outcome.expected, f"seed {seed}\n{outcome.operation}\n{outcome.plan}"


def main(first: int, count: int) -> int:
    """A long run; 0 when everything was right."""
    checked = 0
    wrong: list[int] = []
    for seed in range(first, first + count):
        for outcome in outcomes(seed) or []:
            checked += 1
            if not outcome.is_right:
                wrong.append(seed)
                print(f"seed {seed}: {outcome.problems or 'another answer'}\n{outcome.operation}")
    print(f"{checked} operations checked, {len(wrong)} wrong, seeds {first} to {first + count - 1}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
