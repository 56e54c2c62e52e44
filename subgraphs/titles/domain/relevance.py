"""What makes a title a good answer to what was typed, said once for every search engine.

The problem: two engines behind one port must find the same and rank it alike. The idea: nothing of it is left to an
engine's own reading of text. Words are made here, for what is indexed as for what is asked; a question is a list of
words, each with the places where it may be found and what that is worth; an adapter only translates.

Every word must be found somewhere: as it is, with a typo, or, for the last word, as the beginning of one. Fields weigh
as decided (name 3, cast and directors 2, genres 2, synopsis 1). Words that are found as they are score by the engine's
BM25; a typo's match has a fixed small score, because engines give such matches no relevance of their own, or a wrong
one: a word that is spelled right beats one that is not, and one edit beats two. Small words ("the", "of") may be
missing unless there is nothing else. A name that equals or begins with the whole text comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.titles.domain.text import fold
from subgraphs.titles.domain.title import CreditRole, Title

__all__ = [
    "COMPLETION_WEIGHT",
    "MAX_WORDS",
    "NAME_BEGINNING_SCORE",
    "OTHER_FIELDS_SHARE",
    "TIE_BREAK_WEIGHT",
    "WHOLE_NAME_SCORE",
    "Match",
    "MatchKind",
    "SearchEntry",
    "TextQuestion",
    "WordQuestion",
    "completion_question",
    "search_entry",
    "search_question",
    "words_of",
]

MAX_WORDS = 12
"""Of a question; further ones are not looked at, they would only slow it down."""
MAX_WORD_LENGTH = 40
"""Longer ones are nobody's words; in what is indexed and in what is asked they are left out."""

FIELD_BOOSTS = (("name", 3.0), ("cast", 2.0), ("directors", 2.0), ("genres", 2.0))
FUZZY_FIELDS = (("name", 3.0), ("cast", 2.0), ("directors", 2.0))
ONE_EDIT_BOOST = 0.6
TWO_EDITS_BOOST = 0.25
BEGINNING_BOOST = 0.9
"""Of the fixed score of a match by beginning or typo, times the field's boost."""
COMPLETED_WORD_BOOST = 2.0
WHOLE_NAME_SCORE = 40.0
NAME_BEGINNING_SCORE = 30.0
"""About what a rare word in a name scores: "the gen" is more likely The General than a film called Gen."""
OTHER_FIELDS_SHARE = 0.3
"""How much a word's matches in its second-best fields add to its best one, in a search."""
TIE_BREAK_WEIGHT = 0.25
"""A score is multiplied by log2(2 + weight * popularity): a sixth at most, enough to order near ties."""
COMPLETION_WEIGHT = 6.0
"""What is completed is mostly what is popular: three times the score at most."""
SMALL_WORDS = frozenset({"a", "an", "and", "at", "der", "die", "das", "in", "la", "le", "les", "of", "on", "the", "to"})

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = str.maketrans({"'": " ", "\N{RIGHT SINGLE QUOTATION MARK}": " "})


class MatchKind(StrEnum):
    """How a word is found in a field. WORD and STEM score by BM25, the others are worth 1 wherever they are found."""

    WORD = "WORD"
    STEM = "STEM"
    BEGINNING = "BEGINNING"
    EDITS = "EDITS"
    BEGINNING_WITH_EDITS = "BEGINNING_WITH_EDITS"


@dataclass(frozen=True, slots=True)
class Match:
    """One place where a word may be found; a find's score is multiplied by `boost`. `edits` is 1 or 2, else 0."""

    field: str
    kind: MatchKind
    boost: float
    edits: int = 0


@dataclass(frozen=True, slots=True)
class WordQuestion:
    """A word and its places: the best find counts, the others by `TextQuestion.others_share`."""

    word: str
    matches: tuple[Match, ...]
    is_required: bool


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """A text to search or complete. `whole` is compared with whole names, `popularity_weight` see TIE_BREAK_WEIGHT."""

    words: tuple[WordQuestion, ...]
    whole: str
    others_share: float
    popularity_weight: float

    @property
    def required(self) -> tuple[WordQuestion, ...]:
        """What a title must have; never empty."""
        return tuple(word for word in self.words if word.is_required)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """A title as an index keeps it; texts are folded words with one blank between, an unknown year is 0."""

    id: str
    revision: int
    kind: str
    name: str
    cast: tuple[str, ...]
    directors: tuple[str, ...]
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
    popularity: float


def words_of(text: str) -> list[str]:
    """The words of a text, folded: letters and digits of any script, broken at everything else."""
    return [word for word in _WORD.findall(fold(text.translate(_APOSTROPHES))) if len(word) <= MAX_WORD_LENGTH]


def search_entry(title: Title) -> SearchEntry:
    """What is indexed of a title."""
    return SearchEntry(
        id=title.id,
        revision=title.revision,
        kind=title.kind.value,
        name=_folded(title.display_name),
        cast=tuple(map(_folded, title.credited(CreditRole.CAST))),
        directors=tuple(map(_folded, title.credited(CreditRole.DIRECTOR))),
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
        popularity=title.popularity,
    )


def search_question(text: str) -> TextQuestion | None:
    """What is asked by a text that somebody may still be typing; None when there is no word in it."""
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    are_all_small = all(word in SMALL_WORDS for word in words)
    questions = tuple(
        WordQuestion(
            word,
            _places(word, is_last=position == len(words) - 1),
            is_required=are_all_small or word not in SMALL_WORDS,
        )
        for position, word in enumerate(words)
    )
    return TextQuestion(questions, " ".join(words), OTHER_FIELDS_SHARE, TIE_BREAK_WEIGHT)


def completion_question(text: str) -> TextQuestion | None:
    """Names that go on as `text` begins; typos are forgiven from four letters on. None when there is no word in it."""
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return None
    questions = []
    for position, word in enumerate(words):
        is_last = position == len(words) - 1
        exactly = MatchKind.BEGINNING if is_last else MatchKind.WORD
        matches = [Match("name", exactly, COMPLETED_WORD_BOOST)]
        if len(word) >= 4:
            nearly = MatchKind.BEGINNING_WITH_EDITS if is_last else MatchKind.EDITS
            matches.append(Match("name", nearly, ONE_EDIT_BOOST, edits=1 if len(word) <= 5 else 2))
        questions.append(WordQuestion(word, tuple(matches), is_required=True))
    return TextQuestion(tuple(questions), " ".join(words), 0.0, COMPLETION_WEIGHT)


def _places(word: str, *, is_last: bool) -> tuple[Match, ...]:
    matches = [Match(field, MatchKind.WORD, boost) for field, boost in FIELD_BOOSTS]
    matches.append(Match("synopsis", MatchKind.STEM, 1.0))
    for field, boost in FUZZY_FIELDS:
        if is_last:
            matches.append(Match(field, MatchKind.BEGINNING, boost * BEGINNING_BOOST))
        if len(word) >= 3:
            matches.append(Match(field, MatchKind.EDITS, boost * ONE_EDIT_BOOST, edits=1))
        if len(word) > 5:
            matches.append(Match(field, MatchKind.EDITS, boost * TWO_EDITS_BOOST, edits=2))
    return tuple(matches)


def _folded(text: str) -> str:
    return " ".join(words_of(text))
