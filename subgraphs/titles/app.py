"""The titles subgraph's application: opens store, index, stream and drawing processes and wires the services."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette

from common.clock import Clock, SystemClock
from common.events import Event, EventConsumer, EventHandler, EventPublisher, GapHandler
from common.valkey import open_stream_valkey, open_valkey
from subgraphs.kernel.app import HealthCheck, OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestContext, RequestHead
from subgraphs.kernel.gaps import ask_again
from subgraphs.kernel.personal_keys import ValkeyPersonalData
from subgraphs.titles.adapters.import_lease import ValkeyImportLease
from subgraphs.titles.adapters.object_artwork import ObjectArtworkStore
from subgraphs.titles.adapters.opening import open_search_index, open_title_store
from subgraphs.titles.adapters.personal_keys import PERSONAL_KEYS
from subgraphs.titles.adapters.redis_events import RedisEventStream
from subgraphs.titles.adapters.render_pool import ArtworkUnavailable, RenderPool
from subgraphs.titles.adapters.search_events import ValkeySearchEvents
from subgraphs.titles.adapters.search_tastes import ValkeyProfileTastes
from subgraphs.titles.api.context import TitlesContext, TitlesServices
from subgraphs.titles.api.internal import InternalServices, internal_routes
from subgraphs.titles.api.schema import schema
from subgraphs.titles.demo import seed_demo
from subgraphs.titles.imports import ImportJobs
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.coming import ComingSoon
from subgraphs.titles.services.editing import CatalogueEditor
from subgraphs.titles.services.following import (
    MAX_TITLES_PER_EVENT,
    ChangeFollower,
    EventAnnouncer,
)
from subgraphs.titles.services.indexing import SearchUpdater
from subgraphs.titles.services.masters import MasterService
from subgraphs.titles.services.media import MediaReports
from subgraphs.titles.services.neighbours import NeighbourNews
from subgraphs.titles.services.offering import OfferingService
from subgraphs.titles.services.openings import OpeningsAnnouncer
from subgraphs.titles.services.prerender import Prerenderer
from subgraphs.titles.services.republishing import Republishing
from subgraphs.titles.services.search import SearchService
from subgraphs.titles.services.search_log import SearchLog
from subgraphs.titles.services.studio import StudioService
from subgraphs.titles.services.tastes import KnownTastes
from subgraphs.titles.services.warming import CatalogueWarmer
from subgraphs.titles.services.writing import CatalogueWriter
from subgraphs.titles.settings import TitlesSettings

__all__ = ["create_app"]

ASSETS_TOPIC = "assets"
TITLES_TOPIC = "titles"


def create_app(
    settings: TitlesSettings, clock: Clock | None = None, *, settled: Callable[[], None] | None = None
) -> Starlette:
    """The subgraph as an ASGI application; it opens what it needs when it starts.

    `settled` is called when the catalogue was read into memory, for long.
    """
    return create_subgraph_app(
        name="titles",
        schema=schema,
        settings=settings,
        open_subgraph=partial(_open, settings, clock or SystemClock(), settled),
        clock=clock,
        routes=internal_routes(),
    )


@asynccontextmanager
async def _hearing(
    settings: TitlesSettings,
    group: str,
    handlers: Mapping[str, EventHandler],
    on_gap: GapHandler | None = None,
    own_groups: str | None = None,
) -> AsyncIterator[EventConsumer]:
    """Takes in what is published while the block lasts."""
    async with open_stream_valkey(settings.shared.valkey_url) as redis:
        consumer = EventConsumer(
            redis,
            group=group,
            # The same name over restarts: what this process had taken and not finished comes first.
            consumer=f"{socket.gethostname()}-{settings.port}",
            handlers=handlers,
            on_gap=on_gap,
            own_groups=own_groups,
        )
        async with consumer.running():
            yield consumer


def _one_after_another(*handlers: EventHandler) -> EventHandler:
    async def handle(event: Event) -> None:
        for handler in handlers:
            await handler(event)

    return handle


@asynccontextmanager
async def _open(
    settings: TitlesSettings, clock: Clock, settled: Callable[[], None] | None
) -> AsyncIterator[OpenedSubgraph]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_title_store(settings.resolved_store_url, clock))
        index = await stack.enter_async_context(
            open_search_index(
                settings.resolved_search_url, settings.search_index_name, settings.store_dir / "search", clock
            )
        )
        redis = await stack.enter_async_context(open_valkey(settings.shared.valkey_url))
        pool = RenderPool(settings.artwork_workers, settings.resolved_font_dir)
        stack.push_async_callback(pool.aclose)

        calendar = AvailabilityCalendar()
        catalogue = Catalogue(store, clock, cache_size=settings.cache_titles)
        # What followers tell others must be what is stored, which memory may not be when others write, too.
        read = store.titles if settings.has_neighbours else catalogue.titles
        updater = SearchUpdater(store, index, calendar, read)
        stream = RedisEventStream(EventPublisher(redis))
        announcer = EventAnnouncer(store, read, stream, clock)
        event_follower = ChangeFollower("events", store, read, announcer.handle, batch_size=MAX_TITLES_PER_EVENT)

        def wake() -> None:
            updater.follower.wake()
            event_follower.wake()

        writer = CatalogueWriter(store, catalogue, wake)
        masters = MasterService(ObjectArtworkStore.in_folder(settings.shared.objects_dir), pool)
        stack.push_async_callback(masters.aclose)
        await updater.start()
        await stack.enter_async_context(updater.follower.running())
        await stack.enter_async_context(event_follower.running())
        search_log = SearchLog(ValkeySearchEvents(redis, EventPublisher(redis)))
        await stack.enter_async_context(search_log.running())
        tastes = KnownTastes(ValkeyProfileTastes(redis))
        republishing = Republishing(store, clock, wake, ask_again(EventPublisher(redis), "titles", clock))
        handlers = {
            ASSETS_TOPIC: MediaReports(writer).handle,
            "accounts": _one_after_another(search_log.handle, tastes.on_accounts),
            "tastes": tastes.on_tastes,
            "requests": republishing.handle,
        }
        consumer = await stack.enter_async_context(_hearing(settings, "titles", handlers, republishing.on_gap))
        if settings.has_neighbours:
            news = NeighbourNews(catalogue, calendar)
            # A group of its own for each process: every one must hear everything. Gaps are no matter: what was missed
            # is seen after an hour, when memory forgets; and a new process would find one in every trimmed stream.
            group = f"titles-{socket.gethostname()}-{settings.port}"
            hearing = _hearing(settings, group, {TITLES_TOPIC: news.handle}, own_groups="titles-")
            await stack.enter_async_context(hearing)
        if settings.seed_demo:
            await seed_demo(writer)
            await updater.settle()
        openings = OpeningsAnnouncer(calendar, store, stream, clock)
        await stack.enter_async_context(openings.running())
        await stack.enter_async_context(CatalogueWarmer(store, catalogue, settled).running())
        prerenderer = Prerenderer(store, masters, clock, title_count=settings.artwork_prerendered_titles)
        await stack.enter_async_context(prerenderer.running())

        editor = CatalogueEditor(writer, catalogue, store, clock)
        services = TitlesServices(
            catalogue=catalogue,
            search=SearchService(index, catalogue, calendar, tastes, require_searchable=updater.require_searchable),
            coming=ComingSoon(catalogue, calendar),
            studio=StudioService(editor, store, clock),
            offering=OfferingService(editor),
            search_log=search_log,
            media_url=settings.shared.public_media_url,
        )
        imports = ImportJobs(
            settings.store_dir / "imports",
            writer,
            store,
            ValkeyImportLease(redis, f"{socket.gethostname()}-{settings.port}"),
            clock=clock,
            settled=updater.follower.settled,
            max_bytes=settings.max_import_bytes,
        )
        stack.push_async_callback(imports.aclose)
        internal = InternalServices(
            catalogue=catalogue,
            masters=masters,
            store=store,
            search_follower=updater.follower,
            search_updater=updater,
            announce=wake,
            jwks_path=settings.shared.viewer_jwks_path,
            rendering_errors=(ArtworkUnavailable,),
            imports=imports,
        )
        held = [ValkeyPersonalData(redis, PERSONAL_KEYS), store.personal_data]
        opened = _opened(services, internal, event_follower.check)
        yield replace(opened, personal_data=held, event_lags=consumer.lags)


def _opened(services: TitlesServices, internal: InternalServices, check_events: HealthCheck) -> OpenedSubgraph:
    def make_context(head: RequestHead) -> RequestContext:
        return TitlesContext(head=head, services=services)

    return OpenedSubgraph(
        make_context=make_context,
        required={"store": internal.store.ping},
        optional={"events": check_events, "search": internal.search_updater.check},
        resources=internal,
    )
