"""How well titles suit a profile, by their places among all titles in sight.

The share of titles that suit less would say 99 % of everything that a page shows: its 500 cards are the best hundredth
of a large catalogue. So the places are spread by the cube root of the share that suits better: it resolves the best
hundred as well as the rest, whatever the size of the catalogue and the scale of the models' scores. 1 is the best title
alone, 0.9 the edge of the best thousandth, 0.79 of the best hundredth, a half of the best eighth, 0 the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["UNITS", "spread_matches"]

UNITS = 1_000
SPREAD = 1 / 3

BoolArray = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.floating[Any]]


def spread_matches(asked: Scores, scores: Scores, in_sight: BoolArray) -> npt.NDArray[np.uint16]:
    """In UNITS, of some scores by their place among all that are in sight; scores are 0 or more.

    Of equal ones each counts the others as better: the last have 0, and the best UNITS if it stands alone.
    """
    count = np.count_nonzero(in_sight)
    # What is not in sight counts as 0: to sort all is sooner done than to take out what is in sight and sort that.
    at_least = len(scores) - np.searchsorted(np.sort(scores * in_sight), asked, side="left")
    shares = (np.minimum(at_least, count) - 1) / max(1, count - 1)
    matches: npt.NDArray[np.uint16] = np.round(UNITS * (1 - shares**SPREAD)).astype(np.uint16)
    return matches
