"""Questions and visibility rules in OpenSearch's query language; what they ask is decided in `domain.relevance`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.opensearch.fields import BEGINNINGS
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import (
    NAME_BEGINNING_SCORE,
    WHOLE_NAME_SCORE,
    Match,
    MatchKind,
    TextQuestion,
    WordQuestion,
)

__all__ = ["Clause", "search_body", "visibility"]

Clause = dict[str, Any]

MAX_TERMS = 50_000
"""Of one clause; a node takes 65,536 unless it was told otherwise."""


def search_body(question: TextQuestion, visible: Clause, limit: int, *, missing_count: int = 0) -> dict[str, Any]:
    """The body of a search for titles that have all required words but `missing_count`, ids and scores only."""
    required = [_word(word, question.others_share) for word in question.words if word.is_required]
    optional = [_word(word, question.others_share) for word in question.words if not word.is_required]
    together: Clause = (
        {"bool": {"should": required, "minimum_should_match": len(required) - missing_count}}
        if missing_count
        else {"bool": {"must": required}}
    )
    matching = {"bool": {"must": [together], "should": [*optional, *_whole_name(question.whole)], **visible}}
    return {
        "query": {
            "function_score": {
                "query": matching,
                # log10(2 + weight * popularity), brought to base 2.
                "functions": [
                    {
                        "field_value_factor": {
                            "field": "popularity",
                            "factor": question.popularity_weight,
                            "modifier": "log2p",
                        },
                        "weight": 1 / math.log10(2),
                    }
                ],
                "boost_mode": "multiply",
            }
        },
        "size": limit,
        "sort": [{"_score": "desc"}, {"id": "asc"}],
        "track_total_hits": True,
        "_source": False,
    }


def visibility(scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId]) -> Clause:
    """The policy's visibility rules and the client's filter: what a title must have and must not, without scores."""
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    highest_age = scope.maximum_age if chosen.maximum_age is None else min(scope.maximum_age, chosen.maximum_age)
    has: list[Clause] = [
        {"terms": {"kind": [kind.value for kind in chosen.kinds]}},
        {"terms": {"window_countries": countries}},
        {"range": {"minimum_age": {"lte": highest_age}}},
    ]
    if scope.kids_only or chosen.kids_only:
        has.append({"term": {"is_kids": True}})
    for field, value in (
        ("genre_ids", chosen.genre_id),
        ("original_language", chosen.original_language),
        ("origin_country", chosen.origin_country),
    ):
        if value is not None:
            has.append({"term": {field: value}})
    if chosen.release_year_from is not None or chosen.release_year_to is not None:
        # From 1: an unknown year is indexed as 0 and lies in no range.
        years = {"gte": max(1, chosen.release_year_from or 1)}
        if chosen.release_year_to is not None:
            years["lte"] = chosen.release_year_to
        has.append({"range": {"release_year": years}})
    has_not: list[Clause] = [
        {"term": {"is_blocked": True}} if scope.country is None else {"terms": {"blocked_countries": countries}},
        *({"terms": {"id": some}} for some in _chunks(sorted(hidden))),
    ]
    return {"filter": has, "must_not": has_not}


def _word(question: WordQuestion, others_share: float) -> Clause:
    return {
        "dis_max": {
            "queries": [_place(question.word, match) for match in question.matches],
            "tie_breaker": others_share,
        }
    }


def _place(word: str, match: Match) -> Clause:
    match match.kind:
        case MatchKind.WORD:
            return {"term": {match.field: {"value": word, "boost": match.boost}}}
        case MatchKind.STEM:
            return {"match": {match.field: {"query": word, "operator": "and", "boost": match.boost}}}
        case MatchKind.BEGINNING:
            return {"prefix": {match.field: {"value": word, "boost": match.boost, "rewrite": "constant_score"}}}
        case MatchKind.EDITS:
            return _fuzzy(match.field, word, match)
        case MatchKind.BEGINNING_WITH_EDITS:
            return _fuzzy(f"{match.field}.{BEGINNINGS}", word, match)


def _fuzzy(field: str, word: str, match: Match) -> Clause:
    # Rewritten to constant scores, every term within the distance counts, not only the first fifty.
    return {
        "fuzzy": {
            field: {"value": word, "fuzziness": match.edits, "boost": match.boost, "rewrite": "constant_score"},
        }
    }


def _whole_name(whole: str) -> list[Clause]:
    return [
        {"constant_score": {"filter": {"term": {"name_key": whole}}, "boost": WHOLE_NAME_SCORE}},
        {"constant_score": {"filter": {"prefix": {"name_key": whole}}, "boost": NAME_BEGINNING_SCORE}},
    ]


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MAX_TERMS] for start in range(0, len(ids), MAX_TERMS)]
