"""Questions and visibility rules as tantivy's queries; what they ask is decided in `domain.relevance`."""

from __future__ import annotations

from tantivy import FieldType, Occur, Query, Schema, TextAnalyzer

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import (
    NAME_BEGINNING_SCORE,
    WHOLE_NAME_SCORE,
    Match,
    MatchKind,
    TextQuestion,
    WordQuestion,
)

__all__ = ["text_query", "visible_query"]

_BOTTOM = 0
_TOP = 1 << 62


def text_query(schema: Schema, stemmer: TextAnalyzer, question: TextQuestion, *, missing_count: int = 0) -> Query:
    """Titles that have all required words but `missing_count` of them."""
    required: list[tuple[Occur, Query]] = []
    optional: list[tuple[Occur, Query]] = []
    for word in question.words:
        query = _word_query(schema, stemmer, word, question.others_share)
        if word.is_required:
            required.append((Occur.Should if missing_count else Occur.Must, query))
        else:
            optional.append((Occur.Should, query))
    least = len(required) - missing_count if missing_count else None
    together = Query.boolean_query(required, minimum_number_should_match=least)
    return Query.boolean_query([(Occur.Must, together), *optional, *_whole_name(schema, question.whole)])


def visible_query(
    schema: Schema, scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId]
) -> list[tuple[Occur, Query]]:
    """The policy's visibility rules and the client's filter, as clauses that decide and do not score."""
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    highest_age = scope.maximum_age if chosen.maximum_age is None else min(scope.maximum_age, chosen.maximum_age)
    must = [
        Query.term_set_query(schema, "kind", [kind.value for kind in chosen.kinds]),
        Query.term_set_query(schema, "window_countries", countries),
        _between(schema, "minimum_age", _BOTTOM, highest_age) if highest_age >= 0 else Query.empty_query(),
    ]
    if scope.kids_only or chosen.kids_only:
        must.append(_between(schema, "is_kids", 1, 1))
    for field, value in (
        ("genre_ids", chosen.genre_id),
        ("original_language", chosen.original_language),
        ("origin_country", chosen.origin_country),
    ):
        if value is not None:
            must.append(_term(schema, field, value))
    if chosen.release_year_from is not None or chosen.release_year_to is not None:
        # From 1: an unknown year is indexed as 0 and lies in no range.
        first = max(1, chosen.release_year_from or 1)
        last = _TOP if chosen.release_year_to is None else chosen.release_year_to
        if last < first:
            return [(Occur.Must, Query.empty_query())]
        must.append(_between(schema, "release_year", first, last))
    must_not: list[Query] = []
    if scope.country is None:
        must_not.append(_between(schema, "is_blocked", 1, 1))
    else:
        must_not.append(Query.term_set_query(schema, "blocked_countries", countries))
    if hidden:
        must_not.append(Query.term_set_query(schema, "id", sorted(hidden)))
    return [
        *((Occur.Must, Query.const_score_query(query, 0.0)) for query in must),
        *((Occur.MustNot, query) for query in must_not),
    ]


def _word_query(schema: Schema, stemmer: TextAnalyzer, question: WordQuestion, others_share: float) -> Query:
    options = [
        Query.boost_query(_match_query(schema, stemmer, question.word, match), match.boost)
        for match in question.matches
    ]
    return Query.disjunction_max_query(options, others_share)


def _match_query(schema: Schema, stemmer: TextAnalyzer, word: str, match: Match) -> Query:
    match match.kind:
        case MatchKind.WORD:
            return _term(schema, match.field, word)
        case MatchKind.STEM:
            stems = stemmer.analyze(word)
            return Query.boolean_query([(Occur.Must, _term(schema, match.field, str(stem))) for stem in stems])
        case MatchKind.BEGINNING:
            return _beginning(schema, match.field, word)
        case MatchKind.EDITS:
            return Query.fuzzy_term_query(schema, match.field, word, match.edits)
        case MatchKind.BEGINNING_WITH_EDITS:
            return Query.fuzzy_term_query(schema, match.field, word, match.edits, prefix=True)


def _whole_name(schema: Schema, whole: str) -> list[tuple[Occur, Query]]:
    exact = Query.const_score_query(_term(schema, "name_key", whole), WHOLE_NAME_SCORE)
    beginning = Query.const_score_query(_beginning(schema, "name_key", whole), NAME_BEGINNING_SCORE)
    return [(Occur.Should, exact), (Occur.Should, beginning)]


def _term(schema: Schema, field: str, value: str) -> Query:
    return Query.term_query(schema, field, value)


def _beginning(schema: Schema, field: str, value: str) -> Query:
    return Query.fuzzy_term_query(schema, field, value, 0, prefix=True)


def _between(schema: Schema, field: str, lowest: int, highest: int) -> Query:
    return Query.range_query(schema, field, FieldType.Unsigned, lowest, highest)
