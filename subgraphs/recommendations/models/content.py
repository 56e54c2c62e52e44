"""Content similarity: titles that share genres, people and words lie close together.

The problem: a new title has no viewers yet, and a small service has few; what is known at once is what a title is
about. The idea: each title is a bag of weighted tokens (genres, directors, cast, decade, words of its synopsis),
scaled by how rare a token is (TF-IDF). One title is compared with all by the sparse rows themselves; for a whole
taste the long sparse rows are folded into short dense ones by a randomised truncated SVD, so that comparing one title
with tens of thousands is one small matrix product.

Two steps, as the first takes seconds and the second microseconds per title: `fit_space` learns from many titles which
tokens there are, how rare each is, and the directions to fold along; `place` puts titles into that space, also those
that came later, by the tokens that the space knows.

Invariants: rows have length 1, or 0 for a title without known tokens; the fold keeps inner products nearly (exactly
while there are fewer titles than dimensions); a title's rows depend on nothing but the space and what the title says.
Limits: one language, no stemming. Halko, Martinsson, Tropp: Finding structure with randomness (2011).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import saxpy
from scipy.sparse import csr_array, vstack

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.domain.titles import TitleRecord
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions

__all__ = [
    "DIMENSIONS",
    "Content",
    "ContentSpace",
    "FoldedContent",
    "build_content",
    "carry_over",
    "no_content",
    "place",
]

DIMENSIONS = 128
MAX_TOKENS = 30_000
"""The most frequent tokens are kept; rarer ones connect hardly any titles."""
HALF_KNOWN_TOKENS = 2
"""Tokens at which a title is half known."""
OVERSAMPLING = 12
POWER_STEPS = 2
COMMON_SHARE = 1 / 8
"""Of the titles: a token of more is kept as a whole row, too; it takes at most four times the memory."""
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


@dataclass(frozen=True, slots=True)
class ContentSpace:
    """What tokens are worth, learned from `title_count` titles.

    `columns`: the number of each token that is known. By these numbers: `rarities`, and `directions`, a row of at most
    DIMENSIONS numbers into which the token is folded.
    """

    columns: Mapping[str, int]
    rarities: FloatArray
    directions: FloatArray
    title_count: int


@dataclass(frozen=True)
class Content:
    """Titles in a space. `tokens`: the sparse rows; `vectors`: the same titles folded, at most DIMENSIONS wide.

    Rows of both have length 1, or 0 for a title about which nothing is known.
    """

    space: ContentSpace
    tokens: csr_array[np.float32, tuple[int, int]]
    vectors: FloatArray

    def like(self, index: int) -> FloatArray:
        """How like every title is to this one: exact cosines, so that a director in common counts, however rare.

        Less for titles of which little is known: two that are only known to be silent are not the same film.
        """
        row = slice(*self.tokens.indptr[[index, index + 1]].tolist())
        tokens, weights = self.tokens.indices[row], self.tokens.data[row]
        cosines = self._holders.sums(tokens, weights)
        likeness: FloatArray = cosines * (self._confidence * self._confidence[index])
        return likeness

    @cached_property
    def _holders(self) -> _Holders:
        return _holders(self.tokens)

    @cached_property
    def _confidence(self) -> FloatArray:
        """In what is known of a title, 0 to below 1."""
        known = np.diff(self.tokens.indptr).astype(np.float32)
        return known / (known + np.float32(HALF_KNOWN_TOKENS))

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: the summed cosines with the history's titles."""
        told = csr_array(histories @ self.tokens)
        return np.asarray(csr_array(told @ self.tokens.T).toarray(), np.float32)


@dataclass(frozen=True, slots=True)
class _Holders:
    """The titles that have a token, by token, so that only they are met when it is looked for.

    `by_token[token, title]`: its weight. `common[place_of_common[token]]`: the same as a whole row, for a token of many
    titles, which is added up five times as fast; -1 for others.
    """

    by_token: csr_array[np.float32, tuple[int, int]]
    common: FloatArray
    place_of_common: IndexArray

    def sums(self, tokens: IndexArray, weights: FloatArray) -> FloatArray:
        """For each title the sum of its weights of these tokens, times theirs."""
        places = self.place_of_common[tokens]
        is_rare = places < 0
        sums: FloatArray = np.asarray(self.by_token[tokens[is_rare]].T @ weights[is_rare])
        for place, weight in zip(places[~is_rare].tolist(), weights[~is_rare].tolist(), strict=True):
            sums = saxpy(self.common[place], sums, a=weight)
        return sums


@dataclass(frozen=True)
class FoldedContent:
    """Recommends by the folded vectors alone: what serving does, one small product for a whole catalogue."""

    vectors: FloatArray

    @property
    def size(self) -> int:
        """Titles of the catalogue."""
        return len(self.vectors)

    @cached_property
    def vector_sum(self) -> npt.NDArray[np.float64]:
        """Of all titles."""
        return np.asarray(self.vectors.sum(axis=0, dtype=np.float64))

    @cached_property
    def gram(self) -> npt.NDArray[np.float64]:
        """Inner products of the vectors' columns: from a profile's vector to the sum of its squared scores."""
        vectors = self.vectors.astype(np.float64)
        return np.asarray(vectors.T @ vectors)

    def scores_of(self, vector: npt.NDArray[np.float64]) -> FloatArray:
        """For one profile's vector, the weighted sum of those of its titles; see `scores`."""
        scores: FloatArray = self.vectors @ vector.astype(np.float32)
        return scores

    def vectors_at(self, places: IndexArray) -> npt.NDArray[np.float64]:
        """Of some titles."""
        return self.vectors.take(places, axis=0).astype(np.float64)

    def scores(self, histories: Interactions) -> FloatMatrix:
        """See Recommender.scores: the summed cosines with the history's titles, nearly."""
        return np.asarray((histories @ self.vectors) @ self.vectors.T, np.float32)


