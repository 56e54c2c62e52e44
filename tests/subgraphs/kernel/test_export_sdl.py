"""The command that prints a subgraph's SDL."""

from __future__ import annotations

import subprocess
import sys

import pytest
from graphql import parse

COMMAND = [sys.executable, "-m", "subgraphs.kernel.export_sdl"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_prints_valid_sdl_and_nothing_else() -> None:
    """On standard output, the same at each run."""
    first, second = run("profiles"), run("profiles")
    assert first.returncode == 0
    assert first.stdout == second.stdout
    assert "_entities" not in first.stdout
    parse(first.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing"], 1, "no subgraph 'nothing'; known are profiles, titles, playback, recommendations"),
        ([], 2, "usage:"),
        (["profiles", "titles"], 2, "usage:"),
        (["--help"], 0, "usage:"),
    ],
)
def test_a_wrong_command_line_is_told_in_words(arguments: list[str], code: int, words: str) -> None:
    """Without a traceback."""
    outcome = run(*arguments)
    assert outcome.returncode == code
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
