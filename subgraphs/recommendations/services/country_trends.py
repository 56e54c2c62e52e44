"""What is watched in a country, from memory for half a minute: the same for every page that is made meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from common.errors import ServiceError
from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.ports import TrendCounters

__all__ = ["CountryTrends", "views_by_work"]

log = structlog.get_logger(__name__)

GOOD_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Known:
    """`trends`: the views by the catalogue's works."""

    views: Mapping[TrendWindow, Mapping[str, float]]
    catalogue_version: int
    trends: Trends
    good_until: datetime


class CountryTrends:
    """Reads the counters. When they are away nothing is trending: a page without trends is better than none."""

    def __init__(self, counters: TrendCounters) -> None:
        self._counters = counters
        self._known: dict[str, _Known] = {}

    async def of_country(self, catalogue: Catalogue, country: str, now: datetime) -> Trends:
        """Decayed views by window and the place of a movie or series in the catalogue."""
        known = self._known.get(country)
        if known is None or now >= known.good_until:
            try:
                views = await self._counters.trending(country, now)
            except ServiceError as error:
                log.warning("trends.away", error=error.message)
                return Trends()
            known = self._keep(country, views, catalogue, now + GOOD_FOR)
        elif known.catalogue_version != catalogue.version:
            known = self._keep(country, known.views, catalogue, known.good_until)
        return known.trends

    def _keep(
        self,
        country: str,
        views: Mapping[TrendWindow, Mapping[str, float]],
        catalogue: Catalogue,
        good_until: datetime,
    ) -> _Known:
        trends = Trends({window: views_by_work(catalogue, each) for window, each in views.items()})
        known = self._known[country] = _Known(views, catalogue.version, trends, good_until)
        return known


def views_by_work(catalogue: Catalogue, views: Mapping[str, float]) -> dict[int, float]:
    """Views by the place of a movie or series, from those by title id; episodes count for their series."""
    by_work: dict[int, float] = {}
    for title_id, count in views.items():
        work = catalogue.work(title_id)
        if work is not None:
            by_work[work] = by_work.get(work, 0.0) + count
    return by_work
