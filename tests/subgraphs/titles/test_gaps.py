"""The events' server is killed and starts again with nothing: who missed titles is told them all again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from common import events
from common.clock import FakeClock
from common.events import Event, EventConsumer, EventPublisher
from subgraphs.kernel.gaps import ask_again
from subgraphs.titles.services import following
from tests.subgraphs.titles.conftest import NOW, OpenService
from tests.support.valkey_server import MortalValkey, mortal_valkey


@pytest.fixture
def server() -> Iterator[MortalValkey]:
    with mortal_valkey() as running:
        yield running


@pytest.fixture
def valkey_url(server: MortalValkey) -> str:
    return server.url


async def test_after_a_restart_of_the_server_the_whole_catalogue_is_told_again(
    server: MortalValkey, open_service: OpenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another service's consumer asks, or titles finds itself that it may have missed the question."""
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    monkeypatch.setattr(events, "RECONNECT_S", 0.01)
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    heard: set[str] = set()

    async def handle(event: Event) -> None:
        heard.update(title["id"] for title in event.data.get("titles", ()))

    async def all_are_heard(count: int) -> None:
        async with asyncio.timeout(30):
            while len(heard) < count:  # noqa: ASYNC110  # another process is watched
                await asyncio.sleep(0.02)

    async with open_service() as service, Redis.from_url(server.url) as redis:
        on_gap: Any = ask_again(EventPublisher(redis), "playback", FakeClock(NOW))
        consumer = EventConsumer(redis, group="playback", consumer="c", handlers={"titles": handle}, on_gap=on_gap)
        titles = await service.resources.store.announce_all()
        service.resources.announce()
        async with consumer.running():
            await all_are_heard(titles)
            everything = set(heard)
            heard.clear()
            server.kill()
            server.start()
            await all_are_heard(titles)
    assert heard == everything
    assert titles > 100
