"""What makes a title a good answer to what was typed, said once for every search engine.

The problem: two engines behind one port must find the same and rank it alike. The idea: nothing of it is left to an
engine's own reading of text. Words are made here, for what is indexed as for what is asked; a question is a list of
words, each with the places where it may be found and what that is worth; an adapter only translates.

Every part of a question (a word, or a few that mean something together) must be found somewhere: as it is, by its stem,
by another spelling, glued to its neighbour ("war games" and "WarGames"), with a typo, for the last word as the
beginning of one, or as a fact that it names (`domain.understanding`); or the whole text must be a name with a typo or
two. Fields weigh as decided (name 3, cast and
directors 2, genres 2, synopsis 1). Words that are found as they are score by the engine's BM25; a typo's match has a
fixed small score, because engines give such matches no relevance of their own, or a wrong one: a word that is spelled
right beats one that is not, and one edit beats two. Small words ("the", "of") may be missing unless there is nothing
else. A name that equals the whole text comes first, then one that equals it but for its article or for what the text
says of year, kind or genre, then one that begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from subgraphs.titles.domain.browsing import DurationBand
from subgraphs.titles.domain.text import fold, sort_name
from subgraphs.titles.domain.title import CreditRole, Title
from subgraphs.titles.domain.transliteration import spelled_in_latin
from subgraphs.titles.domain.understanding import Fact, FactKind, QueryPart, understand

__all__ = [
    "COMPLETION_WEIGHT",
    "MAX_WORDS",
    "MOST_EDITS",
    "OTHER_FIELDS_SHARE",
    "TIE_BREAK_WEIGHT",
    "Match",
    "MatchKind",
    "NameMatch",
    "PartQuestion",
    "SearchEntry",
    "TextQuestion",
    "completion_question",
    "edits_forgiven",
    "people_question",
    "search_entry",
    "search_question",
    "words_of",
]

MAX_WORDS = 12
"""Of a question; further ones are not looked at, they would only slow it down."""
MAX_WORD_LENGTH = 40
"""Longer ones are nobody's words; in what is indexed and in what is asked they are left out."""

FIELD_BOOSTS = (("name", 3.0), ("people", 2.0), ("genres", 2.0))
"""People are cast and directors, who weigh alike; as fields of their own each would cost every search its share."""
FUZZY_FIELDS = (("name", 3.0), ("people", 2.0))
STEM_BOOSTS = (("name_stems", 1.5), ("synopsis", 1.0))
SPELLED_OTHERWISE_SHARE = 0.7
"""A synonym, or "haexan" for "häxan", is worth this share of the word itself."""
GLUED_BOOST = 2.5
"""Two words of the question in one of the name, or the other way round: nearly the name's own boost."""
ONE_EDIT_BOOST = 0.6
TWO_EDITS_BOOST = 0.25
BEGINNING_BOOST = 0.9
"""Of the fixed score of a match by beginning or typo, times the field's boost."""
FACT_BOOSTS = {
    FactKind.YEARS: 6.0,
    FactKind.GENRE: 6.0,
    FactKind.COUNTRY: 4.0,
    FactKind.LANGUAGE: 4.0,
    # Nearly everything is a film: that says little.
    FactKind.KIND: 0.5,
}
"""Fixed scores, below those of rare words in a name (10 to 30), above those of words in a synopsis."""
FACT_FIELDS = {
    FactKind.YEARS: "release_year",
    FactKind.GENRE: "genre_ids",
    FactKind.COUNTRY: "origin_country",
    FactKind.LANGUAGE: "original_language",
    FactKind.KIND: "kind",
}
COMPLETED_WORD_BOOST = 2.0
MOST_EDITS = 2
"""Of a word that somebody is typing; see edits_forgiven."""
WHOLE_NAME_SCORE = 110.0
"""More than all else together: popularity, which multiplies, must not bring another name before it."""
BARE_NAME_SCORE = 65.0
REMAINDER_NAME_SCORE = 55.0
NAME_EDITS_SCORES = {1: 14.0, 2: 7.0}
"""Of a whole name, without blanks, that is so many edits from the text. That alone is enough to be found. As in every
count of edits here, two neighbours that changed places are one.
"""
BARE_NAME_EDITS_SCORES = {1: 13.0}
"""The same without article: "godfahter" is one edit from The Godfather, and two from God Eater. So little below the
whole name that popularity can decide. Two edits would cost each search a tenth, and are forgiven word by word.
"""
SHORTEST_NAME_WITH_EDITS = {1: 5, 2: 8}
"""Letters of the text: shorter names are near each other without meaning each other."""
NAME_BEGINNING_SCORE = 30.0
"""About what a rare word in a name scores: "the gen" is more likely The General than a film called Gen."""
BARE_BEGINNING_SCORE = 15.0
OTHER_FIELDS_SHARE = 0.3
"""How much a word's matches in its second-best fields add to its best one, in a search."""
TIE_BREAK_WEIGHT = 0.25
"""A score is multiplied by log2(2 + weight * popularity): a sixth at most, enough to order near ties."""
COMPLETION_WEIGHT = 6.0
"""What is completed is mostly what is popular: three times the score at most."""
MAX_KEY_LENGTH = 200
"""Characters of a name that are compared as a whole; as many as may be asked for."""
ARTICLES = frozenset({"a", "an", "the"})
SMALL_WORDS = frozenset({"a", "an", "and", "at", "der", "die", "das", "in", "la", "le", "les", "of", "on", "the", "to"})

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans({"'": " ", "\N{RIGHT SINGLE QUOTATION MARK}": " "})


