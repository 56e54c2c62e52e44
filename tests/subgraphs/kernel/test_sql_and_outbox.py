"""SQL stores' promises, and events that leave with their change or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, text
from sqlalchemy.exc import ProgrammingError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from common.errors import ErrorKind, ServiceError
from common.events import Event, EventPublisher, stream_key
from subgraphs.kernel import sql
from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.kernel.outbox import OutboxRelay, OutboxTable
from subgraphs.kernel.sql import UtcDateTime, check_store, open_engine, reading, sqlite_url, writing

AT = datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)
RATED = {"profileId": "prof_1", "titleId": "mov_1", "stars": 5}
metadata = MetaData()
things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))
outbox = OutboxTable.define(metadata)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(sqlite_url(tmp_path / "deep" / "folder" / "store.sqlite"))
    async with writing(opened) as connection:
        await connection.run_sync(metadata.create_all)
    yield opened
    await opened.dispose()


class Publisher(EventPublisher):
    """Remembers what it was given; fails on the `failing_at`th event."""

    def __init__(self, failing_at: int | None = None) -> None:
        self.published: list[Event] = []
        self.failing_at = failing_at

    async def publish(self, event: Event) -> str:
        if len(self.published) == self.failing_at:
            raise RedisConnectionError("the stream is away")
        self.published.append(event)
        return "0-1"


def event(number: int) -> Event:
    return Event(topic="feedback", kind="title.rated", data={**RATED, "number": number}, occurred_at=AT)


async def add_events(engine: AsyncEngine, *numbers: int) -> None:
    async with writing(engine) as connection:
        await outbox.add(connection, [event(number) for number in numbers])


async def waiting_count(engine: AsyncEngine) -> int:
    async with reading(engine) as connection:
        return await outbox.waiting_count(connection)


async def test_instants_come_back_aware_and_in_utc(engine: AsyncEngine) -> None:
    """Whatever zone they were given in; a naive one is refused."""
    eastern = AT.astimezone(timezone(timedelta(hours=-5)))
    async with writing(engine) as connection:
        await connection.execute(insert(things), [{"id": 1, "at": eastern}, {"id": 2, "at": None}])
        read = (await connection.execute(select(things.c.at).order_by(things.c.id))).scalars().all()
        assert read == [AT, None]
        assert read[0] is not None
        assert read[0].tzinfo is UTC
        with pytest.raises(StatementError, match="needs a time zone"):
            await connection.execute(insert(things).values(id=3, at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_reading_before_writing_in_one_transaction_is_safe(engine: AsyncEngine) -> None:
    """Ten at once count and then insert: each sees all before it, because a writing transaction has the lock."""

    async def count_and_insert() -> None:
        async with writing(engine) as connection:
            count = (await connection.execute(select(func.count()).select_from(things))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(insert(things).values(id=count + 1, at=AT))

    await asyncio.gather(*(count_and_insert() for _ in range(10)))
    async with reading(engine) as connection:
        assert (await connection.execute(select(func.max(things.c.id)))).scalar_one() == 10


async def test_a_failed_transaction_leaves_nothing(engine: AsyncEngine) -> None:
    """Neither the change nor its event."""

    async def fail_at_the_last_moment() -> None:
        async with writing(engine) as connection:
            await connection.execute(insert(things).values(id=1, at=AT))
            await outbox.add(connection, [event(1)])
            raise RuntimeError("at the last moment")

    with pytest.raises(RuntimeError, match="at the last moment"):
        await fail_at_the_last_moment()
    async with reading(engine) as connection:
        assert (await connection.execute(select(func.count()).select_from(things))).scalar_one() == 0
    assert await waiting_count(engine) == 0


async def test_sqlite_keeps_its_promises(engine: AsyncEngine) -> None:
    """WAL, full synchronisation, foreign keys, and the health check answers."""
    async with reading(engine) as connection:
        pragmas = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    await check_store(engine)


async def test_a_lock_that_is_held_too_long_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting writer is told to try again, readers go on, and afterwards everything is as before."""
    monkeypatch.setattr(sql, "BUSY_TIMEOUT_S", 0.05)
    opened = open_engine(sqlite_url(tmp_path / "busy.sqlite"))
    async with writing(opened) as holder:
        await holder.run_sync(metadata.create_all)
    async with writing(opened) as holder:
        await holder.execute(insert(things).values(id=1, at=AT))
        with pytest.raises(ServiceError) as caught:
            async with writing(opened):
                pass
        await check_store(opened)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    async with writing(opened) as connection:
        assert (await connection.execute(select(func.count()).select_from(things))).scalar_one() == 1
    await opened.dispose()


async def test_a_cancelled_writer_leaves_no_lock(engine: AsyncEngine) -> None:
    """A client hangs up while its statement runs, and somebody keeps the traceback: the next writer does not wait."""

    async def write_and_hang_up() -> asyncio.CancelledError:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        try:
            async with writing(engine) as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                await driver.create_function("hang_up", 0, lambda: loop.call_soon_threadsafe(task.cancel) and 1)
                await connection.execute(insert(things).values(id=1, at=AT))
                await connection.execute(text("SELECT hang_up()"))
        except asyncio.CancelledError as cancelled:
            return cancelled
        raise AssertionError("the statement was over before it could be cancelled")

    cancelled = await asyncio.create_task(write_and_hang_up())
    async with writing(engine) as connection:
        assert (await connection.execute(select(func.count()).select_from(things))).scalar_one() == 0
    assert cancelled.__traceback__ is not None


