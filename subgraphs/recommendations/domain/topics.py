"""What titles are about, as numbers: a row of titles becomes its topics by one take and one sum.

There are few different lists of topics (2,456 for 36,254 real films), so that a matrix of the lists is small, 0.8 MB,
where one of the titles would be 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_TOPICS", "TopicTable", "build_topic_table"]

MAX_TOPICS = 8
"""Of one title: its type, which stands last, and genres."""


@dataclass(frozen=True, slots=True)
class TopicTable:
    """`names` are the topics, in order; `lists` tells by title which row of `shares` and `genres` is its own.

    `genres` are the columns of all its genres, and behind them the number of all topics, up to the longest list's.
    `shares` has a row for each different list, and a column for each topic: its part of the list, which sums to 1. The
    last row is of no title, and nothing: for the empty places of short rows.
    """

    names: tuple[str, ...]
    lists: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    genres: npt.NDArray[np.intp]

    def by_genre(self, amounts: Mapping[int, float]) -> npt.NDArray[np.float64]:
        """By topic the sum of the amounts, by title, of those that have it as a genre, added in their order."""
        titles = np.fromiter(amounts, np.int32, len(amounts))
        genres = self.genres.take(self.lists.take(titles), axis=0)
        each = np.fromiter(amounts.values(), np.float64, len(amounts)).repeat(genres.shape[1])
        # With weights it adds them: floats, not counts.
        return np.bincount(genres.ravel(), each, len(self.names) + 1)[:-1]  # type: ignore[return-value]

    @property
    def nothing(self) -> int:
        """The row of `shares` for an empty place."""
        return len(self.shares) - 1


def build_topic_table(topics: Sequence[tuple[str, ...]]) -> TopicTable:
    """Of the topics of each title, its type last, of which MAX_TOPICS count for variety."""
    numbers: dict[tuple[str, ...], int] = {}
    lists = np.fromiter((numbers.setdefault(each, len(numbers)) for each in topics), np.int32, len(topics))
    names = tuple(sorted({name for each in numbers for name in each}))
    columns = {name: column for column, name in enumerate(names)}
    shares = np.zeros((len(numbers) + 1, len(names)))
    for each, number in numbers.items():
        counted = each[-MAX_TOPICS:]
        for name in counted:
            shares[number, columns[name]] += 1 / len(counted)
    genres = np.full((len(numbers), max(map(len, numbers), default=1)), len(names), np.intp)
    for each, number in numbers.items():
        own = [columns[name] for name in each[:-1]]
        genres[number, : len(own)] = own
    return TopicTable(names, lists, shares, genres)
