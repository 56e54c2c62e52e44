"""How well titles suit a profile, by their places among all titles in sight; kept for as long as it is the same.

The share of titles that suit less would say 99 % of everything that a page shows: its 500 cards are the best hundredth
of a large catalogue. So the places are spread by the cube root of the share that suits better: it resolves the best
hundred as well as the rest, whatever the size of the catalogue and the scale of the models' scores. 1 is the best title
alone, 0.9 the edge of the best thousandth, 0.79 of the best hundredth, a half of the best eighth, 0 the last.

Scoring a whole catalogue for one number on a card costs more than the rest of a request that finds its page in memory.
What is kept is small, two bytes for a title: right until the profile's taste, the catalogue or the models change, or
for MATCHES_LIFE_S, in which watching fades by nothing that could be seen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.ports import TasteStore

__all__ = ["UNITS", "MatchTitles", "spread_matches"]

log = structlog.get_logger(__name__)

MATCHES_LIFE_S = 600
KEPT = 400
"""Profiles: 40 MB at 50,000 titles."""
UNITS = 1_000
OUT_OF_SIGHT = UNITS + 1
SPREAD = 1 / 3

Matches = npt.NDArray[np.uint16]


def spread_matches(scores: npt.NDArray[np.floating[Any]]) -> Matches:
    """By place, in UNITS; of equal scores each counts the others as better. The last title has 0, the best UNITS."""
    better = len(scores) - 1 - np.searchsorted(np.sort(scores), scores, side="left")
    shares = better / max(1, len(scores) - 1)
    return np.round(UNITS * (1 - shares**SPREAD)).astype(np.uint16)


class MatchTitles:
    """For all requests of a process."""

    def __init__(self, tastes: TasteStore) -> None:
        self._tastes = tastes
        self._kept: OrderedDict[str, tuple[tuple[object, ...], Matches | None]] = OrderedDict()

    async def matches(
        self, viewer: Viewer, now: datetime, models: Models, title_ids: Sequence[str]
    ) -> Mapping[str, float]:
        """1 for the best of the titles in sight to 0 for the last; empty for a profile without taste."""
        profile_id = viewer.profile_id
        if profile_id is None:
            return {}
        try:
            taste = await self._tastes.taste(profile_id)
        except ServiceError as error:
            log.warning("match.without_taste", error=error.message)
            return {}
        catalogue = models.catalogue
        begun_s = now.timestamp() // MATCHES_LIFE_S * MATCHES_LIFE_S
        key = (taste.version, catalogue.version, catalogue.visibility_key(viewer, now), begun_s)
        known = self._kept.get(profile_id)
        if known is None or known[0] != key:
            known = self._kept[profile_id] = (key, _match(viewer, now, models, taste, begun_s))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(profile_id)
        matches = known[1]
        if matches is None:
            return {}
        works = ((title_id, catalogue.work(title_id)) for title_id in title_ids)
        found = ((title_id, int(matches[work])) for title_id, work in works if work is not None)
        return {title_id: units / UNITS for title_id, units in found if units != OUT_OF_SIGHT}


def _match(viewer: Viewer, now: datetime, models: Models, taste: Taste, now_s: float) -> Matches | None:
    """By places in the catalogue; None without taste."""
    catalogue = models.catalogue
    profile = models.scored(read_signals(taste, catalogue, now_s))
    if not profile.has_taste:
        return None
    in_sight = np.flatnonzero(catalogue.visible(viewer, now) & catalogue.is_listable)
    matches = np.full(len(catalogue), OUT_OF_SIGHT, np.uint16)
    matches[in_sight] = spread_matches(profile.scores[in_sight])
    return matches
