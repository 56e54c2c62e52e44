"""The choice over the whole page: which rows, in which order, with which titles.

The problem: rows that are good alone make a bad page together: the same titles again and again, five rows of one
kind, the best row below the fold. The idea: greedy over slots from the top; at each slot every remaining row is
valued by what it would *add there*: its kind's worth, times how relevant its visible titles are that the page does
not show yet, less for each row of its kind above. The row with the greatest value takes the slot and its titles are
marked as shown.

Constraints, held by property tests: no work twice within the first three rows; below them no discovery
row repeats a title in its visible places; at most MAX_OF_KIND rows of a kind; a row shows at least MIN_CARDS titles
unless it holds what the profile chose itself; only kinds that the device draws. Where all discovery rows together have
no more than MIN_CARDS titles (a catalogue with three series), these rules would leave nothing below the hero: there a
row may be shorter and show the hero's title again. Known limit: greedy is not optimal; no row is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.devices import PageBudget
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, SectionKind
from subgraphs.recommendations.pages.rows import RowCandidate

__all__ = ["FIRST_ROWS", "ChosenRow", "choose_rows"]

FIRST_ROWS = 3
MIN_CARDS = 4
MAX_OF_KIND: Mapping[SectionKind, int] = {SectionKind.BECAUSE_YOU_WATCHED: 3, SectionKind.GENRE: 5}
"""Other kinds stand on a page once."""

WORTH: Mapping[SectionKind, float] = {
    SectionKind.CONTINUE_WATCHING: 3.0,
    SectionKind.BECAUSE_YOU_WATCHED: 1.75,
    SectionKind.TOP_PICKS: 1.6,
    SectionKind.MY_LIST: 1.5,
    SectionKind.TRENDING: 1.4,
    SectionKind.NEW_RELEASES: 1.25,
    SectionKind.POPULAR_IN_COUNTRY: 1.15,
    SectionKind.GENRE: 1.1,
    SectionKind.WATCH_AGAIN: 0.5,
}
"""What one perfectly relevant row of a kind is worth, set by judgement: going on beats discovering, discovering beats
repeating.
"""

PLACE_DISCOUNT = 0.85
"""Each place to the right is looked at less."""
SAME_KIND_DISCOUNT = 0.6
SAME_KIND_BESIDE_DISCOUNT = 0.7
BASE_RELEVANCE = 0.35
"""Of the worth that a row has whatever its titles: people come for a kind of row as well."""


@dataclass(frozen=True)
class ChosenRow:
    """A row with the places of its candidate's items that it keeps, in order."""

    candidate: RowCandidate
    kept: tuple[int, ...]


class _Fit(Enum):
    """How a row of what the profile chose itself stands among the first rows, where nothing may be repeated."""

    WHOLE = "only where it can be shown whole; else it waits for a slot further down"
    CUT = "without what is shown above: there is nothing else for the slot"
    FREE = "repeating what is above is allowed here"


@dataclass(frozen=True)
class _Shown:
    """Works shown so far: all of the first rows, and those in the visible places of every section.

    `depth`: how many cards a discovery row has at most; `min_cards`: how many it needs.
    """

    in_first_rows: set[int]
    visible: set[int]
    depth: int
    min_cards: int


def choose_rows(
    candidates: Sequence[RowCandidate],
    catalogue: Catalogue,
    supports: frozenset[SectionKind],
    budget: PageBudget,
    hero_work: int | None,
) -> list[ChosenRow]:
    """The page's rows from the top. `hero_work` is shown above them already."""
    remaining = [row for row in candidates if row.kind in supports]
    depth = min(budget.max_cards, max(budget.first_cards, len(catalogue.by_popularity) // 8))
    is_scarce = _discovery_work_count(remaining, catalogue) <= MIN_CARDS
    above = set() if hero_work is None or is_scarce else {hero_work}
    shown = _Shown(set(), above, depth, 1 if is_scarce else MIN_CARDS)
    chosen: list[ChosenRow] = []
    sections_left = budget.max_sections - (hero_work is not None)
    while remaining and len(chosen) < sections_left:
        is_first = len(chosen) < FIRST_ROWS
        ways = (_Fit.WHOLE, _Fit.CUT) if is_first else (_Fit.FREE,)
        options = next(
            filter(None, (_options(remaining, catalogue, shown, chosen, budget, fit=fit) for fit in ways)), []
        )
        if not options:
            break
        _, place, kept = max(options, key=lambda option: (option[0], -option[1]))
        row = remaining.pop(place)
        works = [int(catalogue.works[int(row.items[item])]) for item in kept]
        chosen.append(ChosenRow(row, tuple(kept)))
        if is_first:
            shown.in_first_rows.update(works)
        shown.visible.update(works[: budget.first_cards])
    return chosen


def _discovery_work_count(rows: Sequence[RowCandidate], catalogue: Catalogue) -> int:
    works = [catalogue.works[row.items] for row in rows if row.kind not in PERSONAL_KINDS]
    return len(np.unique(np.concatenate(works))) if works else 0


def _options(
    remaining: Sequence[RowCandidate],
    catalogue: Catalogue,
    shown: _Shown,
    chosen: Sequence[ChosenRow],
    budget: PageBudget,
    *,
    fit: _Fit,
) -> list[tuple[float, int, list[int]]]:
    """Every row that may take the next slot: its value there, its place among the remaining, what it keeps."""
    return [
        (value, place, kept)
        for place, row in enumerate(remaining)
        if (kept := _keep(row, catalogue, shown, budget, fit)) and (value := _value(row, kept, chosen, budget)) > 0
    ]


def _keep(row: RowCandidate, catalogue: Catalogue, shown: _Shown, budget: PageBudget, fit: _Fit) -> list[int]:
    """Places of the row's items that it may show here; empty when they are too few for a row."""
    works = catalogue.works[row.items].tolist()
    if row.kind in PERSONAL_KINDS:
        hidden = set() if fit is _Fit.FREE else shown.in_first_rows
        if fit is _Fit.WHOLE and not hidden.isdisjoint(works):
            return []
        return [place for place, work in enumerate(works) if work not in hidden][: budget.max_cards]
    hidden = shown.visible if fit is _Fit.FREE else shown.visible | shown.in_first_rows
    kept = [place for place, work in enumerate(works) if work not in hidden][: shown.depth]
    return kept if len(kept) >= shown.min_cards else []


def _value(row: RowCandidate, kept: Sequence[int], chosen: Sequence[ChosenRow], budget: PageBudget) -> float:
    same = sum(1 for other in chosen if other.candidate.kind is row.kind)
    if same >= MAX_OF_KIND.get(row.kind, 1):
        return 0.0
    first = np.asarray(kept[: budget.first_cards])
    discounts = PLACE_DISCOUNT ** np.arange(budget.first_cards)
    relevance = float((row.relevance[first] * discounts[: len(first)]).sum() / discounts.sum())
    worth = WORTH[row.kind] * (BASE_RELEVANCE + (1 - BASE_RELEVANCE) * relevance) * SAME_KIND_DISCOUNT**same
    is_beside = bool(chosen) and chosen[-1].candidate.kind is row.kind
    return worth * (SAME_KIND_BESIDE_DISCOUNT if is_beside else 1.0)
