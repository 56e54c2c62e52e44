"""Which of an index's terms are one or two edits from a text: kept in memory, for all fields that share them.

The problem: an engine finds such terms by walking through a field's dictionary with an automaton, once for each field
and number of edits, which was nine tenths of a search. The idea: one look over all terms of about the text's length, as
numbers. A term has a signature of 64 bits in which each of its letters turns one (the same letter another one each
time), so that an edit turns two of them at most, and what differs in more is no neighbour. The edits of what is left,
some hundred of 30,000 words, are counted for all of them at once, by the bit-parallel form of the optimal string
alignment in H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances" (2003). An edit is
a letter more, less or other, or two neighbours that changed places, as `domain.completion.edits_between` has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from subgraphs.titles.domain.completion import edits_between

__all__ = ["NearTerms"]

MAX_LENGTH = 64
"""Letters of a text or a term: an alignment has so many bits."""
FEW_LETTERS = 60
"""Of a text times its candidates: so few are compared one by one, which is faster than all at once."""
MAX_TEXTS_KEPT = 5_000
"""Texts whose neighbours are remembered, half a kilobyte each: the same words are typed again and again."""

_ONE = np.array(1, np.uint64)
"""With an array an operation takes half the time that it takes with a number."""
_Bits = npt.NDArray[np.uint64]
_Numbers = npt.NDArray[np.intp]


class NearTerms:
    """The terms of some fields. It never changes, so that searches need no lock: `with_terms` makes another one.

    Terms of removed documents may be among them, by which the engine finds nothing.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        """Fields without terms; others can't be asked for."""
        self._of_field: Mapping[str, frozenset[str]] = dict.fromkeys(fields, frozenset())
        self._table = _Table([], np.zeros(0, np.uint64), {}, np.zeros(0, np.uint16))
        self._found = lru_cache(MAX_TEXTS_KEPT)(self._table.near)

    def with_terms(self, terms: Mapping[str, Iterable[str]]) -> NearTerms:
        """These by field, and all that are there; itself when it has them already."""
        of_field = {field: here.union(terms.get(field, ())) for field, here in self._of_field.items()}
        if all(len(of_field[field]) == len(here) for field, here in self._of_field.items()):
            return self
        known = frozenset().union(*self._of_field.values())
        new = frozenset().union(*of_field.values()) - known
        larger = NearTerms(())
        larger._of_field = of_field
        larger._table = self._table.with_terms(sorted(term for term in new if len(term) <= MAX_LENGTH))
        larger._found = lru_cache(MAX_TEXTS_KEPT)(larger._table.near)
        return larger

    def has(self, field: str, term: str) -> bool:
        """Whether the field has it; true of a field whose terms are not kept here."""
        of_field = self._of_field.get(field)
        return of_field is None or term in of_field

    def near(self, field: str, text: str, edits: int, most: int) -> list[str]:
        """Terms of the field with at most so many edits to the text.

        `most` (1 or 2) is the largest number that will be asked of this text: all of them are looked for together.
        Raises ValueError for a text of more than MAX_LENGTH letters.
        """
        of_field = self._of_field[field]
        return [term for terms in self._found(text, most)[: edits + 1] for term in terms if term in of_field]


