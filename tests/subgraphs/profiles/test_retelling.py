"""Who refuses the use of their data, or asked for digests, is told again to those who may have missed it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy.accounts import SqlAccountStore
from subgraphs.profiles.adapters.sqlalchemy.preferences import SqlConsentStore
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX
from subgraphs.profiles.domain.consents import ConsentRecord, ConsentSource, Purpose
from subgraphs.profiles.services import retelling as retelling_module
from subgraphs.profiles.services.retelling import Retelling
from tests.subgraphs.profiles.conftest import START
from tests.subgraphs.profiles.test_people_stores import account, profile

BEFORE, AFTER = START + timedelta(minutes=59), START + timedelta(hours=2)
REFUSING = ["acc_1", "acc_3", "acc_5"]


def asked(topic: str = "accounts", at: Any = BEFORE) -> Event:
    return Event("requests", "republish.requested", {"topic": topic, "group": "titles"}, at, "evt_1")


class World:
    """The service on a store, what is in its outbox, and which topics it asked others for."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.clock = FakeClock(START + timedelta(hours=1))
        self.consents = SqlConsentStore(engine)
        self.asked: list[str] = []
        self.commits: list[None] = []
        self.retelling = Retelling(
            self.consents,
            SqlAccountStore(engine),
            self.clock,
            ask_again=self._ask,
            on_commit=lambda: self.commits.append(None),
        )

    async def _ask(self, topic: str) -> None:
        self.asked.append(topic)

    async def decide(self, account_id: str, purpose: Purpose, *decisions: bool) -> None:
        for number, is_granted in enumerate(decisions):
            at = START + timedelta(minutes=number)
            record = ConsentRecord(purpose, is_granted, 1, ConsentSource.SETTINGS, at)
            assert await self.consents.add_record(AccountId(account_id), record, max_records=100, events=[])

    async def told(self) -> list[Any]:
        """Takes out what is in the outbox: account with its only profile, purpose, decision."""
        async with reading(self.engine) as connection:
            rows = (await connection.execute(select(OUTBOX.table).order_by(OUTBOX.table.c.sequence))).mappings().all()
        async with writing(self.engine) as connection:
            await connection.execute(delete(OUTBOX.table))
        assert [row["data"]["profileIds"] for row in rows] == [
            [row["data"]["accountId"].replace("acc", "prof")] for row in rows
        ]
        return [(row["data"]["accountId"], row["data"]["purpose"], row["data"]["granted"]) for row in rows]

    async def told_of_profiles(self) -> list[Any]:
        """Takes out what is in the outbox: kind, profile, and whether it gets digests, where the event says so."""
        async with writing(self.engine) as connection:
            rows = (await connection.execute(select(OUTBOX.table).order_by(OUTBOX.table.c.sequence))).mappings().all()
            await connection.execute(delete(OUTBOX.table))
        return [(row["kind"], row["data"].get("profileId"), row["data"].get("digest")) for row in rows]


@pytest.fixture
async def world(any_engine: AsyncEngine) -> World:
    world = World(any_engine)
    for number in range(1, 6):
        assert await SqlAccountStore(any_engine).create_account(account(number), "hash", profile(number, number), [])
    await world.decide("acc_1", Purpose.PERSONALISATION, False)
    await world.decide("acc_2", Purpose.PERSONALISATION, False, True)
    await world.decide("acc_3", Purpose.PERSONALISATION, True, False)
    await world.decide("acc_4", Purpose.MARKETING, False)
    await world.decide("acc_5", Purpose.PERSONALISATION, False)
    await world.decide("acc_5", Purpose.MARKETING, True)
    await world.told()
    return world


async def test_who_refuses_now_is_told_once_to_all_who_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches; a request from before that telling is answered by it, a later one anew, another topic's is not ours."""
    monkeypatch.setattr(retelling_module, "BATCH_SIZE", 2)
    await world.retelling.handle(asked())
    assert await world.told() == [(account_id, "PERSONALISATION", False) for account_id in REFUSING]
    assert len(world.commits) == 2
    await world.retelling.handle(asked())
    await world.retelling.handle(asked("titles", AFTER))
    assert await world.told() == []
    await world.retelling.handle(asked(at=AFTER))
    assert len(await world.told()) == len(REFUSING)


async def test_who_took_analytics_back_is_told(world: World) -> None:
    """Who missed it would go on counting; who never agreed needs no word."""
    await world.decide("acc_2", Purpose.ANALYTICS, True, False)
    await world.decide("acc_4", Purpose.ANALYTICS, True)
    await world.retelling.handle(asked())

    assert ("acc_2", "ANALYTICS", False) in (told := await world.told())
    assert len(told) == len(REFUSING) + 1


async def test_a_telling_that_failed_is_begun_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request comes a second time, as the first was not confirmed, and is not taken for answered."""

    async def away(*_: Any, **__: Any) -> Any:
        raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    with monkeypatch.context() as patch:
        patch.setattr(world.consents, "decided", away)
        with pytest.raises(ServiceError):
            await world.retelling.handle(asked())
    await world.retelling.handle(asked())
    assert len(await world.told()) == len(REFUSING)


async def test_who_asked_for_digests_is_told_with_each_profile(world: World) -> None:
    """Whoever composes them left nobody out for ever, and goes on for nobody who stopped them."""
    await world.retelling.handle(asked())
    await world.told()
    await world.decide("acc_2", Purpose.DIGEST, True)
    await world.decide("acc_4", Purpose.DIGEST, True, False)
    await world.retelling.handle(asked(at=AFTER))
    told = await world.told_of_profiles()
    assert [row for row in told if row[0] == "profile.changed"] == [("profile.changed", "prof_2", True)]
    assert len(told) == len(REFUSING) + 2


async def test_requests_that_were_missed_are_answered(world: World) -> None:
    """And who owns another topic is asked."""
    await world.retelling.on_gap("requests")
    assert len(await world.told()) == len(REFUSING)
    await world.retelling.on_gap("titles")
    assert world.asked == ["titles"]
