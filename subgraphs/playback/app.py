"""Playback's application: opens the stores, the channels and the consumer, and wires them to the services."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import grpc
from redis.asyncio import Redis
from starlette.applications import Starlette

from common.clock import Clock, SystemClock
from common.events import EventConsumer, EventPublisher
from common.valkey import open_stream_valkey, open_valkey
from subgraphs.kernel.app import OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestContext, RequestHead
from subgraphs.kernel.gaps import ask_again
from subgraphs.kernel.personal_keys import ValkeyPersonalData
from subgraphs.playback.adapters.grpc.calls import CHANNEL_OPTIONS
from subgraphs.playback.adapters.grpc.licensing import GrpcLicensing
from subgraphs.playback.adapters.grpc.personal_data import LicensingPersonalData
from subgraphs.playback.adapters.grpc.steering import GrpcSteering
from subgraphs.playback.adapters.valkey.leases import ValkeyStreamLeases
from subgraphs.playback.adapters.valkey.personal_data import PERSONAL_KEYS, ReportedPersonalData
from subgraphs.playback.adapters.valkey.quality import PublishedQualityReports
from subgraphs.playback.adapters.valkey.removed import ValkeyRemovedIds
from subgraphs.playback.adapters.valkey.sessions import ValkeySessionStore
from subgraphs.playback.api.context import PlaybackContext, PlaybackServices
from subgraphs.playback.api.schema import schema
from subgraphs.playback.ports import QualityReports
from subgraphs.playback.services.change_history import ChangeHistory
from subgraphs.playback.services.end_sessions import EndSessions
from subgraphs.playback.services.follow_events import FollowEvents
from subgraphs.playback.services.manage_downloads import ManageDownloads
from subgraphs.playback.services.read_progress import ViewerProgress
from subgraphs.playback.services.record_progress import RecordProgress
from subgraphs.playback.services.start_playback import StartPlayback
from subgraphs.playback.services.watched_rights import WatchedRights
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import Stores, open_stores

__all__ = ["create_app"]


def create_app(settings: PlaybackSettings, clock: Clock | None = None) -> Starlette:
    """The subgraph as an ASGI application; it opens what it needs when it starts."""
    return create_subgraph_app(
        name="playback", schema=schema, settings=settings, open_subgraph=partial(_open, settings, clock), clock=clock
    )


@asynccontextmanager
async def _open(settings: PlaybackSettings, clock: Clock | None) -> AsyncIterator[OpenedSubgraph]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_valkey(settings.shared.valkey_url))
        stream_redis = await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url))

        publisher = EventPublisher(redis)
        stores = await stack.enter_async_context(open_stores(settings, publisher))
        quality = PublishedQualityReports(publisher)
        await stack.enter_async_context(quality.running())
        services = await _build_services(stack, settings, redis, stores, quality)
        consumer = EventConsumer(
            stream_redis,
            group="playback",
            # The same after a restart, so that what a crash left half-done is done first.
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=FollowEvents(stores.catalogue, stores.bookmarks, services.end).handlers(),
            on_gap=ask_again(publisher, "playback", clock or SystemClock()),
        )
        await stack.enter_async_context(consumer.running())
        licensing_channel = await _open_channel(stack, settings.licensing_target)

        def make_context(head: RequestHead) -> RequestContext:
            progress = ViewerProgress(head.viewer, head.now, stores.bookmarks, stores.catalogue)
            return PlaybackContext(head=head, services=services, progress=progress)

        yield OpenedSubgraph(
            make_context=make_context,
            required={"store": stores.check},
            # Nothing can be started while Valkey is away, but where everybody stopped can be read: a balancer that took
            # all playback processes out for it would make an outage of the whole.
            optional={"valkey": partial(_check_valkey, redis)},
            resources=services,
            event_lags=consumer.lags,
            personal_data=[
                ReportedPersonalData(redis),
                ValkeyPersonalData(redis, PERSONAL_KEYS),
                LicensingPersonalData(licensing_channel),
                stores.personal_data,
            ],
        )


async def _build_services(
    stack: AsyncExitStack,
    settings: PlaybackSettings,
    redis: Redis,
    stores: Stores,
    quality: QualityReports,
) -> PlaybackServices:
    sessions = ValkeySessionStore(redis, timedelta(seconds=settings.session_life_s))
    leases = ValkeyStreamLeases(redis, timedelta(seconds=settings.lease_life_s))
    await stack.enter_async_context(sessions.running())
    await stack.enter_async_context(leases.running())
    cool_down_s = settings.breaker_cool_down_s
    licensing = GrpcLicensing(await _open_channel(stack, settings.licensing_target), cool_down_s)
    steering = GrpcSteering(await _open_channel(stack, settings.steering_target), cool_down_s)
    removed = ValkeyRemovedIds(redis)
    downloads = ManageDownloads(stores.downloads, stores.catalogue, removed)
    return PlaybackServices(
        start=StartPlayback(
            catalogue=stores.catalogue,
            bookmarks=stores.bookmarks,
            sessions=sessions,
            leases=leases,
            removed=removed,
            licensing=licensing,
            steering=steering,
            call_timeout_s=settings.call_timeout_s,
            default_media_url=settings.shared.public_media_url,
        ),
        record=RecordProgress(
            bookmarks=stores.bookmarks,
            sessions=sessions,
            leases=leases,
            licensing=licensing,
            quality=quality,
            rights=WatchedRights(stores.catalogue),
            removed=removed,
        ),
        end=EndSessions(sessions, leases, downloads, removed),
        history=ChangeHistory(stores.bookmarks, stores.catalogue),
        downloads=downloads,
        sessions=sessions,
        heartbeat_interval_s=settings.heartbeat_interval_s,
    )


async def _open_channel(stack: AsyncExitStack, target: str) -> grpc.aio.Channel:
    channel = grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    stack.push_async_callback(channel.close, None)
    return channel


async def _check_valkey(redis: Redis) -> None:
    await redis.ping()
