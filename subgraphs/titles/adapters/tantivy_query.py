"""Questions and visibility rules as tantivy's queries; what they ask is decided in `domain.relevance`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial

from tantivy import FieldType, Occur, Query, Schema, TextAnalyzer

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, MAX_MATURITY
from subgraphs.titles.adapters.near_terms import NearTerms
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import (
    Match,
    MatchKind,
    NameMatch,
    PartQuestion,
    TextQuestion,
    edits_forgiven,
)
from subgraphs.titles.domain.title import TitleKind

__all__ = ["FEW_LETTERS", "NAME_FIELDS", "STARTS_FIELDS", "WORD_FIELDS", "TextQueries", "VisibleQueries"]

WORD_FIELDS, NAME_FIELDS = ("name", "people", "genres"), ("name_key", "bare_name_key")
"""Of these the terms are kept in memory, to find those with typos and not to ask for what is not there."""
FEW_LETTERS = 3
"""Thousands of words begin with so few: to ask for each of them took three times as long as for a term of its own."""
STARTS_FIELDS = {field: f"{field}_starts" for field in ("name", "people", "name_key", "bare_name_key")}
"""Where the first letters of a field's words stand, one to FEW_LETTERS of each."""
MAX_QUERIES_KEPT = 5_000
"""Of words and names with typos, some kilobytes each."""
MAX_SCOPES_KEPT = 500
MANY = 100
"""Values of one field: so many are asked for as a set."""

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_BOTTOM = 0
_TOP = 1 << 62


class TextQueries:
    """Questions as queries, with the terms of one state of an index.

    Misspelled words and names are looked up here and asked for one by one; what comes out for a word is kept, as its
    query can be part of many.
    """

    def __init__(self, schema: Schema, stemmer: TextAnalyzer, words: NearTerms, names: NearTerms) -> None:
        """The terms of WORD_FIELDS and of NAME_FIELDS."""
        self._schema = schema
        self._stemmer = stemmer
        self._words = words
        self._names = names
        self._near = lru_cache(MAX_QUERIES_KEPT)(self._near_query)

    def of(self, question: TextQuestion, *, missing_count: int = 0) -> Query:
        """Titles that have all required parts but `missing_count` of them."""
        required: list[tuple[Occur, Query]] = []
        optional: list[tuple[Occur, Query]] = []
        for part in question.parts:
            query = self._part_query(part, question.others_share)
            if part.is_required:
                required.append((Occur.Should if missing_count else Occur.Must, query))
            else:
                optional.append((Occur.Should, query))
        least = len(required) - missing_count if missing_count else None
        together = Query.boolean_query(required, minimum_number_should_match=least)
        near = self._name_queries(question.near_names)
        if near:
            together = Query.boolean_query(
                [(Occur.Should, together), (Occur.Should, Query.disjunction_max_query(near))]
            )
        names = self._name_queries(question.names)
        if names:
            optional.append((Occur.Should, Query.disjunction_max_query(names)))
        return Query.boolean_query([(Occur.Must, together), *optional])

    def _part_query(self, part: PartQuestion, others_share: float) -> Query:
        # A word that may have two edits is looked up with them even where one is asked for: the other question follows,
        # or was before, and one look is enough for both.
        most = max((max(match.edits, edits_forgiven(match.text)) for match in part.matches if match.edits), default=0)
        options = [query for match in part.matches if (query := self._match_query(match, most)) is not None]
        return Query.disjunction_max_query(options, others_share) if options else Query.empty_query()

    def _match_query(self, match: Match, most_edits: int) -> Query | None:
        """None for what nothing can be found by."""
        schema = self._schema
        match match.kind:
            case MatchKind.WORDS:
                words = match.text.split()
                if not all(self._words.has(match.field, word) for word in words):
                    return None
                return Query.boost_query(_all_of(schema, match.field, words), match.boost)
            case MatchKind.STEMS:
                stems = [str(stem) for stem in self._stemmer.analyze(match.text)]
                return Query.boost_query(_all_of(schema, match.field, stems), match.boost)
            case MatchKind.BEGINNING:
                return Query.boost_query(_beginning(schema, match.field, match.text), match.boost)
            case MatchKind.EDITS:
                return self._near(match.field, match.text, match.edits, most_edits, match.boost)
            case MatchKind.BEGINNING_WITH_EDITS:
                nearly = Query.fuzzy_term_query(schema, match.field, match.text, match.edits, prefix=True)
                return Query.boost_query(nearly, match.boost)
            case MatchKind.VALUE:
                return Query.const_score_query(_term(schema, match.field, match.text), match.boost)
            case MatchKind.YEARS:
                assert match.years is not None, "a match of years has them"
                return Query.const_score_query(_between(schema, match.field, *match.years), match.boost)

    def _name_queries(self, names: Sequence[NameMatch]) -> list[Query]:
        most: dict[str, int] = {}
        for name in names:
            most[name.key] = max(name.edits, most.get(name.key, 0))
        return [query for name in names if (query := self._name_query(name, most[name.key])) is not None]

    def _name_query(self, name: NameMatch, most_edits: int) -> Query | None:
        if name.edits:
            return self._near(name.field, name.key, name.edits, most_edits, name.score)
        if name.is_beginning:
            return Query.const_score_query(_beginning(self._schema, name.field, name.key), name.score)
        if not self._names.has(name.field, name.key):
            return None
        return Query.const_score_query(_term(self._schema, name.field, name.key), name.score)

    def _near_query(self, field: str, text: str, edits: int, most_edits: int, score: float) -> Query | None:
        terms = (self._names if field in NAME_FIELDS else self._words).near(field, text, edits, most_edits)
        if not terms:
            return None
        return Query.const_score_query(_any_of(self._schema, field, terms), score)


