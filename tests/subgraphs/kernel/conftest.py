from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from tests.support.valkey_server import VALKEY_OR_REDIS, valkey_or_redis


@pytest.fixture(scope="module", params=VALKEY_OR_REDIS)
def valkey_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Whatever is promised of the embedded Valkey holds on a Redis, too."""
    with valkey_or_redis(request.param) as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    """A client of an emptied database."""
    client = Redis.from_url(valkey_url)
    await client.flushdb()
    yield client
    await client.aclose()
