"""Every suite's operations while one subgraph misbehaves: what is answered is true, and what is missing is explained.

Two rules for each operation, subgraph and fault: a value that is shown is the one that a single server would show; a
null that a single server would not show has an error at, above or below its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gateway.errors import SubgraphTimeout, SubgraphUnavailable
from gateway.executor.transport.base import SubgraphAnswer
from tests.conformance.conftest import Case, Suite
from tests.support.gateway import gateway_client, post

FAULTS: dict[str, Callable[[str], Any]] = {
    "unavailable": lambda name: SubgraphUnavailable(name, f"subgraph '{name}' can't be reached"),
    "timeout": lambda name: SubgraphTimeout(name, f"subgraph '{name}' did not answer in time"),
    "http 500": lambda _name: SubgraphAnswer(500, b"oops", "text/plain"),
    "not json": lambda _name: SubgraphAnswer(200, b"<html>"),
    "data null": lambda _name: {"data": None},
    "data null with an error": lambda _name: {"data": None, "errors": [{"message": "boom"}]},
    "errors without data": lambda _name: {"errors": [{"message": "boom", "path": ["nowhere", 7]}]},
    "no entities": lambda _name: {"data": {"_entities": []}},
}


def problems_of(shown: Any, expected: Any, errors: list[tuple[Any, ...]], path: tuple[Any, ...] = ()) -> Iterator[str]:
    if shown is None:
        explained = any(error[: len(path)] == path or path[: len(error)] == error for error in errors)
        if expected is not None and not explained:
            yield f"{path} is null and nobody says why"
    elif isinstance(shown, dict) and isinstance(expected, dict):
        if shown.keys() != expected.keys():
            yield f"{path} has keys {list(shown)}, wanted {list(expected)}"
        for key in shown.keys() & expected.keys():
            yield from problems_of(shown[key], expected[key], errors, (*path, key))
    elif isinstance(shown, list) and isinstance(expected, list) and len(shown) == len(expected):
        for index, (item, wanted) in enumerate(zip(shown, expected, strict=True)):
            yield from problems_of(item, wanted, errors, (*path, index))
    elif shown != expected:
        yield f"{path} is {shown!r}, wanted {expected!r}"


async def test_a_faulty_subgraph_leaves_no_lies_and_no_unexplained_nulls(
    case: Case, suite: Suite, tmp_path: Path
) -> None:
    expected = suite.federation.oracle(suite.schema, case.text, case.variables)
    transport = suite.federation.transport()
    async with gateway_client(suite.sdl, transport, tmp_path, active_override_labels=case.labels) as client:
        for faulty, (fault, give) in itertools.product(suite.federation.subgraphs, FAULTS.items()):
            suite.federation.fault = lambda name, _r, faulty=faulty, give=give: give(name) if name == faulty else None
            try:
                answer = await post(client, case.text, case.variables)
            finally:
                suite.federation.fault = None
            errors = [tuple(error.get("path") or ()) for error in answer.get("errors", ())]
            assert "data" in answer, (faulty, fault, answer)
            assert list(problems_of(answer["data"], expected["data"], errors)) == [], (faulty, fault, answer)
            assert transport.in_flight == 0