class MatchKind(StrEnum):
    """How a text is found in a field. WORDS and STEMS score by BM25, the others are worth 1 wherever they are found.

    WORDS and STEMS may be several, all of which must be in the field; the others are one word. YEARS compares a number,
    VALUE a code or an id.
    """

    WORDS = "WORDS"
    STEMS = "STEMS"
    BEGINNING = "BEGINNING"
    EDITS = "EDITS"
    BEGINNING_WITH_EDITS = "BEGINNING_WITH_EDITS"
    VALUE = "VALUE"
    YEARS = "YEARS"


class Match(NamedTuple):
    """One place where a part may be found; a find's score is multiplied by `boost`. `edits` is 1 or 2, else 0.

    `years` are the first and the last for YEARS, else None. A tuple: a question has some forty of them.
    """

    field: str
    kind: MatchKind
    text: str
    boost: float
    edits: int = 0
    years: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class PartQuestion:
    """A part of the text and its places: the best find counts, the others by `TextQuestion.others_share`."""

    text: str
    matches: tuple[Match, ...]
    is_required: bool


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What a whole name is worth that equals `key`, begins with it or is `edits` (1 or 2) from it.

    `field` is name_key or bare_name_key.
    """

    field: str
    key: str
    score: float
    is_beginning: bool = False
    edits: int = 0


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """A text to search or complete: a title must have all required parts, or one of `near_names`.

    The best of `names` and the best of `near_names` count; for `popularity_weight` see TIE_BREAK_WEIGHT.
    """

    parts: tuple[PartQuestion, ...]
    names: tuple[NameMatch, ...]
    near_names: tuple[NameMatch, ...]
    others_share: float
    popularity_weight: float

    @property
    def required(self) -> tuple[PartQuestion, ...]:
        """What a title must have; never empty."""
        return tuple(part for part in self.parts if part.is_required)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """A title as an index keeps it; texts are folded words with one blank between, an unknown year is 0.

    `name_pairs` are neighbours in the name glued together; `name_key` is the name without blanks, `bare_name_key`
    without its leading article, too. Unknown durations are band "".
    """

    id: str
    revision: int
    kind: str
    name: str
    name_pairs: str
    name_key: str
    bare_name_key: str
    sort_name: str
    people: tuple[str, ...]
    genres: tuple[str, ...]
    synopsis: tuple[str, ...]
    genre_ids: tuple[str, ...]
    window_countries: tuple[str, ...]
    blocked_countries: tuple[str, ...]
    release_year: int
    minimum_age: int
    is_kids: bool
    original_language: str
    origin_country: str
    duration_band: str
    popularity: float


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in Latin letters where that is known; broken at all but letters and digits."""
    words = _WORD.findall(fold(text.translate(_APOSTROPHES)))
    return [word for word in map(spelled_in_latin, words) if 0 < len(word) <= MAX_WORD_LENGTH]


