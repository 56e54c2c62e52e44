"""What was typed, as a tantivy query.

Every word must be found somewhere: as it is, with a typo, or, for the last word, as the beginning of one. Fields
weigh as decided (name 3, cast and directors 2, genres 2, synopsis 1). A typo's match has a fixed small score, because
the engine gives fuzzy matches no relevance of their own: a word that is spelled right always beats one that is not,
and one edit beats two. Small words ("the", "of") may be missing unless there is nothing else. A name that equals or
begins with the whole text comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

from tantivy import FieldType, Occur, Query, Schema, TextAnalyzer

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter

__all__ = ["MAX_WORDS", "analyze", "completion_query", "text_query", "visible_query"]

MAX_WORDS = 12
"""Of a query; further ones are not looked at, they would only slow it down."""

FIELD_BOOSTS = (("name", 3.0), ("cast", 2.0), ("directors", 2.0), ("genres", 2.0))
FUZZY_FIELDS = (("name", 3.0), ("cast", 2.0), ("directors", 2.0))
ONE_EDIT_BOOST = 0.6
TWO_EDITS_BOOST = 0.25
PREFIX_BOOST = 0.9
"""Of the fixed score of a match by prefix or typo, times the field's boost."""
WHOLE_NAME_SCORE = 40.0
NAME_BEGINNING_SCORE = 30.0
"""About what a rare word in a name scores: "the gen" is more likely The General than a film called Gen."""
OTHER_FIELDS_SHARE = 0.3
"""How much a word's matches in its second-best fields add to its best one."""
SMALL_WORDS = frozenset({"a", "an", "and", "at", "der", "die", "das", "in", "la", "le", "les", "of", "on", "the", "to"})

_BOTTOM = 0
_TOP = 1 << 62


def text_query(schema: Schema, words: Sequence[str], stems: Sequence[str], whole: str, *, missing: int = 0) -> Query:
    """Titles that match all words but `missing` of them; `stems` are the words as the synopsis has them."""
    words, stems = words[:MAX_WORDS], stems[:MAX_WORDS]
    weighty = [word for word in words if word not in SMALL_WORDS] or list(words)
    clauses: list[tuple[Occur, Query]] = []
    optional: list[tuple[Occur, Query]] = []
    for position, (word, stem) in enumerate(zip(words, stems, strict=True)):
        query = _word_query(schema, word, stem, is_last=position == len(words) - 1)
        if word not in weighty:
            optional.append((Occur.Should, query))
        else:
            clauses.append((Occur.Must if missing == 0 else Occur.Should, query))
    required = Query.boolean_query(clauses, minimum_number_should_match=len(clauses) - missing if missing else None)
    return Query.boolean_query([(Occur.Must, required), *optional, *_whole_name(schema, whole)])


def completion_query(schema: Schema, words: Sequence[str], whole: str) -> Query:
    """Titles whose names contain all words, the last one as a beginning; typos are forgiven from four letters on."""
    words = words[:MAX_WORDS]
    clauses: list[tuple[Occur, Query]] = []
    for position, word in enumerate(words):
        is_last = position == len(words) - 1
        options = [Query.boost_query(_prefix(schema, "name", word) if is_last else _term(schema, "name", word), 2.0)]
        if len(word) >= 4:
            edits = 1 if len(word) <= 5 else 2
            options.append(
                Query.boost_query(Query.fuzzy_term_query(schema, "name", word, edits, prefix=is_last), ONE_EDIT_BOOST)
            )
        clauses.append((Occur.Must, Query.disjunction_max_query(options)))
    return Query.boolean_query([*clauses, *_whole_name(schema, whole)])


def visible_query(
    schema: Schema, scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId]
) -> list[tuple[Occur, Query]]:
    """The policy's visibility rules and the client's filter, as clauses that decide and do not score."""
    countries = [EVERYWHERE] if scope.country is None else [EVERYWHERE, scope.country]
    must = [
        Query.term_set_query(schema, "kind", [kind.value for kind in chosen.kinds]),
        Query.term_set_query(schema, "window_countries", countries),
        _between(schema, "minimum_age", _BOTTOM, scope.maximum_age),
    ]
    if scope.kids_only or chosen.kids_only:
        must.append(_between(schema, "is_kids", 1, 1))
    if chosen.genre_id is not None:
        must.append(Query.term_query(schema, "genre_ids", chosen.genre_id, "basic"))
    if chosen.release_year_from is not None or chosen.release_year_to is not None:
        # From 1: an unknown year is indexed as 0 and lies in no range.
        first = max(1, chosen.release_year_from or 1)
        last = _TOP if chosen.release_year_to is None else chosen.release_year_to
        if last < first:
            return [(Occur.Must, Query.empty_query())]
        must.append(_between(schema, "release_year", first, last))
    must_not: list[Query] = []
    if scope.country is None:
        must_not.append(_term(schema, "flags", "blocked"))
    else:
        must_not.append(Query.term_set_query(schema, "blocked_countries", countries))
    if hidden:
        must_not.append(Query.term_set_query(schema, "id", sorted(hidden)))
    return [
        *((Occur.Must, Query.const_score_query(query, 0.0)) for query in must),
        *((Occur.MustNot, query) for query in must_not),
    ]


def analyze(analyzer: TextAnalyzer, text: str) -> list[str]:
    """The words of a text as the index has them."""
    return [str(word) for word in analyzer.analyze(text)]


def _word_query(schema: Schema, word: str, stem: str, *, is_last: bool) -> Query:
    options = [Query.boost_query(_term(schema, field, word), boost) for field, boost in FIELD_BOOSTS]
    options.append(Query.term_query(schema, "synopsis", stem))
    for field, boost in FUZZY_FIELDS:
        if is_last:
            options.append(Query.boost_query(_prefix(schema, field, word), boost * PREFIX_BOOST))
        if len(word) >= 3:
            options.append(Query.boost_query(Query.fuzzy_term_query(schema, field, word, 1), boost * ONE_EDIT_BOOST))
        if len(word) > 5:
            options.append(Query.boost_query(Query.fuzzy_term_query(schema, field, word, 2), boost * TWO_EDITS_BOOST))
    return Query.disjunction_max_query(options, OTHER_FIELDS_SHARE)


def _whole_name(schema: Schema, whole: str) -> list[tuple[Occur, Query]]:
    exact = Query.const_score_query(_term(schema, "name_key", whole), WHOLE_NAME_SCORE)
    beginning = Query.const_score_query(_prefix(schema, "name_key", whole), NAME_BEGINNING_SCORE)
    return [(Occur.Should, exact), (Occur.Should, beginning)]


def _term(schema: Schema, field: str, value: str) -> Query:
    return Query.term_query(schema, field, value)


def _prefix(schema: Schema, field: str, value: str) -> Query:
    return Query.fuzzy_term_query(schema, field, value, 0, prefix=True)


def _between(schema: Schema, field: str, lowest: int, highest: int) -> Query:
    return Query.range_query(schema, field, FieldType.Unsigned, lowest, highest)
