"""A generated catalogue: films, and series with their seasons and episodes, the same for the same size and seed.

Popularity follows Zipf's law over all works; a work has one to three genres, of which the first decides its audience;
certificates, windows by country, blocks and closing dates are spread so that every rule of the policy has something to
hide. `Catalogue.allowed` is this generator's own knowledge of who may see what: answers are checked by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, Window
from subgraphs.titles.domain.title import (
    Credit,
    CreditRole,
    Genre,
    Origin,
    Person,
    Season,
    SeasonId,
    Title,
    TitleKind,
    genre_named,
    person_named,
)

__all__ = ["CLOSES_IN", "COUNTRIES", "GENRES", "Catalogue", "make_catalogue"]

COUNTRIES = ("US", "GB", "DE", "FR", "IN", "BR", "JP", "MX")
GENRES = (
    "Drama", "Comedy", "Thriller", "Crime", "Romance", "Action", "Horror", "Documentary", "Science Fiction",
    "Adventure", "Mystery", "Fantasy", "Animation", "Family", "History", "War", "Western", "Music",
)  # fmt: skip
AGES = (0, 7, 12, 16, 18)
AGE_SHARES = (0.18, 0.2, 0.27, 0.23, 0.12)
KIDS_SHARE = 0.6
"""Of what has no age limit."""
SERIES_SHARE = 0.05
EPISODE_SHARE = 0.25
"""Of all titles; films are the rest."""
REGIONAL_SHARE, BLOCKED_SHARE, CLOSED_SHARE, CLOSING_SHARE = 0.1, 0.03, 0.02, 0.02
CLOSED_SINCE, CLOSES_IN = timedelta(days=30), timedelta(days=10)
SYLLABLES = (
    "ar", "ben", "cor", "da", "el", "fen", "gal", "ho", "in", "jo", "ka", "lin", "mor", "na", "or", "pe", "qui", "ra",
    "sol", "ta", "ul", "ven", "wyn", "xa", "yor", "zen",
)  # fmt: skip
WORDS = (
    "light", "river", "secret", "winter", "stranger", "city", "garden", "return", "silence", "daughter", "night",
    "road", "house", "promise", "island", "shadow", "letter", "storm", "captain", "summer", "king", "train", "mirror",
    "thief", "song", "bridge", "desert", "memory", "fire", "harbour", "village", "doctor", "queen", "journey", "game",
    "heart",
)  # fmt: skip
PEOPLE_PER_WORK = 0.25
CAST = 5

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`works` are films and series by rank of popularity; `episodes[work]` are a series' episodes in order.

    `genre_of[work]`: index in GENRES. `allowed[country][age][kids]`: which works a viewer of that country, maturity
    limit (both as indices) and kind of profile may see.
    """

    titles: tuple[Title, ...]
    seasons: tuple[Season, ...]
    works: tuple[Title, ...]
    episodes: tuple[tuple[Title, ...], ...]
    genre_of: npt.NDArray[np.int64]
    minimum_age: npt.NDArray[np.int64]
    is_kids: BoolArray
    in_country: BoolArray

    def allowed(self, country: str, maturity: int, *, is_kids: bool) -> BoolArray:
        """One truth value per work."""
        found: BoolArray = self.in_country[COUNTRIES.index(country)] & (self.minimum_age <= maturity)
        return found & self.is_kids if is_kids else found


def make_catalogue(title_count: int, seed: int, made_at: datetime) -> Catalogue:
    """`title_count` titles in all; windows lie around `made_at`."""
    random = np.random.default_rng([seed, 1])
    series_count = max(2, round(title_count * SERIES_SHARE))
    episode_count = max(2 * series_count, round(title_count * EPISODE_SHARE))
    work_count = title_count - episode_count
    is_series = np.zeros(work_count, np.bool_)
    is_series[random.choice(work_count, series_count, replace=False)] = True
    maker = _Maker(random, made_at, work_count)
    works = [maker.work(rank, is_series=bool(is_series[rank])) for rank in range(work_count)]
    lengths = _episode_counts(random, series_count, episode_count)
    parts = dict(zip(np.flatnonzero(is_series).tolist(), lengths, strict=True))
    seasons: list[Season] = []
    episodes: list[tuple[Title, ...]] = []
    for rank, work in enumerate(works):
        made = _episodes_of(work, parts.get(rank, 0), seasons)
        episodes.append(made)
    return Catalogue(
        titles=(*works, *(episode for each in episodes for episode in each)),
        seasons=tuple(seasons),
        works=tuple(works),
        episodes=tuple(episodes),
        genre_of=np.array([GENRES.index(work.genres[0].display_name) for work in works]),
        minimum_age=np.array([work.minimum_age for work in works]),
        is_kids=np.array([work.is_kids for work in works]),
        in_country=np.array([[_is_open(work, country, made_at) for work in works] for country in COUNTRIES]),
    )


