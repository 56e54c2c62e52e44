"""A finished page: what it shows, in order, independent of the catalogue that it was built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from subgraphs.recommendations.domain.artwork_sizes import MAIN_VARIANT, ImageFormat
from subgraphs.recommendations.domain.devices import Device, PageBudget, RowLayout, budget_of
from subgraphs.recommendations.domain.sections import PageKind, SectionKind

__all__ = ["Card", "Exposure", "Page", "PageWish", "Reason", "Section"]


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Words for people, and the title that they name."""

    text: str
    because_of: str | None = None


class Card(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`title_id` is what opens; `series_id` is set where that is an episode to go on with.

    `team` is the tracking code of the ranker that put it there, in a row of two, or of the draw. `variant` says which
    of the title's pictures it shows. A Struct, as a page makes hundreds of them: a dataclass takes ten times as long.
    Nine of ten say nothing but their title: as JSON, what is as always is left out.
    """

    title_id: str
    series_id: str | None = None
    reason: Reason | None = None
    team: str = ""
    variant: str = MAIN_VARIANT


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
class PageWish:
    """What a client asked for: which page, on what, for GENRE and MORE_LIKE_THIS pages of what."""

    kind: PageKind
    device: Device
    genre_id: str | None = None
    title_id: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """An experiment that had a say in a page, and the arm; "" where the page shows both.

    `code` stands for it in tracking. `is_counted`: not for testers who chose their arm.
    """

    experiment_id: str
    version: int
    arm: str
    code: str
    is_counted: bool = True

    @property
    def key(self) -> str:
        """Of the experiment's version."""
        return f"{self.experiment_id}:{self.version}"


@dataclass(frozen=True, slots=True)
class Page:
    """`revision` names exactly this content for this owner; `owner` is who may read it again by its revision.

    `exposures`: the experiments that had a say in it, by their names. `artwork_tag` names the choice of its pictures;
    "" where they are everybody's. `matches` says how well the titles of its first answer suit the profile, 0 to 1, or
    None where that is not known.
    """

    id: str
    owner: str
    wish: PageWish
    revision: str
    built_at: datetime
    expires_at: datetime
    sections: tuple[Section, ...]
    exposures: tuple[Exposure, ...] = ()
    artwork_tag: str = ""
    matches: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def kind(self) -> PageKind:
        """Which page."""
        return self.wish.kind

    @property
    def budget(self) -> PageBudget:
        """Of the device."""
        return budget_of(self.wish.device.form_factor)

    @property
    def image_format(self) -> ImageFormat:
        """Of every image on it."""
        return self.wish.device.image_format

    @property
    def title_ids(self) -> frozenset[str]:
        """Every title that the page shows or names."""
        cards = [card for section in self.sections for card in section.cards]
        reasons = [*(section.reason for section in self.sections), *(card.reason for card in cards)]
        found = {card.title_id for card in cards} | {card.series_id for card in cards}
        found |= {reason.because_of for reason in reasons if reason is not None}
        return frozenset(title_id for title_id in found if title_id is not None)
