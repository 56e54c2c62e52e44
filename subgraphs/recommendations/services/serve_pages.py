"""Pages: from memory while nothing changed, else built; older revisions from their snapshots, so that paging goes on.

A page in memory is right as long as the profile's taste, the catalogue, the collections that are open and what the
viewer may see are those that it was built from, and until it expires. Its revision is kept for as long, so that cursors
neither repeat nor skip while a newer page exists already. When tastes or trends are away, a page is built without them:
less personal is better than none.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.devices import check_device
from subgraphs.recommendations.domain.explanation import PageExplanation
from subgraphs.recommendations.domain.page import Page, PageWish
from subgraphs.recommendations.domain.sections import PageKind
from subgraphs.recommendations.domain.taste import Taste
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.change import PageChange, compare_pages
from subgraphs.recommendations.pages.explain_page import explain_page
from subgraphs.recommendations.ports import PageSnapshots, TasteStore
from subgraphs.recommendations.services.choose_artwork import ChooseArtwork
from subgraphs.recommendations.services.country_trends import CountryTrends
from subgraphs.recommendations.services.edit_collections import EditCollections
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.run_experiments import TESTER_SCOPES, NotATester, RunExperiments

__all__ = ["PAGES_IN_MEMORY", "PageExpired", "ServePages", "owner_of"]

log = structlog.get_logger(__name__)

PAGES_IN_MEMORY = 1_000
"""The ones that were asked for last, with what the API made of them."""
LIFE_WITHOUT_TRENDS = timedelta(seconds=30)
"""Of a page that was built while they were away: mostly they are back before the page would have expired."""


class PageExpired(Exception):
    """The page of a cursor is not kept any more; reload the page."""


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
        trends: CountryTrends,
        snapshots: PageSnapshots,
        life: timedelta,
        default_country: str,
        collections: EditCollections,
        experiments: RunExperiments,
        artwork: ChooseArtwork,
    ) -> None:
        self._models = models
        self._tastes = tastes
        self._trends = trends
        self._snapshots = snapshots
        self._life = life
        self._life_without_trends = min(life, LIFE_WITHOUT_TRENDS)
        self._default_country = default_country
        self._collections = collections
        self._experiments = experiments
        self._artwork = artwork
        self._pages: OrderedDict[tuple[object, ...], Page] = OrderedDict()
        # One page is built per turn of the event loop: when many are asked for at once, those that are known are given
        # in between, and what stores answered is read before it counts as too late.
        self._turn = asyncio.Lock()

    async def page(self, viewer: Viewer, wish: PageWish, now: datetime) -> Page:
        """The page for this viewer now, who counts as exposed to what had a say in it.

        Raises ServiceError naming what can't be made of the wish.
        """
        page = await self._find_or_build(viewer, wish, now)
        await self._experiments.expose(viewer, page.exposures, now)
        return page

    async def _find_or_build(self, viewer: Viewer, wish: PageWish, now: datetime) -> Page:
        models = self._models.models
        catalogue = models.catalogue
        _check_wish(wish, catalogue, viewer, now)
        taste = await self._taste(viewer)
        collections = await self._collections.for_pages(now)
        assigned = await self._experiments.assign(viewer, taste, wish.device.form_factor.value, now)
        key = (
            collections.version_at(now),
            owner_of(viewer),
            wish,
            taste.version,
            catalogue.version,
            catalogue.visibility_key(viewer, now),
            tuple(each.key for each in assigned),
            self._artwork.version(viewer, now),
        )
        known = self._known(key, now)
        if known is not None:
            return known
        request = self._request(viewer, wish)
        trends = await self._trends.of_country(catalogue, request.country or self._default_country, now)
        artwork = await self._artwork.chooser(viewer, taste, catalogue, now)
        facts = PageFacts(models, taste, trends, collections.collections, assigned, artwork)
        async with self._turn:
            await asyncio.sleep(0)
            # The same page may have been asked for twice.
            known = self._known(key, now)
            page = known or build_page(request, facts, now, self._life if trends.views else self._life_without_trends)
            self._remember(key, page)
        if known is None:
            await self._keep(page)
        return page

    def _known(self, key: tuple[object, ...], now: datetime) -> Page | None:
        known = self._pages.get(key)
        if known is None or now >= known.expires_at:
            return None
        self._pages.move_to_end(key)
        return known

    async def explain(self, viewer: Viewer, wish: PageWish, now: datetime) -> PageExplanation:
        """Why the page that this viewer would load now is as it is. Raises NotATester, and as `page` does."""
        if not TESTER_SCOPES & viewer.scopes:
            raise NotATester
        models = self._models.models
        _check_wish(wish, models.catalogue, viewer, now)
        request = self._request(viewer, wish)
        taste = await self._taste(viewer)
        facts = PageFacts(
            models=models,
            taste=taste,
            trends=await self._trends.of_country(models.catalogue, request.country or self._default_country, now),
            collections=(await self._collections.for_pages(now)).collections,
            assigned=await self._experiments.assign(viewer, taste, wish.device.form_factor.value, now),
            artwork=await self._artwork.chooser(viewer, taste, models.catalogue, now),
        )
        # It takes a second or two: other viewers' pages go on meanwhile.
        return await asyncio.to_thread(explain_page, request, facts, now, self._life)

    def _request(self, viewer: Viewer, wish: PageWish) -> PageRequest:
        # What is popular is told for some country; what may be seen is decided without guessing one.
        country = viewer.country or self._default_country
        return PageRequest(wish=wish, viewer=viewer, country=country, owner=owner_of(viewer))

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

    def _remember(self, key: tuple[object, ...], page: Page) -> None:
        self._pages[key] = page
        if len(self._pages) > PAGES_IN_MEMORY:
            self._pages.popitem(last=False)

    async def _keep(self, page: Page) -> None:
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
