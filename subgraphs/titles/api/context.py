"""The GraphQL context of one request to titles: the services, and batched reads for this viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from strawberry.types import Info as StrawberryInfo

from subgraphs.kernel.context import RequestContext
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.pagination import Page
from subgraphs.titles.domain.browsing import BrowseRequest
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
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.coming import ComingSoon
from subgraphs.titles.services.offering import OfferingService
from subgraphs.titles.services.search import SearchService
from subgraphs.titles.services.search_log import SearchLog
from subgraphs.titles.services.studio import StudioService

__all__ = ["Info", "TitlesContext", "TitlesServices", "viewer_country"]


@dataclass(frozen=True, slots=True)
class TitlesServices:
    """What resolvers use; lives as long as the process."""

    catalogue: Catalogue
    search: SearchService
    coming: ComingSoon
    studio: StudioService
    offering: OfferingService
    search_log: SearchLog
    media_url: str


@dataclass(slots=True, kw_only=True, eq=False)
class TitlesContext(RequestContext):
    """One request. Everything asked one by one in the same turn is read together, once."""

    services: TitlesServices
    _known_titles: dict[TitleId, Title | None] = field(default_factory=dict)

    async def title(self, title_id: TitleId) -> Title | None:
        """The title, when this viewer may see it."""
        return await self.loaders.by_key(self._visible_titles).load(title_id)

    async def titles(self, ids: Sequence[TitleId]) -> list[Title | None]:
        """One answer per id, in order."""
        return list(await self.loaders.by_key(self._visible_titles).load_many(ids))

    async def visible_titles(self, ids: Sequence[TitleId]) -> Mapping[TitleId, Title | None]:
        """As `titles`, for very many ids: read as one. Remembered, as cards ask for a title and for its artwork."""
        known = self._known_titles
        if missing := [title_id for title_id in dict.fromkeys(ids) if title_id not in known]:
            found = await self.services.catalogue.visible_titles(self.viewer, self.now, missing)
            known.update((title_id, found.get(title_id)) for title_id in missing)
        return known

    async def seasons(self, series_id: TitleId) -> tuple[Season, ...]:
        """A series' seasons in order."""
        return await self.loaders.by_key(self._seasons_of).load(series_id) or ()

    async def all_seasons(self, series_ids: Sequence[TitleId]) -> list[tuple[Season, ...]]:
        """As `seasons`, for many series at once."""
        found = await self.services.catalogue.seasons_of(series_ids)
        return [found.get(series_id, ()) for series_id in series_ids]

    async def season(self, season_id: SeasonId) -> Season | None:
        """A season, when this viewer may see its series."""
        season = await self.loaders.by_key(self._seasons_by_id).load(season_id)
        if season is None or await self.title(season.series_id) is None:
            return None
        return season

    async def episodes(self, series_id: TitleId) -> list[tuple[EpisodeSlot, Title]]:
        """The episodes of a series that this viewer may see, in order."""
        slots = await self.loaders.by_key(self._episodes_of).load(series_id) or ()
        titles = await self.titles([slot.title_id for slot in slots])
        return [(slot, title) for slot, title in zip(slots, titles, strict=True) if title is not None]

    async def browse(self, request: BrowseRequest) -> Page[Title]:
        """One page of a list of what this viewer may see."""
        page = await self.loaders.by_key(self._pages).load(request)
        assert page is not None, "every request has a page, if an empty one"
        return page

    async def person(self, person_id: PersonId) -> Person | None:
        """A person, when this viewer may see something of theirs; merged ones under the id that they have now."""
        return await self.loaders.by_key(self._people_by_id).load(person_id)

    async def videos(self, title_id: TitleId) -> list[Title]:
        """The videos of a film or series that this viewer may see, newest first."""
        slots = await self.loaders.by_key(self._videos_of).load(title_id) or ()
        return [title for title in await self.titles([slot.title_id for slot in slots]) if title is not None]

    async def genre(self, genre_id: GenreId) -> Genre | None:
        """A genre."""
        return await self.loaders.by_key(self._genres_by_id).load(genre_id)

    async def genres(self, ids: Sequence[GenreId]) -> list[Genre | None]:
        """One answer per id, in order."""
        return list(await self.loaders.by_key(self._genres_by_id).load_many(ids))

    async def _visible_titles(self, ids: Sequence[TitleId]) -> Mapping[TitleId, Title]:
        return await self.services.catalogue.visible_titles(self.viewer, self.now, ids)

    async def _pages(self, requests: Sequence[BrowseRequest]) -> Mapping[BrowseRequest, Page[Title]]:
        return await self.services.catalogue.browse(self.viewer, self.now, requests)

    async def _seasons_of(self, ids: Sequence[TitleId]) -> Mapping[TitleId, tuple[Season, ...]]:
        return await self.services.catalogue.seasons_of(ids)

    async def _seasons_by_id(self, ids: Sequence[SeasonId]) -> Mapping[SeasonId, Season]:
        return await self.services.catalogue.seasons_by_id(ids)

    async def _episodes_of(self, ids: Sequence[TitleId]) -> Mapping[TitleId, tuple[EpisodeSlot, ...]]:
        return await self.services.catalogue.episodes_of(ids)

    async def _people_by_id(self, ids: Sequence[PersonId]) -> Mapping[PersonId, Person]:
        return await self.services.catalogue.people(self.viewer, self.now, ids)

    async def _videos_of(self, ids: Sequence[TitleId]) -> Mapping[TitleId, tuple[VideoSlot, ...]]:
        return await self.services.catalogue.videos_of(ids)

    async def _genres_by_id(self, ids: Sequence[GenreId]) -> Mapping[GenreId, Genre]:
        return await self.services.catalogue.genres_by_id(ids)


Info = StrawberryInfo[TitlesContext, Any]


def viewer_country(context: TitlesContext) -> str | None:
    """What a shared answer may depend on."""
    return context.viewer.country