async def test_what_postgresql_stops_is_an_outage(postgres_url: str) -> None:
    """A connection that the server ends in the middle, a statement or a lock that takes too long, a deadlock."""
    opened, other = open_engine(postgres_url), open_engine(postgres_url)
    both_locked = asyncio.Barrier(2)

    async def lose_connection() -> None:
        async with writing(opened) as connection:
            process = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with writing(other) as killer:
                await killer.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})

    async def wait_too_long() -> None:
        async with writing(opened) as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 20"))
            await connection.execute(text("SELECT pg_sleep(10)"))

    async def wait_for_a_lock() -> None:
        async with writing(other) as holder, writing(opened) as connection:
            await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
            await connection.execute(text("SET LOCAL lock_timeout = 20"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(1)"))

    async def lock_both(first: int, second: int) -> None:
        async with writing(opened) as connection:
            await connection.execute(text("SET LOCAL deadlock_timeout = 20"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": first})
            await both_locked.wait()
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": second})

    for stopped in (lose_connection, wait_too_long, wait_for_a_lock):
        with pytest.raises(ServiceError) as caught:
            await stopped()
        assert caught.value.kind is ErrorKind.UNAVAILABLE, stopped.__name__
    outcomes = await asyncio.gather(lock_both(1, 2), lock_both(2, 1), return_exceptions=True)
    [deadlock] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(deadlock, ServiceError)
    with pytest.raises(ProgrammingError):
        async with reading(opened) as connection:
            await connection.execute(text("SELECT nonsense"))
    await opened.dispose()
    await other.dispose()


async def test_a_migration_may_take_longer_than_a_statement(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new index of a large table does; a start that gave up would give up at each of its tries."""
    monkeypatch.setattr(sql, "STATEMENT_TIMEOUT_S", 0.2)
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(
        "from subgraphs.kernel.migrations import run_environment\nrun_environment()\n", "utf-8"
    )
    (tmp_path / "versions" / "0001.py").write_text(
        "from alembic import op\nrevision, down_revision = '0001', None\n"
        "def upgrade():\n    op.execute('SELECT pg_sleep(0.5)')\n    op.execute('CREATE TABLE large (id int)')\n"
        "def downgrade():\n    op.execute('SELECT pg_sleep(0.5)')\n    op.execute('DROP TABLE large')\n",
        "utf-8",
    )
    opened = open_engine(postgres_url)
    await upgrade(opened, tmp_path)
    async with reading(opened) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM large"))).scalar_one() == 0
    await downgrade(opened, tmp_path, "base")
    await opened.dispose()


async def test_a_database_that_is_away_is_an_outage() -> None:
    """Not an internal error, and without its address in the message."""
    opened = open_engine("postgresql+asyncpg://marquee:hunter2@127.0.0.1:1/profiles")
    with pytest.raises(ServiceError) as caught:
        await check_store(opened)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "hunter2" not in caught.value.message
    await opened.dispose()


def test_another_database_is_refused_by_name() -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match=r"'mysql'; wanted sqlite\+aiosqlite or postgresql\+asyncpg"):
        open_engine("mysql://localhost/x")


async def test_the_relay_publishes_in_order_and_forgets(engine: AsyncEngine) -> None:
    """More than one batch, each event once, with an id of its own."""
    numbers = list(range(250))
    await add_events(engine, *numbers)
    publisher = Publisher()
    assert await OutboxRelay(engine, outbox, publisher).publish_waiting() == 250
    assert [published.data["number"] for published in publisher.published] == numbers
    assert len({published.id for published in publisher.published}) == 250
    assert publisher.published[0].occurred_at == AT
    assert await waiting_count(engine) == 0


async def test_what_was_not_published_waits(engine: AsyncEngine) -> None:
    """When the stream breaks in the middle, the published half is forgotten and the other half stays, in order."""
    await add_events(engine, 1, 2, 3, 4)
    with pytest.raises(RedisConnectionError):
        await OutboxRelay(engine, outbox, Publisher(failing_at=2)).publish_waiting()
    assert await waiting_count(engine) == 2
    after = Publisher()
    await OutboxRelay(engine, outbox, after).publish_waiting()
    assert [published.data["number"] for published in after.published] == [3, 4]


async def test_a_running_relay_wakes_up(engine: AsyncEngine, redis: Redis) -> None:
    """Events reach a real stream soon after the commit."""
    relay = OutboxRelay(engine, outbox, EventPublisher(redis))
    async with relay.running(), asyncio.timeout(10):
        await add_events(engine, 1)
        relay.wake()
        while not await redis.xlen(stream_key("feedback")):  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.005)
        while await waiting_count(engine):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