class VisibleQueries:
    """The policy's visibility rules and a client's filter, as clauses that decide and do not score."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._clauses = lru_cache(MAX_SCOPES_KEPT)(partial(_visible_clauses, schema))

    def of(
        self,
        scope: CatalogueScope,
        chosen: TitleFilter,
        hidden: frozenset[TitleId],
        *,
        of_every_kind: bool = False,
    ) -> Sequence[tuple[Occur, Query]]:
        """`hidden` are closed at the scope's time, which says nothing else."""
        return self._clauses(replace(scope, now=_ANY_TIME), chosen, hidden, of_every_kind=of_every_kind)


def _visible_clauses(
    schema: Schema, scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId], *, of_every_kind: bool
) -> tuple[tuple[Occur, Query], ...]:
    kinds = tuple(TitleKind) if of_every_kind else chosen.kinds
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    highest_age = scope.maximum_age if chosen.maximum_age is None else min(scope.maximum_age, chosen.maximum_age)
    # Said of what is left out wherever that is the smaller part, and term by term, which costs less than a set of few:
    # whoever may see nearly all pays for nearly nothing.
    must: list[Query] = []
    must_not = [_term(schema, "kind", kind.value) for kind in TitleKind if kind not in kinds]
    offered = [(Occur.MustNot, _term(schema, "window_countries", country)) for country in countries]
    must_not.append(Query.boolean_query([(Occur.Must, _flag(schema, "is_limited")), *offered]))
    if highest_age < MAX_MATURITY:
        must.append(_between(schema, "minimum_age", _BOTTOM, highest_age) if highest_age >= 0 else Query.empty_query())
    if scope.kids_only or chosen.kids_only:
        must.append(_flag(schema, "is_kids"))
    for field, value in (
        ("genre_ids", chosen.genre_id),
        ("original_language", chosen.original_language),
        ("origin_country", chosen.origin_country),
        ("duration_band", chosen.duration),
    ):
        if value is not None:
            must.append(_term(schema, field, value))
    if chosen.release_year_from is not None or chosen.release_year_to is not None:
        # From 1: an unknown year is indexed as 0 and lies in no range.
        first = max(1, chosen.release_year_from or 1)
        last = _TOP if chosen.release_year_to is None else chosen.release_year_to
        if last < first:
            return ((Occur.Must, Query.empty_query()),)
        must.append(_between(schema, "release_year", first, last))
    if scope.country is None:
        must_not.append(_flag(schema, "is_blocked"))
    else:
        must_not += [_term(schema, "blocked_countries", country) for country in countries]
    if hidden:
        must_not.append(_any_of(schema, "id", sorted(hidden)))
    return (
        *((Occur.Must, Query.const_score_query(query, 0.0)) for query in must),
        *((Occur.MustNot, query) for query in must_not),
    )


def _all_of(schema: Schema, field: str, words: Sequence[str]) -> Query:
    if len(words) == 1:
        return _term(schema, field, words[0])
    return Query.boolean_query([(Occur.Must, _term(schema, field, word)) for word in words])


def _any_of(schema: Schema, field: str, values: Sequence[str]) -> Query:
    """One of these; what that is worth is for others to say."""
    # A set costs 0.2 ms, however few are in it, and a term 2 or 3 microseconds.
    if len(values) > MANY:
        return Query.term_set_query(schema, field, values)
    terms = [Query.term_query(schema, field, value, "basic") for value in values]
    return terms[0] if len(terms) == 1 else Query.disjunction_max_query(terms)


def _term(schema: Schema, field: str, value: str) -> Query:
    return Query.term_query(schema, field, value)


def _flag(schema: Schema, field: str) -> Query:
    return Query.term_query(schema, field, 1)


def _beginning(schema: Schema, field: str, value: str) -> Query:
    """Worth 1 wherever it is found."""
    if len(value) <= FEW_LETTERS and field in STARTS_FIELDS:
        return Query.const_score_query(Query.term_query(schema, STARTS_FIELDS[field], value, "basic"), 1.0)
    return Query.fuzzy_term_query(schema, field, value, 0, prefix=True)


def _between(schema: Schema, field: str, lowest: int, highest: int) -> Query:
    return Query.range_query(schema, field, FieldType.Unsigned, lowest, highest)
