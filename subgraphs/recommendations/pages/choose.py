"""The choice over the whole page: which rows, in which order, with which titles.

The problem: rows that are good alone make a bad page together: the same titles again and again, five rows of one
kind, the best row below the fold. The idea: make `objective.worth` of the whole page large. Greedy takes for each slot
from the top the row that gains most there; rows are tried in the order of the most that they could gain, so that a slot
is decided without looking at those that can't win. Then rows of the first answer change places, come in or go as long
as it becomes worth more and `MAX_PLACINGS` last, and greedy fills the page below them.

A search meets the same beginnings of pages again and again, so a beginning remembers what became of the rows that were
tried below it; and a move is given up as soon as it would not pay even if the rows still to come gained what they gain
now, which most moves are after a row or two.

Constraints, held by property tests: no work twice within the first three rows; below them no discovery
row repeats a title in its visible places, nor one that My List shows in its own, wherever that stands, unless the page
is about a title; at most MAX_OF_KIND rows of a kind; a row shows at least MIN_CARDS titles
unless it holds what the profile chose itself; only kinds that the device draws; pinned rows stand first. Where all
discovery rows together have no more than MIN_CARDS titles (a catalogue with three series), these rules would leave
nothing below the hero: there a row may be shorter and show the hero's title again.

Known limit: the search ends in a local optimum. On 400 generated pages of three to six rows that take each other's
titles it was below 97 % of the best page in one case of eighteen, and at 83 % in the worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import mul

import msgspec
import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue
from subgraphs.recommendations.domain.devices import PageBudget
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.pages.objective import GainParts, Objective, PlaceArray, PreparedRow, TopicArray, Weights
from subgraphs.recommendations.pages.rows import RowCandidate

__all__ = ["FIRST_ROWS", "MAX_OF_KIND", "MIN_CARDS", "ChosenRow", "PageChoice"]

FIRST_ROWS = 3
MIN_CARDS = 4
MAX_OF_KIND: Mapping[SectionKind, int] = {
    SectionKind.BECAUSE_YOU_WATCHED: 3,
    SectionKind.TRENDING: 2,
    SectionKind.COLLECTION: 3,
    SectionKind.GENRE: 5,
}
"""Other kinds stand on a page once."""
MAX_PLACINGS = 24
"""Rows that the search places while it tries pages: a quarter of a millisecond's worth. On 648 pages of 50,000 titles
and of real films 60 found 0.015 % more worth, and without a search there was 0.3 % less.
"""
LEFT_OUT_FIRST = 1
"""Rows that the search tries on the page before it moves those that are there. On those pages 24 placings with one find
0.003 % more worth than 30 with two, and 20 with one 0.01 % less.
"""
MIN_IMPROVEMENT = 1e-9


class ChosenRow(msgspec.Struct, frozen=True):
    """A row with the places of its candidate's items that it keeps, in order, and what it gains where it stands."""

    candidate: RowCandidate
    kept: tuple[int, ...]
    parts: GainParts


class _Placed(msgspec.Struct, frozen=True):
    row: PreparedRow
    kept: PlaceArray
    parts: GainParts


class _Beginning(msgspec.Struct, frozen=True):
    """The rows of a page from the top to some slot, the last of them with what is `above` it, and what they leave.

    Of each work on the page, whether it is still free to be shown: `unrepeated` in no row above among the first ones;
    `unseen` not in sight above, nor to be in My List; `free` where a discovery row below may show it in its visible
    places, which is among the first rows when it is both and the hero is another, further down when it is unseen.
    `tried`: by a row's number what became of it in the next slot; None where it may not stand.
    """

    above: _Beginning | None
    last: _Placed | None
    length: int
    kinds: tuple[SectionKind, ...]
    unrepeated: BoolArray
    unseen: BoolArray
    free: BoolArray
    uncovered: TopicArray
    worth: float
    tried: dict[int, _Placed | None]

    def placed(self) -> list[_Placed]:
        """All rows from the top."""
        return [each.last for each in self.beginnings() if each.last is not None]

    def beginnings(self) -> list[_Beginning]:
        """All of them from the empty one to this: by slot, what stands above it."""
        found = [self]
        while (above := found[-1].above) is not None:
            found.append(above)
        found.reverse()
        return found


