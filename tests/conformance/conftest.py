"""The suites of this folder, loaded once."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema

from gateway.supergraph.api_schema import build_api_schema
from gateway.supergraph.read import read_supergraph
from tests.support.federation import Federation

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One operation of one suite, with what its comments give: variables, labels, and requests that are expected."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return f"{self.path.parent.parent.name}/{self.path.stem}"

    @property
    def variables(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self._comment("variables") or "{}")
        return given

    @property
    def requests(self) -> int | None:
        given = self._comment("requests")
        return None if given is None else int(given)

    @property
    def subgraphs_asked(self) -> list[str] | None:
        given = self._comment("asks")
        return None if given is None else sorted(given.split())

    @property
    def order(self) -> list[str] | None:
        given = self._comment("order")
        return None if given is None else given.split()

    @property
    def is_silent(self) -> bool:
        return self._comment("silent") is not None

    @property
    def labels(self) -> frozenset[str]:
        return frozenset((self._comment("labels") or "").split())

    def _comment(self, name: str) -> str | None:
        found = re.search(rf"^# {name}: (.*)$", self.text, re.MULTILINE)
        return found.group(1) if found else None


@dataclass(frozen=True)
class Suite:
    """One folder: the federation, its supergraph SDL and the schema that clients see."""

    federation: Federation
    sdl: str
    schema: GraphQLSchema


CASES = [Case(path, path.read_text()) for path in sorted(HERE.glob("*/operations/*.graphql"))]


@pytest.fixture(scope="session")
def suites() -> dict[str, Suite]:
    """Every suite by its folder's name."""
    loaded: dict[str, Suite] = {}
    for path in sorted(HERE.glob("*/suite.py")):
        spec = importlib.util.spec_from_file_location(f"conformance_{path.parent.name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sdl = module.FEDERATION.supergraph_sdl()
        loaded[path.parent.name] = Suite(module.FEDERATION, sdl, build_api_schema(read_supergraph(sdl)))
    return loaded


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `case` run once per operation."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture
def suite(case: Case, suites: dict[str, Suite]) -> Suite:
    return suites[case.path.parent.parent.name]
