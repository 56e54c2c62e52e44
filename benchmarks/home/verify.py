"""Whether answers are home pages that may be shown to those who asked, by what the generator knows of everybody."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from benchmarks.home.audience import Audience, Member
from benchmarks.home.load import Answer

__all__ = ["check_answers", "read_page", "title_ids_of", "work_of"]

FEWEST_SECTIONS = 3
FEWEST_CARDS = 12
MOST_ALIKE = 0.05
"""Of the profiles: so many may have the same page as another one, as children who watched next to nothing."""


def check_answers(answers: Iterable[Answer], audience: Audience, members: Mapping[int, Member]) -> list[str]:
    """What is wrong with them, at most ten problems. `members`: those whose continue watching is looked at, too."""
    problems: list[str] = []
    shown: dict[int, frozenset[str]] = {}
    for answer in answers:
        if not answer.body:
            continue
        number = answer.request.profile
        try:
            page = read_page(answer)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            problems.append(f"profile {number}: HTTP {answer.status}, {error}: {answer.body[:200]!r}")
        else:
            found = list(_page_problems(page, audience, number, members.get(number)))
            problems += [f"profile {number}: {problem}" for problem in found]
            shown[number] = frozenset(title_ids_of(page))
        if len(problems) >= 10:
            return problems[:10]
    alike = len(shown) - len(set(shown.values()))
    if alike > max(1, MOST_ALIKE * len(shown)):
        problems.append(f"{alike} of {len(shown)} profiles have the same home page as another one")
    return problems


def read_page(answer: Answer) -> dict[str, Any]:
    """`data.page` of an answer; raises ValueError for anything but a whole page without errors."""
    raw = zlib.decompress(answer.body, 16 + zlib.MAX_WBITS) if answer.body[:2] == b"\x1f\x8b" else answer.body
    body = orjson.loads(raw)
    if answer.status != 200 or body.get("errors"):
        raise ValueError(f"no page without errors: {body.get('errors')}")
    page: dict[str, Any] = body["data"]["page"]
    return page


def title_ids_of(page: dict[str, Any]) -> list[str]:
    """Of every card, in order; the ids of cards whose title is null are left out."""
    return [card["title"]["id"] for card in _cards(page) if card["title"] is not None]


def work_of(title_id: str) -> int:
    """The rank of a generated film or series, also by an episode's id."""
    return int(title_id.split("-")[1])


def _cards(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for section in page["sections"]["edges"]:
        for edge in section["node"]["items"]["edges"]:
            yield edge["node"]


def _page_problems(page: dict[str, Any], audience: Audience, number: int, member: Member | None) -> Iterator[str]:
    sections, cards = page["sections"]["edges"], list(_cards(page))
    if len(sections) < FEWEST_SECTIONS or len(cards) < FEWEST_CARDS:
        yield f"{len(sections)} sections with {len(cards)} cards are no home page"
    allowed = audience.may_see(number)
    for card in cards:
        title = card["title"]
        if title is None or not title["displayName"] or not card["artwork"]["url"].startswith("http"):
            yield f"a card without its title or picture: {card['id']}"
        elif not allowed[work_of(title["id"])]:
            yield f"{title['id']} is forbidden to it"
    if member is not None:
        yield from _continue_problems(page, member)


def _continue_problems(page: dict[str, Any], member: Member) -> Iterator[str]:
    """Continue watching has what was begun, and series of which more is left."""
    begun = {work_of(entry.title_id) for entry in member.entries if not entry.is_finished}
    begun |= {work_of(entry.title_id) for entry in member.entries if entry.series_id is not None}
    for section in page["sections"]["edges"]:
        if section["node"]["kind"] == "CONTINUE_WATCHING":
            shown = [edge["node"]["title"]["id"] for edge in section["node"]["items"]["edges"]]
            foreign = [title_id for title_id in shown if work_of(title_id) not in begun]
            if foreign:
                yield f"goes on with {foreign[0]}, which it did not begin"
