"""InteractionEvents on Valkey or Redis: topic `interactions`, and a key per account that refuses."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from common.events import Event, EventPublisher
from subgraphs.recommendations.adapters.valkey.failures import translated_errors

__all__ = ["REFUSAL_KEYS", "ValkeyInteractionEvents"]

REFUSAL_KEYS = "marquee:interactions-refused:"


class ValkeyInteractionEvents:
    """See the InteractionEvents port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._redis = redis
        self._publisher = publisher

    async def tell(self, events: Sequence[Event]) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            for event in events:
                await self._publisher.publish(event)

    async def refuse(self, account_id: str) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            await self._redis.set(REFUSAL_KEYS + account_id, 1)

    async def allow(self, account_id: str) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            await self._redis.delete(REFUSAL_KEYS + account_id)

    async def is_refused(self, account_id: str) -> bool:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            return bool(await self._redis.exists(REFUSAL_KEYS + account_id))
