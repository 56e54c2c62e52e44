"""`marquee search-log`: what is counted of searches and of hits that were opened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from common.events import Event, EventPublisher
from stack.cli import app
from stack.search_report import search_report
from tests.support.valkey_server import valkey_server

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def searched(search_id: str, text: str, result_count: int, profile_id: str = "prof_1") -> dict[str, Any]:
    return {
        "searchId": search_id,
        "profileId": profile_id,
        "accountId": "acc_1",
        "text": text,
        "resultCount": result_count,
        "occurredAt": AT.isoformat(),
    }


def clicked(tracking: str, profile_id: str = "prof_1") -> dict[str, Any]:
    return {"profileId": profile_id, "titleId": "mov_1", "tracking": tracking, "occurredAt": AT.isoformat()}


SEARCHES = [
    searched("a", "metropolis", 3),
    searched("b", "metropolis", 3),
    searched("c", "keaton", 12, "prof_2"),
    searched("d", "zzz [bold]", 0),
]
CLICKS = [
    clicked("search.a.1"),
    clicked("search.c.9", "prof_2"),
    clicked("search.c.4", "prof_2"),
    clicked("search.c.2", "prof_1"),
    clicked("search.unknown.1"),
    clicked("search.b.none"),
    clicked("search.b.0"),
    clicked("revision.row.1"),
]
"""Two searches had hits opened; the rest is somebody else's, unknown, or no hit of a search."""


def test_rates_are_of_searches_and_ranks_of_the_first_hit_opened() -> None:
    report = search_report(SEARCHES, CLICKS)
    assert (report.searches, report.profiles, report.empty, report.opened) == (4, 2, 1, 2)
    assert report.click_through == pytest.approx(2 / 3)
    assert report.reciprocal_rank == pytest.approx((1 + 1 / 4) / 2)
    assert report.opened_by_place == {1: 1, 4: 1}
    assert report.texts[0] == ("metropolis", 2)
    assert report.without_result == (("zzz [bold]", 1),)


def test_nothing_makes_no_rate() -> None:
    report = search_report([], CLICKS)
    assert (report.click_through, report.reciprocal_rank) == (0.0, 0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with valkey_server() as url:
        yield url


def test_the_command_reads_the_streams(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MARQUEE_VALKEY_URL", server)
    monkeypatch.setenv("COLUMNS", "200")
    assert "No search was told yet" in CliRunner().invoke(app, ["search-log"]).stdout

    async def publish() -> None:
        async with Redis.from_url(server) as redis:
            publisher = EventPublisher(redis)
            for data in SEARCHES:
                await publisher.publish(Event("searches", "title.searched", data, AT))
            for data in CLICKS:
                await publisher.publish(Event("interactions", "card.clicked", data, AT))

    asyncio.run(publish())
    printed = CliRunner().invoke(app, ["search-log"]).stdout
    assert "4 searches of 2 profiles, 1 without a result" in printed
    assert "66.7% of the others had a hit opened" in printed
    assert "opened by place: 1: 1, 4: 1" in printed
    assert "zzz [bold]" in printed
