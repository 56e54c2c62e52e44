"""Content similarity: titles that share genres, people and words lie close together.

The problem: a new title has no viewers yet, and a small service has few; what is known at once is what a title is
about. The idea: each title is a bag of weighted tokens (genres, directors, cast, decade, words of its synopsis),
scaled by how rare a token is (TF-IDF). One title is compared with all by the sparse rows themselves; for a whole
taste the long sparse rows are folded into short dense ones by a randomised truncated SVD, so that comparing one title
with tens of thousands is one small matrix product.

Invariants: rows have length 1, or 0 for a title without tokens; the fold keeps inner products nearly (exactly while
there are fewer titles than dimensions). Limits: one language, no stemming. Halko, Martinsson, Tropp: Finding
structure with randomness (2011).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = ["DIMENSIONS", "Content", "FoldedContent", "build_content", "no_content"]

DIMENSIONS = 128
MAX_TOKENS = 30_000
"""The most frequent tokens are kept; rarer ones connect hardly any titles."""
HALF_KNOWN_TOKENS = 2
"""Tokens at which a title is half known."""
OVERSAMPLING = 12
POWER_STEPS = 2
BLOCK_ROWS = 1_024
"""Rows per product: other threads get their turn between blocks."""

GENRE_WEIGHT, DIRECTOR_WEIGHT, CAST_WEIGHT, DECADE_WEIGHT, WORD_WEIGHT = 2.0, 2.5, 1.5, 0.7, 0.35

_WORD = re.compile(r"[^\W\d_]{4,}")
_STOP_WORDS = frozenset(
    """
    about after again against also another away back because been before being between both came come could does
    down during each even ever every film find finds first from gets gives goes have having here himself herself
    into itself just keep later life like love made make makes many more most much must never only other over part
    same several she should since some soon story such take takes than that their them then there these they this
    those three through time together turns under until upon very wants well were what when where which while whom
    whose will with without would year years young your
    """.split()  # noqa: SIM905  # a list of quoted words would be ten times as long to read
)


@dataclass(frozen=True)
class Content:
    """`tokens`: the sparse rows; `vectors`: the same titles folded, at most DIMENSIONS wide.

    Rows of both have length 1, or 0 for a title about which nothing is known.
    """

    tokens: csr_array[np.float32, tuple[int, int]]
    vectors: FloatArray

    def like(self, index: int) -> FloatArray:
        """How like every title is to this one: exact cosines, so that a director in common counts, however rare.

        Less for titles of which little is known: two that are only known to be silent are not the same film.
        """
        row = self.tokens[[index]].toarray()[0]
        known = np.diff(self.tokens.indptr).astype(np.float32)
        confidence = known / (known + np.float32(HALF_KNOWN_TOKENS))
        likeness: FloatArray = np.asarray(self.tokens @ row) * confidence * confidence[index]
        return likeness

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: the summed cosines with the history's titles."""
        told = csr_array(histories @ self.tokens)
        return np.asarray(csr_array(told @ self.tokens.T).toarray(), np.float32)


@dataclass(frozen=True, slots=True)
class FoldedContent:
    """Recommends by the folded vectors alone: what serving does, one small product for a whole catalogue."""

    vectors: FloatArray

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: the summed cosines with the history's titles, nearly."""
        return np.asarray((histories @ self.vectors) @ self.vectors.T, np.float32)


def no_content(count: int) -> Content:
    """Nothing known about `count` titles."""
    nothing = np.zeros((count, 1), np.float32)
    return Content(csr_array(nothing), nothing)


def build_content(records: Sequence[TitleRecord]) -> Content:
    """What is known about the records, row by row."""
    matrix = _token_matrix(records)
    if matrix.shape[1] == 0:
        return no_content(len(records))
    folded = _fold(matrix, min(DIMENSIONS, *matrix.shape))
    vectors = np.ascontiguousarray(_unit_rows(folded), np.float32)
    return Content(matrix.astype(np.float32), vectors)


def _tokens(record: TitleRecord) -> Iterator[tuple[str, float]]:
    for genre_id, _ in record.genres:
        yield f"g:{genre_id}", GENRE_WEIGHT
    for name in record.directors:
        yield f"p:{name}", DIRECTOR_WEIGHT
    for name in record.cast:
        yield f"p:{name}", CAST_WEIGHT
    if record.release_year is not None:
        yield f"d:{record.release_year // 10}", DECADE_WEIGHT
    words = Counter(word for word in _WORD.findall(record.synopsis.lower()) if word not in _STOP_WORDS)
    for word, count in words.items():
        yield f"w:{word}", WORD_WEIGHT * (1 + np.log(count))


def _token_matrix(records: Sequence[TitleRecord]) -> csr_array[np.float64, tuple[int, int]]:
    """TF-IDF rows of length 1; tokens of a single title are left out, as they are like nothing else."""
    bags = [dict(_tokens(record)) for record in records]
    counts = Counter(token for bag in bags for token in bag)
    kept = sorted((token for token, count in counts.items() if count > 1), key=lambda token: (-counts[token], token))
    columns = {token: column for column, token in enumerate(kept[:MAX_TOKENS])}
    rarity = {token: float(np.log1p(len(records) / counts[token])) for token in columns}
    row_ends, places, values = [0], [], []
    for bag in bags:
        for token, weight in bag.items():
            if token in columns:
                places.append(columns[token])
                values.append(weight * rarity[token])
        row_ends.append(len(places))
    data = np.array(values, np.float64)
    for start, end in pairwise(row_ends):
        length = float(np.linalg.norm(data[start:end]))
        if length > 0:
            data[start:end] /= length
    return csr_array(
        (data, np.array(places, np.int32), np.array(row_ends, np.int32)), shape=(len(records), len(columns))
    )


def _fold(matrix: csr_array[np.float64, tuple[int, int]], dimensions: int) -> npt.NDArray[np.float64]:
    """Rows in `dimensions` directions such that inner products stay as near as they can."""
    sketch_width = min(dimensions + OVERSAMPLING, *matrix.shape)
    start = np.random.default_rng(7).standard_normal((matrix.shape[1], sketch_width))
    basis = np.linalg.qr(_times(matrix, start))[0]
    for _ in range(POWER_STEPS):
        across = np.linalg.qr(_transposed_times(matrix, basis))[0]
        basis = np.linalg.qr(_times(matrix, across))[0]
    small = _transposed_times(matrix, basis).T
    left, strengths, _ = np.linalg.svd(small, full_matrices=False)
    folded: npt.NDArray[np.float64] = basis @ (left[:, :dimensions] * strengths[:dimensions])
    return folded


def _times(matrix: csr_array[np.float64, tuple[int, int]], dense: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blocks = [np.asarray(matrix[start : start + BLOCK_ROWS] @ dense) for start in range(0, matrix.shape[0], BLOCK_ROWS)]
    return np.vstack(blocks)


def _transposed_times(
    matrix: csr_array[np.float64, tuple[int, int]], dense: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    total = np.zeros((matrix.shape[1], dense.shape[1]))
    for start in range(0, matrix.shape[0], BLOCK_ROWS):
        total += np.asarray(matrix[start : start + BLOCK_ROWS].T @ dense[start : start + BLOCK_ROWS])
    return total


def _unit_rows(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # Rounding leaves traces in rows that were empty.
    unit: npt.NDArray[np.float64] = np.where(lengths > 1e-6, rows / np.maximum(lengths, 1e-6), 0.0)
    return unit
