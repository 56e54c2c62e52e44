"""How a question is read, as text for people: what `marquee explain search` prints, and what the tests compare."""

from __future__ import annotations

from collections.abc import Iterator

from subgraphs.titles.domain.relevance import MAX_WORDS, Match, MatchKind, search_question, words_of
from subgraphs.titles.domain.understanding import Fact, QueryPart, understand

__all__ = ["explain_places", "explain_reading"]


def explain_reading(text: str) -> str:
    """One line: the parts in order, each with its other spellings and its facts, and the names that are left.

    `french(COUNTRY=FR|LANGUAGE=fr) comedies(GENRE=gen_comedy)`; "nothing" when there is no word in the text.
    """
    words = words_of(text)[:MAX_WORDS]
    if not words:
        return "nothing"
    understood = understand(words)
    read = " ".join(map(_part, understood.parts))
    return f"{read}; or the name {' / '.join(map(repr, understood.remainders))}" if understood.remainders else read


def explain_places(text: str) -> Iterator[str]:
    """Line by line: where each part may be found and what that is worth, and what whole names are worth."""
    question = search_question(text)
    if question is None:
        return
    for part in question.parts:
        yield f"{part.text}{'' if part.is_required else ' (may be missing)'}"
        yield from (f"  {_place(match)}" for match in part.matches)
    yield "whole name"
    for name in (*question.names, *question.near_names):
        how = "begins with" if name.is_beginning else f"is {name.edits} edits from" if name.edits else "is"
        yield f"  {name.field} {how} {name.key!r}: {name.score:g}"


def _part(part: QueryPart) -> str:
    spellings = "".join(f"~{spelling.replace(' ', '_')}" for spelling in part.spellings)
    facts = f"({'|'.join(map(_fact, part.facts))})" if part.facts else ""
    return "_".join(part.words) + spellings + facts


def _fact(fact: Fact) -> str:
    return f"{fact.kind}={fact.value if fact.years is None else _years(fact.years)}"


def _years(years: tuple[int, int]) -> str:
    first, last = years
    return str(first) if first == last else f"{first}-{last}"


def _place(match: Match) -> str:
    what = repr(match.text) if match.years is None else _years(match.years)
    edits = f" with at most {match.edits} edits" if match.edits else ""
    how = "BM25 times" if match.kind in {MatchKind.WORDS, MatchKind.STEMS} else "a fixed"
    return f"{match.field}: {match.kind.value.lower()} {what}{edits}, {how} {match.boost:g}"
