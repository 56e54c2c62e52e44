"""A catalogue made for telling who may see what: every name in it is a made-up word that occurs nowhere else.

Whatever the policy looks at comes in several forms: ages, kids, countries' windows and blocks, windows that are not
open, withdrawn titles, and series that are closed while their episodes by themselves would be open, and the other way
round. A text that holds a title's name or id therefore shows that title, and nothing else can look like it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window, decide
from subgraphs.titles.domain.title import (
    Asset,
    Credit,
    CreditRole,
    Marker,
    Media,
    MediaStatus,
    Origin,
    Person,
    Season,
    SeasonId,
    Title,
    TitleKind,
    VideoKind,
    genre_named,
    person_named,
)

__all__ = ["COMMON_WORD", "MANY", "PlantedCatalogue", "plant_catalogue", "plant_pairs"]

MANY = 20
"""Of genres, credits, seasons, episodes and so on in the title that has many; the one with few has two."""

COMMON_WORD = "zornblatt"
"""In the names of all that plant_pairs plants, and of nothing else."""

_ADDED_AT = datetime(2026, 1, 5, tzinfo=UTC)
_EVERYWHERE = (Window("*"),)
_SYLLABLES = (
    "bra",
    "cho",
    "dul",
    "fen",
    "gri",
    "hax",
    "jol",
    "kem",
    "lur",
    "mav",
    "nop",
    "qua",
    "ruz",
    "sil",
    "tyv",
    "wex",
)


@dataclass(frozen=True)
class PlantedCatalogue:
    """All titles and seasons, and by name those that tests ask for."""

    titles: tuple[Title, ...]
    seasons: tuple[Season, ...]
    film: TitleId
    """For everybody, with a film to play, few of everything."""
    rich_film: TitleId
    """For everybody, with a film to play, MANY of everything."""
    adult_film: TitleId
    """Not below 18, with a film to play."""
    series: TitleId
    """For everybody: two seasons, the first of few episodes and the second of MANY, all playable."""
    long_series: TitleId
    """For everybody: MANY seasons."""
    adult_series: TitleId
    """Not below 18; its episodes by themselves are for everybody."""
    trailer: TitleId
    """Of `film`."""
    adult_trailer: TitleId
    """Of `adult_film`; by itself for everybody."""

    def title(self, title_id: str) -> Title:
        """By id."""
        return next(title for title in self.titles if title.id == title_id)

    def may_see(self, viewer: Viewer, title: Title, now: datetime) -> bool:
        """The reference: the policy's word on the title, and on the series or film that it belongs to."""
        owner_id = title.series_id or title.video_of
        above = [] if owner_id is None else [self.title(owner_id)]
        return all(decide(viewer, each.facts, now).may_see for each in (title, *above))

    def forbidden(self, viewer: Viewer, now: datetime) -> list[Title]:
        """What must not come before this viewer's eyes."""
        return [title for title in self.titles if not self.may_see(viewer, title, now)]

    def is_announced(self, viewer: Viewer, title: Title, now: datetime) -> bool:
        """Whether the viewer may hear that it comes: they may see it from the instant at which a window opens."""
        openings = [
            window.opens_at for window in title.windows if window.opens_at is not None and window.opens_at > now
        ]
        return any(self.may_see(viewer, title, opens_at) for opens_at in openings)

    def playable(self) -> Iterator[Title]:
        """Titles that have a film."""
        return (title for title in self.titles if title.media.asset is not None)


def plant_catalogue(now: datetime) -> PlantedCatalogue:
    """The same titles for the same instant's hour."""
    return _Planting(now.replace(minute=0, second=0, microsecond=0)).catalogue()


def plant_pairs(now: datetime) -> PlantedCatalogue:
    """For counting: film, series, film, series …, each pair like the others, so that few of them are like many.

    All have COMMON_WORD in their names, and are for the US alone, but for `film`: elsewhere there is little to see.
    """
    return _Planting(now.replace(minute=0, second=0, microsecond=0)).pairs()


