"""Every suite's operations through the gateway and through one server that holds all the data: the same answer.

A suite is a folder: `suite.py` defines FEDERATION (subgraphs, data), `operations/*.graphql` are sent one by one. A comment
line `# variables: {…}` gives variables; `# requests: N` is the number of subgraph requests that the operation takes,
`# asks: a b` the subgraphs that get them, `# order: a b a` these one after the other; `# labels: x` switches labels of gradual overrides on. `# silent: why` stands where a single server would tell an
error and the gateway must not: what clients may not know of is null without a word.
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
    async with gateway_client(suite.sdl, transport, tmp_path, active_override_labels=case.labels) as client:
        answer = await post(client, case.text, case.variables)
    expected = suite.federation.oracle(suite.schema, case.text, case.variables)

    assert answer["data"] == expected["data"]
    assert json.dumps(answer["data"]) == json.dumps(expected["data"])  # the order of keys, too
    assert _paths(answer) == (set() if case.is_silent else _paths(expected))
    if case.requests is not None:
        assert len(transport.exchanges) == case.requests, [each.request["query"] for each in transport.exchanges]
    if case.order is not None:
        assert [each.subgraph_name for each in transport.exchanges] == case.order
    if case.subgraphs_asked is not None:
        assert sorted({each.subgraph_name for each in transport.exchanges}) == case.subgraphs_asked


def test_there_are_cases() -> None:
    assert len(CASES) >= 100
