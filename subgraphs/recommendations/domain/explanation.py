"""Why a page is as it is, as a record for people and programs: JSON in the debug data, text in the terminal.

All worths are in the unit of `pages/objective.py`; all ranks count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CardExplanation", "CauseTrial", "LostRow", "PageExplanation", "RowExplanation"]


@dataclass(frozen=True, slots=True)
class CauseTrial:
    """The known title that adds most to a card's score, and what its absence does: the counterfactual.

    `rank`: the card's place by score among all that discovery rows may show; `rank_without`: its place when the profile
    had never met the cause. `shares_with`: genres and people that both titles have. `is_named`: a reason says it.
    """

    title_id: str
    name: str
    rank: int
    rank_without: int
    shares_with: Sequence[str]
    is_named: bool


@dataclass(frozen=True, slots=True)
class CardExplanation:
    """`score` is 0 to 1, the sum of `by_model` as far as that is above 0; `relevance`: what it counts in its row."""

    title_id: str
    name: str
    relevance: float
    score: float
    by_model: Mapping[str, float]
    popularity: float
    genres: Sequence[str]
    cause: CauseTrial | None


@dataclass(frozen=True, slots=True)
class RowExplanation:
    """A row of the page, `place` 1 at the top of those below the hero.

    `worth` = `place_weight` * (`relevance` + `coverage`). `relevance`: of its kind and of its titles in sight;
    `coverage`: of the genres and types that it adds to those above, `adds` by topic. `page_without`: what the page
    loses when the row is taken out and those below come up. `place_alone`: where it would stand if each row stood by
    what it gains at the top. `rules`: what pinned it, moved it or took titles out of it.
    """

    place: int
    key: str
    kind: str
    heading: str
    place_weight: float
    relevance: float
    coverage: float
    worth: float
    page_without: float | None
    place_alone: int
    adds: Mapping[str, float]
    rules: Sequence[str]
    card_count: int
    cards: Sequence[CardExplanation]


@dataclass(frozen=True, slots=True)
class LostRow:
    """A candidate that is not on the page. `why`: the rule that forbids it, or what the page would lose with it."""

    key: str
    kind: str
    heading: str
    title_count: int
    why: str


@dataclass(frozen=True, slots=True)
class PageExplanation:
    """`knows`: what is known of the profile, counted; `weights`: of the models in the blend; `hero`: the top title."""

    page_id: str
    revision: str
    kind: str
    form_factor: str
    country: str | None
    knows: Mapping[str, int]
    weights: Mapping[str, float]
    candidate_count: int
    worth: float
    hero: CardExplanation | None
    rows: Sequence[RowExplanation]
    lost: Sequence[LostRow]
