"""The title vectors of all models side by side, as integers: one product scores every work for one profile.

Problem: three models' vectors are 40 MB of floats, and to read them is most of what a profile's scores cost. Processors
multiply bytes faster than memory delivers them, but a byte per number leaves scores off by 1 % of their deviation, and
titles that stand side by side on a page differ by less.

Idea: numbers of 16 bits, kept as two matrices of bytes. With a title's number 256 u + l, its upper byte says roughly
what its score is; l is added for the few titles that come highest in the end. How far a score may be off by what is
left out is known of each title, so those few are the ones that may be highest. The profile's numbers are 16 bits, too,
multiplied as two rows of bytes. What 1 is worth differs by title, as vectors of popular titles are long; and by model,
so that no model's numbers are small beside another's.

Invariants, held by tests: rough scores are off by at most ROUGH_ERROR, refined ones by at most ERROR, times the width,
the greatest number of the title's row and the profile's greatest, both in units of the models. That is for the worst
of vectors: of trained ones, rough scores are off by 0.4 to 0.8 % of their deviation, refined ones by 0.1 % at most.
Sums of bytes are exact, with whatever instructions of a processor they are made.

Limits: without vector instructions for bytes (AVX2, NEON) the product takes ten times as long as one of floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numkong
import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import saxpy

from subgraphs.recommendations.domain.catalogue import BoolArray, FloatArray, IndexArray
from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import PlacedAls

__all__ = ["ERROR", "ROUGH_ERROR", "TitleVectors", "VectorModel", "VectorSums", "pack_title_vectors"]

Doubles: TypeAlias = npt.NDArray[np.float64]
Bytes: TypeAlias = npt.NDArray[np.int8]
VectorModel: TypeAlias = FoldedContent | PlacedAls

GREATEST = 127 * 256 + 127
"""Of the numbers of 16 bits: the upper byte of what is greater would not fit."""
ERROR = 1 / 32_000
"""Of one product of two numbers, as a part of the greatest: half a step of either."""
ROUGH_ERROR = 1 / 250
"""The same without the title's lower byte."""
LOWER_DEVIATION = 74
"""Of a byte, all of which are as likely."""
MARGIN = 4
"""Deviations by which a rough score may be off, as a sum of many bytes: by more it is for one title of 15,000."""
SAMPLE_STEP = 16
AMPLE = 1.25
"""A sample's guess at the cut lets through this many times what is wanted: too few one time in thirty."""
BLOCK_ROWS = 256
"""Titles that are packed at once: their vectors stay in a processor's cache meanwhile."""


@dataclass(frozen=True)
class TitleVectors:
    """Made by `pack_title_vectors`: a row for each title that `has_row` tells.

    `units`: by model, in the order of their columns, what its vectors were divided by. By title: `steps`, what 1 is
    worth in its row, and `row_at`, which one it is. `upper` and `lower`: the rows.
    """

    units: Mapping[str, float]
    has_row: BoolArray
    steps: FloatArray
    row_at: IndexArray
    upper: numkong.PackedMatrix | None
    lower: Bytes

    def ask(self, vectors: Mapping[str, Doubles]) -> VectorSums:
        """For a profile's vectors by model."""
        profile = np.concatenate([np.zeros(0), *(vectors[name] * unit for name, unit in self.units.items())])
        step = float(np.abs(profile).max(initial=0.0)) / GREATEST
        numbers = np.array(_two_bytes(profile / step if step else profile))
        return VectorSums(self, numbers, step, self._rough(numbers, step), float(profile @ profile) ** 0.5)

    def _rough(self, numbers: Bytes, step: float) -> FloatArray:
        rough = np.full(len(self.has_row), -np.inf, np.float32)
        if self.upper is None:
            rough[self.has_row] = 0.0
            return rough
        products = _joined(np.asarray(numkong.dots_packed(numbers, self.upper)), 256 * step)
        if len(products) == len(rough):
            rough = products
        else:
            rough[self.has_row] = products
        rough *= self.steps
        return rough


