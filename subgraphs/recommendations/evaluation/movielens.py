"""MovieLens as likes and titles: ratings of 4 stars and more are likes, of profiles with at least five of them.

The threshold and the five are those of Liang et al. (2018), so that protocols can be compared; the data set here is
"latest small" (600 people), whose figures compare with nothing but themselves.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from subgraphs.kernel.policy import TitleFacts
from subgraphs.recommendations.domain.titles import TitleKind, TitleRecord
from subgraphs.recommendations.evaluation.splits import LikeLog
from subgraphs.recommendations.models.recommender import FloatMatrix

__all__ = ["DataSet", "DataSetMissing", "read_movielens"]

LIKED_STARS = 4.0
MIN_LIKES = 5
_YEAR = re.compile(r"\((\d{4})\)\s*$")
NO_GENRE = "(no genres listed)"


class DataSetMissing(Exception):
    """The folder has no such data; the message names the file that was looked for."""


@dataclass(frozen=True)
class DataSet:
    """Likes by number; `records[t]` describes title t; `genres[t]` holds its shares of genres, which sum to 1 or 0."""

    name: str
    likes: LikeLog
    records: tuple[TitleRecord, ...]
    genres: FloatMatrix


def read_movielens(folder: Path) -> DataSet:
    """Reads ratings.csv.gz, movies.csv.gz and tags.csv.gz; raises DataSetMissing."""
    ratings = [
        (int(row["userId"]), int(row["movieId"]), float(row["timestamp"]))
        for row in _rows(folder / "ratings.csv.gz")
        if float(row["rating"]) >= LIKED_STARS
    ]
    counts: defaultdict[int, int] = defaultdict(int)
    for user, _, _ in ratings:
        counts[user] += 1
    ratings = [rating for rating in ratings if counts[rating[0]] >= MIN_LIKES]
    profiles = {user: place for place, user in enumerate(sorted({user for user, _, _ in ratings}))}
    titles = {movie: place for place, movie in enumerate(sorted({movie for _, movie, _ in ratings}))}
    likes = LikeLog(
        profiles=np.array([profiles[user] for user, _, _ in ratings]),
        titles=np.array([titles[movie] for _, movie, _ in ratings]),
        at_s=np.array([at for _, _, at in ratings]),
        profile_count=len(profiles),
        title_count=len(titles),
    )
    records = _records(folder, titles)
    return DataSet("MovieLens latest small", likes, records, _genre_shares(records))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise DataSetMissing(f"{path} is not there")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _records(folder: Path, titles: dict[int, int]) -> tuple[TitleRecord, ...]:
    """Tags stand in for the synopsis that the data set lacks."""
    tags: defaultdict[int, list[str]] = defaultdict(list)
    for row in _rows(folder / "tags.csv.gz"):
        tags[int(row["movieId"])].append(row["tag"])
    described = {int(row["movieId"]): row for row in _rows(folder / "movies.csv.gz")}
    return tuple(_record(movie, described[movie], tags[movie]) for movie in sorted(titles))


def _record(movie: int, row: dict[str, str], tags: list[str]) -> TitleRecord:
    year = _YEAR.search(row["title"])
    name = _YEAR.sub("", row["title"]).strip()
    genres = [genre for genre in row["genres"].split("|") if genre != NO_GENRE]
    return TitleRecord(
        id=f"mov_movielens-{movie}",
        kind=TitleKind.MOVIE,
        display_name=name,
        synopsis=" ".join([name, *tags]),
        release_year=None if year is None else int(year[1]),
        genres=tuple((genre, genre) for genre in genres),
        cast=(),
        directors=(),
        facts=TitleFacts(minimum_age=0, is_kids=False),
        series_id=None,
        season_number=0,
        episode_number=0,
        next_episode_id=None,
        popularity=0.0,
        added_at=datetime(1970, 1, 1, tzinfo=UTC),
    )


def _genre_shares(records: tuple[TitleRecord, ...]) -> FloatMatrix:
    names = sorted({genre for record in records for genre, _ in record.genres})
    columns = {name: column for column, name in enumerate(names)}
    cells = [
        (row, columns[genre], 1.0 / len(record.genres))
        for row, record in enumerate(records)
        for genre, _ in record.genres
    ]
    rows, places, values = zip(*cells, strict=True)
    return np.asarray(csr_array((values, (rows, places)), shape=(len(records), len(names))).toarray(), np.float32)
