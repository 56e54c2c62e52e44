"""Wires the choice of artwork: who chooses, what follows the chosen policy, what logs and what learns."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from obstore.store import ObjectStore
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import Clock
from common.events import EventConsumer, EventPublisher
from common.valkey import open_stream_valkey
from subgraphs.kernel.gaps import ask_again
from subgraphs.recommendations.adapters.object_models import ObjectPolicyStore
from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
from subgraphs.recommendations.adapters.valkey.artwork_contexts import ValkeyArtworkContexts
from subgraphs.recommendations.adapters.valkey.model_choice import ARTWORK_KEY_PREFIX, ValkeyModelChoice
from subgraphs.recommendations.artwork.choose import EPOCH
from subgraphs.recommendations.artwork.policy import read_policy
from subgraphs.recommendations.ports import TasteStore
from subgraphs.recommendations.services.choose_artwork import ChooseArtwork
from subgraphs.recommendations.services.follow_training import FollowVersions, ScheduleTraining
from subgraphs.recommendations.services.log_artwork import LogArtwork
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.recommendations.trainer import ARTWORK, run_trainer

__all__ = ["ArtworkStores", "open_artwork"]

HELD_FOR = EPOCH + timedelta(days=1)
GROUP = "artwork"
RETRY_AFTER = timedelta(hours=3)
"""Too little was shown yet: a process that finds that out costs seconds, and an evening's watching takes hours."""


@dataclass(frozen=True, slots=True)
class ArtworkStores:
    """Where everything of it is kept."""

    redis: Redis
    engine: AsyncEngine
    objects: ObjectStore
    tastes: TasteStore


@asynccontextmanager
async def open_artwork(
    settings: RecommendationsSettings, stores: ArtworkStores, clock: Clock
) -> AsyncIterator[ChooseArtwork]:
    """Following, logging and learning go on until the block ends."""
    contexts = ValkeyArtworkContexts(stores.redis, HELD_FOR)
    choose = ChooseArtwork(contexts)
    policies = ObjectPolicyStore(stores.objects)
    follow = FollowVersions(
        policies,
        ValkeyModelChoice(stores.redis, ARTWORK_KEY_PREFIX),
        read=read_policy,
        use=choose.use,
        what="artwork policies",
    )
    await follow.load()
    async with AsyncExitStack() as stack:
        stream_redis = await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url))
        logging = LogArtwork(SqlArtworkLog(stores.engine), contexts, stores.tastes, clock)
        consumer = EventConsumer(
            stream_redis,
            group=GROUP,
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=logging.handlers(),
            on_gap=ask_again(EventPublisher(stores.redis), GROUP, clock),
        )
        await stack.enter_async_context(follow.running())
        await stack.enter_async_context(consumer.running())
        await stack.enter_async_context(logging.forgetting())
        if settings.artwork_learn_every_s:
            every = timedelta(seconds=settings.artwork_learn_every_s)
            schedule = ScheduleTraining(policies, partial(run_trainer, ARTWORK), every, clock, RETRY_AFTER)
            await stack.enter_async_context(schedule.running())
        yield choose
