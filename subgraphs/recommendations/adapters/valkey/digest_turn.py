"""DigestTurn on Valkey or Redis: a lease, and topic `digests`."""

from __future__ import annotations

from redis.asyncio import Redis

from common.events import Event, EventPublisher
from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.adapters.valkey.lease import ValkeyLease

__all__ = ["ValkeyDigestTurn"]

LEASE_KEY = "marquee:digests:lease"


class ValkeyDigestTurn:
    """See the DigestTurn port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._lease = ValkeyLease(redis, LEASE_KEY, "digests")
        self._publisher = publisher

    async def take(self, owner: str, life_s: float) -> bool:
        """See DigestTurn."""
        return await self._lease.take(owner, life_s)

    async def give_back(self, owner: str) -> None:
        """See DigestTurn."""
        await self._lease.give_back(owner)

    async def tell(self, event: Event) -> None:
        """See DigestTurn."""
        with translated_errors("digests"):
            await self._publisher.publish(event)
