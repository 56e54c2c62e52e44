"""Bookmarks against a reference model, and the group commit that makes an acknowledgement mean something."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel import migrations
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.adapters.sqlalchemy.bookmarks import SqlBookmarkStore
from subgraphs.playback.domain.bookmarks import (
    Bookmark,
    BookmarkKey,
    PositionReport,
    ReportOrder,
    completion_point_s,
    hear_report,
    is_started,
    resume_position_s,
)
from subgraphs.playback.stores import MIGRATIONS

START = datetime(2026, 3, 1, tzinfo=UTC)
DURATION_S = 1000.0
KEY = BookmarkKey(ProfileId("prof_1"), TitleId("mov_1"))


def report(
    device: str, ordinal: int, sequence: int, position_s: float, at_s: int = 0, **changes: Any
) -> PositionReport:
    values: dict[str, Any] = {
        "key": KEY,
        "account_id": AccountId("acc_1"),
        "series_id": None,
        "device_id": device,
        "order": ReportOrder(ordinal, sequence),
        "position_s": position_s,
        "duration_s": DURATION_S,
        "credits_start_s": None,
        "received_at": START + timedelta(seconds=at_s),
        **changes,
    }
    return PositionReport(**values)


@dataclass
class Reference:
    """What a bookmark is, said as plainly as possible: the last report that is newer than all before it of its device."""

    accepted: list[PositionReport] = field(default_factory=list)

    def hear(self, report: PositionReport) -> None:
        if all(report.order > before.order for before in self.accepted if before.device_id == report.device_id):
            self.accepted.append(report)

    @property
    def position_s(self) -> float:
        return min(max(self.accepted[-1].position_s, 0.0), DURATION_S)

    @property
    def was_seen(self) -> bool:
        return any(report.position_s >= 0.9 * DURATION_S for report in self.accepted)


HEARD = st.lists(
    st.tuples(
        st.sampled_from(["tv", "phone", "tablet"]),
        st.integers(1, 3),
        st.integers(0, 6),
        st.floats(0, 1100, allow_nan=False),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=500, deadline=None)
@given(heard=HEARD)
def test_any_order_of_arrival_gives_the_reference(heard: list[tuple[str, int, int, float]]) -> None:
    """Several devices, late, repeated and reordered reports: position and what was seen are the model's."""
    reference, record = Reference(), None
    for at_s, (device, ordinal, sequence, position) in enumerate(heard):
        arrived = report(device, ordinal, sequence, position, at_s)
        reference.hear(arrived)
        record = hear_report(record, arrived).record
        bookmark = record.bookmark

        assert bookmark.position_s == reference.position_s
        assert (bookmark.completed_at is not None) == reference.was_seen
        assert bookmark.last_watched_at == reference.accepted[-1].received_at


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[SqlBookmarkStore]:
    engine = open_engine(sqlite_url(path))
    await migrations.upgrade(engine, MIGRATIONS)
    store = SqlBookmarkStore(engine)
    try:
        async with store.running():
            yield store
    finally:
        await engine.dispose()


@pytest.mark.parametrize("at_once", [1, 7, 300])
async def test_the_store_agrees_with_the_reference(tmp_path: Path, at_once: int) -> None:
    """Whether reports come one by one or share a transaction, over several profiles and titles."""
    import random

    chance = random.Random(at_once)
    references: dict[BookmarkKey, Reference] = {}
    reports = []
    for at_s in range(600):
        key = BookmarkKey(ProfileId(f"prof_{chance.randrange(3)}"), TitleId(f"mov_{chance.randrange(3)}"))
        reports.append(
            report(
                chance.choice(["tv", "phone"]),
                chance.randrange(1, 4),
                chance.randrange(60),
                chance.uniform(0, 1000),
                at_s,
                key=key,
            )
        )
        references.setdefault(key, Reference()).hear(reports[-1])

    async with open_store(tmp_path / "playback.sqlite") as store:
        for start in range(0, len(reports), at_once):
            await asyncio.gather(*[store.record(one) for one in reports[start : start + at_once]])
        kept = {
            bookmark.key: bookmark
            for number in range(3)
            for bookmark in await store.history(ProfileId(f"prof_{number}"), limit=10)
        }

    assert {key: reference.position_s for key, reference in references.items()} == {
        key: bookmark.position_s for key, bookmark in kept.items()
    }
    assert {key: reference.was_seen for key, reference in references.items()} == {
        key: bookmark.completed_at is not None for key, bookmark in kept.items()
    }


KILLED_WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_bookmarks import open_store, report

