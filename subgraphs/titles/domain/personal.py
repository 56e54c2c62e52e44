"""The order of hits for one profile: half text, half personal, where the text leaves a choice.

The problem: a taste knows nothing of what was typed, and somebody who types a name wants that title, however little
they are drawn to it. The idea: only the first hits are put into another order, and only among those that the text holds
to be about as good. Both halves run from 0 to 1: the text's score as a part of the best one's, and how much the profile
is drawn to a title as a part of the most among these hits. A title that is named as typed stays before all others, and
one that the text holds to be less than half as good as another never overtakes it: the halves multiply.

What a hit shows is the same for everybody; a taste changes the order and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from subgraphs.titles.domain.relevance import ARTICLES, words_of
from subgraphs.titles.domain.title import CreditRole, Title

__all__ = ["REORDERED", "ProfileTaste", "affinity", "apply_order", "personal_order", "read_order", "write_order"]

REORDERED = 50
"""Hits from the first on that may change places; what comes later is not looked at closely by anybody."""
GENRE_SHARE, PERSON_SHARE = 0.6, 0.8
"""How much a favourite genre, or a favourite person, says of a title that the taste does not name itself."""
KNOWN_BILLING = 5
"""People of a title that a taste is compared with, in order of billing, and all directors."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class ProfileTaste:
    """What a profile is drawn to, from 0 to 1: genres by id, people by name, titles by id.

    A title with 0 is one that the profile refused: nothing else may lift it.
    """

    genres: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    titles: Mapping[str, float] = field(default_factory=dict)


def affinity(title: Title, taste: ProfileTaste) -> float:
    """How much the profile is drawn to a title, 0 to 1."""
    known = taste.titles.get(title.id)
    if known == 0.0:
        return 0.0
    genres = [taste.genres.get(genre.id, 0.0) for genre in title.genres]
    genre = sum(genres) / len(genres) if genres else 0.0
    cast = title.credited(CreditRole.CAST)[:KNOWN_BILLING]
    person = max((taste.people.get(name, 0.0) for name in (*cast, *title.credited(CreditRole.DIRECTOR))), default=0.0)
    return 1.0 - (1.0 - (known or 0.0)) * (1.0 - GENRE_SHARE * genre) * (1.0 - PERSON_SHARE * person)


def personal_order(text: str, titles: Sequence[Title], scores: Sequence[float], taste: ProfileTaste) -> list[int]:
    """Places of these hits in the profile's order; among equals the text's order holds."""
    drawn = [affinity(title, taste) for title in titles]
    most = max(drawn, default=0.0)
    if most <= 0.0:
        return list(range(len(titles)))
    typed = _bare(words_of(text))
    ranks: list[tuple[bool, float, int]] = []
    for place, (title, score) in enumerate(zip(titles, scores, strict=True)):
        is_named = _bare(words_of(title.display_name)) == typed
        ranks.append((not is_named, -score if is_named else -score * (0.5 + 0.5 * drawn[place] / most), place))
    return [place for _, _, place in sorted(ranks)]


def write_order(order: Sequence[int]) -> str:
    """An order as text that fits into a cursor; "" for the text's own. At most REORDERED places."""
    return "" if list(order) == list(range(len(order))) else "".join(_DIGITS[place] for place in order)


def read_order(text: str) -> list[int]:
    """Raises ValueError for what `write_order` never writes."""
    order = [_DIGITS.index(digit) for digit in text]
    if sorted(order) != list(range(len(order))) or len(order) > REORDERED:
        raise ValueError("these are no places, each once")
    return order


def apply_order(count: int, order: Sequence[int]) -> list[int]:
    """Places of `count` hits: those that the order names and that are there, and then the others."""
    named = [place for place in order if place < count]
    return [*named, *range(len(order), count)]


def _bare(words: Sequence[str]) -> str:
    return "".join(words[1:] if len(words) > 1 and words[0] in ARTICLES else words)
