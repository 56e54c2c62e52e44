"""How well titles suit a profile (domain/matches.py), for those that are asked for one by one or in lists.

The cards of a page know it from their page. Scoring a whole catalogue for one number elsewhere costs milliseconds, so
what was asked for is kept until the profile's taste, the catalogue or the models change, or for MATCHES_LIFE_S. First
the asked titles alone are placed among all scores. Who asks for more looks around: then all titles are, at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.catalogue import NOTHING, IndexArray
from subgraphs.recommendations.domain.matches import UNITS, spread_matches
from subgraphs.recommendations.domain.taste import FADE_STEP_S, Taste, read_signals
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.ports import TasteStore

__all__ = ["MATCHES_LIFE_S", "MatchTitles"]

log = structlog.get_logger(__name__)

MATCHES_LIFE_S = FADE_STEP_S
"""Within a step of fading the same taste has the same scores."""
KEPT = 2_000
"""Profiles with what was asked first: a few titles each."""
KEPT_WHOLE = 200
"""Profiles with the matches of all titles, two bytes for each: 20 MB at 50,000 titles."""
OUT_OF_SIGHT = UNITS + 1

Matches = npt.NDArray[np.uint16]
KeptT = TypeVar("KeptT")


@dataclass(frozen=True, slots=True)
class _Question:
    """About one profile, at one instant."""

    viewer: Viewer
    now: datetime
    models: Models
    taste: Taste

    @property
    def key(self) -> tuple[object, ...]:
        """The same for questions that have the same answers."""
        catalogue = self.models.catalogue
        step = self.now.timestamp() // MATCHES_LIFE_S
        return (self.taste.version, catalogue.version, catalogue.visibility_key(self.viewer, self.now), step)

    def answer(self, works: IndexArray) -> Matches:
        """Of works by their places in the catalogue; OUT_OF_SIGHT for -1, and for all of a profile without taste."""
        catalogue = self.models.catalogue
        profile = self.models.scored(read_signals(self.taste, catalogue, self.now.timestamp()))
        matches = np.full(len(works), OUT_OF_SIGHT, np.uint16)
        if profile.has_taste:
            in_sight = catalogue.visible(self.viewer, self.now) & catalogue.is_listable
            shown = np.flatnonzero((works >= 0) & in_sight[works])
            matches[shown] = spread_matches(profile.scores[works[shown]], profile.scores, in_sight)
        return matches


class MatchTitles:
    """For all requests of a process."""

    def __init__(self, tastes: TasteStore) -> None:
        self._tastes = tastes
        self._asked: OrderedDict[str, tuple[object, Mapping[str, int]]] = OrderedDict()
        self._whole: OrderedDict[str, tuple[object, Matches]] = OrderedDict()

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
        units = self._units(_Question(viewer, now, models, taste), profile_id, title_ids)
        return {title_id: units[title_id] / UNITS for title_id in title_ids if units[title_id] != OUT_OF_SIGHT}

    def _units(self, question: _Question, profile_id: str, title_ids: Sequence[str]) -> Mapping[str, int]:
        """At least those of the titles."""
        key, asked = question.key, self._asked.get(profile_id)
        if asked is not None and asked[0] == key and asked[1].keys() >= set(title_ids):
            self._asked.move_to_end(profile_id)
            return asked[1]
        found = [question.models.catalogue.work(title_id) for title_id in title_ids]
        works = np.array([NOTHING if work is None else work for work in found], np.int32)
        if asked is None or asked[0] != key:
            units = dict(zip(title_ids, question.answer(works).tolist(), strict=True))
            _keep(self._asked, profile_id, (key, units), KEPT)
            return units
        whole = self._whole.get(profile_id)
        if whole is None or whole[0] != key:
            whole = (key, question.answer(np.arange(len(question.models.catalogue), dtype=np.int32)))
        _keep(self._whole, profile_id, whole, KEPT_WHOLE)
        return dict(zip(title_ids, np.where(works < 0, OUT_OF_SIGHT, whole[1][works]).tolist(), strict=True))


def _keep(kept: OrderedDict[str, KeptT], profile_id: str, value: KeptT, most: int) -> None:
    kept[profile_id] = value
    kept.move_to_end(profile_id)
    if len(kept) > most:
        kept.popitem(last=False)
