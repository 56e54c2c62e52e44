"""ArtworkContexts on Valkey: one small JSON value per profile and epoch, gone when the epoch is over.

What is held never changes, so what was read once is right for as long as it is asked for: pages of a profile cost one
read per process and epoch.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta

import msgspec
from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext

__all__ = ["CONTEXT_KEYS", "ValkeyArtworkContexts"]

CONTEXT_KEYS = "marquee:artwork-context:"
CONTEXTS_IN_MEMORY = 20_000


class ValkeyArtworkContexts:
    """See the ArtworkContexts port. `life`: longer than an epoch."""

    def __init__(self, redis: Redis, life: timedelta) -> None:
        self._redis = redis
        self._life = life
        self._in_memory: OrderedDict[str, ArtworkContext] = OrderedDict()

    async def find(self, profile_id: str, epoch: int) -> ArtworkContext | None:
        """What is held for the epoch; None: nothing yet."""
        known = self._in_memory.get(profile_id)
        if known is not None and known.epoch == epoch:
            self._in_memory.move_to_end(profile_id)
            return known
        with translated_errors("artwork"):
            raw = await self._redis.get(_key(profile_id, epoch))
        return self._remember(profile_id, raw) if isinstance(raw, bytes) else None

    async def hold(self, profile_id: str, context: ArtworkContext) -> ArtworkContext:
        """Hold it unless something is held for its epoch already; what is held now."""
        with translated_errors("artwork"):
            # Another process may have been first: what it holds is what its pages show.
            held = await self._redis.set(
                _key(profile_id, context.epoch), msgspec.json.encode(context), nx=True, get=True, ex=self._life
            )
        return self._remember(profile_id, held if isinstance(held, bytes) else msgspec.json.encode(context))

    async def forget(self, profile_id: str) -> None:
        """Everything of a profile."""
        self._in_memory.pop(profile_id, None)
        with translated_errors("artwork"):
            async for key in self._redis.scan_iter(match=f"{CONTEXT_KEYS}{profile_id}:*", count=1_000):
                await self._redis.delete(key)

    def _remember(self, profile_id: str, raw: bytes) -> ArtworkContext:
        context = msgspec.json.decode(raw, type=ArtworkContext)
        self._in_memory[profile_id] = context
        if len(self._in_memory) > CONTEXTS_IN_MEMORY:
            self._in_memory.popitem(last=False)
        return context


def _key(profile_id: str, epoch: int) -> str:
    return f"{CONTEXT_KEYS}{profile_id}:{epoch}"
