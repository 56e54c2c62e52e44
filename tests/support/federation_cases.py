"""One random federation with one operation as a case: run, made smaller while it fails, kept in a folder and read again."""

from __future__ import annotations

import asyncio
import copy
import functools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
    visit,
)
from graphql.language import Visitor

from gateway.executor.errors import ErrorPolicy
from gateway.executor.execute import ExecutionRequest
from gateway.executor.operation import compile_operation
from gateway.planner.check import check_plan
from gateway.planner.normalize import normalize
from gateway.planner.plan.text import write_plan_text
from gateway.planner.planner import Planner
from tests.support.random_federation import RandomFederation
from tests.support.random_operation import RandomOperation, operation_text

__all__ = ["FederationCase", "Outcome", "cases_of_seed", "read_case", "run_case", "shrink", "write_case"]

OPERATIONS_PER_FEDERATION = 3


@dataclass(frozen=True)
class FederationCase:
    """A federation, whose supergraph has a planner already, and an operation on it."""

    world: RandomFederation
    planner: Planner
    text: str
    variables: dict[str, Any]

    @functools.cached_property
    def expected(self) -> dict[str, Any]:
        """What a single server answers, with errors where the operation is not valid; worked out once."""
        return self.world.answer(self.planner.api_schema, self.text, self.variables)


@dataclass(frozen=True)
class Outcome:
    """Both answers, what the plan check said, and requests that were sent without anything to ask for."""

    expected: dict[str, Any]
    answer: dict[str, Any]
    problems: list[str]
    plan: str

    @property
    def is_right(self) -> bool:
        return self.answer == self.expected and not self.problems


def cases_of_seed(seed: int) -> list[FederationCase]:
    """The cases that a seed gives; none where its subgraphs don't compose, since they can't reach each other."""
    rng = random.Random(seed)
    world = RandomFederation(rng)
    supergraph = world.compose()
    if isinstance(supergraph, list):
        return []
    planner = Planner(supergraph)
    operations = [RandomOperation(rng, planner.api_schema) for _ in range(OPERATIONS_PER_FEDERATION)]
    cases = [FederationCase(world, planner, each.text, each.variables) for each in operations]
    return [case for case in cases if is_comparable(case)]


def is_comparable(case: FederationCase) -> bool:
    """Whether the operation is valid and a single server answers it without an error: otherwise nothing is promised."""
    return "errors" not in case.expected


def run_case(case: FederationCase) -> Outcome:
    """Plan, prove and execute; whatever is raised on the way is the outcome's problem."""
    document = parse(case.text)
    (definition,) = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    try:
        plan = case.planner.plan(document, None, case.world.labels)
        problems = check_plan(case.planner.query_graph, normalize(document, case.planner.api_schema), plan)
        fragments: dict[str, FragmentDefinitionNode] = {}
        compiled = compile_operation(case.planner.api_schema, definition, fragments, plan)
        transport = case.world.transport()

        async def execute() -> dict[str, Any]:
            encoded = {k: json.dumps(k).encode() + b":" + json.dumps(v).encode() for k, v in case.variables.items()}
            deadline = asyncio.get_running_loop().time() + 30
            request = ExecutionRequest(case.variables, encoded, {}, deadline, 30)
            answer = await compiled.run(request, case.variables, transport, ErrorPolicy(mask=False))
            result: dict[str, Any] = {"data": answer.data}
            if answer.errors:
                result["errors"] = [error.to_json() for error in answer.errors]
            return result

        answer = asyncio.run(execute())
    except Exception as error:  # noqa: BLE001 a long run has to go on, and to keep the case
        return Outcome(case.expected, {}, [f"raised {error!r}"], "")
    problems += _requests_in_vain(transport.requests)
    return Outcome(case.expected, answer, problems, write_plan_text(plan))


