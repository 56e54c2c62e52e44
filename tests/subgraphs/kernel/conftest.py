from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from tests.support.valkey_server import valkey_server


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey, one for the whole run."""
    with valkey_server() as url:
        yield url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    """A client of an emptied server."""
    client = Redis.from_url(valkey_url)
    await client.flushall()
    yield client
    await client.aclose()
