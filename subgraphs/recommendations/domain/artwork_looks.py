"""The catalogue's artwork as columns: three variants a title, each with its features and its share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.artwork_choice import Look
from subgraphs.recommendations.domain.artwork_sizes import MAIN_VARIANT, VARIANTS

__all__ = ["FEATURES_PER_LOOK", "ArtworkTable", "build_artwork_table"]

FEATURES_PER_LOOK = 2
"""Palette and composition. The typeface follows from the composition."""

_MAIN_ALONE = tuple(float(variant == MAIN_VARIANT) for variant in VARIANTS)


@dataclass(frozen=True, slots=True)
class ArtworkTable:
    """One place per title, one column per variant in the order of VARIANTS.

    `features[title, variant]` are places in `names`; `shares` add up to 1 a title, 0: not to be shown. `seeds` differ
    from title to title and are the same in every process.
    """

    names: tuple[str, ...]
    features: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    seeds: npt.NDArray[np.uint64]


def build_artwork_table(titles: Sequence[tuple[str, tuple[Look, ...]]]) -> ArtworkTable:
    """Of titles' ids and looks; a title whose looks are unknown is shown in its main variant."""
    names = sorted({name for looks in {looks for _, looks in titles} for look in looks for name in look.features})
    place_by_name = {name: place for place, name in enumerate(names)}
    rows: dict[tuple[Look, ...], tuple[list[list[int]], list[float]]] = {}
    features = np.zeros((len(titles), len(VARIANTS), FEATURES_PER_LOOK), np.int32)
    shares = np.zeros((len(titles), len(VARIANTS)), np.float64)
    for index, (_, looks) in enumerate(titles):
        row = rows.get(looks)
        if row is None:
            row = rows[looks] = _row(looks, place_by_name)
        features[index], shares[index] = row
    digests = b"".join(hashlib.blake2s(title_id.encode(), digest_size=8).digest() for title_id, _ in titles)
    return ArtworkTable(tuple(names), features, shares, np.frombuffer(digests, np.dtype("<u8")))


def _row(looks: tuple[Look, ...], place_by_name: dict[str, int]) -> tuple[list[list[int]], list[float]]:
    features = [[0] * FEATURES_PER_LOOK for _ in VARIANTS]
    weights = [0.0] * len(VARIANTS)
    for look in looks:
        column = VARIANTS.index(look.variant)
        features[column] = [place_by_name[name] for name in look.features]
        weights[column] = float(max(0, look.weight))
    total = sum(weights)
    return features, [weight / total for weight in weights] if total else list(_MAIN_ALONE)
