"""Generated profiles and what they watched, liked and put on their lists, the same for the same size and seed.

A profile is drawn to two or three genres. Of what it watches, three quarters are of these genres and one quarter is of
anything, each by Zipf's law over the ranks that it may see; it began some weeks or hours ago (an exponential age), and
finished seven of ten. Of a series it watched the first episodes, and may be in the middle of the last of them.
Everything is drawn for all profiles at once, by arrays: a hundred thousand of them take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.home.catalogue import COUNTRIES, GENRES, BoolArray, Catalogue
from common.tokens import Viewer

__all__ = ["Audience", "Entry", "Member", "make_audience"]

COUNTRY_SHARES = (0.35, 0.12, 0.12, 0.1, 0.12, 0.09, 0.05, 0.05)
MATURITIES = (18, 16, 12, 7)
MATURITY_SHARES = (0.72, 0.12, 0.1, 0.06)
KIDS_SHARE = 0.12
KIDS_MATURITY = 7
MEDIAN_WORKS, SPREAD, MAX_WORKS = 7.0, 0.8, 80
"""Watched works of a profile: a log-normal distribution, about 9.6 on average."""
OWN_GENRES_SHARE = 0.75
ZIPF_EXPONENT = 0.9
MEAN_AGE_S = 40 * 24 * 3600.0
FINISHED_SHARE = 0.7
LISTED_SHARE, THUMBED_SHARE = 0.15, 0.1
"""Of as many further works as were watched."""
MAX_EPISODES = 6
PROFILES_PER_ACCOUNT = 3

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One title in a profile's history; `series_id` for an episode."""

    title_id: str
    series_id: str | None
    position_s: float
    duration_s: float
    is_finished: bool
    age_s: float