@dataclass(frozen=True, slots=True)
class VectorSums:
    """For each title the sum, over all models, of its vector times the profile's.

    `numbers` and `step` are the profile's, as two rows of bytes, and `length` that of its vectors together. `rough`:
    the sums without lower bytes, minus infinity where a title has no row.
    """

    titles: TitleVectors
    numbers: Bytes
    step: float
    rough: FloatArray
    length: float

    def refine(self, total: FloatArray, count: int) -> None:
        """Add what `rough` lacks to `total`, in place, of the `count` titles that may have most of it.

        `total` is the rough sums with whatever else.
        """
        titles = self.titles
        if titles.upper is None:
            return
        highest = titles.steps * np.float32(MARGIN * LOWER_DEVIATION * self.length)
        highest += total
        best = _highest(highest, count)
        best = best[titles.has_row.take(best)]
        lower = titles.lower.take(titles.row_at.take(best), axis=0)
        lacking = _joined(np.asarray(numkong.dots_packed(lower, numkong.dots_pack(self.numbers))).T, self.step)
        total[best] += lacking * titles.steps.take(best)


def pack_title_vectors(models: Mapping[str, VectorModel], has_row: BoolArray) -> TitleVectors:
    """`has_row`: which titles of the models' catalogue are scored."""
    units = {name: _unit(model) for name, model in models.items()}
    rows = np.flatnonzero(has_row).astype(np.int32)
    row_at = np.zeros(len(has_row), np.int32)
    row_at[rows] = np.arange(len(rows))
    steps = np.ones(len(has_row), np.float32)
    width = sum(len(model.gram) for model in models.values())
    upper, lower = np.empty((len(rows), width), np.int8), np.empty((len(rows), width), np.int8)
    for start in range(0, len(rows) if width else 0, BLOCK_ROWS):
        block = rows[start : start + BLOCK_ROWS]
        # Single precision is far finer than 16 bits, and half the work.
        in_units = [model.vectors_at(block) / units[name] for name, model in models.items()]
        vectors = np.hstack(in_units, dtype=np.float32, casting="same_kind")
        greatest = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
        steps[block] = np.where(greatest > 0, greatest, 1.0) / GREATEST
        vectors /= steps[block, None]
        at = slice(start, start + len(block))
        upper[at], lower[at] = _two_bytes(vectors)
    packed = numkong.dots_pack(upper) if upper.size else None
    return TitleVectors(units, has_row, steps, row_at, packed, lower)


def _highest(values: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """Places of the `count` greatest: among those above a cut that a sample tells, in half the time."""
    sample = values[::SAMPLE_STEP].copy()
    rank = int(AMPLE * count) // SAMPLE_STEP + 1
    places = np.arange(len(values))
    if rank < len(sample):
        sample.partition(len(sample) - rank)
        above = np.flatnonzero(values >= sample[len(sample) - rank])
        if len(above) >= count:
            places, values = above, values.take(above)
    return places[values.argpartition(-count)[-count:]] if count < len(places) else places


def _unit(model: VectorModel) -> float:
    """The root mean square of a model's numbers."""
    return float(np.trace(model.gram) / max(model.size * len(model.gram), 1)) ** 0.5 or 1.0


def _two_bytes(numbers: npt.NDArray[np.floating]) -> tuple[Bytes, Bytes]:
    """Of whole numbers up to GREATEST the upper and the lower byte: 256 times the first and the second make them up."""
    whole = np.rint(numbers).astype(np.int16)
    lower = whole.astype(np.int8)
    return ((whole - lower) >> 8).astype(np.int8), lower


def _joined(products: npt.NDArray[np.int32], step: float) -> FloatArray:
    """What both rows of the profile's bytes gave, as one."""
    upper, lower = products.astype(np.float32, order="C")
    lower *= np.float32(step)
    return saxpy(upper, lower, a=256 * step)
