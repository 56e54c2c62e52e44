"""A small data set in MovieLens' files: two camps of titles, liked by camps of people, with some noise."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

TITLES, USERS, EACH = 60, 60, 12


def write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture(scope="session")
def movielens_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movielens")
    chance = np.random.default_rng(5)
    ratings: list[list[object]] = []
    for user in range(USERS):
        camp = np.arange(TITLES // 2) + (TITLES // 2) * (user % 2)
        for place, movie in enumerate(chance.choice(camp, EACH, replace=False).tolist()):
            ratings.append([user + 1, movie * 10, 4.5 if place else 3.0, 1_000_000 + 3600 * int(chance.integers(2000))])
        other_camp = int(chance.integers(TITLES // 2)) + (TITLES // 2) * (1 - user % 2)
        ratings.append([user + 1, other_camp * 10, 4.0, 1_000_000])
    # Too few likes to be anybody.
    ratings.append([999, 10, 5.0, 1_000_000])
    movies = [
        [movie * 10, f"Film {movie} ({1950 + movie % 40})", "Drama|Comedy" if movie < TITLES // 2 else "Western"]
        for movie in range(TITLES)
    ]
    movies[1][2] = "(no genres listed)"
    write(folder / "ratings.csv.gz", ["userId", "movieId", "rating", "timestamp"], ratings)
    write(folder / "movies.csv.gz", ["movieId", "title", "genres"], movies)
    write(folder / "tags.csv.gz", ["userId", "movieId", "tag", "timestamp"], [[1, 0, "heist", 5], [2, 10, "heist", 5]])
    return folder
