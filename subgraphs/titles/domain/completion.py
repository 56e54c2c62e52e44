"""What of names goes on as somebody types, decided once for titles, people and genres, and in which order it is shown.

A typed word completes a name when one of the name's words equals it, or, for the last one, begins with it; from four
letters on one edit is forgiven, above five two (an edit is a letter more, less, other, or two letters swapped). The
engines find candidates by the same rule over whole fields; here it is asked of one name, because a film's cast is many
names in one field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from subgraphs.titles.domain.relevance import words_of
from subgraphs.titles.domain.title import Genre, Person, Title

__all__ = [
    "MAX_GENRES",
    "MAX_PEOPLE",
    "Suggestion",
    "SuggestionKind",
    "best_suggestions",
    "edits_between",
    "typo_count",
    "words_of_name",
]

MAX_PEOPLE = 2
MAX_GENRES = 1
"""Of one answer, as long as there are titles for the other places: mostly it is titles that are looked for."""
PERSON_SHARE = 0.9
"""Of the popularity of somebody's most popular title, theirs."""
GENRE_POPULARITY = 0.95
"""A genre stands for many titles."""
MAX_NAMES_KEPT = 20_000
"""Names and words of which is remembered what they are made of, some 200 bytes each."""


class SuggestionKind(StrEnum):
    """What a completion leads to."""

    TITLE = "TITLE"
    PERSON = "PERSON"
    GENRE = "GENRE"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion and what is behind it; exactly one of the three is there."""

    text: str
    title: Title | None = None
    person: Person | None = None
    genre: Genre | None = None
    popularity: float = 0.0

    @property
    def kind(self) -> SuggestionKind:
        """What it leads to."""
        if self.title is not None:
            return SuggestionKind.TITLE
        return SuggestionKind.PERSON if self.person is not None else SuggestionKind.GENRE

    @classmethod
    def of_title(cls, title: Title) -> Suggestion:
        """Its name."""
        return cls(title.display_name, title=title, popularity=title.popularity)

    @classmethod
    def of_person(cls, person: Person, title: Title) -> Suggestion:
        """Their name; `title` is one of theirs."""
        return cls(person.display_name, person=person, popularity=title.popularity * PERSON_SHARE)

    @classmethod
    def of_genre(cls, genre: Genre) -> Suggestion:
        """Its name."""
        return cls(genre.display_name, genre=genre, popularity=GENRE_POPULARITY)


def best_suggestions(typed: str, candidates: Iterable[Suggestion], first: int) -> list[Suggestion]:
    """At most `first` of those that complete what was typed, one per kind and name.

    First what is called exactly so, then by typos; among equals titles that begin so, then the most popular.
    """
    words = tuple(words_of(typed))
    ranked: list[tuple[tuple[object, ...], Suggestion, str]] = []
    for candidate in candidates:
        name = words_of_name(candidate.text)
        typos = typo_count(words, name)
        if typos is None or (candidate.genre is not None and typos):
            continue
        begins = candidate.title is None or " ".join(name).startswith(" ".join(words))
        rank = (name != words, typos, not begins, -candidate.popularity, candidate.text, candidate.kind.value)
        ranked.append((rank, candidate, " ".join(name)))
    ranked.sort(key=lambda each: each[0])
    chosen: dict[tuple[SuggestionKind, str], Suggestion] = {}
    for _, candidate, name_text in ranked:
        chosen.setdefault((candidate.kind, name_text), candidate)
    return _mixed(list(chosen.values()), first)


def _mixed(ranked: Sequence[Suggestion], first: int) -> list[Suggestion]:
    """The first ones with few people and genres among them, and more of those only where titles end."""
    room = {SuggestionKind.PERSON: MAX_PEOPLE, SuggestionKind.GENRE: MAX_GENRES, SuggestionKind.TITLE: first}
    taken: list[int] = []
    for place, suggestion in enumerate(ranked):
        if room[suggestion.kind] and len(taken) < first:
            room[suggestion.kind] -= 1
            taken.append(place)
    left = [place for place in range(len(ranked)) if place not in taken]
    return [ranked[place] for place in sorted([*taken, *left[: first - len(taken)]])]


def typo_count(typed: Sequence[str], name: Sequence[str], *, forgiving: bool = True) -> int | None:
    """How many edits there are between what was typed and the name's words; None when it does not complete the name.

    Not `forgiving`, there is none; that is many times faster.
    """
    total = 0
    for position, word in enumerate(typed):
        is_last = position == len(typed) - 1
        if word in name or (is_last and any(other.startswith(word) for other in name)):
            continue
        most = 0 if len(word) < 4 or not forgiving else 1 if len(word) <= 5 else 2
        if not most:
            return None
        best = min((edits_between(word, other, most, is_beginning=is_last) for other in name), default=most + 1)
        if best > most:
            return None
        total += best
    return total if typed else None


def edits_between(typed: str, word: str, most: int, *, is_beginning: bool) -> int:
    """Edits from `typed` to the word, or to its nearest beginning; `most + 1` when there are more than `most`."""
    if (word.startswith(typed)) if is_beginning else word == typed:
        return 0
    if most == 0 or len(typed) - len(word) > most or (not is_beginning and len(word) - len(typed) > most):
        return most + 1
    # No edit brings in more than one letter: words with other letters need not be looked at row by row.
    if (_letters_of(typed) & ~_letters_of(word)).bit_count() > most:
        return most + 1
    # Optimal string alignment, row by row of `typed`; no beginning longer than typed + most can be nearer.
    word = word[: len(typed) + most]
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(word, start=1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                edits = min(edits, earlier[j - 2] + 1)
            row.append(edits)
        if min(row) > most and (not before or min(before) > most):
            return most + 1
    return min(most + 1, min(row) if is_beginning else row[-1])


@lru_cache(maxsize=MAX_NAMES_KEPT)
def _letters_of(word: str) -> int:
    """Its letters as a set of bits; two letters may share one, which makes words look nearer and never farther."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 63)
    return bits


@lru_cache(maxsize=MAX_NAMES_KEPT)
def words_of_name(name: str) -> tuple[str, ...]:
    """As `words_of`; the names of those who are suggested often come again and again."""
    return tuple(words_of(name))