class _Table:
    """Terms in order of arrival, and what is known of each as numbers."""

    def __init__(
        self, terms: list[str], signatures: _Bits, codes: dict[str, int], letters: npt.NDArray[np.uint16]
    ) -> None:
        self._terms = terms
        self._signatures_as_arrived = signatures
        self._codes = codes
        """A number for each letter that occurs, from 1 on."""
        self._letters = letters
        """Of all terms, one behind the other, as codes."""
        self._lengths = np.fromiter(map(len, terms), np.intp, len(terms))
        self._starts = np.cumsum(self._lengths) - self._lengths
        # By length, so that terms of about one length stand together.
        self._order = np.argsort(self._lengths, kind="stable")
        self._signatures = signatures[self._order]
        self._first_of_length: list[int] = np.searchsorted(
            self._lengths[self._order], np.arange(MAX_LENGTH + 2)
        ).tolist()

    def with_terms(self, new: list[str]) -> _Table:
        """One with these behind them."""
        together = "".join(new)
        codes = self._codes | {
            letter: code
            for code, letter in enumerate(sorted(set(together) - self._codes.keys()), start=len(self._codes) + 1)
        }
        letters = np.fromiter(map(codes.__getitem__, together), np.uint16, len(together))
        signatures = np.fromiter(map(_signature, new), np.uint64, len(new))
        return _Table(
            self._terms + new,
            np.concatenate([self._signatures_as_arrived, signatures]),
            codes,
            np.concatenate([self._letters, letters]),
        )

    def near(self, text: str, most: int) -> tuple[tuple[str, ...], ...]:
        """Terms with no edit, with one, and so on up to `most`."""
        if len(text) > MAX_LENGTH:
            raise ValueError(f"{len(text)} letters are more than can be compared; the most are {MAX_LENGTH}")
        lengths = range(max(0, len(text) - most), min(MAX_LENGTH, len(text) + most) + 1)
        first, behind = self._first_of_length[lengths[0]], self._first_of_length[lengths[-1] + 1]
        # A letter more or less is an edit that turns one bit alone.
        limits = np.repeat(
            np.array([2 * most - abs(length - len(text)) for length in lengths], np.uint8),
            [self._first_of_length[length + 1] - self._first_of_length[length] for length in lengths],
        )
        turned = np.bitwise_count(self._signatures[first:behind] ^ np.uint64(_signature(text)))
        candidates = self._order[first + np.flatnonzero(turned <= limits)]
        near: list[list[str]] = [[] for _ in range(most + 1)]
        if len(candidates) * len(text) > FEW_LETTERS:
            distances = self._distances(text, candidates)
            is_near = distances <= most
            for number, edits in zip(candidates[is_near].tolist(), distances[is_near].tolist(), strict=True):
                near[edits].append(self._terms[number])
        else:
            for number in candidates.tolist():
                edits = edits_between(text, self._terms[number], most, is_beginning=False)
                if edits <= most:
                    near[edits].append(self._terms[number])
        return tuple(map(tuple, near))

    def _distances(self, text: str, candidates: _Numbers) -> npt.NDArray[np.int8]:
        """Edits from the text to each of these terms."""
        where = np.zeros(len(self._codes) + 1, np.uint64)
        for place, letter in enumerate(text):
            where[self._codes.get(letter, 0)] |= np.uint64(1 << place)
        # Letters that no term has are found nowhere.
        where[0] = 0
        lengths = self._lengths[candidates]
        places = np.arange(lengths.max())[:, None] + self._starts[candidates]
        # Behind its end stand a term's followers, and behind the last one anything: those columns are not looked at.
        matching = where[self._letters.take(places, mode="clip")]
        rises, falls = np.empty_like(matching), np.empty_like(matching)
        # By the names of the paper: VP, VN, D0, HP and HN of each column, one bit for each letter of the text.
        more, less = np.full(len(candidates), ~np.uint64(0)), np.zeros(len(candidates), np.uint64)
        same = before = less
        for column, found in enumerate(matching):
            swapped = ((~same & found) << _ONE) & before
            same = (((found & more) + more) ^ more) | found | less | swapped
            rises[column] = rising = less | ~(same | more)
            falls[column] = falling = same & more
            rising = (rising << _ONE) | _ONE
            more = (falling << _ONE) | ~(same | rising)
            less = same & rising
            before = found
        last = np.uint64(1 << (len(text) - 1))
        steps = (rises & last).astype(bool).view(np.int8) - (falls & last).astype(bool).view(np.int8)
        edits: npt.NDArray[np.int8] = len(text) + np.cumsum(steps, axis=0, dtype=np.int8)
        return edits[lengths - 1, np.arange(len(candidates))]


def _signature(term: str) -> int:
    """See above; letters that share a bit take it from each other, which makes terms look nearer and never farther."""
    seen: dict[str, int] = {}
    bits = 0
    for letter in term:
        turned = seen[letter] = seen[letter] + 26 if letter in seen else ord(letter)
        bits ^= 1 << (turned & 63)
    return bits
