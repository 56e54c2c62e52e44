"""`marquee reindex` against the titles service as it runs, over HTTP."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvicorn
from rich.console import Console

from common.settings import SharedSettings
from common.tokens import ensure_key_file
from stack.reindex import ReindexFailed, run_reindex
from subgraphs.titles.app import create_app
from subgraphs.titles.settings import TitlesSettings
from tests.support.valkey_server import valkey_server


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@pytest.fixture
async def service_port(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A titles service with the demo catalogue; the environment says where it is."""
    shared = SharedSettings(state_dir=tmp_path, valkey_url=valkey_url)
    ensure_key_file(shared.keys_dir / "viewer.pem")
    settings = TitlesSettings(shared=shared, seed_demo=True, artwork_prerendered_titles=0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("MARQUEE_TITLES_PORT", str(port))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0)
        yield port
        server.should_exit = True
        await serving


async def test_rebuilds_the_index_of_the_running_service(service_port: int) -> None:
    """And tells how many titles are in it."""
    assert service_port
    assert await run_reindex(Console(file=io.StringIO())) == 163


async def test_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, or no service: the path or the address, and the next step."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    with pytest.raises(ReindexFailed, match=r"viewer\.pem is missing; run"):
        await run_reindex(Console(file=io.StringIO()))
    ensure_key_file(tmp_path / "keys" / "viewer.pem")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        monkeypatch.setenv("MARQUEE_TITLES_PORT", str(unused.getsockname()[1]))
    with pytest.raises(ReindexFailed, match="is Marquee running"):
        await run_reindex(Console(file=io.StringIO()))
