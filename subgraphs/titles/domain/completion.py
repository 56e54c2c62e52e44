"""What of names goes on as somebody types, decided once for titles, people and genres, and in which order it is shown.

A typed word completes a name when one of the name's words equals it, or, for the last one, begins with it; from four
letters on one edit is forgiven, above five two (an edit is a letter more, less, other, or two letters swapped). The
engines find candidates by the same rule over whole fields; here it is asked of one name, because a film's cast is many
names in one field.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import msgspec

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.relevance import MOST_EDITS, edits_forgiven, words_of
from subgraphs.titles.domain.title import Credit, CreditRole, Genre, Person, PersonId, Title

__all__ = [
    "MAX_GENRES",
    "MAX_PEOPLE",
    "CreditedPeople",
    "Suggestion",
    "SuggestionKind",
    "TypedText",
    "best_suggestions",
    "edits_between",
    "leave_no_room",
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
MAX_TITLES_KEPT = 20_000
"""Whose people's names are remembered, about 0.7 kB each: of fewer, eight were made anew for each text that is new."""
MAX_TYPED_KEPT = 100
_BLANKS = {ord(mark): " " for mark in map(chr, range(128)) if not mark.isalnum() and mark != "\n"}
"""What `words_of` makes of marks in ASCII, but for the ends of lines."""


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


class TypedText:
    """What somebody typed, to be compared with the names of many."""

    def __init__(self, text: str) -> None:
        self.words = tuple(words_of(text))
        self._longest = max(self.words, key=len, default="")
        self._short = tuple(f" {word}" for word in self.words if not edits_forgiven(word))
        self._forgiven = tuple(map(edits_forgiven, self.words))
        self._edits: tuple[dict[str, int], ...] = tuple({} for _ in self.words)
        """From each typed word to words that it was compared with: many names share theirs."""

    @property
    def most_edits(self) -> int:
        """How many edits the words may have that may have the most."""
        return max(self._forgiven, default=0)

    def typo_count(self, name: Sequence[str], *, edits: int = MOST_EDITS) -> int | None:
        """How many edits there are between what was typed and the name's words; None when it does not complete it.

        A word may have `edits` at most; without any it is many times faster.
        """
        words = self.words
        total = 0
        for position, word in enumerate(words):
            is_last = position == len(words) - 1
            if word in name or (is_last and any(other.startswith(word) for other in name)):
                continue
            forgiven = self._forgiven[position]
            most = min(edits, forgiven)
            if not most:
                return None
            known = self._edits[position]
            best = most + 1
            for other in name:
                if other not in known:
                    known[other] = edits_between(word, other, forgiven, is_beginning=is_last)
                best = min(best, known[other])
            if best > most:
                return None
            total += best
        return total if words else None

    def may_be_in(self, names: str, edits: int) -> list[int]:
        """Lines of this text that may be names which are completed with at most so many edits a word.

        The text is in lower case with a blank before each word. Most names are ruled out by the longest typed word, and
        by those that are too short for an edit.
        """
        most = min(edits, edits_forgiven(self._longest))
        if most > 1:
            # No edit brings in more than one letter: a word has nearly all of these. Most names have not even together.
            lacking = frozenset(self._longest).difference
            return [
                number
                for number, name in enumerate(names.split("\n"))
                if len(lacking(name)) <= most
                and all(word in name for word in self._short)
                and min(map(len, map(lacking, name.split())), default=most) <= most
            ]
        lines: set[int] = set()
        for piece in _pieces_left(self._longest) if most else (f" {self._longest}",):
            found, line, counted = names.find(piece), 0, 0
            while found >= 0:
                line += names.count("\n", counted, found)
                counted = found
                lines.add(line)
                found = names.find(piece, found + 1)
        return sorted(lines)


def _pieces_left(word: str) -> tuple[str, ...]:
    """One of these is left of a word with an edit: it is in one of the halves, or swaps the letters where they meet."""
    middle = len(word) // 2
    first, second = word[:middle], word[middle:]
    return f" {first}", second, f" {first[:-1]}{second[0]}{first[-1]}{second[1:]}"


