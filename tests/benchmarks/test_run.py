"""The benchmark's command refuses what it can't do, and says why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.gateway import run
from benchmarks.gateway.tables import print_ratios, print_table


@pytest.fixture
def case(tmp_path: Path) -> Path:
    (tmp_path / "query.graphql").write_text("{ a }")
    return tmp_path


def refusal(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["run", *arguments])
    assert run.main() == 2
    return capsys.readouterr().err


def test_unknown_scenario(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(["hevy"], monkeypatch, capsys)
    assert "no scenario 'hevy'" in told
    assert "heavy" in told


def test_missing_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"no benchmark case in {tmp_path}" in refusal(["heavy", "--case", str(tmp_path)], monkeypatch, capsys)


def test_missing_tool(case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: None if tool == "wrk" else tool)
    assert "wrk is not installed" in refusal(["heavy", "--case", str(case)], monkeypatch, capsys)


def test_missing_fixture(case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shutil.which", lambda tool: tool)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    (case / "empty").mkdir()
    told = refusal(["planning", "--case", str(case), "--many-plans", str(case / "empty")], monkeypatch, capsys)
    assert "many-plans" in told


def test_table_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("costs", ("gateway", "ms"), [("ours", "2.0"), ("theirs", "10.0")])
    print_ratios("CPU", "ours", {"ours": 2.0, "theirs": 10.0})
    assert capsys.readouterr().out.split("\n") == [
        "",
        "### costs",
        "",
        "| gateway |   ms |",
        "| :------ | ---: |",
        "| ours    |  2.0 |",
        "| theirs  | 10.0 |",
        "",
        "CPU, as a multiple of ours's: theirs 5.00",
        "",
        "",
    ]