class _Maker:
    """Makes works from one stream of random numbers, in order of rank."""

    def __init__(self, random: np.random.Generator, made_at: datetime, work_count: int) -> None:
        self._random = random
        self._made_at = made_at
        self._work_count = work_count
        self._genres = [genre_named(name) for name in GENRES]
        self._shares = 1 / np.arange(2, len(GENRES) + 2)
        self._shares /= self._shares.sum()
        self._people = [self._person(number) for number in range(max(50, round(work_count * PEOPLE_PER_WORK)))]

    def work(self, rank: int, *, is_series: bool) -> Title:
        random = self._random
        kind = TitleKind.SERIES if is_series else TitleKind.MOVIE
        genres = self._pick_genres()
        minimum_age = AGES[random.choice(len(AGES), p=AGE_SHARES)]
        title_id = TitleId(f"{kind.id_prefix}_home-{rank:06d}")
        return Title(
            id=title_id,
            kind=kind,
            display_name=self._name(),
            origin=Origin("benchmark", f"{rank:06d}"),
            added_at=self._made_at - timedelta(days=float(random.exponential(400))),
            synopsis=self._synopsis(genres),
            release_year=2026 - min(100, int(random.exponential(18))),
            duration_seconds=None if is_series else int(random.normal(6_000, 900)),
            genres=genres,
            credits=self._credits(),
            minimum_age=minimum_age,
            is_kids=minimum_age == 0 and bool(random.random() < KIDS_SHARE),
            windows=self._windows(),
            blocked_countries=self._blocked(),
            popularity=round(1 - float(np.log1p(rank) / np.log1p(self._work_count)), 6),
            origin_country=COUNTRIES[int(random.integers(len(COUNTRIES)))],
        )

    def _pick_genres(self) -> tuple[Genre, ...]:
        size = 1 + int(self._random.integers(3))
        chosen = self._random.choice(len(GENRES), size, replace=False, p=self._shares)
        return tuple(self._genres[index] for index in chosen.tolist())

    def _name(self) -> str:
        words = self._words(2)
        return f"The {words[0].capitalize()} of {self._word().capitalize()} {words[1].capitalize()}"

    def _word(self) -> str:
        return "".join(SYLLABLES[place] for place in self._random.integers(len(SYLLABLES), size=3).tolist())

    def _words(self, size: int) -> list[str]:
        return [WORDS[place] for place in self._random.integers(len(WORDS), size=size).tolist()]

    def _synopsis(self, genres: Sequence[Genre]) -> str:
        words = self._words(int(self._random.integers(25, 60)))
        return f"A {genres[0].display_name.lower()} of the {' and the '.join(words[:2])}: {' '.join(words[2:])}."

    def _person(self, number: int) -> Person:
        return person_named(f"{self._word().capitalize()} {self._word().capitalize()} {number}")

    def _credits(self) -> tuple[Credit, ...]:
        places = (len(self._people) * self._random.random(CAST + 1) ** 2).astype(int).tolist()
        people = [self._people[place] for place in dict.fromkeys(places)]
        return (
            Credit(people[0], CreditRole.DIRECTOR),
            *(Credit(person, CreditRole.CAST) for person in people[1:]),
        )

    def _windows(self) -> tuple[Window, ...]:
        drawn = self._random.random()
        if drawn < CLOSED_SHARE:
            return (Window(EVERYWHERE, None, self._made_at - CLOSED_SINCE),)
        if drawn < CLOSED_SHARE + CLOSING_SHARE:
            return (Window(EVERYWHERE, None, self._made_at + CLOSES_IN),)
        if drawn < CLOSED_SHARE + CLOSING_SHARE + REGIONAL_SHARE:
            some = self._random.choice(COUNTRIES, 3, replace=False).tolist()
            return tuple(Window(country) for country in sorted(some))
        return (Window(EVERYWHERE),)

    def _blocked(self) -> frozenset[str]:
        if self._random.random() >= BLOCKED_SHARE:
            return frozenset()
        return frozenset(self._random.choice(COUNTRIES, 2, replace=False).tolist())


def _episode_counts(random: np.random.Generator, series_count: int, episode_count: int) -> list[int]:
    """Two at least for each; the rest are thrown at random, some series getting very many."""
    weights = random.pareto(2.0, series_count) + 0.2
    extra = random.multinomial(episode_count - 2 * series_count, weights / weights.sum())
    return [2 + int(each) for each in extra]


def _episodes_of(series: Title, length: int, seasons: list[Season]) -> tuple[Title, ...]:
    """Ten to a season; what belongs to a series has its rights."""
    made: list[Title] = []
    for number in range(length):
        season_number, episode_number = number // 10 + 1, number % 10 + 1
        season_id = SeasonId(f"sea_{series.id.removeprefix('ser_')}-{season_number}")
        if episode_number == 1:
            seasons.append(Season(season_id, series.id, season_number, f"Season {season_number}"))
        made.append(
            replace(
                series,
                id=TitleId(f"epi_{series.id.removeprefix('ser_')}-{number:04d}"),
                kind=TitleKind.EPISODE,
                display_name=f"Chapter {number + 1}",
                origin=Origin("benchmark", f"{series.origin.key}-{number:04d}"),
                duration_seconds=1_500 + 37 * (number % 40),
                series_id=series.id,
                season_id=season_id,
                season_number=season_number,
                episode_number=episode_number,
                popularity=0.0,
            )
        )
    return tuple(made)


def _is_open(work: Title, country: str, now: datetime) -> bool:
    """This generator's own reading of the rules, on purpose not the policy's code."""
    if country in work.blocked_countries:
        return False
    windows = [window for window in work.windows if window.country in {EVERYWHERE, country}]
    return any(window.closes_at is None or window.closes_at > now for window in windows)