class PageChoice:
    """One page to choose rows for. `hero_work` is shown above them already; `worth` is open for tests' oracles.

    `listed`: works that discovery rows leave to My List.
    """

    def __init__(
        self,
        candidates: Sequence[RowCandidate],
        catalogue: Catalogue,
        supports: frozenset[SectionKind],
        budget: PageBudget,
        hero_work: int | None,
        *,
        weights: Weights | None = None,
    ) -> None:
        drawn = [row for row in candidates if row.kind in supports]
        self.objective = Objective(drawn, catalogue, budget.first_cards, weights or Weights())
        self.rows = self.objective.rows
        self.slots = budget.max_sections - (hero_work is not None)
        self._budget, self._catalogue = budget, catalogue
        discount = self.objective.weights.row_discount
        self._row_discounts = [float(discount**slot) for slot in range(len(self.rows) + 1)]
        self._most_of_kind = [MAX_OF_KIND.get(row.kind, 1) for row in self.rows]
        self._first_slots = min(self.slots, budget.first_sections - (hero_work is not None))
        self._depth = min(budget.max_cards, max(budget.first_cards, len(catalogue.by_popularity) // 8))
        is_scarce = not self._discovers_enough(frozenset())
        self._min_cards = 1 if is_scarce else MIN_CARDS
        self.listed = self._listed_in_sight()
        above = self.listed.union(() if hero_work is None or is_scarce else (hero_work,))
        anything = np.ones(self.objective.work_count, np.bool_)
        unseen = anything.copy()
        unseen[self.objective.numbers_of(above)] = False
        self._nothing = _Beginning(None, None, 0, (), anything, unseen, unseen, self.objective.interest, 0.0, {})
        self._placings = 0

    def best(self) -> list[ChosenRow]:
        """The page's rows from the top."""
        pinned = self._pinned()
        greedy = self._fill(pinned, self._first_slots)
        improved = self._improve(greedy, pinned.length)
        # A better beginning may leave less for the rest.
        begun = [greedy] if improved is greedy else [improved, greedy]
        page = max((self._fill(each, self.slots) for each in begun), key=_worth)
        if page.length < self.slots and any(self._may_stand(row, page) for row in self._left_out(page)):
            # Rows took the titles that others needed: begin once more with those that have the fewest.
            other = self._append(pinned, sorted(self._left_out(pinned), key=lambda row: len(row.places)), self.slots)
            other = self._fill(self._improve(other, pinned.length), self.slots)
            page = max(page, other, key=_worth)
        return self._rows_of(page)

    def greedy(self) -> list[ChosenRow]:
        """The same without exchanging rows."""
        return self._rows_of(self._fill(self._pinned(), self.slots))

    def worth(self, order: Sequence[int]) -> float | None:
        """Of the page of these rows, by their numbers, from the top; None when a rule forbids it."""
        page = self._append(self._nothing, [self.rows[number] for number in order], self.slots)
        return page.worth if page.length == len(order) else None

    def _listed_in_sight(self) -> frozenset[int]:
        """What My List shows, and discovery rows therefore need not, above as well as below; nothing where that is all.

        Decided before its slot is: rows are chosen from the top, and the list, whose worth is middling and the same
        wherever it stands, mostly ends up right below the row that would be full of it.
        """
        listed: frozenset[int] = frozenset()
        for row in self.rows:
            if row.candidate.is_pinned and not row.is_personal:
                return frozenset()
            if row.kind is SectionKind.MY_LIST:
                items = row.candidate.items[: self._budget.first_cards]
                listed = frozenset(self._catalogue.works[items].tolist())
        return listed if listed and self._discovers_enough(listed) else frozenset()

    def _discovers_enough(self, listed: frozenset[int]) -> bool:
        """Whether discovery rows have more than MIN_CARDS works beside these."""
        discovered = [row.works for row in self.rows if not row.is_personal]
        # A row names no work twice: mostly one of them is long enough.
        if any(len(works) > MIN_CARDS + len(listed) for works in discovered):
            return True
        others = {number for works in discovered for number in works.tolist()}
        return len(others.difference(self.objective.numbers_of(listed))) > MIN_CARDS

    def _rows_of(self, page: _Beginning) -> list[ChosenRow]:
        """With all cards of the rows below the first ones."""
        rows = []
        for above, each in zip(page.beginnings(), page.placed(), strict=False):
            kept = each.kept
            if not each.row.is_personal and above.length >= FIRST_ROWS:
                kept = _places_of(each.row, above.free, self._depth)
            rows.append(ChosenRow(each.row.candidate, tuple(kept.tolist()), each.parts))
        return rows

    def _left_out(self, page: _Beginning) -> list[PreparedRow]:
        used = {each.row.number for each in page.placed()}
        return [row for row in self.rows if row.number not in used]

    def _pinned(self) -> _Beginning:
        page = self._nothing
        for row in self.rows:
            placed = self._place(row, page) if row.candidate.is_pinned else None
            if placed is not None and page.length < self.slots:
                page = self._with(page, placed)
        return page

    def _fill(self, page: _Beginning, slots: int) -> _Beginning:
        """Greedy from where the page ends to so many slots, or until no row fits."""
        remaining = self._left_out(page)
        while remaining and page.length < slots:
            found = self._best_next(remaining, page) or self._best_cut(remaining, page)
            if found is None:
                break
            page = self._with(page, found)
            remaining = [row for row in remaining if row is not found.row]
        return page

    def _best_next(self, remaining: Sequence[PreparedRow], page: _Beginning) -> _Placed | None:
        """The row that gains most in the next slot; of equal ones the one proposed first."""
        count, to_cover = page.kinds.count, self.objective.coverage_bound(page.uncovered)
        bounds = [
            (-to_cover - self.objective.relevance_bound(row, above), row.number)
            for row in remaining
            if (above := count(row.kind)) < self._most_of_kind[row.number]
        ]
        best: tuple[float, int, _Placed] | None = None
        for bound, number in sorted(bounds):
            if best is not None and -bound < best[0]:
                break
            placed = self._place(self.rows[number], page)
            if placed is not None and (best is None or (placed.parts.gain, -number) > (best[0], -best[1])):
                best = (placed.parts.gain, number, placed)
        return None if best is None else best[2]

    def _best_cut(self, remaining: Sequence[PreparedRow], page: _Beginning) -> _Placed | None:
        """Where no row can be shown whole: of the profile's own rows the one that gains most without what is above."""
        cut = (self._place_cut(row, page) for row in remaining)
        return max((placed for placed in cut if placed is not None), key=_gain, default=None)

    def _improve(self, page: _Beginning, fixed: int) -> _Beginning:
        """Moves rows below the `fixed` first ones while that makes the page worth more and the budget lasts.

        First moves that promise to, then all that there are.
        """
        last_placing = self._placings + MAX_PLACINGS
        for is_sceptical in (True, False):
            page = self._climb(page, fixed, last_placing, is_sceptical=is_sceptical)
        return page

    def _climb(self, page: _Beginning, fixed: int, last_placing: int, *, is_sceptical: bool) -> _Beginning:
        """The page after moves until none makes it worth more; `is_sceptical`: of those that promise to."""
        slots = max(page.length, self._first_slots)
        while self._placings < last_placing:
            placed, beginnings = page.placed(), page.beginnings()
            gains = {each.row.number: each.parts.gain for each in placed} if is_sceptical else None
            for slot, rows in self._moves([each.row for each in placed], fixed):
                if self._placings >= last_placing:
                    return page
                better = self._better(page.worth + MIN_IMPROVEMENT, beginnings[slot], rows, slots, gains)
                if better is not None:
                    page = better
                    break
            else:
                break
        return page

    def _better(
        self,
        worth: float,
        page: _Beginning,
        rows: Sequence[PreparedRow],
        slots: int,
        gains: Mapping[int, float] | None,
    ) -> _Beginning | None:
        """The page with these rows below it, up to so many; None when it is not worth more than `worth`.

        With `gains`, what rows gain now by their numbers, it is given up where it would not be even if the rows still
        to come gained that. It is no bound, as a row may gain by a move of others above it; mostly it loses.
        """
        now = None if gains is None else [gains.get(row.number, 0.0) for row in rows]
        for number, row in enumerate(rows, 1):
            if page.length == slots:
                break
            placed = self._admit(row, page)
            if placed is None:
                continue
            if now is not None:
                gained = [placed.parts.gain, *now[number:]]
                if page.worth + sum(map(mul, self._row_discounts[page.length : slots], gained)) <= worth:
                    return None
            page = self._with(page, placed)
        return page if page.worth > worth else None

    def _moves(self, order: Sequence[PreparedRow], fixed: int) -> Iterator[tuple[int, list[PreparedRow]]]:
        """(slot from which the page is another, its rows from there on).

        Neighbours change places; a row that was left out comes in; one from further down comes up; one goes.
        """
        slots = range(fixed, len(order))
        yield from ((slot, [order[slot + 1], order[slot], *order[slot + 2 :]]) for slot in slots[:-1])
        on_page = {row.number for row in order}
        left_out = [row for row in self.rows if row.number not in on_page]
        left_out.sort(key=lambda row: -self.objective.relevance_bound(row, 0))
        for row in left_out[:LEFT_OUT_FIRST]:
            yield from ((slot, [row, *order[slot:]]) for slot in slots)
        for slot in slots:
            yield from (
                (slot, [order[other], *order[slot:other], *order[other + 1 :]]) for other in range(slot + 2, len(order))
            )
        for row in left_out[LEFT_OUT_FIRST:]:
            yield from ((slot, [row, *order[slot:]]) for slot in slots)
        yield from ((slot, [*order[slot + 1 :], order[slot]]) for slot in slots[:-2])

    def _append(self, page: _Beginning, rows: Iterable[PreparedRow], slots: int) -> _Beginning:
        """The page with these rows below it up to so many, without those that don't fit there."""
        for row in rows:
            if page.length == slots:
                break
            placed = self._admit(row, page)
            if placed is not None:
                page = self._with(page, placed)
        return page

    def _admit(self, row: PreparedRow, page: _Beginning) -> _Placed | None:
        """The row in the next slot; cut only where no other row of the candidates would fit whole."""
        placed = self._place(row, page)
        if placed is not None or not row.is_personal or page.length >= FIRST_ROWS:
            return placed
        if any(self._place(other, page) for other in self._left_out(page)):
            return None
        return self._place_cut(row, page)

    def _with(self, page: _Beginning, placed: _Placed) -> _Beginning:
        slot, works = page.length, placed.row.works.take(placed.kept)
        unseen, unrepeated = page.unseen.copy(), page.unrepeated
        unseen[works[: self._budget.first_cards]] = False
        if slot < FIRST_ROWS:
            unrepeated = unrepeated.copy()
            unrepeated[works] = False
        return _Beginning(
            above=page,
            last=placed,
            length=slot + 1,
            kinds=(*page.kinds, placed.row.kind),
            unrepeated=unrepeated,
            unseen=unseen,
            free=unseen & unrepeated if slot + 1 < FIRST_ROWS else unseen,
            uncovered=page.uncovered * placed.parts.left,
            worth=page.worth + self._row_discounts[slot] * placed.parts.gain,
            tried={},
        )

    def _place(self, row: PreparedRow, page: _Beginning) -> _Placed | None:
        """The row in the next slot; None when a rule forbids it there.

        Among the first rows, where nothing may be repeated, a row of what the profile chose itself is shown whole: it
        waits for a slot further down where it can't be.
        """
        if row.number in page.tried:
            return page.tried[row.number]
        self._placings += 1
        placed = None
        if self._may_stand(row, page):
            kept = self._keep_own(row, page) if row.is_personal else self._keep(row, page)
            if len(kept):
                placed = self._weigh(row, kept, page)
        page.tried[row.number] = placed
        return placed

    def _place_cut(self, row: PreparedRow, page: _Beginning) -> _Placed | None:
        """The same for a row of what the profile chose itself among the first rows, without what is shown above."""
        if not row.is_personal or page.length >= FIRST_ROWS or not self._may_stand(row, page):
            return None
        kept = _places_of(row, page.unrepeated, self._budget.max_cards)
        return self._weigh(row, kept, page) if len(kept) else None

    def _weigh(self, row: PreparedRow, kept: PlaceArray, page: _Beginning) -> _Placed:
        in_sight = self.objective.look_at(row, kept[: self._budget.first_cards])
        return _Placed(row, kept, self.objective.gain(in_sight, page.kinds.count(row.kind), page.uncovered))

    def _may_stand(self, row: PreparedRow, page: _Beginning) -> bool:
        return page.kinds.count(row.kind) < self._most_of_kind[row.number]

    def _keep_own(self, row: PreparedRow, page: _Beginning) -> PlaceArray:
        """Places of a row of what the profile chose itself: the first ones, or none where one would be repeated."""
        is_whole = page.length >= FIRST_ROWS or page.unrepeated.take(row.works).all()
        return row.places[: self._budget.max_cards if is_whole else 0]

    def _keep(self, row: PreparedRow, page: _Beginning) -> PlaceArray:
        """Places of a discovery row's items that it may show here; empty when they are too few for a row."""
        # Further down nothing but what is in sight has a part in the choice; `_rows_of` adds the rest.
        kept = _places_of(row, page.free, self._depth if page.length < FIRST_ROWS else self._budget.first_cards)
        return kept if len(kept) >= self._min_cards else kept[:0]


def _places_of(row: PreparedRow, works: BoolArray, most: int) -> PlaceArray:
    """The row's first places where one of these works stands."""
    return works.take(row.works).nonzero()[0][:most]


def _worth(page: _Beginning) -> float:
    return page.worth


def _gain(placed: _Placed) -> float:
    return placed.parts.gain
