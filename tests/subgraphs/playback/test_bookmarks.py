"""Bookmarks against a reference model, and the group commit that makes an acknowledgement mean something."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import ErrorKind, ServiceError
from common.settings import SharedSettings
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.adapters.group_commit import GroupCommit
from subgraphs.playback.domain.bookmarks import (
    Bookmark,
    BookmarkKey,
    PositionReport,
    ReportOrder,
    WatchRecord,
    completion_point_s,
    hear_report,
    is_started,
    resume_position_s,
)
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import open_stores
from tests.support.watch_histories import Expected, check_histories, expected_bookmark, make_history

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


def test_any_history_of_several_devices_ends_as_the_model_says() -> None:
    """Late, repeated, reordered, overlapping, with seeks and rewatches; scripts/watch_histories plays 100,000."""
    assert check_histories(range(2_000)) == []


async def test_the_store_keeps_what_the_model_says(tmp_path: Path) -> None:
    """Three hundred histories at once through SQLite, sharing transactions."""
    histories = {seed: make_history(seed) for seed in range(300)}
    async with open_stores(PlaybackSettings(shared=SharedSettings(state_dir=tmp_path))) as stores:

        async def play(seed: int) -> None:
            for each in histories[seed]:
                await stores.bookmarks.record(each)

        await asyncio.gather(*[play(seed) for seed in histories])
        kept = {seed: (await stores.bookmarks.history(ProfileId(f"prof_{seed}"), limit=1))[0] for seed in histories}

    assert {seed: expected_bookmark(history) for seed, history in histories.items()} == {
        seed: Expected.of(bookmark) for seed, bookmark in kept.items()
    }


def test_devices_beyond_the_bound_are_forgotten_without_letting_late_reports_win() -> None:
    """The oldest session's device goes; what it still sends is late."""
    record: WatchRecord | None = None
    for number in range(1, 41):
        record = hear_report(record, report(f"device-{number}", number, 1, float(number), number)).record
    assert record is not None

    late = hear_report(record, report("device-3", 3, 9, 999.0, 60))
    newer = hear_report(record, report("device-3", 41, 1, 7.0, 61))

    assert len(record.cursors) == 32
    assert not late.is_new
    assert newer.record.bookmark.position_s == 7.0


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
        with pytest.raises(ServiceError, match="wait already"):
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
