"""Reading the catalogue: cached whole titles, and what a viewer may see of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from common.clock import Clock
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import Page, PageRequest
from subgraphs.kernel.policy import may_see
from subgraphs.titles.domain.browsing import (
    PART_KINDS,
    BrowseRequest,
    CatalogueScope,
    Facets,
    TitleFilter,
    TitleSort,
)
from subgraphs.titles.domain.order import sort_key
from subgraphs.titles.domain.sharing import PartSharing
from subgraphs.titles.domain.title import (
    EpisodeSlot,
    Genre,
    GenreId,
    Person,
    PersonId,
    Season,
    SeasonId,
    Title,
    VideoSlot,
)
from subgraphs.titles.ports import NO_PERSON_EDITS, TitleStore

__all__ = ["CACHE_LIFE", "Catalogue"]

CACHE_LIFE = timedelta(hours=1)
FACETS_LIFE = timedelta(minutes=1)
MAX_FACETS_KEPT = 500

MAX_READS_PER_PAGE = 20
READ_ON = 250
"""Titles read at a time behind hidden ones; a page behind some thousands of them in a row ends the list."""
_ANY = PageRequest(1)

_FacetsQuestion = tuple[TitleFilter, str | None, int, bool]


class Catalogue:
    """Titles by id, kept in memory for an hour; the writer says what it wrote with `replace`.

    What is kept is exact as far as this process writes: a read that was under way while something was written is not
    kept. What other processes on the same store wrote is forgotten when their events say so (`neighbours.py`).
    """

    def __init__(self, store: TitleStore, clock: Clock, *, cache_size: int) -> None:
        self._store = store
        self._clock = clock
        self._cache_size = cache_size
        self._cached: OrderedDict[TitleId, tuple[datetime, Title]] = OrderedDict()
        self._sharing = PartSharing()
        self._write_count = 0
        self._facets: OrderedDict[_FacetsQuestion, tuple[datetime, Facets]] = OrderedDict()
        self._person_edits: Mapping[PersonId, Person] | None = None
        self._seasons: dict[TitleId, tuple[Season, ...]] = {}
        self._seasons_by_id: dict[SeasonId, Season] = {}
        self._seasons_since = clock.now()

    async def titles(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """Titles as they are, whoever asks; the doors to viewers go through `visible_titles`."""
        oldest = self._clock.now() - CACHE_LIFE
        found: dict[TitleId, Title] = {}
        missing: list[TitleId] = []
        for title_id in dict.fromkeys(ids):
            entry = self._cached.get(title_id)
            if entry is None or entry[0] < oldest:
                missing.append(title_id)
            else:
                found[title_id] = entry[1]
        if missing:
            found.update(await self._read(missing))
        return found

    @property
    def has_room(self) -> bool:
        """Whether one more title can be kept without forgetting another."""
        return len(self._cached) < self._cache_size

    async def refresh(self, ids: Sequence[TitleId], age: timedelta) -> int:
        """Read those that are not in memory, or longer than `age`; returns how many."""
        oldest = self._clock.now() - age
        wanted = [title_id for title_id in ids if (entry := self._cached.get(title_id)) is None or entry[0] < oldest]
        if wanted:
            await self._read(wanted)
        return len(wanted)

    async def visible_titles(self, viewer: Viewer, now: datetime, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """The titles that this viewer may see; an episode only with its series, a video only with what it is of."""
        titles = await self.titles(ids)
        visible = {title_id: title for title_id, title in titles.items() if may_see(viewer, title, now)}
        parent_ids = {
            title_id: parent for title_id, title in visible.items() if (parent := title.parent_id) is not None
        }
        if parent_ids:
            parents = await self.titles(list(parent_ids.values()))
            hidden = {parent.id for parent in parents.values() if not may_see(viewer, parent, now)}
            for title_id, parent_id in parent_ids.items():
                if parent_id in hidden:
                    del visible[title_id]
        return visible

    async def browse(
        self, viewer: Viewer, now: datetime, requests: Sequence[BrowseRequest]
    ) -> dict[BrowseRequest, Page[Title]]:
        """Pages of what this viewer may see, each in its order; all of them are read together.

        The store knows a title's own facts. Where what it belongs to is hidden it is left out here, and more is read,
        so that a page is as long as it can be.
        """
        edits = await self.person_edits()
        waiting = {request: _with_person(request, edits) for request in requests}
        found: dict[BrowseRequest, list[Title]] = {request: [] for request in requests}
        for _ in range(MAX_READS_PER_PAGE):
            if not waiting:
                break
            lists = await self._store.browse(CatalogueScope.of(viewer, now), list(waiting.values()))
            ids_read = [title_id for ids in lists for title_id in ids]
            visible = await self.visible_titles(viewer, now, ids_read)
            followed: dict[BrowseRequest, BrowseRequest] = {}
            for (request, asked), ids in zip(waiting.items(), lists, strict=True):
                found[request] += [visible[title_id] for title_id in ids if title_id in visible]
                if len(ids) > asked.page.first and len(found[request]) <= request.page.first:
                    last = (await self.titles(ids[-1:])).get(ids[-1])
                    if last is not None:
                        followed[request] = _behind(asked, last)
            waiting = followed
        return {
            request: Page.cut(
                found[request], request.page, partial(sort_key, sort=request.sort, direction=request.direction)
            )
            for request in requests
        }

    async def facets(self, viewer: Viewer, now: datetime, chosen: TitleFilter) -> Facets:
        """Counts of what `browse` would list in all.

        They cost a look at every title of the list, and are therefore kept for a minute, or until something is written:
        a window that opens in between is counted late.
        """
        chosen.require_browsable()
        scope = CatalogueScope.of(viewer, now)
        wanted = _of_person(chosen, await self.person_edits())
        question = (wanted, scope.country, scope.maximum_age, scope.kids_only)
        known = self._facets.get(question)
        if known is not None and now - FACETS_LIFE < known[0] <= now:
            return known[1]
        write_count = self._write_count
        facets = await self._store.facets(scope, wanted)
        if write_count == self._write_count:
            self._facets[question] = (now, facets)
            if len(self._facets) > MAX_FACETS_KEPT:
                self._facets.popitem(last=False)
        return facets

    async def people(self, viewer: Viewer, now: datetime, ids: Sequence[PersonId]) -> dict[PersonId, Person]:
        """People of whom this viewer may see something, by the id asked for, which may be one of before a merge."""
        edits = await self.person_edits()
        current = {person_id: edits[person_id].id if person_id in edits else person_id for person_id in ids}
        found = await self._store.people(CatalogueScope.of(viewer, now), list(dict.fromkeys(current.values())))
        shown: set[PersonId] = set()
        # Mostly a film or series speaks for them; else what they are seen in may be part of something hidden.
        for kinds in ((None,), PART_KINDS):
            asked_for = [
                (person_id, BrowseRequest(TitleFilter(kind=kind, person_id=person_id), TitleSort.POPULARITY, _ANY))
                for person_id in found
                if person_id not in shown
                for kind in kinds
            ]
            pages = await self.browse(viewer, now, [request for _, request in asked_for])
            shown |= {person_id for person_id, request in asked_for if pages[request].items}
        found = {person_id: person for person_id, person in found.items() if person_id in shown}
        return {asked: found[person_id] for asked, person_id in current.items() if person_id in found}

    async def person_edits(self) -> Mapping[PersonId, Person]:
        """Who was renamed or merged by hand, by the id that sources and old links know."""
        if self._person_edits is not None:
            return self._person_edits
        write_count = self._write_count
        edits = await self._store.person_edits()
        if write_count == self._write_count:
            self._person_edits = edits
        return edits

    async def videos_of(self, title_ids: Sequence[TitleId]) -> dict[TitleId, tuple[VideoSlot, ...]]:
        """Videos, newest first."""
        return await self._store.videos_of(title_ids)

    async def genres(self, viewer: Viewer, now: datetime) -> list[Genre]:
        """Genres in which this viewer may see something, by name."""
        return await self._store.genres(CatalogueScope.of(viewer, now))

    async def genres_by_id(self, ids: Sequence[GenreId]) -> dict[GenreId, Genre]:
        """Genres."""
        return await self._store.genres_by_id(ids)

    async def seasons_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[Season, ...]]:
        """Seasons in order of number; none for a series that is not there."""
        self._forget_old_seasons()
        # Held here, as what is kept may be forgotten while the others are read.
        found = {series_id: self._seasons[series_id] for series_id in series_ids if series_id in self._seasons}
        missing = [series_id for series_id in dict.fromkeys(series_ids) if series_id not in found]
        if missing:
            write_count = self._write_count
            read = dict.fromkeys(missing, ()) | await self._store.seasons_of(missing)
            if write_count == self._write_count and len(self._seasons) < self._cache_size:
                self._seasons.update(read)
            found |= read
        return found

    async def seasons_by_id(self, ids: Sequence[SeasonId]) -> dict[SeasonId, Season]:
        """Seasons."""
        self._forget_old_seasons()
        known = {season_id: self._seasons_by_id[season_id] for season_id in ids if season_id in self._seasons_by_id}
        missing = [season_id for season_id in ids if season_id not in known]
        if missing:
            write_count = self._write_count
            read = await self._store.seasons_by_id(missing)
            if write_count == self._write_count and len(self._seasons_by_id) < self._cache_size:
                self._seasons_by_id.update(read)
            known |= read
        return known

    async def episodes_of(self, series_ids: Sequence[TitleId]) -> dict[TitleId, tuple[EpisodeSlot, ...]]:
        """Episodes in order of season and number."""
        return await self._store.episodes_of(series_ids)

    def replace(self, titles: Iterable[Title], person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS) -> None:
        """These were written, and this is how the store has them now."""
        self._begin_anew()
        self._keep(titles)
        if person_edits and self._person_edits is not None:
            self._person_edits = {**self._person_edits, **person_edits}

    def forget(self, ids: Iterable[TitleId]) -> None:
        """Somebody else may have written these, and renamed or merged their people."""
        self._begin_anew()
        self._person_edits = None
        for title_id in ids:
            self._cached.pop(title_id, None)

    async def _read(self, ids: Sequence[TitleId]) -> dict[TitleId, Title]:
        """From the store, and kept unless something was written meanwhile."""
        write_count = self._write_count
        read = await self._store.titles(ids)
        if write_count == self._write_count:
            # As they are kept: what is answered of a title is kept by the very object.
            return {title.id: title for title in self._keep(read.values())}
        return read

    def _forget_old_seasons(self) -> None:
        """They are kept until anything is written, and no longer than titles are: others may have renamed them."""
        if self._clock.now() - self._seasons_since > CACHE_LIFE:
            self._seasons_since = self._clock.now()
            self._seasons.clear()
            self._seasons_by_id.clear()

    def _begin_anew(self) -> None:
        """Something was written: what is under way is not to be kept, nor what was made of many titles together."""
        self._write_count += 1
        self._facets.clear()
        self._seasons.clear()
        self._seasons_by_id.clear()

    def _keep(self, titles: Iterable[Title]) -> list[Title]:
        """The titles as they are kept; one that is read again and is the same stays the same object."""
        now = self._clock.now()
        kept: list[Title] = []
        for title in titles:
            entry = self._cached.get(title.id)
            one = entry[1] if entry is not None and entry[1] == title else self._sharing.shared(title)
            self._cached[title.id] = (now, one)
            self._cached.move_to_end(title.id)
            kept.append(one)
        while len(self._cached) > self._cache_size:
            self._cached.popitem(last=False)
        return kept


def _with_person(request: BrowseRequest, edits: Mapping[PersonId, Person]) -> BrowseRequest:
    """The same list, of the person that an old id stands for now."""
    chosen = _of_person(request.chosen, edits)
    return request if chosen is request.chosen else replace(request, chosen=chosen)


def _behind(request: BrowseRequest, last: Title) -> BrowseRequest:
    """The same list behind a title, some more of it."""
    page = PageRequest(max(READ_ON, request.page.first), sort_key(last, request.sort, request.direction))
    return replace(request, page=page)


def _of_person(chosen: TitleFilter, edits: Mapping[PersonId, Person]) -> TitleFilter:
    person_id = chosen.person_id
    return chosen if person_id is None or person_id not in edits else replace(chosen, person_id=edits[person_id].id)
