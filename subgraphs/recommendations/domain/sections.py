"""The kinds of pages and of sections."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["PERSONAL_KINDS", "PageKind", "SectionKind"]


class PageKind(StrEnum):
    """Which page."""

    HOME = "HOME"
    MOVIES = "MOVIES"
    SERIES = "SERIES"
    KIDS = "KIDS"
    GENRE = "GENRE"
    MORE_LIKE_THIS = "MORE_LIKE_THIS"


class SectionKind(StrEnum):
    """What a section shows."""

    HERO = "HERO"
    CONTINUE_WATCHING = "CONTINUE_WATCHING"
    BECAUSE_YOU_WATCHED = "BECAUSE_YOU_WATCHED"
    TOP_PICKS = "TOP_PICKS"
    TRENDING = "TRENDING"
    COLLECTION = "COLLECTION"
    NEW_RELEASES = "NEW_RELEASES"
    LEAVING_SOON = "LEAVING_SOON"
    POPULAR_IN_COUNTRY = "POPULAR_IN_COUNTRY"
    GENRE = "GENRE"
    MY_LIST = "MY_LIST"
    WATCH_AGAIN = "WATCH_AGAIN"


PERSONAL_KINDS = frozenset({SectionKind.CONTINUE_WATCHING, SectionKind.MY_LIST, SectionKind.WATCH_AGAIN})
"""Rows of what the profile has chosen itself: shown whole, from one card on."""
