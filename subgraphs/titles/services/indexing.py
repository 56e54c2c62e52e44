"""The search index as a follower of the change log, and its rebuild beside the one that serves.

A rebuild copies the whole catalogue into an empty index while the old one goes on serving and following. What is
written meanwhile is caught up with from the change log, which a follower of the rebuild's own keeps from the moment
before the first title was read; so each title in the new index is as it was then, or later, and what came later is
replayed over it. The new index serves once it has caught up, with the usual follower standing still, so that no search
finds less than before. Writes of other processes that went into the old index at that very moment are in the log, and
are replayed once more behind the change. A rebuild that was killed leaves its follower and its index behind; both are
removed at the next start or by the next rebuild.

An index of an older form can't serve a newer program, so the first start of one begins with an empty index and a whole
catalogue to copy. A small catalogue is copied before anything is served; a large one beside it, for pages, details and
playback need no index: until it is there searches are refused with how far it is, as an empty answer would be a lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.readiness import StillPreparing
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import IndexBuild, SearchIndex, TitleStore
from subgraphs.titles.services.calendar import AvailabilityCalendar
from subgraphs.titles.services.following import ChangeFollower, Reader

__all__ = ["MAX_TITLES_PER_INDEX_UPDATE", "SearchUpdater"]

log = structlog.get_logger(__name__)

MAX_TITLES_PER_INDEX_UPDATE = 1_000
"""A commit of the index costs the same for one title as for a thousand."""
FOLLOWER = "search"
BUILD_FOLLOWER = "search-build"
COMPARISONS = 3
MOST_TITLES_BEFORE_START = 5_000
"""Copied in a few seconds, which is short enough to wait for."""
LEAST_SEARCHABLE_RATIO = 0.5
"""An index that merely missed something has nearly all titles; one that was made anew has none, or those few that were
written since.
"""


class SearchUpdater:
    """Keeps index and calendar as the store is; `read` gives titles as they are now."""

    def __init__(self, store: TitleStore, index: SearchIndex, calendar: AvailabilityCalendar, read: Reader) -> None:
        self._store = store
        self._index = index
        self._calendar = calendar
        self._is_aligned = False
        self._is_filling = False
        self._stored_count = 0
        self._indexed_count = 0
        self._copied_count: int | None = None
        self.follower = ChangeFollower(
            FOLLOWER, store, read, self._handle, batch_size=MAX_TITLES_PER_INDEX_UPDATE, prepare=self._align
        )

    async def start(self) -> None:
        """Before the first search: load the calendar, catch up, and rebuild an index that is not the store's.

        What takes long is left to the follower, once it runs: whatever a large catalogue's index lacks, and everything
        when the search engine is away.
        """
        self._calendar.update(await self._store.timed_titles())
        try:
            await self._index.prepare()
            stored = await self._store.state()
            if stored.title_count > MOST_TITLES_BEFORE_START and stored != await self._index.state():
                await self._compare_counts()
                return
        except ServiceError as error:
            log.warning("search.away", error=error.message)
            return
        await self.settle()

    def require_searchable(self) -> None:
        """Raises ServiceError(UNAVAILABLE) while the index is made that the first search needs."""
        if self._is_filling:
            raise ServiceError(
                ErrorKind.UNAVAILABLE, f"search is not ready yet: {self._describe_rebuild()}; try again in a minute"
            )

    async def settle(self) -> None:
        """Everything that was written before this call can be found, unless the engine is away.

        Returns at once while the index is filled: nothing can be found then, and the rebuild takes in what was written.
        """
        if self._is_filling:
            return
        try:
            await self._align()
            await self.follower.catch_up()
        except ServiceError as error:
            log.warning("search.away", error=error.message)

    async def check(self) -> None:
        """A health check: raises StillPreparing, or what is wrong with the engine or with following."""
        await self._index.check()
        await self.follower.check()
        if self._is_filling:
            raise StillPreparing(self._describe_rebuild())

    async def progress(self) -> tuple[int, int] | None:
        """How many titles the rebuild that runs here has copied, and how many there are; None when none runs."""
        return None if self._copied_count is None else (self._copied_count, (await self._store.state()).title_count)

    async def rebuild(self, progress: Callable[[int], None] | None = None) -> int:
        """Index the whole catalogue again; returns how many titles. Searches find what they found, or newer.

        Raises ServiceError(FAILED_PRECONDITION) when another rebuild is running.
        """
        build = await self._index.begin_build()
        self._copied_count = 0
        try:
            await self._store.follow(BUILD_FOLLOWER)
            indexed = await self._copy(build, progress)
            await self._replay_into(build)
            async with self.follower.paused():
                await self._replay_into(build)
                await build.publish()
                await self._replay_into(self._index)
        except BaseException:
            # Whatever serves now, the follower compares it with the store before it goes on.
            self._is_aligned = False
            raise
        finally:
            self._copied_count = None
            try:
                await build.discard()
            finally:
                await self._store.unfollow(BUILD_FOLLOWER)
        return indexed

    async def _align(self) -> None:
        if self._is_aligned:
            return
        await self._index.prepare()
        if not await self._is_as_stored():
            log.info("search.rebuilding", stored=await self._store.state(), indexed=await self._index.state())
            await self._compare_counts()
            await self.rebuild()
        elif BUILD_FOLLOWER in await self._store.followers():
            await self._remove_leftovers()
        self._is_aligned = True
        self._is_filling = False

    async def _compare_counts(self) -> None:
        """Whether the index that serves has too little of the catalogue to be searched."""
        self._stored_count = (await self._store.state()).title_count
        self._indexed_count = (await self._index.state()).title_count
        self._is_filling = self._indexed_count < self._stored_count * LEAST_SEARCHABLE_RATIO

    def _describe_rebuild(self) -> str:
        # Copied into another index; or followed into the one that serves, where all of it is in the log still.
        count = self._indexed_count if self._copied_count is None else self._copied_count
        return f"rebuilding the search index, {min(count, self._stored_count):,} of {self._stored_count:,} titles"

    async def _is_as_stored(self) -> bool:
        # What is written in between, here or by others, makes the two differ for a moment.
        for _ in range(COMPARISONS):
            await self.follower.catch_up()
            if await self._store.state() == await self._index.state():
                return True
        return False

    async def _remove_leftovers(self) -> None:
        """Of a rebuild that was killed, unless it lives on in another process."""
        try:
            build = await self._index.begin_build()
        except ServiceError:
            return
        await build.discard()
        await self._store.unfollow(BUILD_FOLLOWER)

    async def _handle(self, titles: Mapping[TitleId, Title]) -> None:
        self._calendar.update(titles.values())
        await self._index.update(list(titles.values()))
        self._indexed_count += len(titles)

    async def _copy(self, build: IndexBuild, progress: Callable[[int], None] | None) -> int:
        indexed, after = 0, ""
        while ids := await self._store.ids_after(after, MAX_TITLES_PER_INDEX_UPDATE):
            await build.update(list((await self._store.titles(ids)).values()))
            indexed, after = indexed + len(ids), ids[-1]
            self._copied_count = indexed
            if progress is not None:
                progress(indexed)
        return indexed

    async def _replay_into(self, index: IndexBuild | SearchIndex) -> None:
        async def handle(titles: Mapping[TitleId, Title]) -> None:
            await index.update(list(titles.values()))

        await ChangeFollower(
            BUILD_FOLLOWER, self._store, self._store.titles, handle, batch_size=MAX_TITLES_PER_INDEX_UPDATE
        ).catch_up()