def _requests_in_vain(requests: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[str]:
    """Entity requests without a representation, and representations sent twice in one list."""
    found: list[str] = []
    for subgraph, body, _ in requests:
        sent = [value for key, value in (body.get("variables") or {}).items() if isinstance(value, list)]
        if "_entities" in body["query"] and not any(sent):
            found.append(f"a request to {subgraph} asks for no entity")
        for each in sent:
            texts = [json.dumps(item, sort_keys=True) for item in each]
            if len(set(texts)) < len(texts):
                found.append(f"a request to {subgraph} asks for the same entity twice")
    return found


# --- smaller ----------------------------------------------------------------------------------------------------


def shrink(case: FederationCase, attempts: int = 400) -> FederationCase:
    """A smaller case that still fails: selections, root fields, fields and objects are left out one by one."""
    best = case
    going = True
    while going and attempts > 0:
        going = False
        for smaller in _smaller(best):
            attempts -= 1
            if attempts <= 0:
                break
            if not run_case(smaller).is_right:
                best, going = smaller, True
                break
    return best


def _smaller(case: FederationCase) -> Iterator[FederationCase]:
    for text in _smaller_texts(case.text):
        candidate = FederationCase(case.world, case.planner, *_with_variables_used(text, case.variables))
        if is_comparable(candidate):
            yield candidate
    for kept in _smaller_worlds(case.world.to_plain()):
        try:
            world = RandomFederation.from_plain(kept)
            supergraph = world.compose()
            if isinstance(supergraph, list):
                continue
            candidate = FederationCase(world, Planner(supergraph), case.text, case.variables)
            if is_comparable(candidate):
                yield candidate
        except (KeyError, IndexError, ValueError, TypeError):
            continue  # what was left out is needed by something else


def _smaller_texts(text: str) -> Iterator[str]:
    """The operation's selections without one of them, the biggest first."""
    places: list[tuple[int, int]] = []

    class Finder(Visitor):
        def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> None:
            if len(node.selections) > 1:
                places.extend((each.loc.start, each.loc.end) for each in node.selections if each.loc is not None)

    visit(parse(text), Finder())
    for start, end in sorted(places, key=lambda place: place[0] - place[1]):
        yield text[:start] + text[end:]


def _with_variables_used(text: str, variables: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The operation with definitions of the variables that it uses, and these."""
    (definition,) = parse(text).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.selection_set.loc is not None
    used: set[str] = set()

    class Finder(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            used.add(node.name.value)

    visit(definition.selection_set, Finder())
    kept = {name: value for name, value in variables.items() if name in used}
    return operation_text(text[definition.selection_set.loc.start :], kept), kept


def _smaller_worlds(kept: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index in range(len(kept["roots"])):
        smaller = copy.deepcopy(kept)
        del smaller["roots"][index]
        yield smaller
    for index, entity in enumerate(kept["entities"]):
        for name in entity["fields"]:
            smaller = copy.deepcopy(kept)
            del smaller["entities"][index]["fields"][name]
            yield smaller
    for root, value in kept["root_values"].items():
        if isinstance(value, list) and len(value) > 1:
            for index in range(len(value)):
                smaller = copy.deepcopy(kept)
                del smaller["root_values"][root][index]
                yield smaller


# --- kept -------------------------------------------------------------------------------------------------------


def write_case(case: FederationCase, folder: Path, seed: int) -> None:
    """Keep a case: what it is made of, and for people the subgraphs, the plan and both answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "operation.graphql").write_text(f"# variables: {json.dumps(case.variables)}\n{case.text}\n")
    (folder / "world.json").write_text(json.dumps(case.world.to_plain(), indent=1) + "\n")
    for name in case.world.subgraphs:
        (folder / f"{name}.graphql").write_text(case.world.sdl(name) + "\n")
    outcome = run_case(case)
    (folder / "failure.txt").write_text(
        f"seed {seed}\n\nproblems: {outcome.problems}\nexpected: {json.dumps(outcome.expected)}\n"
        f"answer:   {json.dumps(outcome.answer)}\n\n{outcome.plan}\n"
    )


def read_case(folder: Path) -> FederationCase:
    """The case that `write_case` kept."""
    world = RandomFederation.from_plain(json.loads((folder / "world.json").read_text()))
    supergraph = world.compose()
    assert not isinstance(supergraph, list), supergraph
    comment, text = (folder / "operation.graphql").read_text().split("\n", maxsplit=1)
    return FederationCase(world, Planner(supergraph), text, json.loads(comment.removeprefix("# variables: ")))
