"""What a question says besides its words: "80s french comedies" names ten years, an origin and a genre.

The problem: every such word is somebody's title, too ("1984", "Scary Movie", "The French Connection"). The idea: a
reading is an alternative and never a filter. The text is cut into parts, each one or a few words; a part is found
where its words are, or where one of its facts holds. So nothing that the words alone find gets lost, and no reading has
to be chosen. `remainders` are what is left without kinds, without years, without any fact: the name that the text may
have been about ("alien" in "alien 1979").

Deterministic, needs nothing but the tables of `query_vocabulary`; the longest phrase wins, from the left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.titles.domain.query_vocabulary import (
    DECADES,
    GENRES,
    KINDS,
    MAX_PHRASE_LENGTH,
    ORIGINS,
    SYNONYMS,
)
from subgraphs.titles.domain.title import genre_named

__all__ = ["Fact", "FactKind", "QueryPart", "UnderstoodQuery", "understand"]

FIRST_YEAR, LAST_YEAR = 1888, 2099
"""The oldest film that is kept is of 1888; what lies beyond the end of this century is a name ("Blade Runner 2149")."""
_DECADE = re.compile(r"(?:(19|20)(\d)0|(\d)0)s")
_GERMAN = re.compile(r"(?<=[a-z])(?:ae|oe|ue|aa)|^(?:ae|oe|ue|aa)(?=[a-z])")


class FactKind(StrEnum):
    """What is said of a title."""

    YEARS = "YEARS"
    KIND = "KIND"
    GENRE = "GENRE"
    COUNTRY = "COUNTRY"
    LANGUAGE = "LANGUAGE"


@dataclass(frozen=True, slots=True)
class Fact:
    """A reading of a part. `value` is a kind, a genre's id or a code; years have `years`, first and last."""

    kind: FactKind
    value: str = ""
    years: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class QueryPart:
    """Words that belong together; `spellings` are other phrases that mean the same, each to be found whole."""

    words: tuple[str, ...]
    spellings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class UnderstoodQuery:
    """The parts in order, and the names that the text may be about when some of its facts are set aside."""

    parts: tuple[QueryPart, ...]
    remainders: tuple[str, ...]


def understand(words: Sequence[str]) -> UnderstoodQuery:
    """The parts of a question, of folded words as `words_of` gives them."""
    parts: list[QueryPart] = []
    position = 0
    while position < len(words):
        for length in range(min(MAX_PHRASE_LENGTH, len(words) - position), 0, -1):
            taken = tuple(words[position : position + length])
            facts = _facts(" ".join(taken))
            if facts or length == 1:
                parts.append(QueryPart(taken, _spellings(taken[0]) if length == 1 else (), facts))
                position += length
                break
    return UnderstoodQuery(tuple(parts), _remainders(parts))


def _facts(phrase: str) -> tuple[Fact, ...]:
    facts: list[Fact] = []
    if (years := _years(phrase)) is not None:
        facts.append(Fact(FactKind.YEARS, years=years))
    if phrase in KINDS:
        facts.append(Fact(FactKind.KIND, KINDS[phrase].value))
    if phrase in GENRES:
        facts.append(Fact(FactKind.GENRE, genre_named(GENRES[phrase]).id))
    country, language = ORIGINS.get(phrase, (None, None))
    if country is not None:
        facts.append(Fact(FactKind.COUNTRY, country))
    if language is not None:
        facts.append(Fact(FactKind.LANGUAGE, language))
    return tuple(facts)


def _years(phrase: str) -> tuple[int, int] | None:
    if len(phrase) == 4 and phrase.isascii() and phrase.isdigit() and FIRST_YEAR <= int(phrase) <= LAST_YEAR:
        return int(phrase), int(phrase)
    first = DECADES.get(phrase)
    if first is None and (match := _DECADE.fullmatch(phrase)):
        century, digit, short = match.groups()
        # "20s" and "10s" are of this century's films more often than of the last one's; "30s" can't be yet.
        first = int(f"{century}{digit}0") if century else int(short) * 10 + (2000 if int(short) < 3 else 1900)
    return None if first is None else (first, first + 9)


def _spellings(word: str) -> tuple[str, ...]:
    """Synonyms, and a letter for each pair that is written for one: "haexan" is "haxan", as "häxan" is folded."""
    contracted = _GERMAN.sub(lambda pair: pair[0][0], word)
    return (*SYNONYMS.get(word, ()), *((contracted,) if contracted != word else ()))


def _remainders(parts: Sequence[QueryPart]) -> tuple[str, ...]:
    if not any(part.facts for part in parts):
        return ()
    whole = _joined(parts)
    found: list[str] = []
    for kinds in ({FactKind.KIND}, {FactKind.YEARS}, {FactKind.KIND, FactKind.YEARS}, set(FactKind)):
        left = _joined([part for part in parts if not kinds & {fact.kind for fact in part.facts}])
        if left and left != whole and left not in found:
            found.append(left)
    return tuple(found)


def _joined(parts: Sequence[QueryPart]) -> str:
    return " ".join(word for part in parts for word in part.words)
