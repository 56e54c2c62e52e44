"""Questions and visibility rules in OpenSearch's query language; what they ask is decided in `domain.relevance`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.opensearch.fields import BEGINNINGS
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.finding import MAX_VALUES, FacetField, SearchSort
from subgraphs.titles.domain.relevance import Match, MatchKind, NameMatch, PartQuestion, TextQuestion
from subgraphs.titles.domain.title import TitleKind

__all__ = ["Clause", "counts_body", "search_body", "visibility"]

Clause = dict[str, Any]

MAX_TERMS = 50_000
"""Of one clause; a node takes 65,536 unless it was told otherwise."""


_ORDERS: dict[SearchSort, list[Clause]] = {
    SearchSort.RELEVANCE: [{"_score": "desc"}, {"id": "asc"}],
    # Of one year, the more popular one first.
    SearchSort.RELEASE_YEAR: [{"release_year": "desc"}, {"popularity": "desc"}, {"id": "asc"}],
    SearchSort.NAME: [{"sort_name": {"order": "asc", "missing": "_first"}}, {"id": "asc"}],
    SearchSort.POPULARITY: [{"popularity": "desc"}, {"id": "asc"}],
}


def search_body(
    question: TextQuestion,
    visible: Clause,
    limit: int,
    *,
    missing_count: int = 0,
    sort: SearchSort = SearchSort.RELEVANCE,
) -> dict[str, Any]:
    """The body of a search for titles that have all required parts but `missing_count`, ids and scores only."""
    return {
        "query": {
            "function_score": {
                "query": _matching(question, visible, missing_count),
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
        "sort": _ORDERS[sort],
        "track_total_hits": True,
        "_source": False,
    }


def counts_body(
    question: TextQuestion, visible: Clause, fields: Sequence[FacetField], *, missing_count: int
) -> dict[str, Any]:
    """The body of a search for how many titles have each value of these fields."""
    return {
        "query": _matching(question, visible, missing_count),
        "size": 0,
        "aggs": {field.value: {"terms": {"field": field.value, "size": MAX_VALUES}} for field in fields},
    }


def visibility(
    scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId], *, of_every_kind: bool = False
) -> Clause:
    """The policy's visibility rules and the client's filter: what a title must have and must not, without scores."""
    kinds = tuple(TitleKind) if of_every_kind else chosen.kinds
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    highest_age = scope.maximum_age if chosen.maximum_age is None else min(scope.maximum_age, chosen.maximum_age)
    has: list[Clause] = [
        {"terms": {"kind": [kind.value for kind in kinds]}},
        {"terms": {"window_countries": countries}},
        {"range": {"minimum_age": {"lte": highest_age}}},
    ]
    if scope.kids_only or chosen.kids_only:
        has.append({"term": {"is_kids": True}})
    for field, value in (
        ("genre_ids", chosen.genre_id),
        ("original_language", chosen.original_language),
        ("origin_country", chosen.origin_country),
        ("duration_band", chosen.duration),
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


def _matching(question: TextQuestion, visible: Clause, missing_count: int) -> Clause:
    required = [_part(part, question.others_share) for part in question.parts if part.is_required]
    optional = [_part(part, question.others_share) for part in question.parts if not part.is_required]
    together: Clause = (
        {"bool": {"should": required, "minimum_should_match": len(required) - missing_count}}
        if missing_count
        else {"bool": {"must": required}}
    )
    if question.near_names:
        near = {"dis_max": {"queries": [_name(name) for name in question.near_names]}}
        together = {"bool": {"should": [together, near]}}
    if question.names:
        optional.append({"dis_max": {"queries": [_name(name) for name in question.names]}})
    return {"bool": {"must": [together], "should": optional, **visible}}


def _part(part: PartQuestion, others_share: float) -> Clause:
    return {"dis_max": {"queries": [_place(match) for match in part.matches], "tie_breaker": others_share}}


def _place(match: Match) -> Clause:
    match match.kind:
        case MatchKind.WORDS | MatchKind.STEMS:
            return {"match": {match.field: {"query": match.text, "operator": "and", "boost": match.boost}}}
        case MatchKind.BEGINNING:
            return {"prefix": {match.field: {"value": match.text, "boost": match.boost, "rewrite": "constant_score"}}}
        case MatchKind.EDITS:
            return _fuzzy(match.field, match)
        case MatchKind.BEGINNING_WITH_EDITS:
            return _fuzzy(f"{match.field}.{BEGINNINGS}", match)
        case MatchKind.VALUE:
            return {"constant_score": {"filter": {"term": {match.field: match.text}}, "boost": match.boost}}
        case MatchKind.YEARS:
            assert match.years is not None, "a match of years has them"
            first, last = match.years
            years = {"range": {match.field: {"gte": first, "lte": last}}}
            return {"constant_score": {"filter": years, "boost": match.boost}}


def _fuzzy(field: str, match: Match) -> Clause:
    # Rewritten to constant scores, every term within the distance counts, not only the first fifty.
    return {
        "fuzzy": {
            field: {"value": match.text, "fuzziness": match.edits, "boost": match.boost, "rewrite": "constant_score"},
        }
    }


def _name(name: NameMatch) -> Clause:
    if name.edits:
        # Rewritten to constant scores, every name within the distance counts, not only the first fifty.
        near = {"value": name.key, "fuzziness": name.edits, "rewrite": "constant_score"}
        return {"constant_score": {"filter": {"fuzzy": {name.field: near}}, "boost": name.score}}
    how = "prefix" if name.is_beginning else "term"
    return {"constant_score": {"filter": {how: {name.field: name.key}}, "boost": name.score}}


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MAX_TERMS] for start in range(0, len(ids), MAX_TERMS)]
