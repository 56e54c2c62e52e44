"""The server is killed and starts again with nothing: every consumer notices, whoever comes first, and asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common import events
from common.errors import ErrorKind, ServiceError
from common.events import Event, EventConsumer, EventPublisher
from tests.support.valkey_server import MortalValkey, mortal_valkey

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TOPIC = "feedback"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MortalValkey]:
    monkeypatch.setattr(events, "BLOCK_MS", 5)
    monkeypatch.setattr(events, "RECONNECT_S", 0.01)
    with mortal_valkey() as running:
        yield running


@pytest.fixture
async def redis(server: MortalValkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        yield client


class Service:
    """A consumer, what it heard, and the gaps that it was told of; telling fails as often as wanted."""

    def __init__(self, redis: Redis) -> None:
        self.heard: list[str] = []
        self.gaps: list[str] = []
        self.failures = 0
        self.consumer = EventConsumer(
            redis, group="g", consumer="c", handlers={TOPIC: self._handle}, on_gap=self._on_gap
        )

    async def _handle(self, event: Event) -> None:
        self.heard.append(event.data["titleId"])

    async def _on_gap(self, topic: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ServiceError(ErrorKind.UNAVAILABLE, "the store does not answer")
        self.gaps.append(topic)

    async def has_heard(self, title_id: str) -> None:
        async with asyncio.timeout(20):
            while title_id not in self.heard:  # noqa: ASYNC110  # the other side is a server
                await asyncio.sleep(0.005)


async def publish(redis: Redis, title_id: str) -> None:
    data = {"profileId": "prof_1", "titleId": title_id, "inList": True}
    await EventPublisher(redis).publish(Event(TOPIC, "list.changed", data, AT))


async def test_a_server_that_comes_back_empty_is_noticed(server: MortalValkey, redis: Redis) -> None:
    """By a process that goes on, which then hears what is new."""
    service = Service(redis)
    await publish(redis, "mov_1")
    async with service.consumer.running():
        await service.has_heard("mov_1")
        assert service.gaps == []
        server.kill()
        with pytest.raises(RedisError):
            await publish(redis, "mov_lost")
        server.start()
        async with asyncio.timeout(20):
            while not service.gaps:  # noqa: ASYNC110  # the other side is a server
                await asyncio.sleep(0.005)
        await publish(redis, "mov_2")
        await service.has_heard("mov_2")
    assert (service.heard, service.gaps) == (["mov_1", "mov_2"], [TOPIC])


async def test_it_is_noticed_when_others_publish_first(server: MortalValkey, redis: Redis) -> None:
    """A stream that looks whole is not what the process was a member of before."""
    service = Service(redis)
    await publish(redis, "mov_1")
    async with service.consumer.running():
        await service.has_heard("mov_1")
    server.kill()
    server.start()
    await publish(redis, "mov_2")
    async with service.consumer.running():
        await service.has_heard("mov_2")
    assert (service.heard, service.gaps) == (["mov_1", "mov_2"], [TOPIC])


async def test_a_gap_that_could_not_be_told_is_told_again(server: MortalValkey, redis: Redis) -> None:
    """Nothing is taken before: else it would look as if nothing had been missed."""
    service = Service(redis)
    await publish(redis, "mov_1")
    async with service.consumer.running():
        await service.has_heard("mov_1")
        service.failures = 3
        server.kill()
        server.start()
        await publish(redis, "mov_2")
        await service.has_heard("mov_2")
    assert (service.failures, service.gaps) == (0, [TOPIC])
