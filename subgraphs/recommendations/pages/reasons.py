"""Why a card: the title of the profile's history that draws it, if that is true.

What adds most to a score need not be why a title stands high: without it others may lose more. So titles that stand
high are scored once more without the cause, and the reason is given only if the card's title then stands further down.
`max_causes` different ones are tried on a page, in the order in which cards are looked at, and other cards stay without
a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, FloatArray, IndexArray
from subgraphs.recommendations.domain.ordering import best_places
from subgraphs.recommendations.domain.page import Reason
from subgraphs.recommendations.models.blend import ProfileScores
from subgraphs.recommendations.models.counterfactuals import Counterfactuals

__all__ = ["Reasons", "Trial"]

MAX_CAUSES = 6
POOL = 200
"""Titles that stand highest, among which a card's title must fall without its cause. Titles outside could only push it
down further: none is said to fall that does not.
"""
TRIED_AHEAD = 24
"""More than get a reason on a page, as rows above take some of them: a second trial costs more than a few titles."""
CLEAR = 1e-5
"""Of the scores' greatest value: what differs by less may be rounding."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A card's place among all titles that rows may show, 0 the highest, and (at least) that without its `cause`."""

    cause: int
    rank: int
    rank_without: int


class Reasons:
    """For one page. `fresh`: what discovery rows may show; only what is `allowed` is named.

    `best`: at least POOL of the fresh titles that the profile wants most, in order, where they are known already.
    """

    def __init__(
        self,
        profile: ProfileScores,
        allowed: BoolArray,
        fresh: BoolArray,
        *,
        max_causes: int = MAX_CAUSES,
        best: IndexArray | None = None,
    ) -> None:
        self._best = best
        self._profile = profile
        self._allowed = allowed
        self._fresh = fresh
        self._max_causes = max_causes
        self._without: dict[int, FloatArray] = {}
        self._trials: dict[int, Trial | None] = {}
        # By the scores' identity: each holds its own, so that none is given to others meanwhile.
        self._others: dict[int, Reasons] = {}

    def by(self, ranker: ProfileScores) -> Reasons:
        """The same for titles that other scores put where they are: their cause must be true of those scores."""
        if ranker is self._profile:
            return self
        known = self._others.get(id(ranker))
        if known is None:
            known = self._others[id(ranker)] = Reasons(ranker, self._allowed, self._fresh, max_causes=self._max_causes)
        return known

    def of(self, index: int) -> Reason | None:
        """The cause said as it is: watched, liked, picked, looked for or listed; None when none can be named truly."""
        trial = self.trial(index)
        if trial is None or trial.rank_without <= trial.rank:
            return None
        profile, cause = self._profile, trial.cause
        record = profile.models.catalogue.records[cause]
        if cause in profile.signals.watched_at_s:
            return Reason(f"Because you watched {record.display_name}", record.id)
        if cause in profile.signals.liked:
            return Reason(f"Because you like {record.display_name}", record.id)
        if cause in profile.signals.picked_at_s:
            return Reason(f"Because you picked {record.display_name}", record.id)
        if cause in profile.signals.sought:
            return Reason(f"Because you looked for {record.display_name}", record.id)
        return Reason(f"Because {record.display_name} is on your list", record.id)

    def trial(self, index: int) -> Trial | None:
        """How the title stands without the one that adds most to it; None when that may not be named or tried."""
        if index not in self._trials:
            # The titles that suit best come next: tried together they cost little more than one.
            ahead = [each for each in self._pool[:TRIED_AHEAD].tolist() if each not in self._trials and each != index]
            self._try([index, *ahead] if index in self._places else [])
        return self._trials.setdefault(index, None)

    def _try(self, indices: Sequence[int]) -> None:
        causes = self._profile.causes(indices)
        wanted = [each for each in dict.fromkeys(causes) if each is not None and self._allowed[each]]
        new = [each for each in wanted if each not in self._without][: self._max_causes - len(self._without)]
        if new:
            self._without |= dict(zip(new, self._counterfactuals.without(new), strict=True))
        found = {
            index: cause
            for index, cause in zip(indices, causes, strict=True)
            if cause is not None and cause in self._without
        }
        self._trials |= dict.fromkeys(indices)
        if found:
            self._trials |= self._compare(found)

    def _compare(self, causes: Mapping[int, int]) -> dict[int, Trial]:
        """By title of the pool, for the cause of each, all at once."""
        places, standing = [self._places[index] for index in causes], self._counterfactuals.standing
        without = np.stack([self._without[cause] for cause in causes.values()])
        own = without[np.arange(len(places)), places] + np.float32(CLEAR) * without.max(axis=1)
        # What stands above a title of the pool is in the pool.
        ranks = np.count_nonzero(standing > standing[places, None], axis=1).tolist()
        ranks_without = np.count_nonzero(without > own[:, None], axis=1).tolist()
        return dict(zip(causes, map(Trial, causes.values(), ranks, ranks_without), strict=True))

    @cached_property
    def _pool(self) -> IndexArray:
        return best_places(self._profile.scores, self._fresh, POOL) if self._best is None else self._best[:POOL]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {index: place for place, index in enumerate(self._pool.tolist())}

    @cached_property
    def _counterfactuals(self) -> Counterfactuals:
        return Counterfactuals(self._profile, self._pool)
