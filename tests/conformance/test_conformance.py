"""Every suite's operations through the gateway and through one server that holds all the data: the same answer.

A suite is a folder: `suite.py` defines FEDERATION (subgraphs, data), `operations/*.graphql` are sent one by one. A comment
line `# variables: {…}` gives variables; `# requests: N` is the number of subgraph requests that the operation may take.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, parse, validate

from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.read import read_supergraph
from tests.support.federation import Federation
from tests.support.gateway import gateway_client, post

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/operations/*.graphql"))
_TEXTS = {path: path.read_text() for path in CASES}
_loaded: dict[Path, tuple[Federation, str, GraphQLSchema]] = {}


def _load(suite: Path) -> tuple[Federation, str, GraphQLSchema]:
    if suite not in _loaded:
        spec = importlib.util.spec_from_file_location(f"conformance_{suite.name}", suite / "suite.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        federation: Federation = module.FEDERATION
        sdl = federation.supergraph_sdl()
        _loaded[suite] = (federation, sdl, build_api_schema(read_supergraph(sdl)))
    return _loaded[suite]


def _comment(text: str, name: str) -> str | None:
    found = re.search(rf"^# {name}: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else None


def _paths(answer: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {tuple(error.get("path") or ()) for error in answer.get("errors", ())}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
async def test_the_gateway_answers_as_one_server_would(path: Path, tmp_path: Path) -> None:
    federation, sdl, schema = _load(path.parent.parent)
    text = _TEXTS[path]
    assert validate(schema, parse(text)) == []
    variables = json.loads(_comment(text, "variables") or "{}")
    transport = federation.transport()
    async with gateway_client(sdl, transport, tmp_path) as client:
        answer = await post(client, text, variables)
    expected = federation.oracle(schema, text, variables)

    assert answer["data"] == expected["data"]
    assert json.dumps(answer["data"]) == json.dumps(expected["data"])  # the order of keys, too
    assert _paths(answer) == _paths(expected)
    allowed = _comment(text, "requests")
    if allowed is not None:
        assert len(transport.exchanges) == int(allowed), [each.request["query"] for each in transport.exchanges]


def test_there_are_cases() -> None:
    assert len(CASES) >= 20
