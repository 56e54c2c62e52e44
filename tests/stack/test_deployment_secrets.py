"""`marquee secrets`: what a person sees."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from stack.cli import app


def test_it_tells_what_it_made_and_that_nothing_was_missing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first, second = (CliRunner().invoke(app, ["secrets", str(folder)]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "made access.jwks.json, access.pem, " in first.stdout
    assert "nothing was missing" in second.stdout


def test_an_address_holds_the_password_of_its_server(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["secrets", str(tmp_path)])
    for server, address in (
        ("postgres", "licensing_database_url"),
        ("mongodb", "titles_store_url"),
        ("redis", "valkey_url"),
    ):
        assert f":{(tmp_path / f'{server}_password').read_text()}@{server}" in (tmp_path / address).read_text()


def test_a_folder_that_can_not_be_made_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = CliRunner().invoke(app, ["secrets", str(tmp_path / "file" / "secrets")])
    assert answer.exit_code == 1
    assert "error:" in answer.stderr
