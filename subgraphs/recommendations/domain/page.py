"""A finished page: what it shows, in order, independent of the catalogue that it was built from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from subgraphs.recommendations.domain.artwork_sizes import ImageFormat
from subgraphs.recommendations.domain.devices import PageBudget, RowLayout
from subgraphs.recommendations.domain.sections import PageKind, SectionKind

__all__ = ["Card", "Page", "Reason", "Section"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Words for people, and the title that they name."""

    text: str
    because_of: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """`title_id` is what opens; `series_id` is set where that is an episode to go on with."""

    title_id: str
    series_id: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """`key` is unique on its page and the same on every page that has this section."""

    key: str
    kind: SectionKind
    heading: str
    reason: Reason | None
    layout: RowLayout
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """`revision` names exactly this content for this owner; `owner` is who may read it again by its revision."""

    id: str
    owner: str
    kind: PageKind
    revision: str
    built_at: datetime
    expires_at: datetime
    budget: PageBudget
    image_format: ImageFormat
    sections: tuple[Section, ...]

    @property
    def title_ids(self) -> frozenset[str]:
        """Every title that the page shows or names."""
        cards = [card for section in self.sections for card in section.cards]
        reasons = [*(section.reason for section in self.sections), *(card.reason for card in cards)]
        found = {card.title_id for card in cards} | {card.series_id for card in cards}
        found |= {reason.because_of for reason in reasons if reason is not None}
        return frozenset(title_id for title_id in found if title_id is not None)
