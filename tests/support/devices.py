"""Devices as clients declare themselves."""

from __future__ import annotations

from typing import Any

ALL_KINDS = [
    "HERO",
    "CONTINUE_WATCHING",
    "BECAUSE_YOU_WATCHED",
    "TOP_PICKS",
    "TRENDING",
    "NEW_RELEASES",
    "POPULAR_IN_COUNTRY",
    "GENRE",
    "MY_LIST",
    "WATCH_AGAIN",
    "COLLECTION",
    "LEAVING_SOON",
]

TV: dict[str, Any] = {
    "formFactor": "TV",
    "widthPx": 960,
    "heightPx": 540,
    "pixelRatio": 2.0,
    "imageFormats": ["WEBP", "JPEG"],
    "supports": ALL_KINDS,
}
PHONE: dict[str, Any] = {
    "formFactor": "PHONE",
    "widthPx": 390,
    "heightPx": 844,
    "pixelRatio": 3.0,
    "imageFormats": ["WEBP", "JPEG"],
    "supports": ALL_KINDS,
}


def sections_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in page["sections"]["edges"]]


def cards_of(section: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in section["items"]["edges"]]


def title_ids_of(page: dict[str, Any]) -> list[str]:
    return [card["title"]["id"] for section in sections_of(page) for card in cards_of(section)]