def search_entry(title: Title) -> SearchEntry:
    """What is indexed of a title."""
    name = words_of(title.display_name)
    people = (*title.credited(CreditRole.CAST), *title.credited(CreditRole.DIRECTOR))
    return SearchEntry(
        id=title.id,
        revision=title.revision,
        kind=title.kind.value,
        name=" ".join(name),
        name_pairs=" ".join(first + second for first, second in pairwise(name)),
        name_key=_name_key(name),
        bare_name_key=_bare_name_key(name),
        sort_name=sort_name(title.display_name),
        people=tuple(dict.fromkeys(map(_folded, people))),
        genres=tuple(_folded(genre.display_name) for genre in title.genres),
        # Characters weigh like words of the synopsis: "irma vep" should find her series, not beat a film so named.
        synopsis=(_folded(title.synopsis), *(_folded(each.character) for each in title.credits if each.character)),
        genre_ids=tuple(genre.id for genre in title.genres),
        window_countries=tuple(sorted({window.country for window in title.windows})),
        blocked_countries=tuple(sorted(title.blocked_countries)),
        release_year=title.release_year or 0,
        minimum_age=title.minimum_age,
        is_kids=title.is_kids,
        original_language=title.original_language or "",
        origin_country=title.origin_country or "",
        duration_band="" if (band := DurationBand.of(title.duration_seconds)) is None else band.value,
        popularity=title.popularity,
    )


def search_question(text: str) -> TextQuestion | None:
    """What is asked by a text that somebody may still be typing; None when there is no word in it."""
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    understood = understand(words)
    are_all_small = all(word in SMALL_WORDS for word in words)
    questions: list[PartQuestion] = []
    position = 0
    for part in understood.parts:
        before = words[position - 1] if position else None
        position += len(part.words)
        after = words[position] if position < len(words) else None
        is_required = are_all_small or not (len(part.words) == 1 and part.words[0] in SMALL_WORDS)
        places = [*_places(part, before, after), *map(_fact_place, part.facts)]
        if not is_required:
            # "The" is no misspelled "then"; what half of all titles have would be read for nothing.
            places = [place for place in places if not place.edits]
        questions.append(PartQuestion(" ".join(part.words), tuple(places), is_required=is_required))
    names = _whole_names(words, understood.remainders)
    return TextQuestion(tuple(questions), names, _near_names(words), OTHER_FIELDS_SHARE, TIE_BREAK_WEIGHT)


def completion_question(text: str) -> TextQuestion | None:
    """Names that go on as `text` begins; typos are forgiven from four letters on. None when there is no word in it."""
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    questions = [
        PartQuestion(word, _completed(word, ("name",), is_last=position == len(words) - 1), is_required=True)
        for position, word in enumerate(words)
    ]
    return TextQuestion(tuple(questions), _whole_names(words, ()), (), 0.0, COMPLETION_WEIGHT)


def people_question(text: str, edits: int) -> TextQuestion | None:
    """Titles with people whose names go on as `text` begins, with at most so many edits a word (0 to MOST_EDITS).

    None when there is no word in it.
    """
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    questions = [
        PartQuestion(
            word,
            _completed(word, ("people",), is_last=position == len(words) - 1, most_edits=edits),
            is_required=True,
        )
        for position, word in enumerate(words)
    ]
    return TextQuestion(tuple(questions), (), (), 0.0, COMPLETION_WEIGHT)


def edits_forgiven(word: str) -> int:
    """How many edits a word may have that somebody is typing: none in short ones, which are near everything."""
    return 0 if len(word) < 4 else 1 if len(word) <= 5 else MOST_EDITS


