"""What was learned from all profiles together, as one record: made by training, kept as an object, placed by serving.

Training knows titles by their ids and numbers them its own way; a catalogue changes while the record lasts. `place`
translates it to a catalogue's numbers: titles that training did not know have no row in it (only the content model
speaks for them), titles that are gone fall out. Nothing in it belongs to a profile: sums over many people, and a
vector per title.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import FloatArray, IndexArray
from subgraphs.recommendations.models.archive import ModelUnreadable, opened_archive, write_archive
from subgraphs.recommendations.models.implicit_als import AlsParameters, ImplicitAls, PlacedAls
from subgraphs.recommendations.models.item_weights import ItemWeights, neighbour_weights
from subgraphs.recommendations.models.neighbours import Neighbours
from subgraphs.recommendations.models.popularity import Popularity
from subgraphs.recommendations.models.recommender import Recommender

__all__ = [
    "ALS",
    "CONTENT",
    "EASE",
    "NEIGHBOURS",
    "POPULARITY",
    "SECOND_START",
    "PlacedModels",
    "TrainedModels",
    "place",
    "read_trained",
    "write_trained",
]

POPULARITY, CONTENT, NEIGHBOURS, ALS, EASE = "popularity", "content", "item neighbours", "implicit ALS", "EASE"
SECOND_START = "implicit ALS, second start"
"""In the blend only: vectors from another seed, as the mean of two such models is steadier than either."""

FORMAT = 1
"""Of the bytes; another number is refused."""


@dataclass(frozen=True, slots=True)
class TrainedModels:
    """Everything over `title_ids`, in their order.

    `ease` is None and `als` empty when there were too few profiles to learn them from. `weights`: the blend's, by the
    names above; a model that is not named in them has weight 0.
    """

    title_ids: tuple[str, ...]
    popularity: Popularity
    neighbours: Neighbours
    ease: ItemWeights | None
    als: tuple[ImplicitAls, ...]
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PlacedModels:
    """What was trained, over a catalogue's titles: the neighbours by themselves too, and every model by its name."""

    neighbours: Neighbours
    parts: Mapping[str, Recommender]


def place(trained: TrainedModels, index_by_id: Mapping[str, int], size: int) -> PlacedModels:
    """The models over a catalogue of `size` titles, whose order `index_by_id` tells."""
    places = np.fromiter((index_by_id.get(each, -1) for each in trained.title_ids), np.int32, len(trained.title_ids))
    counts = np.zeros(size, np.float32)
    counts[places[places >= 0]] = trained.popularity.counts[places >= 0]
    neighbours = _place_neighbours(trained.neighbours, places, size)
    parts: dict[str, Recommender] = {POPULARITY: Popularity(counts), NEIGHBOURS: neighbour_weights(neighbours)}
    if trained.ease is not None:
        parts[EASE] = ItemWeights(_place_table(trained.ease.table, places, size))
    for name, model in zip((ALS, SECOND_START), trained.als, strict=False):
        parts[name] = PlacedAls(model, places, size)
    return PlacedModels(neighbours, parts)


def _place_table(
    table: csr_array[Any, tuple[int, int]], places: IndexArray, size: int
) -> csr_array[np.float32, tuple[int, int]]:
    cells = table.tocoo()
    rows, columns = places[cells.row], places[cells.col]
    kept = (rows >= 0) & (columns >= 0)
    placed: csr_array[np.float32, tuple[int, int]] = csr_array(
        (cells.data[kept], (rows[kept], columns[kept])), shape=(size, size)
    )
    return placed


def _place_neighbours(neighbours: Neighbours, places: IndexArray, size: int) -> Neighbours:
    """Row by row, nearest still first: a matrix would sort them by number."""
    rows = places[np.repeat(np.arange(len(places)), np.diff(neighbours.starts))]
    others = places[neighbours.indices]
    kept = (rows >= 0) & (others >= 0)
    order = np.argsort(rows[kept], kind="stable")
    starts = np.zeros(size + 1, np.int32)
    np.cumsum(np.bincount(rows[kept], minlength=size), out=starts[1:])
    return Neighbours(starts, others[kept][order].astype(np.int32), neighbours.similarities[kept][order])


def write_trained(trained: TrainedModels) -> bytes:
    """As an archive."""
    about = {
        "title_ids": trained.title_ids,
        "weights": dict(trained.weights),
        "als": [asdict(model.parameters) for model in trained.als],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "popularity": trained.popularity.counts,
        "neighbours_starts": trained.neighbours.starts,
        "neighbours_indices": trained.neighbours.indices,
        "neighbours_similarities": trained.neighbours.similarities,
    }
    if trained.ease is not None:
        table = trained.ease.table
        arrays |= {"ease_starts": table.indptr, "ease_indices": table.indices, "ease_weights": table.data}
    arrays |= {f"als_{number}": model.titles for number, model in enumerate(trained.als)}
    return write_archive(FORMAT, about, arrays)


def read_trained(content: bytes) -> TrainedModels:
    """The inverse of `write_trained`; raises ModelUnreadable."""
    with opened_archive(content, "model", FORMAT) as (about, arrays):
        return _assemble(about, arrays)


def _assemble(about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> TrainedModels:
    title_ids = tuple(str(each) for each in about["title_ids"])
    size = len(title_ids)
    neighbours = Neighbours(
        arrays["neighbours_starts"], arrays["neighbours_indices"], arrays["neighbours_similarities"]
    )
    popularity: FloatArray = arrays["popularity"]
    if len(popularity) != size or len(neighbours.starts) != size + 1:
        raise ModelUnreadable(f"{size} titles with {len(popularity)} popularities")
    ease = None
    if "ease_starts" in arrays:
        cells = (arrays["ease_weights"], arrays["ease_indices"], arrays["ease_starts"])
        ease = ItemWeights(csr_array(cells, shape=(size, size)))
    return TrainedModels(
        title_ids=title_ids,
        popularity=Popularity(popularity),
        neighbours=neighbours,
        ease=ease,
        als=tuple(
            ImplicitAls(arrays[f"als_{number}"].astype(np.float32), AlsParameters(**parameters))
            for number, parameters in enumerate(about["als"])
        ),
        weights={str(name): float(weight) for name, weight in about["weights"].items()},
    )
