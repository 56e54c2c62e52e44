"""What a command says when it cannot do what it was asked for: word for word, whatever a file or a folder is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stack.cli import app


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "holiday [red] 2.mp4", "--title", "Holiday"],
        ["keys", "rotate", "access"],
        ["events", "dead", "list", "[red]"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_message_keeps_what_looks_like_markup(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with brackets is a name."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path / "state [red]"))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "[red]" in result.stderr
