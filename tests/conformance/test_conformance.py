"""Every suite's operations through the gateway and through one server that holds all the data: the same answer.

A suite is a folder: `suite.py` defines FEDERATION (subgraphs, data), `operations/*.graphql` are sent one by one. A comment
line `# variables: {…}` gives variables; `# requests: N` is the number of subgraph requests that the operation takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graphql import parse, validate

from tests.conformance.conftest import CASES, Case, Suite
from tests.support.gateway import gateway_client, post


def _paths(answer: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {tuple(error.get("path") or ()) for error in answer.get("errors", ())}


async def test_the_gateway_answers_as_one_server_would(case: Case, suite: Suite, tmp_path: Path) -> None:
    assert validate(suite.schema, parse(case.text)) == []
    transport = suite.federation.transport()
    async with gateway_client(suite.sdl, transport, tmp_path) as client:
        answer = await post(client, case.text, case.variables)
    expected = suite.federation.oracle(suite.schema, case.text, case.variables)

    assert answer["data"] == expected["data"]
    assert json.dumps(answer["data"]) == json.dumps(expected["data"])  # the order of keys, too
    assert _paths(answer) == _paths(expected)
    if case.requests is not None:
        assert len(transport.exchanges) == case.requests, [each.request["query"] for each in transport.exchanges]


def test_there_are_cases() -> None:
    assert len(CASES) >= 20
