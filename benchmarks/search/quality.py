"""How good answers are: nDCG@10 of judged queries, recall@5 of misspelled names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.search.data import JudgedQuery, Misspelled
from benchmarks.search.engines import Engine
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.relevance import words_of
from subgraphs.titles.domain.title import Title

__all__ = ["Quality", "mean_ndcg", "ndcg", "recall"]

DEPTH = 10
RECALL_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Quality:
    """A mean, and the texts that did worst, with their figure."""

    mean: float
    worst: tuple[tuple[str, float], ...]


def ndcg(found: Sequence[TitleId], grades: Mapping[TitleId, int]) -> float:
    """With gains 2^grade - 1 over the first ten; what nobody judged counts 0, as do grades without any good one."""
    ideal = _gain(sorted(grades.values(), reverse=True)[:DEPTH])
    return _gain([grades.get(title_id, 0) for title_id in found[:DEPTH]]) / ideal if ideal else 0.0


async def mean_ndcg(engine: Engine, queries: Sequence[JudgedQuery]) -> Quality:
    """Over the queries that have a good title in the collection."""
    scores = {
        query.text: ndcg(await engine.search(query.text, DEPTH), query.grades)
        for query in queries
        if any(query.grades.values())
    }
    return _quality(scores)


async def recall(engine: Engine, titles: Sequence[Title], misspelled: Sequence[Misspelled]) -> Quality:
    """How often a title of the name that was meant is among the first five."""
    names = {title.id: " ".join(words_of(title.display_name)) for title in titles}
    scores: dict[str, float] = {}
    for each in misspelled:
        found = await engine.search(each.typed, RECALL_DEPTH)
        scores[f"{each.typed} ({each.name})"] = float(each.name in {names[title_id] for title_id in found})
    return _quality(scores)


def _quality(scores: Mapping[str, float]) -> Quality:
    worst = sorted(scores.items(), key=lambda pair: pair[1])
    return Quality(sum(scores.values()) / len(scores), tuple(worst))


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))
