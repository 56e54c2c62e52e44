"""`marquee search-log`: how searches go, of profiles that allow it, as far back as the event streams reach.

A search is told as `title.searched` with an id, a hit that was opened as `card.clicked` with the search's id and the
hit's place. Somebody who types makes several searches: what was found while the text was unfinished counts, too.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.event_catalogue import SEARCH_TRACKING
from common.events import stream_key
from common.settings import SettingsInvalid, SharedSettings
from common.valkey import open_valkey
from stack.failing import fail
from stack.valkey import running_valkey_url

__all__ = ["SearchReport", "search_log", "search_report"]

READ_AT_ONCE = 1_000

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class SearchReport:
    """`opened` searches had a hit opened; `reciprocal_rank` is the mean over them of 1/place, of the best place opened.

    `opened_by_place` counts searches. `without_result` are texts with how often they found nothing, most often first.
    """

    searches: int
    profiles: int
    empty: int
    opened: int
    reciprocal_rank: float
    opened_by_place: Mapping[int, int]
    texts: tuple[tuple[str, int], ...]
    without_result: tuple[tuple[str, int], ...]

    @property
    def click_through(self) -> float:
        """The share of searches that found something of which a hit was opened."""
        return self.opened / (self.searches - self.empty) if self.searches > self.empty else 0.0


def search_report(searches: Iterable[Mapping[str, Any]], clicks: Iterable[Mapping[str, Any]]) -> SearchReport:
    """From the events' data; clicks on cards that no search found, or of a search not among these, are left out."""
    known = {str(each["searchId"]): each for each in searches if each.get("searchId")}
    places: dict[str, int] = {}
    for click in clicks:
        found = _search_and_place(str(click["tracking"]))
        # Only the searcher opens a search's hits: a tracking that somebody else sends is no click of theirs.
        if found is not None and known.get(found[0], {}).get("profileId") == click["profileId"]:
            search_id, place = found
            places[search_id] = min(place, places.get(search_id, place))
    empty = Counter(str(each["text"]) for each in known.values() if not each["resultCount"])
    return SearchReport(
        searches=len(known),
        profiles=len({each["profileId"] for each in known.values()}),
        empty=empty.total(),
        opened=len(places),
        reciprocal_rank=sum(1 / place for place in places.values()) / len(places) if places else 0.0,
        opened_by_place=dict(sorted(Counter(places.values()).items())),
        texts=_most_often(Counter(str(each["text"]) for each in known.values())),
        without_result=_most_often(empty),
    )


def search_log(
    limit: Annotated[int, typer.Option(min=1, max=500, help="Texts to print of each list.")] = 15,
) -> None:
    """Print how searches go: what was typed, what found nothing, and how far down the opened hits stood."""

    async def read() -> SearchReport:
        async with open_valkey(running_valkey_url(SharedSettings.load())) as redis:
            searches = [data async for data in _events(redis, "searches", "title.searched")]
            return search_report(searches, [data async for data in _events(redis, "interactions", "card.clicked")])

    try:
        report = asyncio.run(read())
    except SettingsInvalid as error:
        fail(str(error))
    except (RedisError, OSError) as error:
        fail(f"Valkey does not answer: {error}; is Marquee running (make up), or is MARQUEE_VALKEY_URL right?")
    if not report.searches:
        console.print("No search was told yet; those of kids and of accounts that refuse personalisation never are.")
        return
    console.print(f"{report.searches:,} searches of {report.profiles:,} profiles, {report.empty:,} without a result")
    console.print(
        f"{report.click_through:.1%} of the others had a hit opened; mean reciprocal rank of the first one opened "
        f"{report.reciprocal_rank:.3f}"
    )
    by_place = ", ".join(f"{place}: {count:,}" for place, count in list(report.opened_by_place.items())[:limit])
    console.print(f"opened by place: {by_place or 'none'}")
    table = Table("searched most", "times", "found nothing", "times")
    for number in range(min(limit, max(len(report.texts), len(report.without_result)))):
        table.add_row(*_cells(report.texts, number), *_cells(report.without_result, number))
    console.print(table)


async def _events(redis: Redis, topic: str, kind: str) -> AsyncIterator[Mapping[str, Any]]:
    after = "-"
    while True:
        entries: Any = await redis.xrange(stream_key(topic), min=after, count=READ_AT_ONCE)
        for _, fields in entries:
            if fields[b"kind"].decode() == kind:
                yield orjson.loads(fields[b"data"])
        if len(entries) < READ_AT_ONCE:
            return
        after = f"({entries[-1][0].decode()}"


def _search_and_place(tracking: str) -> tuple[str, int] | None:
    if not tracking.startswith(SEARCH_TRACKING):
        return None
    search_id, _, place = tracking.removeprefix(SEARCH_TRACKING).partition(".")
    return (search_id, int(place)) if place.isascii() and place.isdigit() and 0 < int(place) <= 10_000 else None


def _most_often(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _cells(counts: tuple[tuple[str, int], ...], number: int) -> tuple[str, str]:
    return (escape(counts[number][0]), f"{counts[number][1]:,}") if number < len(counts) else ("", "")
