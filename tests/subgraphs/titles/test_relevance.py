"""Both search engines give the same ten best answers to the questions of cases/relevance.txt, up to ties."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from common.clock import FakeClock
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import MOST_EDITS
from subgraphs.titles.ports import FoundTitle, SearchIndex
from tests.subgraphs.titles.conftest import ADULT, CHILD, NOW, Parts

TOP = 10
SCORE_SHARE = 0.02
"""Scores that differ by less are a tie: the engines count documents and lengths a little differently."""
CASES = [
    (kind, text)
    for line in (Path(__file__).parent / "cases" / "relevance.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for kind, _, text in [line.partition(": ")]
]


async def answers(index: SearchIndex, kind: str, text: str, limit: int) -> Sequence[FoundTitle]:
    viewer: Viewer = CHILD if kind == "child" else ADULT
    scope = CatalogueScope.of(viewer, NOW)
    if kind == "suggest":
        return await index.complete(text, scope, frozenset(), limit)
    if kind == "people":
        return await index.with_people(text, scope, frozenset(), limit, edits=MOST_EDITS)
    return (await index.search(text, scope, TitleFilter(), frozenset(), limit)).hits


def disagreements(hits: Sequence[FoundTitle], other: Sequence[FoundTitle]) -> list[str]:
    """Titles among the ten best of one engine that the other one has clearly lower, or not at all."""
    scores = {hit.title_id: hit.score for hit in other}
    problems: list[str] = []
    top = hits[:TOP]
    for better, worse in [(top[i], top[j]) for i in range(len(top)) for j in range(i + 1, len(top))]:
        if scores.get(better.title_id, 0.0) < scores.get(worse.title_id, 0.0) * (1 - SCORE_SHARE) and (
            worse.score < better.score * (1 - SCORE_SHARE)
        ):
            problems.append(f"{better.title_id} before {worse.title_id}")
    last = other[TOP - 1].score if len(other) >= TOP else 0.0
    problems += [
        f"{hit.title_id} is not among the best of the other"
        for hit in top
        if scores.get(hit.title_id, -1.0) < last * (1 - SCORE_SHARE)
    ]
    return problems


async def test_both_engines_agree(demo: Parts, opensearch_url: str, opensearch_prefix: str) -> None:
    """On which titles are found at all, and on the order of the ten best."""
    opensearch = OpenSearchIndex(opensearch_url, f"{opensearch_prefix}relevance", FakeClock(NOW))
    try:
        await opensearch.prepare()
        ids = await demo.store.ids_after("", 1_000)
        await opensearch.update(list((await demo.store.titles(ids)).values()))
        problems: list[str] = []
        for kind, text in CASES:
            here, there = await answers(demo.index, kind, text, 500), await answers(opensearch, kind, text, 500)
            if {hit.title_id for hit in here} != {hit.title_id for hit in there}:
                only = {hit.title_id for hit in here} ^ {hit.title_id for hit in there}
                problems.append(f"{kind} {text!r}: found by one engine only: {sorted(only)[:5]}")
            problems += [f"{kind} {text!r}: tantivy has {each}" for each in disagreements(here, there)]
            problems += [f"{kind} {text!r}: OpenSearch has {each}" for each in disagreements(there, here)]
        assert problems == []
    finally:
        await opensearch.aclose()


@pytest.mark.parametrize(
    ("here", "there", "count"),
    [
        ([("a", 9), ("b", 5)], [("a", 9), ("b", 5)], 0),
        ([("a", 9), ("b", 5)], [("b", 9), ("a", 5)], 1),
        ([("a", 5.01), ("b", 5)], [("b", 5.01), ("a", 5)], 0),
        ([("a", 9)], [], 1),
    ],
)
def test_disagreements_are_seen(here: list[tuple[str, float]], there: list[tuple[str, float]], count: int) -> None:
    """Another order is one, another order among equals is none, a missing title is one."""

    def hits(pairs: list[tuple[str, float]]) -> list[FoundTitle]:
        return [FoundTitle(TitleId(title_id), score) for title_id, score in pairs]

    assert count == len(disagreements(hits(here), hits(there)))
