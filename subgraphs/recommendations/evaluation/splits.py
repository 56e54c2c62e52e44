"""Named ways to part a data set into what models learn from, what they are told of a profile, and what they must find.

- strong generalisation (Liang et al., 2018): whole profiles are held out; of each, 80 % are told and 20 % must be
  found. It asks whether a model serves profiles that it was never trained on, as a streaming service must.
- leave last out: of every profile the last like must be found; all before it is training.
- temporal: what happened after an instant must be found, what was before is training, for profiles with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.models.recommender import Interactions, interaction_matrix

__all__ = ["LikeLog", "Trial", "leave_last_out", "part_histories", "strong_generalisation", "temporal"]

HELD_OUT_RATIO = 0.2

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LikeLog:
    """Likes as columns: profile, title, Unix time; each pair once."""

    profiles: Indices
    titles: Indices
    at_s: npt.NDArray[np.float64]
    profile_count: int
    title_count: int

    @property
    def matrix(self) -> Interactions:
        """All of them."""
        return interaction_matrix(self.profiles, self.titles, shape=(self.profile_count, self.title_count))


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation: `histories` and `held_out` have a row for each of `profiles`, `trained` for each it was made of.

    `ages_s`: of each entry of `trained`, in its order, back from the newest of them.
    """

    name: str
    trained: Interactions
    ages_s: npt.NDArray[np.float64]
    profiles: Indices
    histories: Interactions
    held_out: Interactions


def strong_generalisation(log: LikeLog, *, folds: int, seed: int) -> Iterator[Trial]:
    """Each profile is held out in exactly one of `folds` trials."""
    random = np.random.default_rng(seed)
    parts = np.array_split(random.permutation(log.profile_count), folds)
    matrix, times = log.matrix, _times(log)
    for number, part in enumerate(parts):
        tested = np.sort(part)
        others = np.setdiff1d(np.arange(log.profile_count), tested)
        histories, held_out = part_histories(csr_array(matrix[tested]), random)
        kept = np.diff(held_out.indptr) > 0
        yield Trial(
            f"strong generalisation, seed {seed}, fold {number + 1} of {folds}",
            csr_array(matrix[others]),
            _ages(csr_array(times[others])),
            tested[kept],
            csr_array(histories[kept]),
            csr_array(held_out[kept]),
        )


def part_histories(rows: Interactions, random: np.random.Generator) -> tuple[Interactions, Interactions]:
    """Each row parted at random into what is told and what is held out; a row of one like keeps it."""
    held = np.zeros(rows.nnz, bool)
    for start, stop in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        count = stop - start
        if count > 1:
            held[start + random.choice(count, max(1, round(count * HELD_OUT_RATIO)), replace=False)] = True
    row_numbers = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    told, found = (
        csr_array((rows.data[chosen], (row_numbers[chosen], rows.indices[chosen])), shape=rows.shape)
        for chosen in (~held, held)
    )
    return told, found


def leave_last_out(log: LikeLog) -> Trial:
    """Every profile with two likes or more; equal instants are parted by title."""
    order = np.lexsort((log.titles, log.at_s, log.profiles))
    profiles = log.profiles[order]
    is_last = np.append(profiles[1:] != profiles[:-1], True)
    counts = np.bincount(log.profiles, minlength=log.profile_count)
    held = order[is_last & (counts[profiles] > 1)]
    return _by_entries(log, "leave last out", held)


def temporal(log: LikeLog, *, held_out_ratio: float = HELD_OUT_RATIO) -> Trial:
    """The last `held_out_ratio` of all likes, by time, of profiles that had likes before."""
    until = np.quantile(log.at_s, 1 - held_out_ratio, method="lower")
    return _by_entries(log, "temporal", np.flatnonzero(log.at_s > until))


def _by_entries(log: LikeLog, name: str, held: Indices) -> Trial:
    """Train on everything that is not held, for profiles that have some of both."""
    is_held = np.zeros(len(log.profiles), bool)
    is_held[held] = True
    shape = (log.profile_count, log.title_count)
    told = interaction_matrix(log.profiles[~is_held], log.titles[~is_held], shape=shape)
    found = interaction_matrix(log.profiles[is_held], log.titles[is_held], shape=shape)
    tested = np.flatnonzero((np.diff(told.indptr) > 0) & (np.diff(found.indptr) > 0))
    times = interaction_matrix(
        log.profiles[~is_held], log.titles[~is_held], shape=shape, weights=_shifted(log)[~is_held]
    )
    return Trial(name, told, _ages(times), tested, csr_array(told[tested]), csr_array(found[tested]))


def _times(log: LikeLog) -> Interactions:
    return interaction_matrix(
        log.profiles, log.titles, shape=(log.profile_count, log.title_count), weights=_shifted(log)
    )


def _shifted(log: LikeLog) -> npt.NDArray[np.float64]:
    """Instants as hours after the first, plus one: single precision keeps them, and none is a zero of the matrix."""
    return np.asarray((log.at_s - log.at_s.min()) / 3600.0 + 1.0, np.float64)


def _ages(times: Interactions) -> npt.NDArray[np.float64]:
    newest = float(times.data.max(initial=1.0))
    return (newest - times.data.astype(np.float64)) * 3600.0