def _completed(word: str, fields: tuple[str, ...], *, is_last: bool, most_edits: int = MOST_EDITS) -> tuple[Match, ...]:
    exactly = MatchKind.BEGINNING if is_last else MatchKind.WORDS
    nearly = MatchKind.BEGINNING_WITH_EDITS if is_last else MatchKind.EDITS
    matches = [Match(field, exactly, word, COMPLETED_WORD_BOOST) for field in fields]
    edits = min(most_edits, edits_forgiven(word))
    if edits:
        matches += [Match(field, nearly, word, ONE_EDIT_BOOST, edits=edits) for field in fields]
    return tuple(matches)


def _places(part: QueryPart, before: str | None, after: str | None) -> list[Match]:
    """Where the words themselves may be found; only a part of one word may be misspelled or unfinished."""
    phrase = " ".join(part.words)
    matches = [Match(field, MatchKind.WORDS, phrase, boost) for field, boost in FIELD_BOOSTS]
    matches += [Match(field, MatchKind.STEMS, phrase, boost) for field, boost in STEM_BOOSTS]
    for spelling in part.spellings:
        matches += [
            Match(field, MatchKind.WORDS, spelling, boost * SPELLED_OTHERWISE_SHARE) for field, boost in FIELD_BOOSTS
        ]
    if len(part.words) > 1:
        matches.append(Match("name", MatchKind.WORDS, "".join(part.words), GLUED_BOOST))
        return matches
    word = part.words[0]
    matches.append(Match("name_pairs", MatchKind.WORDS, word, GLUED_BOOST))
    for glued in ((before + word) if before else None, (word + after) if after else None):
        if glued is not None:
            matches.append(Match("name", MatchKind.WORDS, glued, GLUED_BOOST))
    # "1979" with an edit is another year, and no typo.
    may_be_misspelled = not word.isdigit()
    for field, boost in FUZZY_FIELDS:
        if after is None:
            matches.append(Match(field, MatchKind.BEGINNING, word, boost * BEGINNING_BOOST))
        if len(word) >= 3 and may_be_misspelled:
            matches.append(Match(field, MatchKind.EDITS, word, boost * ONE_EDIT_BOOST, edits=1))
        if len(word) > 5 and may_be_misspelled:
            matches.append(Match(field, MatchKind.EDITS, word, boost * TWO_EDITS_BOOST, edits=2))
    return matches


def _fact_place(fact: Fact) -> Match:
    kind = MatchKind.VALUE if fact.years is None else MatchKind.YEARS
    return Match(FACT_FIELDS[fact.kind], kind, fact.value, FACT_BOOSTS[fact.kind], years=fact.years)


def _whole_names(words: Sequence[str], remainders: Sequence[str]) -> tuple[NameMatch, ...]:
    whole, bare = _name_key(words), _bare_name_key(words)
    return (
        NameMatch("name_key", whole, WHOLE_NAME_SCORE),
        NameMatch("bare_name_key", bare, BARE_NAME_SCORE),
        *(NameMatch("bare_name_key", _bare_name_key(left.split()), REMAINDER_NAME_SCORE) for left in remainders),
        NameMatch("name_key", whole, NAME_BEGINNING_SCORE, is_beginning=True),
        NameMatch("bare_name_key", bare, BARE_BEGINNING_SCORE, is_beginning=True),
    )


def _near_names(words: Sequence[str]) -> tuple[NameMatch, ...]:
    """For typos that no word alone forgives: two in a short one, in a small one, or in the blank between."""
    keys = (
        ("name_key", _name_key(words), NAME_EDITS_SCORES),
        ("bare_name_key", _bare_name_key(words), BARE_NAME_EDITS_SCORES),
    )
    return tuple(
        NameMatch(field, key, score, edits=edits)
        for field, key, scores in keys
        if len(key) <= MAX_WORD_LENGTH and not key.isdigit()
        for edits, score in scores.items()
        if len(key) >= SHORTEST_NAME_WITH_EDITS[edits]
    )


def _name_key(words: Sequence[str]) -> str:
    return "".join(words)[:MAX_KEY_LENGTH]


def _bare_name_key(words: Sequence[str]) -> str:
    return _name_key(words[1:] if len(words) > 1 and words[0] in ARTICLES else words)


def _folded(text: str) -> str:
    return " ".join(words_of(text))