async def main():
    async with open_store(Path(sys.argv[1])) as store:
        async def device(name):
            for sequence in range(1, 100_000):
                await store.record(report(name, 1, sequence, float(sequence), sequence,
                                          key=type(report("x", 1, 1, 1.0).key)("prof_" + name, "mov_1"), duration_s=1e9))
                print("ack", name, sequence, flush=True)
        await asyncio.gather(*[device("d%d" % number) for number in range(8)])
asyncio.run(main())
"""


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """A writer is killed with SIGKILL in the middle; every position that it had acknowledged is there, or a later one."""
    database = tmp_path / "playback.sqlite"
    script = KILLED_WRITER.format(here=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(400)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    # The last line may have been cut by the kill: then its acknowledgement was not heard.
    acknowledged: dict[str, int] = {}
    for line in lines:
        if line.startswith("ack ") and line.endswith("\n"):
            _, name, sequence = line.split()
            acknowledged[name] = int(sequence)

    async def read_positions() -> dict[str, float]:
        async with open_store(database) as store:
            return {
                name: (await store.history(ProfileId(f"prof_{name}"), limit=1))[0].position_s for name in acknowledged
            }

    positions = asyncio.run(read_positions())
    assert len(acknowledged) == 8
    assert all(positions[name] >= sequence for name, sequence in acknowledged.items())


class Journal:
    """Counts the transactions of a group commit; one at a time may be held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def commit(self, batch: Sequence[int]) -> Sequence[int]:
        await self.gate.wait()
        self.batches.append(list(batch))
        if self.failure is not None:
            raise self.failure
        return [number * 10 for number in batch]


async def test_what_waits_together_is_committed_together() -> None:
    """While one transaction runs, all that arrives becomes the next one, in order; a lone write does not wait."""
    journal = Journal()
    writer: GroupCommit[int, int] = GroupCommit(journal.commit, max_batch=50)
    async with writer.running():
        alone = await writer.submit(1)
        journal.gate.clear()
        waiting = [asyncio.ensure_future(writer.submit(number)) for number in range(2, 102)]
        await asyncio.sleep(0)
        journal.gate.set()
        answers = await asyncio.gather(*waiting)

    assert alone == 10
    assert answers == [number * 10 for number in range(2, 102)]
    assert [len(batch) for batch in journal.batches] == [1, 50, 50]


async def test_a_failed_batch_fails_for_all_its_writers_and_for_no_others() -> None:
    """Nobody is told that something is durable which is not; the writer goes on."""
    journal = Journal()
    writer: GroupCommit[int, int] = GroupCommit(journal.commit)
    async with writer.running():
        journal.failure = ServiceError(ErrorKind.UNAVAILABLE, "disk full")
        failed = await asyncio.gather(writer.submit(1), writer.submit(2), return_exceptions=True)
        journal.failure = None
        later = await writer.submit(3)

    assert [str(error) for error in failed] == ["disk full", "disk full"]
    assert later == 30


async def test_a_stuck_disk_is_told_and_not_hidden() -> None:
    """Beyond the bound, writes are refused at once; those that wait are written when the block ends."""
    journal = Journal()
    writer: GroupCommit[int, int] = GroupCommit(journal.commit, max_batch=1, max_waiting=3)
    async with writer.running():
        journal.gate.clear()
        waiting = [asyncio.ensure_future(writer.submit(number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.append(asyncio.ensure_future(writer.submit(3)))
        await asyncio.sleep(0)
        with pytest.raises(ServiceError, match="wait to be written"):
            await writer.submit(4)
        journal.gate.set()

    assert await asyncio.gather(*waiting) == [0, 10, 20, 30]
    with pytest.raises(ServiceError, match="closing"):
        await writer.submit(5)


def bookmark(position_s: float, *, duration_s: float = DURATION_S, completed: bool = False) -> Bookmark:
    return Bookmark(KEY, AccountId("acc_1"), None, position_s, duration_s, completed, None, START, None)


def test_credits_end_a_film_early_but_not_in_its_first_half() -> None:
    """Marked credits before 90 % count as the end; a marker in the first half is a mistake."""
    assert completion_point_s(1000, None) == 900
    assert completion_point_s(1000, 850) == 850
    assert completion_point_s(1000, 950) == 900
    assert completion_point_s(1000, 100) == 900


def test_a_look_at_the_first_seconds_is_no_start() -> None:
    """Half a minute, or two percent of something short."""
    assert not is_started(bookmark(19))
    assert is_started(bookmark(20))
    assert is_started(bookmark(30, duration_s=10_000))
    assert not is_started(bookmark(29, duration_s=10_000))


def test_what_was_finished_resumes_at_the_beginning() -> None:
    """And everything else where it was left."""
    assert resume_position_s(None) == 0
    assert resume_position_s(bookmark(950, completed=True)) == 0
    assert resume_position_s(bookmark(400)) == 400