class _Planting:
    """Makes titles with ever new names."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._words = _made_up_words()
        self._numbers = itertools.count(1)
        self._genres = [genre_named(next(self._words)) for _ in range(MANY)]
        self._people = [person_named(f"{next(self._words)} {next(self._words)}") for _ in range(MANY)]
        self.titles: list[Title] = []
        self.seasons: list[Season] = []

    def catalogue(self) -> PlantedCatalogue:
        film, rich = self._two_films()
        series, long_series, adult_series = self._all_series()
        adult = [self._movie(minimum_age=18, is_kids=False, has_film=True) for _ in range(10)]
        trailers = [self._video(title_id) for title_id in (film, adult[0])]
        for place in range(MANY):
            self._video(rich, VideoKind.TRAILER if place % 2 else VideoKind.BEHIND_THE_SCENES)
        self._many_movies()
        return PlantedCatalogue(
            titles=tuple(self.titles),
            seasons=tuple(self.seasons),
            film=film,
            rich_film=rich,
            adult_film=adult[0],
            series=series,
            long_series=long_series,
            adult_series=adult_series,
            trailer=trailers[0],
            adult_trailer=trailers[1],
        )

    def pairs(self) -> PlantedCatalogue:
        """See plant_pairs."""
        few = self._movie(has_film=True, richness=2, popularity=0.99, certificates=(("GB", "U"), ("DE", "0")))
        self._video(few, VideoKind.TRAILER)
        self._video(few, VideoKind.INTERVIEW)
        at_home: dict[str, object] = {"windows": (Window("US"),)}
        rich = self._movie(
            has_film=True,
            richness=MANY,
            popularity=0.98,
            windows=(Window("US"), *(Window(f"Q{letter}") for letter in "MNOPQRSTUVWXYZ")),
            certificates=tuple((f"Q{letter}", "U") for letter in "MNOPQRSTUVWXYZ"),
        )
        trailers = self._many_videos(rich)
        # Few and many seasons, of few and many episodes; the first title of each kind that is rich has many of all.
        series = self._series(episode_counts=(2, 2), has_film=True, richness=2, popularity=0.985, **at_home)
        few_trailer = self._video(series, season_id=self.seasons[-2].id)
        self._video(series, VideoKind.INTERVIEW)
        long_series = self._series(episode_counts=(MANY,) * 2 + (1,) * MANY, has_film=True, richness=MANY, **at_home)
        self._many_videos(
            long_series, season_id=next(each.id for each in self.seasons if each.series_id == long_series)
        )
        for _ in range(MANY + 2):
            self._movie(windows=(Window("US", opens_at=self._now + timedelta(days=3)),))
        for number in range(MANY + 4):
            popular: dict[str, object] = {"popularity": 0.9 - number / 1_000, **at_home}
            self._video(self._movie(has_film=True, **popular))
            self._video(self._series(episode_counts=(2, 2), has_film=True, **popular))
        named = [replace(title, display_name=f"{title.display_name} {COMMON_WORD.title()}") for title in self.titles]
        return PlantedCatalogue(
            tuple(named),
            tuple(self.seasons),
            few,
            rich,
            rich,
            series,
            long_series,
            long_series,
            few_trailer,
            trailers[0],
        )

    def _many_videos(self, of: TitleId, **changes: object) -> list[TitleId]:
        """MANY trailers and MANY of bonus; the first is rich itself."""
        first = self._video(of, richness=MANY, **changes)
        return [first] + [
            self._video(of, VideoKind.TRAILER if number % 2 else VideoKind.INTERVIEW, **changes)
            for number in range(1, 2 * MANY + 2)
        ]

    def _two_films(self) -> tuple[TitleId, TitleId]:
        few = self._movie(has_film=True, richness=2, popularity=0.98)
        many = self._movie(has_film=True, richness=MANY, popularity=0.97)
        return few, many

    def _all_series(self) -> tuple[TitleId, TitleId, TitleId]:
        series = self._series(episode_counts=(3, MANY + 2), has_film=True)
        long_series = self._series(episode_counts=(1,) * (MANY + 2))
        adult = self._series(episode_counts=(4,), minimum_age=18, is_kids=False, episode_changes=[{}])
        # A kids' series with episodes that are not for kids, one that begins there, and one that is closed to a country.
        grown = {"minimum_age": 16, "is_kids": False}
        self._series(episode_counts=(4,), episode_changes=[{}, grown, {}, grown])
        self._series(episode_counts=(3,), episode_changes=[grown, {}, {}])
        self._series(episode_counts=(3,), blocked_countries=frozenset({"DE"}), episode_changes=[{}])
        self._series(episode_counts=(3,), windows=(), episode_changes=[{"windows": _EVERYWHERE}])
        return series, long_series, adult

    def _many_movies(self) -> None:
        later, earlier = self._now + timedelta(days=3), self._now - timedelta(days=3)
        for count, changes in (
            (24, {}),
            (5, {"minimum_age": 6}),
            (4, {"minimum_age": 0, "is_kids": False}),
            (5, {"minimum_age": 7, "is_kids": False}),
            (6, {"minimum_age": 12, "is_kids": False}),
            (4, {"minimum_age": 16, "is_kids": False}),
            (5, {"blocked_countries": frozenset({"DE"})}),
            (3, {"blocked_countries": frozenset({"*"})}),
            (4, {"windows": (Window("DE"),)}),
            (4, {"windows": (Window("US"),)}),
            (3, {"windows": ()}),
            (3, {"windows": (Window("*", opens_at=later),)}),
            (3, {"windows": (Window("*", closes_at=earlier),)}),
            (3, {"windows": (Window("*", earlier, later), Window("DE", closes_at=earlier))}),
            (3, {"is_withdrawn": True}),
        ):
            for _ in range(count):
                self._movie(**changes)

    def _movie(self, *, has_film: bool = False, richness: int = 3, **changes: object) -> TitleId:
        return self._add(TitleKind.MOVIE, has_film=has_film, richness=richness, **changes)

    def _video(
        self, of: TitleId, kind: VideoKind = VideoKind.TRAILER, *, richness: int = 2, **changes: object
    ) -> TitleId:
        return self._add(TitleKind.VIDEO, has_film=True, richness=richness, video_of=of, video_kind=kind, **changes)

    def _series(
        self,
        *,
        episode_counts: Sequence[int],
        has_film: bool = False,
        richness: int = 3,
        episode_changes: Sequence[dict[str, object]] | None = None,
        **changes: object,
    ) -> TitleId:
        series_id = self._add(TitleKind.SERIES, has_film=False, richness=richness, **changes)
        # Without changes of their own, episodes are what their series is.
        each = itertools.cycle(episode_changes if episode_changes is not None else [changes])
        for season_number, episode_count in enumerate(episode_counts, start=1):
            season_id = SeasonId(f"sea_planted-{next(self._numbers):03}")
            self.seasons.append(Season(season_id, series_id, season_number, f"Part {season_number}"))
            for number in range(1, episode_count + 1):
                self._add(
                    TitleKind.EPISODE,
                    has_film=has_film,
                    richness=richness,
                    series_id=series_id,
                    season_id=season_id,
                    season_number=season_number,
                    episode_number=number,
                    **next(each),
                )
        return series_id

    def _add(self, kind: TitleKind, *, has_film: bool, richness: int = 3, **changes: object) -> TitleId:
        number = next(self._numbers)
        title_id = TitleId(f"{kind.id_prefix}_planted-{number:03}")
        start = number % MANY
        people = list(itertools.islice(itertools.cycle(self._people), start, start + richness))
        values: dict[str, Any] = {
            "id": title_id,
            "kind": kind,
            "display_name": f"{next(self._words)} {next(self._words)}".title(),
            "origin": Origin("planted", f"{number:03}"),
            "added_at": _ADDED_AT + timedelta(hours=number),
            "synopsis": f"A story of {next(self._words)} and {next(self._words)}, told in {number} chapters.",
            "release_year": 1950 + number % 70,
            "duration_seconds": None if kind is TitleKind.SERIES else 3_600,
            "genres": tuple(itertools.islice(itertools.cycle(self._genres), start, start + richness)),
            "credits": tuple(_credits(people)),
            "minimum_age": 0,
            "is_kids": True,
            "windows": _EVERYWHERE,
            "popularity": round(0.9 - number / 1_000, 4),
            "media": _media(title_id, number, richness) if has_film else Media(),
        }
        title = Title(**{**values, **changes})
        self.titles.append(title)
        return title_id


def _credits(people: Iterable[Person]) -> Iterator[Credit]:
    for place, person in enumerate(people):
        role = CreditRole.DIRECTOR if place == 0 else CreditRole.CAST
        yield Credit(person, role, None if place == 0 else f"Role {place}")


def _media(title_id: TitleId, number: int, richness: int) -> Media:
    root = f"assets/ast-planted-{number:03}/clear"
    asset = Asset(f"ast-planted-{number:03}", f"{root}/master.m3u8", f"{root}/manifest.mpd", 3_600.0, 1_080, "clear")
    kinds = itertools.cycle(["INTRO", "RECAP", "PREVIEW"])
    markers = tuple(Marker(next(kinds), place * 30.0, place * 30.0 + 20.0) for place in range(richness))
    return Media(MediaStatus.READY, asset, markers)


def _made_up_words() -> Iterator[str]:
    """Different words of four syllables, none of which begins another."""
    seen: set[str] = set()
    draw = random.Random("planted")
    while True:
        word = "".join(draw.choices(_SYLLABLES, k=4))
        if word not in seen:
            seen.add(word)
            yield word