@dataclass(frozen=True, slots=True)
class Member:
    """One profile: who it is, what it may see, and all it did. `listed` and `thumbed_up` are ids of works."""

    viewer: Viewer
    entries: tuple[Entry, ...]
    listed: tuple[str, ...]
    thumbed_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Arrays over all profiles; `members` makes their histories one after the other."""

    catalogue: Catalogue
    seed: int
    country: IntArray
    maturity: IntArray
    is_kids: BoolArray
    genres: IntArray
    work_counts: IntArray

    def __len__(self) -> int:
        return len(self.country)

    def viewer(self, number: int) -> Viewer:
        """As the account service would name it in a token."""
        return Viewer(
            account_id=f"acc_home-{number // PROFILES_PER_ACCOUNT:06d}",
            session_id=f"ses_home-{number // PROFILES_PER_ACCOUNT:06d}",
            country=COUNTRIES[self.country[number]],
            plan="PREMIUM",
            subscription="ACTIVE",
            profile_id=f"prof_home-{number:06d}",
            is_kids=bool(self.is_kids[number]),
            maturity=int(self.maturity[number]),
            language="en",
        )

    def may_see(self, number: int) -> BoolArray:
        """One truth value per work of the catalogue."""
        return self.catalogue.allowed(
            COUNTRIES[self.country[number]], int(self.maturity[number]), is_kids=bool(self.is_kids[number])
        )

    def members(self) -> Iterator[Member]:
        """Every profile with its history, in order; the same each time."""
        random = np.random.default_rng([self.seed, 3])
        choices = _Choices(self)
        for number in range(len(self)):
            yield self._member(number, random, choices)

    def _member(self, number: int, random: np.random.Generator, choices: _Choices) -> Member:
        wanted = int(self.work_counts[number])
        works = choices.draw(number, 2 * wanted, random)
        watched, others = works[:wanted], works[wanted:]
        ages = random.exponential(MEAN_AGE_S, len(watched)).tolist()
        finished = (random.random(len(watched)) < FINISHED_SHARE).tolist()
        depths = random.random(len(watched)).tolist()
        entries: list[Entry] = []
        for work, age_s, is_finished, depth in zip(watched, ages, finished, depths, strict=True):
            entries += self._entries(work, age_s, depth, is_finished=is_finished)
        listed, thumbed = (random.random(len(others)) < share for share in (LISTED_SHARE, THUMBED_SHARE))
        ids = [self.catalogue.works[work].id for work in others]
        return Member(
            viewer=self.viewer(number),
            entries=tuple(entries),
            listed=tuple(each for each, is_listed in zip(ids, listed, strict=True) if is_listed),
            thumbed_up=tuple(each for each, is_up in zip(ids, thumbed, strict=True) if is_up),
        )

    def _entries(self, work: int, age_s: float, depth: float, *, is_finished: bool) -> list[Entry]:
        episodes = self.catalogue.episodes[work]
        if not episodes:
            title = self.catalogue.works[work]
            return [_entry(title.id, None, float(title.duration_seconds or 60), age_s, depth, is_finished=is_finished)]
        begun = 1 + int(depth * min(MAX_EPISODES, len(episodes)) * 0.999)
        return [
            _entry(
                episode.id,
                self.catalogue.works[work].id,
                float(episode.duration_seconds or 60),
                age_s + 3_000.0 * (begun - place),
                depth,
                is_finished=place < begun or is_finished,
            )
            for place, episode in enumerate(episodes[:begun], start=1)
        ]


class _Choices:
    """Works to draw from, by rank: one list for each kind of viewer and genre."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._lists: dict[tuple[int, int, bool, int], IntArray] = {}

    def draw(self, number: int, count: int, random: np.random.Generator) -> list[int]:
        """Up to `count` different works that the profile may see."""
        audience = self._audience
        kind = (int(audience.country[number]), int(audience.maturity[number]), bool(audience.is_kids[number]))
        own = random.random(2 * count) < OWN_GENRES_SHARE
        genres = np.where(own, random.choice(audience.genres[number], 2 * count), len(GENRES)).tolist()
        luck = random.random(2 * count).tolist()
        found: dict[int, None] = {}
        for genre, chance in zip(genres, luck, strict=True):
            works = self._list(number, (*kind, genre))
            if len(works):
                # The inverse of Zipf's distribution over ranks, taken as continuous.
                power = 1 - ZIPF_EXPONENT
                rank = ((len(works) ** power - 1) * chance + 1) ** (1 / power) - 1
                found[int(works[min(len(works) - 1, int(rank))])] = None
            if len(found) == count:
                break
        return list(found)

    def _list(self, number: int, key: tuple[int, int, bool, int]) -> IntArray:
        known = self._lists.get(key)
        if known is None:
            allowed = self._audience.may_see(number)
            if key[3] < len(GENRES):
                allowed = allowed & (self._audience.catalogue.genre_of == key[3])
            known = self._lists[key] = np.flatnonzero(allowed)
        return known


def make_audience(catalogue: Catalogue, profile_count: int, seed: int) -> Audience:
    """So many profiles of this catalogue."""
    random = np.random.default_rng([seed, 2])
    is_kids = random.random(profile_count) < KIDS_SHARE
    maturity = random.choice(MATURITIES, profile_count, p=MATURITY_SHARES)
    return Audience(
        catalogue=catalogue,
        seed=seed,
        country=random.choice(len(COUNTRIES), profile_count, p=COUNTRY_SHARES),
        maturity=np.where(is_kids, KIDS_MATURITY, maturity).astype(np.int64),
        is_kids=is_kids,
        genres=random.integers(len(GENRES), size=(profile_count, 3)),
        work_counts=np.clip(random.lognormal(np.log(MEDIAN_WORKS), SPREAD, profile_count), 1, MAX_WORKS).astype(int),
    )


def _entry(
    title_id: str, series_id: str | None, duration_s: float, age_s: float, depth: float, *, is_finished: bool
) -> Entry:
    position_s = duration_s * (0.95 if is_finished else 0.05 + 0.8 * depth)
    return Entry(title_id, series_id, round(position_s, 1), duration_s, is_finished, age_s)
