"""Random histories of watching, and what a bookmark must be after each: said plainly, from the whole history.

A history is what arrives at the server: viewers press play on several devices, watch, seek, pause, stop, watch again;
the network delays, repeats, reorders and loses reports; two servers' clocks differ. Everything follows from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.bookmarks import (
    Bookmark,
    BookmarkKey,
    PositionReport,
    ReportOrder,
    WatchRecord,
    hear_report,
)

__all__ = ["Expected", "check_histories", "expected_bookmark", "make_history", "problem_of"]

START = datetime(2026, 3, 1, tzinfo=UTC)
DEVICES = ("tv", "phone", "tablet", "browser")


@dataclass(frozen=True)
class Expected:
    """What must hold of a bookmark."""

    position_s: float
    completed: bool
    completed_at: datetime | None
    last_watched_at: datetime
    watch_count: int

    @classmethod
    def of(cls, bookmark: Bookmark) -> Expected:
        return cls(
            bookmark.position_s,
            bookmark.completed,
            bookmark.completed_at,
            bookmark.last_watched_at,
            bookmark.watch_count,
        )


def make_history(seed: int) -> list[PositionReport]:
    """Reports in the order of their arrival; at least one."""
    chance = random.Random(seed)
    duration_s = chance.choice([90.0, 1500.0, 7200.0, 0.0])
    credits_s = chance.choice([None, duration_s * 0.7, duration_s * 0.95, duration_s * 0.1])
    key = BookmarkKey(ProfileId(f"prof_{seed}"), TitleId("mov_1"))
    sent: list[tuple[float, PositionReport]] = []
    at_s = 0.0
    for session in range(chance.randint(1, 5)):
        device = chance.choice(DEVICES[: chance.randint(1, 4)])
        # A server whose clock is behind may give a later session a lower ordinal; two never share one on a device.
        ordinal = (
            int((START + timedelta(seconds=at_s)).timestamp() * 1_000_000)
            + session
            + (0 if chance.random() < 0.95 else -chance.randint(1, 5_000_000))
        )
        position, sequence = chance.choice([0.0, chance.uniform(0, duration_s)]), chance.choice([0, 1, 1_000])
        session_at_s = at_s
        for _ in range(chance.randint(1, 8)):
            kind = chance.random()
            if kind < 0.2:
                position = chance.uniform(-10, duration_s * 1.1)
            elif kind < 0.9:
                position += chance.uniform(0, duration_s / 3)
            session_at_s += chance.uniform(0, 30)
            sequence += chance.choice([1, 1, 1, 1, 0, 2, -1])
            report = PositionReport(
                key=key,
                account_id=AccountId("acc_1"),
                series_id=None,
                device_id=device,
                order=ReportOrder(ordinal, sequence),
                position_s=position,
                duration_s=duration_s,
                credits_start_s=credits_s,
                received_at=START,
                is_final=chance.random() < 0.1,
            )
            for copy in range(1 if chance.random() < 0.85 else 2):
                late_s = 0.0 if chance.random() < 0.7 else chance.expovariate(1 / 60)
                if chance.random() > 0.05 or not sent:
                    sent.append((session_at_s + late_s + copy, report))
        # Sessions overlap when several devices play at once.
        at_s = session_at_s if chance.random() < 0.6 else at_s + chance.uniform(0, 20)
    sent.sort(key=lambda each: each[0])
    return [_received(report, arrives_s, chance) for arrives_s, report in sent]


def _received(report: PositionReport, arrives_s: float, chance: random.Random) -> PositionReport:
    skew_s = 0.0 if chance.random() < 0.9 else chance.uniform(-3, 3)
    return PositionReport(
        key=report.key,
        account_id=report.account_id,
        series_id=report.series_id,
        device_id=report.device_id,
        order=report.order,
        position_s=report.position_s,
        duration_s=report.duration_s,
        credits_start_s=report.credits_start_s,
        received_at=START + timedelta(milliseconds=int((arrives_s + skew_s) * 1000)),
        is_final=report.is_final,
    )


def expected_bookmark(history: Sequence[PositionReport]) -> Expected:
    """From the whole history: which reports count, and what follows from these alone."""
    accepted = [
        report
        for place, report in enumerate(history)
        if all(report.order > other.order for other in history[:place] if other.device_id == report.device_id)
    ]
    positions = [_clipped(report) for report in accepted]
    ends = [_is_end(report, position) for report, position in zip(accepted, positions, strict=True)]
    # Where the end is reached: at the end now, and not before.
    arrivals = [place for place, is_end in enumerate(ends) if is_end and (place == 0 or not ends[place - 1])]
    sessions = [accepted[place].order.session_ordinal for place in arrivals]
    return Expected(
        position_s=positions[-1],
        completed=ends[-1],
        completed_at=accepted[arrivals[-1]].received_at if arrivals else None,
        last_watched_at=max(report.received_at for report in accepted),
        # One session that reaches the end again and again has watched it once.
        watch_count=sum(place == 0 or ordinal != sessions[place - 1] for place, ordinal in enumerate(sessions)),
    )


def _clipped(report: PositionReport) -> float:
    highest = report.duration_s if report.duration_s > 0 else float("inf")
    return min(max(report.position_s, 0.0), highest)


def _is_end(report: PositionReport, position_s: float) -> bool:
    if report.duration_s <= 0:
        return False
    ends = [0.9 * report.duration_s]
    if report.credits_start_s is not None and report.credits_start_s >= report.duration_s / 2:
        ends.append(report.credits_start_s)
    return position_s >= min(ends)


def problem_of(seed: int) -> str | None:
    """What is wrong after some report of a history; None when nothing is."""
    history = make_history(seed)
    stops = {len(history), random.Random(seed).randint(1, len(history))}
    record: WatchRecord | None = None
    for count, report in enumerate(history, 1):
        record = hear_report(record, report).record
        if count in stops and Expected.of(record.bookmark) != (wanted := expected_bookmark(history[:count])):
            return f"seed {seed}, after {count} of {len(history)} reports: {Expected.of(record.bookmark)}, not {wanted}"
        again = hear_report(record, report)
        if again.is_new or again.record != record:
            return f"seed {seed}, after {count} reports: hearing the last one again changed something"
    return None


def check_histories(seeds: Iterable[int]) -> list[str]:
    """The problems of all these histories, at most ten."""
    problems: list[str] = []
    for seed in seeds:
        problem = problem_of(seed)
        if problem is not None:
            problems.append(problem)
            if len(problems) == 10:
                break
    return problems
