"""InteractionEvents on Valkey or Redis: topic `interactions`, and a key per account that decided on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from redis.asyncio import Redis

from common.events import Event, EventPublisher
from subgraphs.kernel.refusals import ValkeyRefusals
from subgraphs.recommendations.adapters.valkey.failures import translated_errors

__all__ = ["REFUSAL_KEYS", "ValkeyInteractionEvents"]

REFUSAL_KEYS = "marquee:interactions-refused:"


class ValkeyInteractionEvents:
    """See the InteractionEvents port."""

    def __init__(self, redis: Redis, publisher: EventPublisher) -> None:
        self._refusals = ValkeyRefusals(redis, REFUSAL_KEYS)
        self._publisher = publisher

    async def tell(self, events: Sequence[Event]) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            await self._publisher.publish_all(events)

    async def decide(self, account_id: str, *, is_refused: bool, at: datetime) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            await self._refusals.decide(account_id, is_refused=is_refused, at=at)

    async def forget(self, account_id: str) -> None:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            await self._refusals.forget(account_id)

    async def is_refused(self, account_id: str) -> bool:
        """See InteractionEvents."""
        with translated_errors("interactions"):
            return await self._refusals.is_refused(account_id)