class CreditedPeople:
    """Actors and directors of titles, made ready for comparing: the most popular titles are looked at all the time."""

    def __init__(self) -> None:
        self._of_title: OrderedDict[TitleId, _Credited] = OrderedDict()

    def completing(self, typed: TypedText, titles: Iterable[Title], *, edits: int) -> list[Suggestion]:
        """Those whose own name the text completes, with so many edits a word, each with the first of these titles."""
        found: dict[PersonId, Suggestion | None] = {}
        for title in titles if typed.words else ():
            credited = self._credited(title)
            for number in typed.may_be_in(credited.names, edits):
                person = credited.people[number]
                if person.id not in found:
                    name = words_of_name(person.display_name)
                    is_completed = typed.typo_count(name, edits=edits) is not None
                    found[person.id] = Suggestion.of_person(person, title) if is_completed else None
        return [each for each in found.values() if each is not None]

    def _credited(self, title: Title) -> _Credited:
        known = self._of_title.get(title.id)
        if known is None or known.credits is not title.credits:
            known = self._of_title[title.id] = _Credited.of(title.credits)
            if len(self._of_title) > MAX_TITLES_KEPT:
                self._of_title.popitem(last=False)
        return known


class _Credited(msgspec.Struct, frozen=True, gc=False):
    credits: tuple[Credit, ...]
    people: tuple[Person, ...]
    names: str
    """One a line, in lower case, folded, with a blank before each word."""

    @classmethod
    def of(cls, credits_: tuple[Credit, ...]) -> _Credited:
        people: dict[PersonId, Person] = {}
        for credit in credits_:
            if credit.role is not CreditRole.WRITER:
                people.setdefault(credit.person.id, credit.person)
        names = [
            name if name.isascii() and "\n" not in name else " ".join(words_of(name))
            for name in [person.display_name for person in people.values()]
        ]
        lines = "\n ".join(names).lower().translate(_BLANKS)
        return cls(credits_, tuple(people.values()), f" {lines}")


def best_suggestions(typed: TypedText, candidates: Iterable[Suggestion], first: int) -> list[Suggestion]:
    """At most `first` of those that complete what was typed, one per kind and name.

    First what is called exactly so, then by typos; among equals titles that begin so, then the most popular.
    """
    beginning = " ".join(typed.words)
    ranked: list[tuple[tuple[object, ...], Suggestion, str]] = []
    for candidate in candidates:
        name = words_of_name(candidate.text)
        typos = typed.typo_count(name, edits=MOST_EDITS if candidate.genre is None else 0)
        if typos is None:
            continue
        name_text = " ".join(name)
        begins = candidate.title is None or name_text.startswith(beginning)
        rank = (name != typed.words, typos, not begins, -candidate.popularity, candidate.text, candidate.kind.value)
        ranked.append((rank, candidate, name_text))
    ranked.sort(key=lambda each: each[0])
    chosen: dict[tuple[SuggestionKind, str], Suggestion] = {}
    for _, candidate, name_text in ranked:
        chosen.setdefault((candidate.kind, name_text), candidate)
    return _mixed(list(chosen.values()), first)


def leave_no_room(typed: TypedText, titles: Iterable[Suggestion], first: int) -> bool:
    """Whether these titles alone fill the first places before anything with a typo."""
    names = {words_of_name(title.text) for title in titles}
    return sum(typed.typo_count(name, edits=0) is not None for name in names) >= first


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


def edits_between(typed: str, word: str, most: int, *, is_beginning: bool) -> int:
    """Edits from `typed` to the word, or to its nearest beginning; `most + 1` when there are more than `most`."""
    if (word.startswith(typed)) if is_beginning else word == typed:
        return 0
    if most == 0 or len(typed) - len(word) > most or (not is_beginning and len(word) - len(typed) > most):
        return most + 1
    # No edit brings in more than one letter: words with other letters need not be looked at row by row.
    if (_letters_of(typed) & ~_letters_of(word)).bit_count() > most:
        return most + 1
    # Optimal string alignment, a column at a time: Hyyrö 2003, with a bit for each typed letter (VP, VN and D0 there).
    where, last = _places_of(typed), 1 << len(typed) - 1
    more, less, same, before = -1, 0, 0, 0
    edits = nearest = len(typed)
    # No beginning longer than typed + most can be nearer.
    for letter in word[: len(typed) + most]:
        found = where.get(letter, 0)
        swapped = ((~same & found) << 1) & before
        same = (((found & more) + more) ^ more) | found | less | swapped
        rising, falling = less | ~(same | more), same & more
        if rising & last:
            edits += 1
        elif falling & last:
            edits -= 1
            nearest = min(nearest, edits)
        rising = rising << 1 | 1
        more, less = falling << 1 | ~(same | rising), same & rising
        before = found
    return min(most + 1, nearest if is_beginning else edits)


@lru_cache(maxsize=MAX_TYPED_KEPT)
def _places_of(typed: str) -> dict[str, int]:
    """Where each letter stands, as bits."""
    where: dict[str, int] = {}
    for place, letter in enumerate(typed):
        where[letter] = where.get(letter, 0) | 1 << place
    return where


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