def words_of(record: TitleRecord) -> tuple[object, ...]:
    """Everything that content reads of a title: two records with the same words have the same rows."""
    return record.genres, record.directors, record.cast, record.release_year, record.synopsis


def no_content(count: int) -> Content:
    """Nothing known about `count` titles."""
    nothing = np.zeros((count, 1), np.float32)
    return Content(ContentSpace({}, np.zeros(1, np.float32), nothing[:1], 0), csr_array(nothing), nothing)


def build_content(records: Sequence[TitleRecord]) -> Content:
    """What is known about the records, row by row, in a space of their own."""
    bags = [dict(_tokens(record)) for record in records]
    columns, rarities = _known_tokens(bags)
    if not columns:
        return no_content(len(records))
    tokens = _rows(bags, columns, rarities)
    directions = _directions(tokens, min(DIMENSIONS, *tokens.shape)).astype(np.float32)
    return _content(ContentSpace(columns, rarities, directions, len(records)), tokens)


def place(space: ContentSpace, records: Sequence[TitleRecord]) -> Content:
    """The records in a space that others may have made."""
    return _content(space, _rows([dict(_tokens(record)) for record in records], space.columns, space.rarities))


def carry_over(content: Content, places: IndexArray, records: Sequence[TitleRecord]) -> Content:
    """The records in the same space: record i as row places[i] of `content`, or read anew where that is -1."""
    new = np.flatnonzero(places < 0)
    if not len(new) and np.array_equal(places, np.arange(len(content.vectors))):
        return content
    added = place(content.space, [records[each] for each in new.tolist()])
    rows = places.copy()
    rows[new] = len(content.vectors) + np.arange(len(new))
    tokens: csr_array[np.float32, tuple[int, int]] = vstack([content.tokens, added.tokens], format="csr")
    return Content(content.space, csr_array(tokens[rows]), np.vstack([content.vectors, added.vectors])[rows])


def _content(space: ContentSpace, tokens: csr_array[np.float64, tuple[int, int]]) -> Content:
    vectors = np.ascontiguousarray(_unit_rows(_times(tokens, space.directions)), np.float32)
    return Content(space, tokens.astype(np.float32), vectors)


def _holders(rows: csr_array[np.float32, tuple[int, int]]) -> _Holders:
    by_token = csr_array(rows.T)
    common = np.flatnonzero(np.diff(by_token.indptr) > COMMON_SHARE * rows.shape[0])
    place_of_common = np.full(rows.shape[1], -1, np.int32)
    place_of_common[common] = np.arange(len(common))
    return _Holders(by_token, by_token[common].toarray(), place_of_common)


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
        yield f"w:{word}", WORD_WEIGHT * (1 + math.log(count))


def _known_tokens(bags: Sequence[Mapping[str, float]]) -> tuple[dict[str, int], FloatArray]:
    """Columns and rarities; tokens of a single title are left out, as they are like nothing else."""
    counts = Counter(token for bag in bags for token in bag)
    kept = sorted((token for token, count in counts.items() if count > 1), key=lambda token: (-counts[token], token))
    columns = {token: column for column, token in enumerate(kept[:MAX_TOKENS])}
    return columns, np.array([math.log1p(len(bags) / counts[token]) for token in columns], np.float32)


def _rows(
    bags: Sequence[Mapping[str, float]], columns: Mapping[str, int], rarities: FloatArray
) -> csr_array[np.float64, tuple[int, int]]:
    """TF-IDF rows of length 1."""
    row_ends, places, values = [0], [], []
    for bag in bags:
        for token, weight in bag.items():
            column = columns.get(token)
            if column is not None:
                places.append(column)
                values.append(weight)
        row_ends.append(len(places))
    at = np.array(places, np.int32)
    data = np.array(values, np.float64) * rarities[at]
    for start, end in pairwise(row_ends):
        length = float(np.linalg.norm(data[start:end]))
        if length > 0:
            data[start:end] /= length
    return csr_array((data, at, np.array(row_ends, np.int32)), shape=(len(bags), len(rarities)))


def _directions(matrix: csr_array[np.float64, tuple[int, int]], dimensions: int) -> npt.NDArray[np.float64]:
    """A row of `dimensions` numbers per column, such that inner products of folded rows stay as near as they can."""
    sketch_width = min(dimensions + OVERSAMPLING, *matrix.shape)
    start = np.random.default_rng(7).standard_normal((matrix.shape[1], sketch_width))
    basis = np.linalg.qr(_times(matrix, start))[0]
    for _ in range(POWER_STEPS):
        across = np.linalg.qr(_transposed_times(matrix, basis))[0]
        basis = np.linalg.qr(_times(matrix, across))[0]
    small = _transposed_times(matrix, basis).T
    directions: npt.NDArray[np.float64] = np.linalg.svd(small, full_matrices=False)[2][:dimensions].T
    return directions


def _times(matrix: csr_array[np.float64, tuple[int, int]], dense: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    blocks = [np.asarray(matrix[start : start + BLOCK_ROWS] @ dense) for start in range(0, matrix.shape[0], BLOCK_ROWS)]
    return np.vstack([np.zeros((0, dense.shape[1])), *blocks])


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
