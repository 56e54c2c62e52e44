"""What profiles asks of the other services about an account, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.signing_keys import KeyRing
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.personal_data import Subject
from subgraphs.profiles.adapters.http import personal_data
from subgraphs.profiles.adapters.http.personal_data import HttpPersonalDataHolder, ServiceCaller

SUBJECT = Subject(AccountId("acc_1"))


@asynccontextmanager
async def holder_that_sends(chunks: list[bytes], tmp_path: Path) -> AsyncIterator[HttpPersonalDataHolder]:
    """A service that answers piece by piece and does not say how much there will be."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    app = web.Application()
    app.router.add_post("/internal/personal-data/{action}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    try:
        async with aiohttp.ClientSession() as client:
            caller = ServiceCaller(client, KeyRing(tmp_path / "viewer.pem", clock=clock), clock, 5.0)
            yield HttpPersonalDataHolder("titles", f"http://{host}:{port}", caller)
    finally:
        await runner.cleanup()


async def test_an_answer_in_pieces_is_read_whole(tmp_path: Path) -> None:
    async with holder_that_sends([b'{"records": {"table:x": [{"a": ', b"1}]}}"], tmp_path) as holder:
        assert await holder.export(SUBJECT) == {"table:x": [{"a": 1}]}


async def test_an_answer_without_an_end_is_not_read_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is counted as it comes, as an answer in pieces names no length."""
    monkeypatch.setattr(personal_data, "MAX_ANSWER_BYTES", 1_000)
    async with holder_that_sends([b" " * 400] * 10, tmp_path) as holder:
        with pytest.raises(ServiceError) as caught:
            await holder.export(SUBJECT)
    assert caught.value.kind is ErrorKind.RESOURCE_EXHAUSTED
