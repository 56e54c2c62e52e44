"""The device in hand: what it declared, and the layout that follows.

Widths are in the device's own (CSS) pixels; multiplied by the pixel ratio they are what an image needs. Everything
that differs between form factors stands in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from subgraphs.recommendations.domain.artwork_sizes import (
    SIZES_BY_ROLE,
    ArtworkRole,
    ImageFormat,
    choose_format,
    choose_size,
)
from subgraphs.recommendations.domain.sections import SectionKind

__all__ = ["Device", "FormFactor", "PageBudget", "RowLayout", "budget_of", "check_device", "choose_layout"]

MAX_WIDTH_PX = 7_680
MIN_PIXEL_RATIO, MAX_PIXEL_RATIO = 0.5, 5.0


class FormFactor(StrEnum):
    """What kind of screen."""

    TV = "TV"
    PHONE = "PHONE"
    TABLET = "TABLET"
    BROWSER = "BROWSER"


@dataclass(frozen=True, slots=True)
class Device:
    """What a client declared. `supports`: the section kinds that it can draw; others are never sent."""

    form_factor: FormFactor
    width_px: int
    height_px: int
    pixel_ratio: float
    image_formats: tuple[ImageFormat, ...]
    supports: frozenset[SectionKind]

    @property
    def image_format(self) -> ImageFormat:
        """The format of every image on its pages; check_device has made sure that there is one."""
        chosen = choose_format(self.image_formats)
        if chosen is None:
            raise ValueError("a device without a usable image format passed the check")
        return chosen


@dataclass(frozen=True, slots=True)
class PageBudget:
    """How much a page holds: sections and cards in the first answer, and in all."""

    first_sections: int
    first_cards: int
    max_sections: int
    max_cards: int
    because_rows: int


@dataclass(frozen=True, slots=True)
class RowLayout:
    """How a section is drawn; the artwork's size is in physical pixels and from the list of offered sizes."""

    artwork_role: ArtworkRole
    card_width_px: int
    card_height_px: int
    visible_cards: int
    artwork_size: tuple[int, int]


_BUDGETS: Mapping[FormFactor, PageBudget] = {
    FormFactor.TV: PageBudget(8, 10, 20, 40, 3),
    FormFactor.BROWSER: PageBudget(7, 8, 20, 40, 3),
    FormFactor.TABLET: PageBudget(6, 7, 16, 30, 2),
    FormFactor.PHONE: PageBudget(6, 6, 14, 30, 2),
}

_ROW_ROLE: Mapping[FormFactor, ArtworkRole] = {
    FormFactor.TV: ArtworkRole.BACKDROP,
    FormFactor.BROWSER: ArtworkRole.BACKDROP,
    FormFactor.TABLET: ArtworkRole.POSTER,
    FormFactor.PHONE: ArtworkRole.POSTER,
}

_CARD_WIDTH_PX: Mapping[ArtworkRole, int] = {ArtworkRole.BACKDROP: 240, ArtworkRole.POSTER: 100}
"""About how wide a card is on a screen at arm's length: three posters on the narrowest common phone, 360 px wide. A TV
is read from afar, see _TV_VISIBLE_CARDS.
"""

_TV_VISIBLE_CARDS = 5
"""Wide cards across a TV, whatever it says about its pixels: all TVs are looked at from about the same angle."""

_SIDE_RATIO = 0.05
"""Of the width on each side: a TV's overscan-safe area, a phone's margin."""
_GAP_RATIO = 0.1
"""Of a card's width, between two cards."""


def budget_of(form_factor: FormFactor) -> PageBudget:
    """How much a page for this kind of screen holds."""
    return _BUDGETS[form_factor]


def check_device(device: Device) -> str | None:
    """What is wrong with a declaration, naming the field, the value and what is wanted; None when nothing is."""
    if not 1 <= device.width_px <= MAX_WIDTH_PX:
        return f"device.widthPx is {device.width_px}; send 1 to {MAX_WIDTH_PX}"
    if not 1 <= device.height_px <= MAX_WIDTH_PX:
        return f"device.heightPx is {device.height_px}; send 1 to {MAX_WIDTH_PX}"
    if not MIN_PIXEL_RATIO <= device.pixel_ratio <= MAX_PIXEL_RATIO:
        return f"device.pixelRatio is {device.pixel_ratio:g}; send {MIN_PIXEL_RATIO:g} to {MAX_PIXEL_RATIO:g}"
    if not device.supports:
        return "device.supports is empty; list the section kinds that this client can draw"
    if choose_format(device.image_formats) is None:
        named = ", ".join(device.image_formats) or "nothing"
        return f"device.imageFormats names {named}; one of JPEG, WEBP, PNG must be among them"
    return None


@lru_cache(maxsize=1_024)
def choose_layout(device: Device, kind: SectionKind) -> RowLayout:
    """How this device draws a section of this kind."""
    role = _ROW_ROLE[device.form_factor]
    if kind is SectionKind.HERO:
        return _layout(device, role, width=float(device.width_px), visible=1)
    if kind is SectionKind.CONTINUE_WATCHING and role is ArtworkRole.BACKDROP:
        return _row_layout(device, role, shown_as=ArtworkRole.THUMBNAIL)
    return _row_layout(device, role, shown_as=role)


def _row_layout(device: Device, role: ArtworkRole, *, shown_as: ArtworkRole) -> RowLayout:
    room = device.width_px * (1 - 2 * _SIDE_RATIO)
    if device.form_factor is FormFactor.TV:
        visible = _TV_VISIBLE_CARDS
    else:
        visible = max(2, int(room // (_CARD_WIDTH_PX[role] * (1 + _GAP_RATIO / 2))))
    width = room / (visible + (visible - 1) * _GAP_RATIO)
    return _layout(device, shown_as, width=width, visible=visible)


def _layout(device: Device, role: ArtworkRole, *, width: float, visible: int) -> RowLayout:
    shape = SIZES_BY_ROLE[role][-1]
    return RowLayout(
        artwork_role=role,
        card_width_px=max(1, round(width)),
        card_height_px=max(1, round(width * shape[1] / shape[0])),
        visible_cards=visible,
        artwork_size=choose_size(role, width * device.pixel_ratio),
    )
