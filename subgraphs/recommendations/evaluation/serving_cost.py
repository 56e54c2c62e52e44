"""What serving trained models costs: processor time for the scores of one profile, by model, and memory.

Measured on a made-up catalogue: metadata costs nothing here but the folded vectors, which are random, as wide as real
ones. Vectors, tables and lists are those that pages are made with (blend.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.taste import Signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models.blend import Models, join_models, score_titles
from subgraphs.recommendations.models.content import DIMENSIONS, Content, no_content
from subgraphs.recommendations.models.one_history import OneHistory
from subgraphs.recommendations.models.recommender import Interactions
from subgraphs.recommendations.models.trained import TrainedModels

__all__ = ["ServingCost", "measure_serving"]

MEASURED_PROFILES = 100
SEED = 3
SNAPSHOT: Mapping[str, object] = {"kind": "MOVIE", "displayName": "", "minimumAge": 0, "isKids": False, "windows": ()}


@dataclass(frozen=True, slots=True)
class ServingCost:
    """`score_ms[model]`: one profile's scores of all titles; `blend_ms`: all models, standardised and summed.

    `memory_mb[model]`: its arrays over the catalogue; `join_ms`: from what was trained to what serves.
    """

    titles: int
    score_ms: Mapping[str, float]
    blend_ms: float
    memory_mb: Mapping[str, float]
    join_ms: float


def measure_serving(trained: TrainedModels, histories: Interactions) -> ServingCost:
    """Of the histories, whose columns are the trained titles, the first MEASURED_PROFILES are scored."""
    count = len(trained.title_ids)
    catalogue = build_catalogue(
        [record_from_snapshot({**SNAPSHOT, "id": title_id}) for title_id in trained.title_ids], 1
    )
    vectors = np.random.default_rng(SEED).normal(size=(count, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = no_content(count)
    content = Content(nothing.space, nothing.tokens, vectors)
    joined: list[Models] = []
    join_ms = _spent_ms(lambda: joined.append(join_models(catalogue, content, trained)))
    models = joined[0]
    places = np.array([catalogue.index_by_id[each] for each in trained.title_ids], np.int32)
    profiles = [places[row] for row in _rows(histories)]
    asked = [OneHistory(known, np.ones(len(known))) for known in profiles]
    return ServingCost(
        titles=count,
        score_ms={
            name: _spent_ms(lambda part=part: [each.ask(part, count).scores for each in asked]) / len(asked)  # type: ignore[misc]
            for name, part in models.parts.items()
        },
        blend_ms=_spent_ms(lambda: [score_titles(models, _signals(known)) for known in profiles]) / len(profiles),
        memory_mb={name: sum(_sizes(part)) / 1e6 for name, part in models.parts.items()},
        join_ms=join_ms,
    )


def _rows(histories: Interactions) -> list[np.ndarray[tuple[int], np.dtype[np.int32]]]:
    starts = histories.indptr
    rows = (histories.indices[starts[row] : starts[row + 1]] for row in range(histories.shape[0]))
    found = [row for row, _ in zip((row for row in rows if len(row)), range(MEASURED_PROFILES), strict=False)]
    if not found:
        raise ValueError("there is no history to score")
    return found


def _spent_ms(work: Callable[[], object]) -> float:
    begun_s = time.process_time()
    work()
    return 1000 * (time.process_time() - begun_s)


def _sizes(part: object) -> Iterator[int]:
    """Bytes of every array that a model holds, at any depth."""
    if isinstance(part, np.ndarray):
        yield part.nbytes
    elif isinstance(part, csr_array):
        yield from (part.data.nbytes, part.indices.nbytes, part.indptr.nbytes)
    elif is_dataclass(part):
        for each in {field.name for field in fields(part)} | set(getattr(part, "__dict__", {})):
            yield from _sizes(getattr(part, each))


def _signals(known: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Signals:
    none: frozenset[int] = frozenset()
    return Signals(dict.fromkeys(known.tolist(), 1.0), {}, none, none, none, none, (), ())
