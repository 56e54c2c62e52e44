"""The log of pictures keeps each decision once, on SQLite and on PostgreSQL, and forgets what it must."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.events import Event
from subgraphs.kernel import migrations
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
from subgraphs.recommendations.adapters.valkey.artwork_contexts import ValkeyArtworkContexts
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ArtworkDecision, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole
from subgraphs.recommendations.services.log_artwork import REMEMBERED_FOR, LogArtwork, described_artwork

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=365)


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        url = sqlite_url(tmp_path / "recommendations.sqlite")
    engine = open_engine(url)
    await migrations.upgrade(engine, MIGRATIONS)
    yield engine
    await migrations.downgrade(engine, MIGRATIONS, "base")
    await engine.dispose()


def decision(number: int, *, is_opened: bool = False, policy_id: str = "v1") -> ArtworkDecision:
    shown = ShownArtwork(
        ArtworkRole.POSTER, "second", (0.2, 0.7, 0.1), policy_id, ArtworkContext(7, {"gen_a": 0.6, "gen_b": 0.8})
    )
    return ArtworkDecision(f"prof_{number % 3}", f"mov_{number}", shown, NOW - timedelta(days=number), is_opened)


async def entries(log: SqlArtworkLog, limit: int = 1_000) -> list[ArtworkDecision]:
    return [each async for each in log.decisions(LONG_AGO, limit)]


async def test_what_is_told_again_is_known(engine: AsyncEngine) -> None:
    """By this process and by another; what was opened stays opened, and another policy's choice is another entry."""
    log = SqlArtworkLog(engine)
    shown = decision(1)
    for each in (shown, shown, replace(shown, is_opened=True), shown):
        await log.add(each)
    await SqlArtworkLog(engine).add(shown)
    assert await entries(log) == [replace(shown, is_opened=True)]
    await log.add(decision(1, policy_id="v2"))
    assert len(await entries(log)) == 2


async def test_the_latest_come_first_and_no_more_than_wanted(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the edges of what is read at once."""
    monkeypatch.setattr("subgraphs.recommendations.adapters.sqlalchemy.artwork_log.READ_AT_ONCE", 4)
    log = SqlArtworkLog(engine)
    for number in range(11):
        await log.add(decision(number))
    assert [each.title_id for each in await entries(log)] == [f"mov_{number}" for number in range(11)]
    assert len(await entries(log, limit=6)) == 6
    recent = [each async for each in log.decisions(NOW - timedelta(days=2), 1_000)]
    assert [each.title_id for each in recent] == ["mov_0", "mov_1", "mov_2"]


async def test_those_of_one_instant_come_once_each_while_others_are_added(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on from the last one read: a page's cards are shown at once, and screens tell all the time."""
    monkeypatch.setattr("subgraphs.recommendations.adapters.sqlalchemy.artwork_log.READ_AT_ONCE", 2)
    log = SqlArtworkLog(engine)
    page = [replace(decision(number), shown_at=NOW) for number in range(7)]
    for each in [*page, decision(9)]:
        await log.add(each)
    found: list[str] = []
    async for each in log.decisions(LONG_AGO, 1_000):
        found.append(each.title_id)
        await log.add(replace(decision(100 + len(found)), shown_at=NOW + timedelta(minutes=1)))
    assert sorted(found) == [*(each.title_id for each in page), "mov_9"]


async def test_what_is_old_and_who_is_gone_is_forgotten(engine: AsyncEngine) -> None:
    """And can be told anew."""
    log = SqlArtworkLog(engine)
    for number in range(6):
        await log.add(decision(number))
    assert await log.forget_before(NOW - timedelta(days=3)) == 2
    await LogArtwork(log, None, None, FakeClock(NOW + REMEMBERED_FOR - timedelta(days=1.5))).forget_old()  # type: ignore[arg-type]  # asks nobody else
    assert {each.title_id for each in await entries(log)} == {"mov_0", "mov_1"}
    await log.forget("prof_0")
    assert {each.profile_id for each in await entries(log)} == {"prof_1"}
    await log.add(decision(0))
    assert "prof_0" in {each.profile_id for each in await entries(log)}


async def test_nothing_is_kept_of_who_took_consent_back(engine: AsyncEngine, redis: Redis) -> None:
    """Not of what was under way either: reports and decisions come by different topics."""
    log, tastes = SqlArtworkLog(engine), ValkeyTasteStore(redis)
    contexts = ValkeyArtworkContexts(redis, timedelta(days=15))
    handlers = LogArtwork(log, contexts, tastes, FakeClock(NOW)).handlers()
    shown = decision(1)
    told = {
        "profileId": shown.profile_id,
        "titleId": shown.title_id,
        "tracking": "",
        "occurredAt": NOW.isoformat(),
        "artwork": described_artwork(shown.shown),
    }
    decided = {"accountId": "acc_1", "profileIds": [shown.profile_id], "purpose": "PERSONALISATION", "textVersion": 1}
    await handlers["interactions"](Event("interactions", "card.shown", told, NOW))
    assert len(await entries(log)) == 1

    for granted, count in ((False, 0), (True, 1)):
        at = NOW + timedelta(minutes=1 + granted)
        await handlers["accounts"](Event("accounts", "consent.changed", {**decided, "granted": granted}, at))
        await handlers["interactions"](Event("interactions", "card.shown", told, NOW))
        assert len(await entries(log)) == count
    deleted = {"profileId": shown.profile_id, "accountId": "acc_1", "isKids": False, "maturity": 18, "country": "US"}
    await handlers["accounts"](Event("accounts", "profile.deleted", deleted, NOW + timedelta(minutes=9)))
    await handlers["interactions"](Event("interactions", "card.shown", told, NOW))
    assert await entries(log) == []
