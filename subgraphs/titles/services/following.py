"""Following the change log: whoever needs to know hears of every write, at least once, in order.

A write appends to the log in its own transaction. A follower reads the changed titles as they are now, deals with
them and confirms; killed in between, it does the same again, which both can bear. What is slow or away (the event
stream) holds up only itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from common.background import background
from common.clock import Clock
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.rights import effective_facts
from subgraphs.titles.domain.snapshot import next_episode, previous_episode, snapshot
from subgraphs.titles.domain.title import EpisodeSlot, Title, TitleKind
from subgraphs.titles.ports import ChangeFollowerName, EventStream, TitleStore

__all__ = ["MAX_TITLES_PER_EVENT", "ChangeFollower", "EventAnnouncer", "FollowerBehind", "Reader"]

log = structlog.get_logger(__name__)

ItemT = TypeVar("ItemT")

MAX_TITLES_PER_EVENT = 200
RETRY_S = 1.0
POLL_S = 30.0
"""Looked again without being woken: other processes write only in repairs, by hand."""

Reader = Callable[[Sequence[TitleId]], Awaitable[Mapping[TitleId, Title]]]
"""Titles as they are now; the catalogue's cache mostly still has what was written a moment ago."""
Handler = Callable[[Mapping[TitleId, Title]], Awaitable[None]]


class FollowerBehind(Exception):
    """A follower's last try failed; it goes on trying."""


async def _nothing_to_prepare() -> None:
    return


class ChangeFollower:
    """One follower as a background task."""

    def __init__(
        self,
        name: ChangeFollowerName,
        store: TitleStore,
        read: Reader,
        handle: Handler,
        *,
        batch_size: int,
        prepare: Callable[[], Awaitable[None]] = _nothing_to_prepare,
    ) -> None:
        """`prepare` runs before each first try, until it has succeeded; it may do nothing when called again."""
        self.name = name
        self._prepare = prepare
        self._store = store
        self._read = read
        self._handle = handle
        self._batch_size = batch_size
        self._woken = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self.failure: str | None = None

    def wake(self) -> None:
        """Something was written."""
        self._is_settled.clear()
        self._woken.set()

    async def settled(self) -> None:
        """Return when everything that was written before this call has been dealt with, by `running`."""
        await self._is_settled.wait()

    async def check(self) -> None:
        """Raises what failed last, when it has not worked since."""
        if self.failure is not None:
            raise FollowerBehind(self.failure)

    async def catch_up(self) -> int:
        """Deal with everything that is in the log now; returns how many changes that were."""
        dealt_with = 0
        async with self._catching_up:
            while changes := await self._store.changes_for(self.name, self._batch_size):
                ids = list(dict.fromkeys(change.title_id for change in changes))
                await self._handle(await self._read(ids))
                await self._store.confirm_changes(self.name, changes[-1].sequence)
                dealt_with += len(changes)
        return dealt_with

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Nothing is dealt with while the block runs; what is under way is finished first."""
        async with self._catching_up:
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The follower as a task that ends with the block."""
        async with background(self._run(), f"titles:follow:{self.name}"):
            yield

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._prepare()
                await self.catch_up()
                self.failure = None
                if not self._woken.is_set():
                    self._is_settled.set()
            except Exception as error:  # noqa: BLE001  # a task's edge: what failed is tried again, for ever
                self.failure = f"{type(error).__name__}: {error}"
                log.warning("titles.follower_failed", follower=self.name, error=self.failure, retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            except TimeoutError:
                continue


class EventAnnouncer:
    """Tells the other services: `title.changed` with snapshots, `title.withdrawn` with ids.

    A snapshot of an episode names the next one. With an episode that changed, the one before it is therefore told
    again: the next one may be new, gone, or another one now.
    """

    def __init__(self, store: TitleStore, read: Reader, stream: EventStream, clock: Clock) -> None:
        self._store = store
        self._read = read
        self._stream = stream
        self._clock = clock

    async def handle(self, titles: Mapping[TitleId, Title]) -> None:
        """As few events as hold MAX_TITLES_PER_EVENT each."""
        slots_by_series = await self._slots(titles.values())
        before = {
            slot.title_id
            for title in titles.values()
            if (slot := previous_episode(title, _slots_of(title, slots_by_series))) is not None
        }
        told = {**titles, **await self._read(sorted(before - titles.keys()))}
        parents = await self._read([title.parent_id for title in told.values() if title.parent_id is not None])
        changed: list[dict[str, Any]] = []
        withdrawn: list[TitleId] = []
        for title in told.values():
            parent = None if title.parent_id is None else parents.get(title.parent_id)
            if effective_facts(title, parent).is_withdrawn:
                withdrawn.append(title.id)
                continue
            following = next_episode(title, _slots_of(title, slots_by_series))
            changed.append(snapshot(title, parent, None if following is None else following.title_id))
        for snapshots in _events_of(changed):
            await self._stream.publish("title.changed", {"titles": snapshots}, self._clock.now())
        for ids in _events_of(withdrawn):
            await self._stream.publish("title.withdrawn", {"titleIds": ids}, self._clock.now())

    async def _slots(self, titles: Iterable[Title]) -> Mapping[TitleId, tuple[EpisodeSlot, ...]]:
        series_ids = {title.series_id for title in titles if title.kind is TitleKind.EPISODE and title.series_id}
        return await self._store.episodes_of(sorted(series_ids)) if series_ids else {}


def _slots_of(title: Title, slots_by_series: Mapping[TitleId, tuple[EpisodeSlot, ...]]) -> tuple[EpisodeSlot, ...]:
    return () if title.series_id is None else slots_by_series.get(title.series_id, ())


def _events_of(items: Sequence[ItemT]) -> Iterator[list[ItemT]]:
    for start in range(0, len(items), MAX_TITLES_PER_EVENT):
        yield list(items[start : start + MAX_TITLES_PER_EVENT])
