"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "clients").glob("*.md")]
)
FOLDERS = {path.name for path in REPOSITORY.iterdir() if path.is_dir() and not path.name.startswith(".")}
MADE_WHEN_NEEDED = {"tests/properties/found/"}
"""Folders that a run makes."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_paths_and_links_lead_somewhere(document: Path) -> None:
    """Every `folder/file` of the repository, and every link to a file."""
    text = document.read_text("utf-8")
    paths = {path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if path.partition("/")[0] in FOLDERS}
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))

    assert set() == {path for path in paths - MADE_WHEN_NEEDED if not (REPOSITORY / path).exists()}
    assert set() == {target for target in links if not (document.parent / target).exists()}
