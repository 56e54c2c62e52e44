"""Reads the demo catalogue and puts it into the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, Window
from subgraphs.titles.domain.title import (
    Credit,
    CreditRole,
    Origin,
    Season,
    SeasonId,
    Title,
    TitleKind,
    genre_named,
    person_named,
)
from subgraphs.titles.services.writing import CatalogueWriter, Taken

__all__ = ["DEMO_FILM_ID", "DemoCatalogue", "load_demo", "seed_demo"]

DEMO_FILM_ID = TitleId("mov_marquee-demo")
"""Our own film: the title that turns playable when its asset is published."""
SOURCE = "demo"
EPISODE_POPULARITY_RATIO = 0.2
"""Of the series' popularity: viewers look for the series."""


@dataclass(frozen=True, slots=True)
class DemoCatalogue:
    """Films first, then each series with its episodes behind it."""

    titles: tuple[Title, ...]
    seasons: tuple[Season, ...]


def load_demo() -> DemoCatalogue:
    """The catalogue in this package's data files; the same every time."""
    titles: list[Title] = []
    seasons: list[Season] = []
    folder = resources.files(__package__)
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.startswith("films_") and file.name.endswith(".json"):
            titles += [_film(record) for record in json.loads(file.read_text("utf-8"))]
    for record in json.loads((folder / "series.json").read_text("utf-8")):
        series = _title(record, TitleKind.SERIES, f"ser_{record['slug']}", record["slug"])
        titles.append(series)
        for season_record in record["seasons"]:
            season = _season(series, record["slug"], season_record)
            seasons.append(season)
            titles += _episodes(series, season, record["slug"], season_record)
    return DemoCatalogue(tuple(titles), tuple(seasons))


async def seed_demo(writer: CatalogueWriter) -> Taken:
    """Put the demo catalogue in; doing it again changes nothing."""
    demo = load_demo()
    return await writer.take(demo.titles, demo.seasons)


def _film(record: Mapping[str, Any]) -> Title:
    return _title(record, TitleKind.MOVIE, f"mov_{record['slug']}", record["slug"])


def _title(record: Mapping[str, Any], kind: TitleKind, title_id: str, key: str) -> Title:
    runtime = record.get("runtimeMinutes")
    windows = record.get("windows")
    return Title(
        id=TitleId(title_id),
        kind=kind,
        display_name=record["displayName"],
        origin=Origin(SOURCE, key),
        added_at=datetime.fromisoformat(record["addedOn"]).replace(tzinfo=UTC),
        synopsis=record["synopsis"],
        release_year=record["releaseYear"],
        duration_seconds=None if runtime is None else runtime * 60,
        genres=tuple(genre_named(name) for name in record["genres"]),
        credits=(
            *(Credit(person_named(name), CreditRole.DIRECTOR) for name in record["directors"]),
            *(Credit(person_named(line["name"]), CreditRole.CAST, line["character"]) for line in record["cast"]),
        ),
        minimum_age=record["minimumAge"],
        is_kids=record["isKids"],
        windows=(Window(EVERYWHERE),) if windows is None else tuple(_window(window) for window in windows),
        blocked_countries=frozenset(record.get("blockedCountries", ())),
        popularity=record["popularity"],
        origin_country=record["originCountry"],
    )


def _season(series: Title, slug: str, record: Mapping[str, Any]) -> Season:
    return Season(SeasonId(f"sea_{slug}-s{record['number']}"), series.id, record["number"], record["displayName"])


def _episodes(series: Title, season: Season, slug: str, record: Mapping[str, Any]) -> Iterator[Title]:
    for episode in record["episodes"]:
        key = f"{slug}-s{season.number}e{episode['number']}"
        runtime = episode["runtimeMinutes"]
        yield Title(
            id=TitleId(f"epi_{key}"),
            kind=TitleKind.EPISODE,
            display_name=episode["displayName"],
            origin=Origin(SOURCE, key),
            added_at=series.added_at,
            synopsis=episode["synopsis"],
            release_year=record["releaseYear"],
            duration_seconds=None if runtime is None else runtime * 60,
            genres=series.genres,
            credits=series.credits,
            minimum_age=series.minimum_age,
            is_kids=series.is_kids,
            windows=series.windows,
            blocked_countries=series.blocked_countries,
            popularity=round(series.popularity * EPISODE_POPULARITY_RATIO, 4),
            origin_country=series.origin_country,
            series_id=series.id,
            season_id=season.id,
            season_number=season.number,
            episode_number=episode["number"],
        )


def _window(record: Mapping[str, str | None]) -> Window:
    country, opens_at, closes_at = record["country"], record["from"], record["until"]
    return Window(
        country or EVERYWHERE,
        None if opens_at is None else datetime.fromisoformat(opens_at),
        None if closes_at is None else datetime.fromisoformat(closes_at),
    )
