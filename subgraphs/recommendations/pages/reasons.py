"""Why a card: the title of the profile's history that draws it, if that is true.

What adds most to a score need not be why a title stands high: without it others may lose more. So the scores are
computed once more without the cause, and the reason is given only if the title then stands further down among all
that could be shown. That costs as much as scoring; `MAX_CAUSES` different ones are tried on a page, in the order in
which cards are looked at, and other cards stay without a reason.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, FloatArray
from subgraphs.recommendations.domain.page import Reason
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.models.blend import ProfileScores, score_titles

__all__ = ["Reasons"]

MAX_CAUSES = 3


class Reasons:
    """For one page. `fresh`: what discovery rows may show; only what is `allowed` is named."""

    def __init__(self, profile: ProfileScores, allowed: BoolArray, fresh: BoolArray) -> None:
        self._profile = profile
        self._allowed = allowed
        self._places = np.flatnonzero(fresh)
        self._without: dict[int, FloatArray] = {}

    def of(self, index: int) -> Reason | None:
        """The cause said as it is: watched, liked or on the list; None when none can be named that is true."""
        profile = self._profile
        cause = profile.cause(index)
        if cause is None or not self._allowed[cause] or not self._is_true(index, cause):
            return None
        record = profile.models.catalogue.records[cause]
        if cause in profile.signals.watched_at_s:
            return Reason(f"Because you watched {record.display_name}", record.id)
        if cause in profile.signals.liked:
            return Reason(f"Because you like {record.display_name}", record.id)
        return Reason(f"Because {record.display_name} is on your list", record.id)

    def _is_true(self, index: int, cause: int) -> bool:
        without = self._without.get(cause)
        if without is None:
            if len(self._without) == MAX_CAUSES:
                return False
            signals = _without(self._profile.signals, cause)
            without = self._without[cause] = score_titles(self._profile.models, signals).scores
        return self._rank(without, index) > self._rank(self._profile.scores, index)

    def _rank(self, scores: FloatArray, index: int) -> int:
        return int(np.count_nonzero(scores[self._places] > scores[index]))


def _without(signals: Signals, cause: int) -> Signals:
    """As if the profile had never met the title."""
    return replace(signals, weights={work: weight for work, weight in signals.weights.items() if work != cause})
