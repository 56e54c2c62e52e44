"""What a page is worth: the one number that the choice of rows makes as large as it can.

    worth(page) = sum over rows, from the top, of  row_discount^row * gain(row | rows above it)
    gain(row | above) = worth of its kind * same_kind_discount^(rows of its kind above)
                          * (base_relevance + (1 - base_relevance) * mean relevance of its visible titles)
                        + coverage_worth * (coverage with the row - coverage without it)
    coverage(rows) = sum over genres and types of  interest * (1 - exp(-SATURATION * full rows of it in sight))

The mean counts places to the right less (COLUMN_DISCOUNT) and counts an empty place as nothing. A title that is in
sight above is not counted again, so a row of known titles gains little wherever it stands. Coverage is monotone and
submodular: the second row of westerns adds less than the first. Interest is what the candidates themselves are about,
as a square root of their share, so that a page of a genre, or of a viewer who watches two genres, is not filled up with
what nobody wants, and large genres don't crowd out small ones.

Row discounts fall, so the worth of a page is a positive sum of the worths of its beginnings; greedy choice is within
1 - 1/e of the best for each of them (Nemhauser, Wolsey, Fisher: An analysis of approximations for maximizing
submodular set functions, 1978), as long as no rule forbids a row. With the rules there is no such proof: the tests
compare with all possible pages instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul

import msgspec
import numpy as np

from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, SectionKind
from subgraphs.recommendations.experiments.parameters import (
    BASE_RELEVANCE,
    COVERAGE_WORTH,
    ROW_DISCOUNT,
    SAME_KIND_DISCOUNT,
)
from subgraphs.recommendations.pages.rows import RowCandidate

__all__ = ["GainParts", "Objective", "PreparedRow", "Uncovered", "Weights"]

WORTH: Mapping[SectionKind, float] = {
    SectionKind.CONTINUE_WATCHING: 3.0,
    SectionKind.BECAUSE_YOU_WATCHED: 1.75,
    SectionKind.TOP_PICKS: 1.6,
    SectionKind.MY_LIST: 1.5,
    SectionKind.TRENDING: 1.4,
    SectionKind.COLLECTION: 1.3,
    SectionKind.NEW_RELEASES: 1.25,
    SectionKind.LEAVING_SOON: 1.2,
    SectionKind.POPULAR_IN_COUNTRY: 1.15,
    SectionKind.GENRE: 1.1,
    SectionKind.WATCH_AGAIN: 0.5,
}
"""What one perfectly relevant row of a kind is worth, set by judgement: going on beats discovering, discovering beats
repeating.
"""

COLUMN_DISCOUNT = 0.85
"""Each place to the right is looked at less."""
SATURATION = 2.0
"""One full row of a topic covers it to 86 %."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much; all of it set by judgement, and open to experiments.

    `row_discount`: each row further down is looked at less. `base_relevance`: of the worth that a row has whatever its
    titles, as people come for a kind of row as well.
    """

    worth: Mapping[SectionKind, float] = field(default_factory=lambda: WORTH)
    row_discount: float = ROW_DISCOUNT.default
    same_kind_discount: float = SAME_KIND_DISCOUNT.default
    base_relevance: float = BASE_RELEVANCE.default
    coverage_worth: float = COVERAGE_WORTH.default


MAX_TOPICS = 8
"""Of one title: its type, which stands last, and genres."""

Uncovered = Mapping[str, float]
"""What is still to be gained by genre and type: interest * exp(-SATURATION * full rows of it in sight)."""


class _FirstPlaces(msgspec.Struct, frozen=True):
    """The first places of a row, and what stands there."""

    places: tuple[int, ...]
    works: frozenset[int]


class _InSight(msgspec.Struct, frozen=True):
    """What titles in sight are worth wherever a row stands, as first of its kind, and what they leave of topics."""

    worth: float
    topics: Sequence[str]
    left: Sequence[float]


@dataclass(frozen=True, slots=True)
class PreparedRow:
    """A candidate as plain lists by place; `relevance_bound`: what it can gain by relevance as first of its kind.

    A search places a row again and again, mostly with the same titles: what follows from these alone is kept with it.
    """

    candidate: RowCandidate
    kind: SectionKind
    is_personal: bool
    works: Sequence[int]
    relevance: Sequence[float]
    relevance_bound: float
    all_works: frozenset[int]
    _first: dict[int, _FirstPlaces] = field(default_factory=dict, repr=False, compare=False)
    in_sight: dict[tuple[int, ...], _InSight] = field(default_factory=dict, repr=False, compare=False)

    def first(self, count: int) -> _FirstPlaces:
        """So many of its places, or all."""
        known = self._first.get(count)
        if known is None:
            works = self.works[:count]
            known = self._first[count] = _FirstPlaces(tuple(range(len(works))), frozenset(works))
        return known


class GainParts(msgspec.Struct, frozen=True):
    """What a row gains in a place. `uncovered`: what of its topics is still to be gained below it.

    A Struct, as a search makes a hundred of them: a dataclass takes ten times as long.
    """

    relevance: float
    coverage: float
    uncovered: Uncovered

    @property
    def gain(self) -> float:
        """Both together."""
        return self.relevance + self.coverage


class Objective:
    """The worth of rows on one page; `first_cards`: cards of a row in sight."""

    def __init__(
        self, candidates: Sequence[RowCandidate], catalogue: Catalogue, first_cards: int, weights: Weights
    ) -> None:
        self.weights = weights
        self._coverage_worth = weights.coverage_worth
        self._same_kind = [float(weights.same_kind_discount**above) for above in range(len(candidates) + 1)]
        self._discounts = [COLUMN_DISCOUNT**place for place in range(first_cards)]
        self._discount_sum = sum(self._discounts)
        self._card_shares = [-SATURATION / (max(count, 1) * first_cards) for count in range(MAX_TOPICS + 1)]
        self._topics = catalogue.topics
        self.rows = [self._prepare(row, catalogue) for row in candidates]
        self.interest: Uncovered = _interest(self.rows, catalogue, first_cards)

    def gain(self, row: PreparedRow, in_sight: tuple[int, ...], same_above: int, above: Uncovered) -> GainParts:
        """Of the row with these of its places in sight, below `same_above` rows of its kind."""
        seen = row.in_sight.get(in_sight)
        if seen is None:
            seen = row.in_sight[in_sight] = self._look_at(row, in_sight)
        before = list(map(above.__getitem__, seen.topics))
        after = list(map(mul, before, seen.left))
        return GainParts(
            seen.worth * self._same_kind[same_above],
            self._coverage_worth * (sum(before) - sum(after)),
            dict(zip(seen.topics, after, strict=True)),
        )

    def _look_at(self, row: PreparedRow, in_sight: tuple[int, ...]) -> _InSight:
        relevance = sum(map(mul, self._discounts, map(row.relevance.__getitem__, in_sight))) / self._discount_sum
        # What nobody is interested in adds nothing: it is left out.
        added = dict.fromkeys(self.interest, 0.0)
        for place in in_sight:
            topics = self._topics[row.works[place]][-MAX_TOPICS:]
            share = self._card_shares[len(topics)]
            for topic in topics:
                if topic in added:
                    added[topic] += share
        covered = [topic for topic, amount in added.items() if amount]
        worth = self._kind_worth(row.kind, relevance)
        return _InSight(worth, covered, [math.exp(added[topic]) for topic in covered])

    def relevance_bound(self, row: PreparedRow, same_above: int) -> float:
        """The row gains no more than this by relevance, whatever stands above, with so many rows of its kind above."""
        return row.relevance_bound * self._same_kind[same_above]

    def coverage_bound(self, above: Uncovered) -> float:
        """No row gains more than this by coverage below rows that leave so much uncovered."""
        # A row adds at most one row's worth of cards, and 1 - exp(-x) <= x: all of them in the best topic.
        return self.weights.coverage_worth * min(1.0, SATURATION * max(above.values(), default=0.0))

    def _kind_worth(self, kind: SectionKind, relevance: float) -> float:
        base = self.weights.base_relevance
        return self.weights.worth[kind] * (base + (1 - base) * relevance)

    def _prepare(self, row: RowCandidate, catalogue: Catalogue) -> PreparedRow:
        relevance = row.relevance.tolist()
        works = catalogue.works[row.items].tolist()
        best = np.sort(row.relevance)[: -len(self._discounts) - 1 : -1].tolist()
        most = sum(map(mul, self._discounts, best)) / self._discount_sum
        return PreparedRow(
            candidate=row,
            kind=row.kind,
            is_personal=row.kind in PERSONAL_KINDS,
            works=works,
            relevance=relevance,
            relevance_bound=self._kind_worth(row.kind, most),
            all_works=frozenset(works),
        )


def _interest(rows: Sequence[PreparedRow], catalogue: Catalogue, first_cards: int) -> dict[str, float]:
    """How much what the best places of the candidates are about matters, from their relevance; sums to 1."""
    interest: dict[str, float] = {}
    for row in rows:
        for relevance, work in zip(row.relevance[:first_cards], row.works, strict=False):
            topics = catalogue.topics[work][-MAX_TOPICS:]
            for topic in topics:
                interest[topic] = interest.get(topic, 0.0) + relevance / len(topics)
    total = sum(map(math.sqrt, interest.values()))
    return {topic: math.sqrt(amount) / total for topic, amount in interest.items()} if total > 0 else {}
