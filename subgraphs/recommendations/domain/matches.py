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

Scores = npt.NDArray[np.floating[Any]]


def spread_matches(asked: Scores, among: Scores) -> npt.NDArray[np.uint16]:
    """Of some scores by their place among all, in UNITS; of equal ones each counts the others as better.

    The last score has 0, the best UNITS.
    """
    better = len(among) - 1 - np.searchsorted(np.sort(among), asked, side="left")
    shares = better / max(1, len(among) - 1)
    return np.round(UNITS * (1 - shares**SPREAD)).astype(np.uint16)
