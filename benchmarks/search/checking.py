"""Whether answers of a measurement are right: compared with an index of the same titles in this process.

Hits must be the same titles in the same order, as many in all, with the names that the titles have. Suggested titles
must complete what was typed, by a scan of all names; and where some name completes it, something must be suggested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.search.engines import VIEWER, OurIndex
from benchmarks.search.latency import FIRST
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.completion import TypedText, words_of_name
from subgraphs.titles.domain.title import Title

__all__ = ["check_answers"]

COMPARED = 400
"""Questions of a measurement that are asked again."""
TOLERANCE = 1e-4
"""Of scores: the order of titles that score alike is open."""
ALIKE_BEHIND = 80
"""Hits behind the first answer that may score as its last one does, and then stand in its place."""


async def check_answers(titles: Sequence[Title], answers: Mapping[str, Any]) -> int:
    """How many were compared; raises ValueError for one that is wrong."""
    some = list(answers.items())[:: max(1, len(answers) // COMPARED)]
    if any("searchSuggestions" in data for _, data in some):
        names = {title.id: words_of_name(title.display_name) for title in titles}
        for text, data in some:
            _check_suggestions(text, data["searchSuggestions"], names)
        return len(some)
    index = TantivyIndex(None)
    try:
        await OurIndex(index).fill(titles)
        by_id = {title.id: title for title in titles}
        scope = CatalogueScope.of(VIEWER, datetime.now(UTC))
        for text, data in some:
            expected = await index.search(text, scope, TitleFilter(), frozenset(), FIRST + ALIKE_BEHIND)
            scores = {hit.title_id: hit.score for hit in expected.hits}
            _check_hits(text, data["search"], scores, expected.total_count, by_id)
    finally:
        await index.aclose()
    return len(some)


def _check_hits(
    text: str, answer: Mapping[str, Any], scores: Mapping[TitleId, float], total: int, by_id: Mapping[TitleId, Title]
) -> None:
    nodes = [edge["node"] for edge in answer["edges"]]
    if answer["totalCount"] != total or len(nodes) != min(len(scores), FIRST):
        raise ValueError(f"{text!r}: {answer['totalCount']} hits, expected {total}")
    for node, expected in zip(nodes, _alike(scores), strict=False):
        if node["id"] not in expected or node["displayName"] != by_id[node["id"]].display_name:
            raise ValueError(f"{text!r}: found {node['id']} {node['displayName']!r}, expected one of {expected}")


def _alike(scores: Mapping[TitleId, float]) -> Iterator[set[TitleId]]:
    """For each place the titles that may stand there."""
    for score in scores.values():
        yield {title_id for title_id, other in scores.items() if abs(other - score) <= TOLERANCE * score}


def _check_suggestions(text: str, answer: Sequence[Any], names: Mapping[TitleId, Sequence[str]]) -> None:
    typed = TypedText(text)
    for suggestion in answer:
        if typed.typo_count(words_of_name(suggestion["text"])) is None:
            raise ValueError(f"{text!r}: {suggestion['text']!r} does not complete it")
    if not answer and any(typed.typo_count(name, edits=0) is not None for name in names.values()):
        raise ValueError(f"{text!r}: nothing was suggested")
