"""Questions and visibility rules as tantivy's queries; what they ask is decided in `domain.relevance`."""

from __future__ import annotations

from collections.abc import Sequence

from tantivy import FieldType, Occur, Query, Schema, TextAnalyzer

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, MAX_MATURITY
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.relevance import Match, MatchKind, NameMatch, PartQuestion, TextQuestion
from subgraphs.titles.domain.title import TitleKind

__all__ = ["text_query", "visible_query"]

_BOTTOM = 0
_TOP = 1 << 62


def text_query(schema: Schema, stemmer: TextAnalyzer, question: TextQuestion, *, missing_count: int = 0) -> Query:
    """Titles that have all required parts but `missing_count` of them."""
    required: list[tuple[Occur, Query]] = []
    optional: list[tuple[Occur, Query]] = []
    for part in question.parts:
        query = _part_query(schema, stemmer, part, question.others_share)
        if part.is_required:
            required.append((Occur.Should if missing_count else Occur.Must, query))
        else:
            optional.append((Occur.Should, query))
    least = len(required) - missing_count if missing_count else None
    together = Query.boolean_query(required, minimum_number_should_match=least)
    if question.near_names:
        near = Query.disjunction_max_query([_name_query(schema, name) for name in question.near_names])
        together = Query.boolean_query([(Occur.Should, together), (Occur.Should, near)])
    if question.names:
        names = Query.disjunction_max_query([_name_query(schema, name) for name in question.names])
        optional.append((Occur.Should, names))
    return Query.boolean_query([(Occur.Must, together), *optional])


def visible_query(
    schema: Schema,
    scope: CatalogueScope,
    chosen: TitleFilter,
    hidden: frozenset[TitleId],
    *,
    of_every_kind: bool = False,
) -> list[tuple[Occur, Query]]:
    """The policy's visibility rules and the client's filter, as clauses that decide and do not score."""
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
            return [(Occur.Must, Query.empty_query())]
        must.append(_between(schema, "release_year", first, last))
    if scope.country is None:
        must_not.append(_flag(schema, "is_blocked"))
    else:
        must_not += [_term(schema, "blocked_countries", country) for country in countries]
    if hidden:
        must_not.append(Query.term_set_query(schema, "id", sorted(hidden)))
    return [
        *((Occur.Must, Query.const_score_query(query, 0.0)) for query in must),
        *((Occur.MustNot, query) for query in must_not),
    ]


def _part_query(schema: Schema, stemmer: TextAnalyzer, part: PartQuestion, others_share: float) -> Query:
    options = [Query.boost_query(_match_query(schema, stemmer, match), match.boost) for match in part.matches]
    return Query.disjunction_max_query(options, others_share)


def _match_query(schema: Schema, stemmer: TextAnalyzer, match: Match) -> Query:
    match match.kind:
        case MatchKind.WORDS:
            return _all_of(schema, match.field, match.text.split())
        case MatchKind.STEMS:
            return _all_of(schema, match.field, [str(stem) for stem in stemmer.analyze(match.text)])
        case MatchKind.BEGINNING:
            return _beginning(schema, match.field, match.text)
        case MatchKind.EDITS:
            return Query.fuzzy_term_query(schema, match.field, match.text, match.edits)
        case MatchKind.BEGINNING_WITH_EDITS:
            return Query.fuzzy_term_query(schema, match.field, match.text, match.edits, prefix=True)
        case MatchKind.VALUE:
            return Query.const_score_query(_term(schema, match.field, match.text), 1.0)
        case MatchKind.YEARS:
            assert match.years is not None, "a match of years has them"
            return Query.const_score_query(_between(schema, match.field, *match.years), 1.0)


def _name_query(schema: Schema, name: NameMatch) -> Query:
    if name.edits:
        query = Query.fuzzy_term_query(schema, name.field, name.key, name.edits)
    elif name.is_beginning:
        query = _beginning(schema, name.field, name.key)
    else:
        query = _term(schema, name.field, name.key)
    return Query.const_score_query(query, name.score)


def _all_of(schema: Schema, field: str, words: Sequence[str]) -> Query:
    if len(words) == 1:
        return _term(schema, field, words[0])
    return Query.boolean_query([(Occur.Must, _term(schema, field, word)) for word in words])


def _term(schema: Schema, field: str, value: str) -> Query:
    return Query.term_query(schema, field, value)


def _flag(schema: Schema, field: str) -> Query:
    return Query.term_query(schema, field, 1)


def _beginning(schema: Schema, field: str, value: str) -> Query:
    return Query.fuzzy_term_query(schema, field, value, 0, prefix=True)


def _between(schema: Schema, field: str, lowest: int, highest: int) -> Query:
    return Query.range_query(schema, field, FieldType.Unsigned, lowest, highest)
