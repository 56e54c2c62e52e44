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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, SectionKind
from subgraphs.recommendations.experiments.parameters import (
    BASE_RELEVANCE,
    COVERAGE_WORTH,
    ROW_DISCOUNT,
    SAME_KIND_DISCOUNT,
)
from subgraphs.recommendations.pages.rows import RowCandidate

__all__ = ["GainParts", "InSight", "Objective", "PlaceArray", "PreparedRow", "TopicArray", "Weights"]

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


TopicArray = npt.NDArray[np.float64]
"""A number for each topic, in the order of the catalogue's table."""


PlaceArray = npt.NDArray[np.intp]
"""Places of a row, from 0, in order."""


class InSight(msgspec.Struct, frozen=True):
    """Titles of a row that are in sight. `worth`: of their relevance, as the first row of its kind.

    `covered`: the part of what is uncovered of each topic that they cover; `left`: the rest of it.
    """

    worth: float
    covered: TopicArray
    left: TopicArray


class PreparedRow(msgspec.Struct, frozen=True):
    """A candidate by its number among the rows of the choice; `works`, `relevance` and `topics` by place.

    `works` are numbered by page, from 0 to `Objective.work_count`, so that a set of them is a short array of booleans;
    `topics` are rows of the catalogue's table. `relevance_bound`: what it can gain by relevance as first of its kind.
    A search places a row again and again, mostly with the same titles: what follows from these alone is kept in `seen`.
    """

    number: int
    candidate: RowCandidate
    kind: SectionKind
    is_personal: bool
    places: PlaceArray
    works: PlaceArray
    relevance: npt.NDArray[np.float64]
    topics: npt.NDArray[np.intp]
    relevance_bound: float
    seen: dict[bytes, InSight]


class GainParts(msgspec.Struct, frozen=True):
    """What a row gains in a place; `left`: the part of each topic that it leaves to be gained below it.

    A Struct, as a search makes a hundred of them: a dataclass takes ten times as long.
    """

    relevance: float
    coverage: float
    left: TopicArray

    @property
    def gain(self) -> float:
        """Both together."""
        return self.relevance + self.coverage


class Objective:
    """The worth of rows on one page; `first_cards`: cards of a row in sight.

    `interest`: how much each topic, of `topics`, matters to who sees the page; it sums to 1, or to 0 for no rows.
    """

    def __init__(
        self, candidates: Sequence[RowCandidate], catalogue: Catalogue, first_cards: int, weights: Weights
    ) -> None:
        self.weights = weights
        self.topics = catalogue.topic_table.names
        self._table = catalogue.topic_table
        self._coverage_worth = weights.coverage_worth
        self._same_kind = [float(weights.same_kind_discount**above) for above in range(len(candidates) + 1)]
        discounts = COLUMN_DISCOUNT ** np.arange(first_cards)
        self._place_weights = discounts / discounts.sum()
        self._card_weights = np.full(first_cards, -SATURATION / first_cards)
        self._numbers, self.work_count = np.full(len(catalogue.works), -1, np.int32), 0
        self.rows, self.interest = self._prepare(candidates, catalogue) if candidates else ([], np.zeros(0))

    def numbers_of(self, works: Iterable[int]) -> list[int]:
        """The page's numbers of these works, by their places in the catalogue, without those that are in no row."""
        return [number for number in self._numbers[list(works)].tolist() if number >= 0]

    def look_at(self, row: PreparedRow, places: PlaceArray) -> InSight:
        """These places of the row, no more than there are in sight."""
        name = places.tobytes()
        seen = row.seen.get(name)
        if seen is None:
            seen = row.seen[name] = self._look_at(row, places)
        return seen

    def gain(self, seen: InSight, same_above: int, uncovered: TopicArray) -> GainParts:
        """Of a row with this in sight, below `same_above` rows of its kind and with so much of each topic uncovered."""
        return GainParts(
            seen.worth * self._same_kind[same_above],
            self._coverage_worth * float(uncovered.dot(seen.covered)),
            seen.left,
        )

    def _look_at(self, row: PreparedRow, places: PlaceArray) -> InSight:
        count = len(places)
        relevance = float(row.relevance.take(places).dot(self._place_weights[:count]))
        shares = self._table.shares.take(row.topics.take(places), axis=0)
        left = np.exp(self._card_weights[:count].dot(shares))
        return InSight(self._kind_worth(row.kind, relevance), 1.0 - left, left)

    def relevance_bound(self, row: PreparedRow, same_above: int) -> float:
        """The row gains no more than this by relevance, whatever stands above, with so many rows of its kind above."""
        return row.relevance_bound * self._same_kind[same_above]

    def coverage_bound(self, uncovered: TopicArray) -> float:
        """No row gains more than this by coverage below rows that leave so much uncovered."""
        # A row adds at most one row's worth of cards, and 1 - exp(-x) <= x: all of them in the best topic.
        return self._coverage_worth * min(1.0, SATURATION * float(uncovered.max(initial=0.0)))

    def _kind_worth(self, kind: SectionKind, relevance: float) -> float:
        base = self.weights.base_relevance
        return self.weights.worth[kind] * (base + (1 - base) * relevance)

    def _prepare(
        self, candidates: Sequence[RowCandidate], catalogue: Catalogue
    ) -> tuple[list[PreparedRow], TopicArray]:
        """The rows, with their first places looked at, and the interest: of all rows at once, as they are short."""
        lengths, cards = [len(row.items) for row in candidates], len(self._place_weights)
        shape = (len(candidates), max(cards, *lengths))
        is_title = np.arange(shape[1]) < np.array(lengths)[:, None]
        works = catalogue.works.take(np.concatenate([row.items for row in candidates])).astype(np.intp)
        relevance, topics = np.zeros(shape), np.full(shape, self._table.nothing, np.intp)
        relevance[is_title] = np.concatenate([row.relevance for row in candidates])
        topics[is_title] = self._table.lists.take(works)
        # Of a work that stands in several rows the last number stays.
        self.work_count = len(works)
        self._numbers[works] = np.arange(self.work_count)
        numbers = self._numbers.take(works).astype(np.intp)

        shares = self._table.shares.take(topics[:, :cards], axis=0)
        left = np.exp(self._card_weights @ shares)
        covered = 1.0 - left
        first = (relevance[:, :cards] @ self._place_weights).tolist()
        most = (np.sort(relevance, axis=1)[:, : -cards - 1 : -1] @ self._place_weights).tolist()
        places, start, rows = np.arange(shape[1]), 0, []
        for number, (row, length) in enumerate(zip(candidates, lengths, strict=True)):
            in_sight = InSight(self._kind_worth(row.kind, first[number]), covered[number], left[number])
            prepared = PreparedRow(
                number=number,
                candidate=row,
                kind=row.kind,
                is_personal=row.kind in PERSONAL_KINDS,
                places=places[:length],
                works=numbers[start : start + length],
                relevance=relevance[number],
                topics=topics[number],
                relevance_bound=self._kind_worth(row.kind, most[number]),
                seen={places[: min(length, cards)].tobytes(): in_sight},
            )
            rows.append(prepared)
            start += length
        return rows, _interest(relevance[:, :cards], shares)


def _interest(relevance: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> TopicArray:
    """How much what the best places of the candidates are about matters, from their relevance; sums to 1."""
    amounts = np.sqrt(relevance.ravel() @ shares.reshape(relevance.size, -1))
    return amounts / (amounts.sum() or 1.0)
