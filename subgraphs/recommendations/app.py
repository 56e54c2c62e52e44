"""Recommendations' application: opens the stores and the consumer, keeps the models, wires the services."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from starlette.applications import Starlette

from common.clock import Clock, SystemClock
from common.events import EventConsumer, EventPublisher
from common.valkey import open_stream_valkey, open_valkey
from subgraphs.kernel import migrations
from subgraphs.kernel.app import OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestContext, RequestHead
from subgraphs.kernel.gaps import ask_again
from subgraphs.kernel.personal_keys import ValkeyPersonalData
from subgraphs.kernel.personal_tables import SqlPersonalData
from subgraphs.kernel.sql import check_store, open_engine
from subgraphs.recommendations.adapters.object_models import open_model_store
from subgraphs.recommendations.adapters.sqlalchemy.collections import PERSONAL_TABLES, SqlCollectionStore
from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
from subgraphs.recommendations.adapters.valkey.interactions import ValkeyInteractionEvents
from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice
from subgraphs.recommendations.adapters.valkey.pages import ValkeyPageSnapshots
from subgraphs.recommendations.adapters.valkey.personal_data import PERSONAL_KEYS
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.adapters.valkey.trends import ValkeyTrendCounters
from subgraphs.recommendations.api.context import RecommendationsContext, RecommendationsServices
from subgraphs.recommendations.api.schema import schema
from subgraphs.recommendations.services.edit_collections import EditCollections
from subgraphs.recommendations.services.follow_events import FollowEvents
from subgraphs.recommendations.services.follow_training import FollowTraining, ScheduleTraining
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.read_titles import ViewerTitles
from subgraphs.recommendations.services.report_interactions import ReportInteractions
from subgraphs.recommendations.services.send_feedback import SendFeedback
from subgraphs.recommendations.services.serve_pages import ServePages
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.recommendations.trainer import run_trainer

__all__ = ["MIGRATIONS", "create_app"]

MIGRATIONS = Path(__file__).parent / "adapters" / "sqlalchemy" / "migrations"


def create_app(settings: RecommendationsSettings, clock: Clock | None = None) -> Starlette:
    """The subgraph as an ASGI application; it opens what it needs when it starts."""
    told = clock or SystemClock()
    return create_subgraph_app(
        name="recommendations",
        schema=schema,
        settings=settings,
        open_subgraph=partial(_open, settings, told),
        clock=told,
    )


@asynccontextmanager
async def _open(settings: RecommendationsSettings, clock: Clock) -> AsyncIterator[OpenedSubgraph]:
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.resolved_database_url)
        stack.push_async_callback(engine.dispose)
        await migrations.upgrade(engine, MIGRATIONS)
        redis = await stack.enter_async_context(open_valkey(settings.shared.valkey_url))
        stream_redis = await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url))

        titles, tastes, trends = SqlTitleStore(engine), ValkeyTasteStore(redis), ValkeyTrendCounters(redis)
        models = KeepModels(titles, tastes, clock)
        store = open_model_store(settings.models_url, settings.models_dir)
        training = FollowTraining(models, store, ValkeyModelChoice(redis))
        await training.load()
        await models.load()
        collections = EditCollections(SqlCollectionStore(engine))
        pages = ServePages(
            models=models,
            tastes=tastes,
            trends=trends,
            snapshots=ValkeyPageSnapshots(redis, clock),
            life=timedelta(seconds=settings.page_life_s),
            default_country=settings.default_country,
            collections=collections,
        )
        interactions = ReportInteractions(models, ValkeyInteractionEvents(redis, EventPublisher(redis)))
        services = RecommendationsServices(
            pages=pages, feedback=SendFeedback(models, tastes), interactions=interactions, collections=collections
        )
        consumer = EventConsumer(
            stream_redis,
            group="recommendations",
            # The same after a restart, so that what a crash left half-done is done first.
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=FollowEvents(models, titles, tastes, trends, interactions).handlers(),
            on_gap=ask_again(EventPublisher(redis), "recommendations", clock),
        )
        await stack.enter_async_context(models.running())
        await stack.enter_async_context(training.running())
        if settings.train_every_s:
            schedule = ScheduleTraining(store, run_trainer, timedelta(seconds=settings.train_every_s), clock)
            await stack.enter_async_context(schedule.running())
        await stack.enter_async_context(consumer.running())

        def make_context(head: RequestHead) -> RequestContext:
            viewer_titles = ViewerTitles(head.viewer, head.now, models.models, tastes)
            return RecommendationsContext(head=head, services=services, titles=viewer_titles)

        yield OpenedSubgraph(
            make_context=make_context,
            required={"store": partial(check_store, engine)},
            # Pages are made without tastes and trends while Valkey is away.
            optional={"valkey": partial(_check_valkey, redis)},
            resources=models,
            event_lags=consumer.lags,
            personal_data=[ValkeyPersonalData(redis, PERSONAL_KEYS), SqlPersonalData(engine, PERSONAL_TABLES)],
        )


async def _check_valkey(redis: Redis) -> None:
    await redis.ping()
