"""`marquee import`: what it prints and how it ends, against a running titles service."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from rich.console import Console
from typer.testing import CliRunner

from stack.catalogue_import import ImportFailed, ImportOrder, run_import
from stack.cli import app
from subgraphs.titles.imports import CatalogueFormat
from subgraphs.titles.imports.feed_records import feed_schema
from tests.subgraphs.titles.conftest import Service
from tests.subgraphs.titles.importing import feed, movie, write


@pytest.fixture
async def command_env(
    own_service: Service, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The service listens, and the command's settings name it."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(own_service.state_dir))
    monkeypatch.setenv("MARQUEE_TITLES_PORT", str(unused_tcp_port))
    config = uvicorn.Config(own_service.http._transport.app, port=unused_tcp_port, lifespan="off", log_level="error")  # type: ignore[attr-defined]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


def console() -> Console:
    return Console(file=io.StringIO(), width=200, highlight=False)


def printed(console_: Console) -> str:
    assert isinstance(console_.file, io.StringIO)
    return console_.file.getvalue()


async def test_tells_what_became_of_a_file(command_env: None, tmp_path: Path) -> None:
    """Counts, the first rejects, the whole report in a file; exit code 0."""
    lines = [json.dumps({"title": f"Film {number}", "year": 1950}) for number in range(30)]
    path = write(tmp_path / "films.jsonl", "\n".join([*lines, *["[oops]"] * 12]))
    out = console()
    order = ImportOrder(CatalogueFormat.WIKIPEDIA, path, rejects=tmp_path / "rejects.jsonl")
    assert await run_import(out, order) == 0
    text = printed(out)
    assert "30 created, 0 updated, 0 unchanged, 0 matched to known titles, 0 removed, 12 rejected, 0 repaired" in text
    assert "line 31 rejected: no JSON" in text
    assert "… and 2 more; --rejects FILE writes all of them" in text
    assert len((tmp_path / "rejects.jsonl").read_text().splitlines()) == 12


async def test_ends_with_1_when_removals_were_held_back(command_env: None, tmp_path: Path) -> None:
    """And says how to do them."""
    films = [movie(f"m{number}") for number in range(4)]
    order = ImportOrder(CatalogueFormat.FEED, write(tmp_path / "one", feed(*films)))
    assert await run_import(console(), order) == 0
    out = console()
    smaller = ImportOrder(CatalogueFormat.FEED, write(tmp_path / "two", feed(*films[:2])))
    assert await run_import(out, smaller) == 1
    assert "nothing was removed: 2 of 4 titles are missing from the feed, more than 10%" in printed(out)
    assert "--allow-removals" in printed(out)


async def test_says_why_a_file_was_refused_and_that_nothing_is_to_be_resumed(command_env: None, tmp_path: Path) -> None:
    """By the file's name, in the service's words."""
    with pytest.raises(ImportFailed, match=r"empty\.jsonl: the file has no rows"):
        await run_import(console(), ImportOrder(CatalogueFormat.FEED, write(tmp_path / "empty.jsonl", "")))
    with pytest.raises(ImportFailed, match="404: no import was broken off"):
        await run_import(console(), ImportOrder())


async def test_says_when_no_service_answers(
    own_service: Service, tmp_path: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and without a state folder's key, too."""
    monkeypatch.setenv("MARQUEE_TITLES_PORT", str(unused_tcp_port))
    order = ImportOrder(CatalogueFormat.FEED, write(tmp_path / "feed", feed(movie("m1"))))
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(own_service.state_dir))
    with pytest.raises(ImportFailed, match="no titles service takes the file"):
        await run_import(console(), order)
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path / "nothing"))
    with pytest.raises(ImportFailed, match=r"viewer\.pem is missing"):
        await run_import(console(), order)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a FORMAT and a FILE, or --resume"),
        (["feed"], "give a FORMAT and a FILE, or --resume"),
        (["imdb", "README.md"], "format is 'imdb'; known are feed, wikipedia, netflix, tvmaze, tvmaze-episodes"),
        (["feed", "no-such-file"], "no-such-file is no file"),
        (["--resume", "feed", "README.md"], "--resume goes on with the same file and options"),
        (["feed", "README.md", "--id", "imp_1"], "give a FORMAT and a FILE, or --resume"),
    ],
)
def test_says_how_it_is_called(arguments: list[str], words: str) -> None:
    """Exit code 1 and what is wrong."""
    result = CliRunner().invoke(app, ["import", *arguments])
    assert (result.exit_code, words in result.output) == (1, True), result.output


def test_prints_the_schema_of_feeds() -> None:
    """As the documents have it."""
    result = CliRunner().invoke(app, ["import", "--schema"])
    assert (result.exit_code, json.loads(result.output)) == (0, feed_schema())
