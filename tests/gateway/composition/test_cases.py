"""Every folder of tests/cases/composition composes to exactly what is written beside it.

A folder named after a code must show that code. `UPDATE_CASES=1` writes the expected texts anew, for review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from graphql import build_schema, validate_schema

from gateway.composition.compose import compose
from gateway.composition.diagnostics import CODES
from gateway.composition.stages import Composed, SubgraphSource
from gateway.supergraph.api_schema import write_api_sdl
from gateway.supergraph.read import read_supergraph
from gateway.supergraph.write import write_supergraph

CASES = Path(__file__).resolve().parents[2] / "cases" / "composition"
FOLDERS = sorted(folder for folder in CASES.iterdir() if folder.is_dir())


def sources(folder: Path) -> list[SubgraphSource]:
    return [
        SubgraphSource(path.stem, path.read_text(), f"http://{path.stem}.test/graphql")
        for path in sorted((folder / "subgraphs").glob("*.graphql"))
    ]


def outcome(folder: Path) -> dict[str, str]:
    """File name → text, all that composition makes of a case."""
    result = compose(sources(folder))
    if isinstance(result, Composed):
        texts = {
            "supergraph.graphql": write_supergraph(result.supergraph),
            "api.graphql": write_api_sdl(result.supergraph),
        }
        hints = "".join(f"{hint}\n" for hint in result.hints)
        return {**texts, "hints.txt": hints} if hints else texts
    return {"diagnostics.txt": "".join(f"{diagnostic}\n" for diagnostic in result.diagnostics)}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_composes_to_what_is_written(folder: Path) -> None:
    """The diagnostics, or the supergraph, its clients' schema and the hints, letter for letter."""
    made = outcome(folder)
    expected_names = {"diagnostics.txt", "supergraph.graphql", "api.graphql", "hints.txt"}
    if os.environ.get("UPDATE_CASES"):
        for name in expected_names:
            (folder / name).unlink(missing_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text)

    expected = {name: (folder / name).read_text() for name in expected_names if (folder / name).exists()}
    assert expected == made


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_shows_the_code_that_it_is_named_after(folder: Path) -> None:
    """A case folder named after an error code reports that code; other folders compose."""
    diagnostics = folder / "diagnostics.txt"
    if folder.name in CODES:
        assert f"error {folder.name} " in diagnostics.read_text() or f"error {folder.name}:" in diagnostics.read_text()
    else:
        assert not diagnostics.exists()


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f.name.startswith("topic-")], ids=lambda folder: folder.name)
def test_round_trip(folder: Path) -> None:
    """Reading what was written gives the model that was composed, and the clients' schema is valid GraphQL."""
    result = compose(sources(folder))
    assert isinstance(result, Composed)

    assert result.supergraph == read_supergraph(write_supergraph(result.supergraph))
    assert validate_schema(build_schema(write_api_sdl(result.supergraph))) == []


def test_every_code_of_the_catalogue_has_a_case() -> None:
    """The folders cover the catalogue of errors, but for the bound that takes a huge graph (test_satisfiability.py)."""
    assert {"MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED"} == set(CODES) - {folder.name for folder in FOLDERS}
