"""Pages: from memory while nothing changed, else built; older revisions from their snapshots, so that paging goes on.

A page in memory is right as long as the profile's taste, the catalogue and what the viewer may see are those that it
was built from, and until it expires. Its revision is kept for as long, so that cursors neither repeat nor skip while
a newer page exists already. When tastes or trends are away, a page is built without them: less personal is better
than none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.devices import check_device
from subgraphs.recommendations.domain.page import Page, PageWish
from subgraphs.recommendations.domain.sections import PageKind
from subgraphs.recommendations.domain.taste import Taste
from subgraphs.recommendations.domain.trends import TrendWindow
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.change import PageChange, compare_pages
from subgraphs.recommendations.ports import PageSnapshots, TasteStore, TrendCounters
from subgraphs.recommendations.services.edit_collections import EditCollections
from subgraphs.recommendations.services.keep_models import KeepModels

__all__ = ["PageExpired", "ServePages", "owner_of"]

log = structlog.get_logger(__name__)

PAGES_IN_MEMORY = 1_000
TRENDS_GOOD_FOR = timedelta(seconds=30)


class PageExpired(Exception):
    """The page of a cursor is not kept any more; reload the page."""


@dataclass(frozen=True, slots=True)
class _Trends:
    views: Mapping[TrendWindow, Mapping[str, float]]
    good_until: datetime


def owner_of(viewer: Viewer) -> str:
    """Who may read a page again: its profile, or everybody who is alike to the policy without one."""
    if viewer.profile_id is not None:
        return viewer.profile_id
    return f"anonymous:{viewer.country or ''}:{viewer.maturity}:{viewer.is_kids}"


class ServePages:
    """`life`: how long a page and its cursors are good; `default_country`: whose charts visitors of no country see."""

    def __init__(
        self,
        *,
        models: KeepModels,
        tastes: TasteStore,
        trends: TrendCounters,
        snapshots: PageSnapshots,
        life: timedelta,
        default_country: str,
        collections: EditCollections,
    ) -> None:
        self._models = models
        self._tastes = tastes
        self._trends = trends
        self._snapshots = snapshots
        self._life = life
        self._default_country = default_country
        self._collections = collections
        self._pages: OrderedDict[tuple[object, ...], Page] = OrderedDict()
        self._trends_by_country: dict[str | None, _Trends] = {}

    async def page(self, viewer: Viewer, wish: PageWish, now: datetime) -> Page:
        """The page for this viewer now. Raises ServiceError naming what can't be made of the wish."""
        models = self._models.models
        catalogue = models.catalogue
        _check_wish(wish, catalogue, viewer, now)
        taste = await self._taste(viewer)
        collections = await self._collections.for_pages(now)
        key = (
            collections.version,
            owner_of(viewer),
            wish,
            taste.version,
            catalogue.version,
            catalogue.visibility_key(viewer, now),
        )
        known = self._pages.get(key)
        if known is not None and now < known.expires_at:
            self._pages.move_to_end(key)
            return known
        # What is popular is told for some country; what may be seen is decided without guessing one.
        country = viewer.country or self._default_country
        trends = await self._trending(country, now)
        request = PageRequest(
            wish=wish,
            viewer=viewer,
            country=country,
            owner=owner_of(viewer),
        )
        page = build_page(request, PageFacts(models, taste, trends, collections.collections), now, self._life)
        await self._keep(key, page)
        return page

    async def refresh(self, viewer: Viewer, page_id: str, revision: str, held: int | None, now: datetime) -> PageChange:
        """What is different now for a client that holds the first `held` sections of a revision, or all of them.

        Raises PageExpired as `at_revision` does, and when the revision is one of another page.
        """
        before = await self.at_revision(viewer, revision, now)
        if before.id != page_id:
            raise PageExpired(revision)
        after = await self.page(viewer, before.wish, now)
        return compare_pages(before, after, max(len(before.sections), len(after.sections)) if held is None else held)

    async def at_revision(self, viewer: Viewer, revision: str, now: datetime) -> Page:
        """The page of a cursor.

        Raises PageExpired when it is gone, is somebody else's, or holds a title that this viewer may not see any more:
        leaving that out would move what comes behind it, so that paging repeated or skipped.
        """
        owner = owner_of(viewer)
        page = next((page for page in reversed(self._pages.values()) if page.revision == revision), None)
        if page is None:
            page = await self._snapshots.get(revision)
        if page is None or page.owner != owner or now >= page.expires_at:
            raise PageExpired(revision)
        catalogue = self._models.models.catalogue
        visible = catalogue.visible(viewer, now)
        if not all((index := catalogue.index(each)) is not None and visible[index] for each in page.title_ids):
            raise PageExpired(revision)
        return page

    async def _keep(self, key: tuple[object, ...], page: Page) -> None:
        self._pages[key] = page
        if len(self._pages) > PAGES_IN_MEMORY:
            self._pages.popitem(last=False)
        try:
            await self._snapshots.put(page)
        except ServiceError as error:
            # This process still has it; another one would tell its clients to reload.
            log.warning("page.not_kept", revision=page.revision, error=error.message)

    async def _taste(self, viewer: Viewer) -> Taste:
        if viewer.profile_id is None:
            return Taste()
        try:
            return await self._tastes.taste(viewer.profile_id)
        except ServiceError as error:
            log.warning("page.without_taste", error=error.message)
            return Taste()

    async def _trending(self, country: str | None, now: datetime) -> Mapping[TrendWindow, Mapping[str, float]]:
        known = self._trends_by_country.get(country)
        if known is not None and now < known.good_until:
            return known.views
        try:
            views = await self._trends.trending(country, now)
        except ServiceError as error:
            log.warning("page.without_trends", error=error.message)
            return {}
        self._trends_by_country[country] = _Trends(views, now + TRENDS_GOOD_FOR)
        return views


def _check_wish(wish: PageWish, catalogue: Catalogue, viewer: Viewer, now: datetime) -> None:
    problem = check_device(wish.device)
    if problem is None and wish.kind is PageKind.GENRE and wish.genre_id is None:
        problem = "a GENRE page needs genreId; the field genres lists them"
    if problem is None and wish.kind is PageKind.MORE_LIKE_THIS and wish.title_id is None:
        problem = "a MORE_LIKE_THIS page needs titleId"
    if problem is not None:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, problem)
    if wish.kind is PageKind.GENRE and wish.genre_id not in catalogue.genres_by_id:
        raise ServiceError(ErrorKind.NOT_FOUND, f"there is no genre {str(wish.genre_id)[:80]!r}")
    if wish.kind is PageKind.MORE_LIKE_THIS:
        index = catalogue.index(wish.title_id or "")
        if index is None or not catalogue.visible(viewer, now)[index]:
            raise ServiceError(ErrorKind.NOT_FOUND, f"there is no title {str(wish.title_id)[:80]!r}")
