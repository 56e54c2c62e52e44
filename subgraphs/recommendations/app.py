"""Recommendations' application: opens the stores and the consumer, keeps the models, wires the services."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
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
from subgraphs.recommendations.adapters.object_models import (
    ObjectContentStore,
    ObjectModelStore,
    open_model_objects,
)
from subgraphs.recommendations.adapters.sqlalchemy import artwork_log
from subgraphs.recommendations.adapters.sqlalchemy import collections as collection_tables
from subgraphs.recommendations.adapters.sqlalchemy import digests as digest_tables
from subgraphs.recommendations.adapters.sqlalchemy import experiments as experiment_tables
from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
from subgraphs.recommendations.adapters.valkey.digest_turn import ValkeyDigestTurn
from subgraphs.recommendations.adapters.valkey.interactions import ValkeyInteractionEvents
from subgraphs.recommendations.adapters.valkey.measures import ValkeyExperimentMeasures
from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice
from subgraphs.recommendations.adapters.valkey.pages import ValkeyPageSnapshots
from subgraphs.recommendations.adapters.valkey.personal_data import PERSONAL_KEYS
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.adapters.valkey.trends import ValkeyTrendCounters
from subgraphs.recommendations.api.context import RecommendationsContext, RecommendationsServices
from subgraphs.recommendations.api.schema import schema
from subgraphs.recommendations.open_artwork import ArtworkStores, open_artwork
from subgraphs.recommendations.services.compose_digests import ComposeDigests, DigestDay
from subgraphs.recommendations.services.country_trends import CountryTrends
from subgraphs.recommendations.services.edit_collections import EditCollections
from subgraphs.recommendations.services.edit_experiments import EditExperiments
from subgraphs.recommendations.services.follow_content import FollowContent
from subgraphs.recommendations.services.follow_events import FollowEvents
from subgraphs.recommendations.services.follow_training import FollowTraining, ScheduleTraining
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.match_titles import MatchTitles
from subgraphs.recommendations.services.measure_experiments import MeasureExperiments
from subgraphs.recommendations.services.onboard import Onboard
from subgraphs.recommendations.services.read_titles import ViewerTitles
from subgraphs.recommendations.services.report_interactions import ReportInteractions
from subgraphs.recommendations.services.run_experiments import RunExperiments
from subgraphs.recommendations.services.serve_pages import ServePages
from subgraphs.recommendations.services.tell_tastes import TellTastes
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.recommendations.trainer import CONTENT, run_trainer

__all__ = ["MIGRATIONS", "create_app"]

MIGRATIONS = Path(__file__).parent / "adapters" / "sqlalchemy" / "migrations"


def create_app(
    settings: RecommendationsSettings, clock: Clock | None = None, *, settled: Callable[[], None] | None = None
) -> Starlette:
    """The subgraph as an ASGI application; it opens what it needs when it starts.

    `settled` is called when a new catalogue with its models is in memory, for long.
    """
    told = clock or SystemClock()
    return create_subgraph_app(
        name="recommendations",
        schema=schema,
        settings=settings,
        open_subgraph=partial(_open, settings, told, settled),
        clock=told,
    )


@asynccontextmanager
async def _open(
    settings: RecommendationsSettings, clock: Clock, settled: Callable[[], None] | None
) -> AsyncIterator[OpenedSubgraph]:
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.resolved_database_url)
        stack.push_async_callback(engine.dispose)
        await migrations.upgrade(engine, MIGRATIONS)
        redis = await stack.enter_async_context(open_valkey(settings.shared.valkey_url))
        measure_redis = await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url))
        stream_redis = await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url))

        titles, tastes, trends = SqlTitleStore(engine), ValkeyTasteStore(redis), ValkeyTrendCounters(redis)
        models = KeepModels(titles, tastes, clock, settled)
        objects, choice = open_model_objects(settings.models_url, settings.models_dir), ValkeyModelChoice(redis)
        store = ObjectModelStore(objects)
        training = FollowTraining(models, store, choice)
        content = FollowContent(models, ObjectContentStore(objects), choice, partial(run_trainer, CONTENT), clock)
        await training.load()
        await content.load()
        await models.load()
        collections = EditCollections(collection_tables.SqlCollectionStore(engine))
        definitions = EditExperiments(experiment_tables.SqlExperimentStore(engine), settings.experiment_holdout)
        measures = ValkeyExperimentMeasures(redis)
        events = ValkeyInteractionEvents(redis, EventPublisher(redis))
        experiments = RunExperiments(definitions, measures, events)
        country_trends = CountryTrends(trends)
        artwork = await stack.enter_async_context(
            open_artwork(settings, ArtworkStores(redis, engine, objects, tastes), clock)
        )
        pages = ServePages(
            models=models,
            tastes=tastes,
            trends=country_trends,
            snapshots=ValkeyPageSnapshots(redis, clock),
            life=timedelta(seconds=settings.page_life_s),
            default_country=settings.default_country,
            collections=collections,
            experiments=experiments,
            artwork=artwork,
        )
        interactions = ReportInteractions(models, artwork, events, tastes)
        onboarding = Onboard(
            models=models,
            tastes=tastes,
            trends=country_trends,
            events=events,
            default_country=settings.default_country,
        )
        services = RecommendationsServices(
            pages=pages,
            onboarding=onboarding,
            interactions=interactions,
            collections=collections,
            definitions=definitions,
            experiments=experiments,
        )
        digests = ComposeDigests(
            models=models,
            tastes=tastes,
            subscribers=digest_tables.SqlSubscribers(engine),
            turn=ValkeyDigestTurn(redis, EventPublisher(redis)),
            day=DigestDay(settings.digest_weekday, settings.digest_hour),
            clock=clock,
        )
        follow = FollowEvents(models, titles, tastes, trends, interactions)
        told = TellTastes(models, tastes, events, clock)
        consumer = EventConsumer(
            stream_redis,
            group="recommendations",
            # The same after a restart, so that what a crash left half-done is done first.
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=told.handlers(digests.handlers(follow.handlers())),
            on_gap=ask_again(EventPublisher(redis), "recommendations", clock),
        )
        # A group of its own: what is counted may wait, what changes pages may not.
        counter = EventConsumer(
            measure_redis,
            group="experiments",
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=MeasureExperiments(definitions, measures, tastes, clock).handlers(),
            on_gap=ask_again(EventPublisher(redis), "experiments", clock),
        )
        await stack.enter_async_context(models.running())
        await stack.enter_async_context(training.running())
        await stack.enter_async_context(content.running())
        if settings.train_every_s:
            schedule = ScheduleTraining(store, run_trainer, timedelta(seconds=settings.train_every_s), clock)
            await stack.enter_async_context(schedule.running())
        await stack.enter_async_context(digests.running())
        await stack.enter_async_context(told.running())
        await stack.enter_async_context(consumer.running())
        if settings.has_neighbours:
            # A group of its own for each process: every one must hear everything. Gaps are no matter: the store, which
            # the common group keeps, is read at the start; and a new process would find one in every trimmed stream.
            neighbour = EventConsumer(
                await stack.enter_async_context(open_stream_valkey(settings.shared.valkey_url)),
                group=f"recommendations-{socket.gethostname()}-{settings.port}",
                consumer="catalogue",
                handlers=follow.catalogue_handlers(),
                own_groups="recommendations-",
            )
            await stack.enter_async_context(neighbour.running())
        await stack.enter_async_context(counter.running())

        personal_tables = (
            *artwork_log.PERSONAL_TABLES,
            *collection_tables.PERSONAL_TABLES,
            *digest_tables.PERSONAL_TABLES,
            *experiment_tables.PERSONAL_TABLES,
        )

        matching = MatchTitles(tastes)

        def make_context(head: RequestHead) -> RequestContext:
            viewer_titles = ViewerTitles(head.viewer, head.now, models.models, matching)
            return RecommendationsContext(head=head, services=services, titles=viewer_titles)

        yield OpenedSubgraph(
            make_context=make_context,
            required={"store": partial(check_store, engine)},
            # Pages are made without tastes and trends while Valkey is away, and by what is known of titles before
            # their content is learned.
            optional={"valkey": partial(_check_valkey, redis), "content": content.check},
            resources=models,
            event_lags=consumer.lags,
            personal_data=[ValkeyPersonalData(redis, PERSONAL_KEYS), SqlPersonalData(engine, personal_tables)],
        )


async def _check_valkey(redis: Redis) -> None:
    await redis.ping()
