"""One card of Top picks for a title that came lately: what nobody has watched yet can't be found by what people watch.

Problem: the models know a new title by its content alone, and rank it below what is proven; the row of new titles shows
the newest few, and stands low on most pages. So most new titles would be seen by nobody, and nothing would be learned
of them.

Idea: the card at PLACE of Top picks is drawn from the titles that came within NEW_FOR, mostly (BEST_SHARE) from the
BEST ones that suit the profile best, else from all: each has a chance on every page, and its probability is known, as
whoever judges a choice by what was clicked must know it. The draw is a hash of the profile and the day (UTC): the same
on every page of a day.

Limits: one card of one row, below the first PLACE ones, whatever is new. What that costs is in docs/evaluation.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue, IndexArray
from subgraphs.recommendations.domain.ordering import best_of, first_allowed
from subgraphs.recommendations.models.blend import ProfileScores

__all__ = ["PLACE", "Discovery", "discover"]

PLACE = 5
"""The sixth card: the last in sight on a phone, so that what is surer loses least."""
NEW_FOR_S = 28 * 24 * 3600.0
BEST, BEST_SHARE = 8, 0.75
MAX_NEW = 500
"""The newest: after an import of a whole catalogue everything is new."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The title, and how probable it was that it would be this one."""

    index: int
    probability: float

    @property
    def code(self) -> str:
        """For tracking: the probability in millionths."""
        return f"new-{round(self.probability * 1_000_000)}"


def discover(profile: ProfileScores, fresh: BoolArray, owner: str, now_s: float) -> Discovery | None:
    """The draw of this profile and day among new titles that it may see and does not know; None when there are none."""
    new = _new(profile.models.catalogue, fresh, now_s)
    if not len(new):
        return None
    best = best_of(new, profile.scores.take(new), BEST)
    digest = hashlib.blake2b(f"{owner}:{int(now_s // 86_400)}".encode(), digest_size=16).digest()
    first, second = (int.from_bytes(half) / 2**64 for half in (digest[:8], digest[8:]))
    drawn = best if first < BEST_SHARE else new
    index = int(drawn[int(second * len(drawn))])
    probability = (1 - BEST_SHARE) / len(new) + (BEST_SHARE / len(best) if index in best else 0.0)
    return Discovery(index, probability)


def _new(catalogue: Catalogue, fresh: BoolArray, now_s: float) -> IndexArray:
    """Newest first."""
    newest = first_allowed(catalogue.by_newest, fresh, MAX_NEW)
    return newest[catalogue.added_at_s.take(newest) >= now_s - NEW_FOR_S]
