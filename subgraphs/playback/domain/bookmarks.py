"""Where a profile is in a title, and which report of a player may move it.

The problem: players report their position every few seconds, over networks that delay, repeat and reorder, from
several devices. The idea: each device numbers its reports, and starting a session gives a new, higher ordinal on that
device; a report is *in order* when (ordinal, number) is above the last one accepted from the same device for the same
title. Reports in order win in the order of their arrival; all others change nothing and are acknowledged all the
same, since a newer position of that device is safe.

Invariants, held by the model test: the position is that of the last accepted report; `completed_at` never goes back
to None, so that watching again does not erase what was seen; applying a report twice is applying it once.

Known limit: between two devices only arrival decides, as their clocks can't be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId

__all__ = [
    "COMPLETED_RATIO",
    "Bookmark",
    "BookmarkKey",
    "Heard",
    "Mark",
    "PositionReport",
    "ReportOrder",
    "WatchRecord",
    "apply_report",
    "completion_point_s",
    "hear_report",
    "is_in_order",
    "is_started",
    "resume_position_s",
]

COMPLETED_RATIO = 0.9
MAX_DEVICES = 32
"""Devices per title whose place is remembered; nobody watches one film on more."""
ANNOUNCE_EVERY = timedelta(seconds=30)
"""Progress is told to others at most this often; the first report, also the first after a mark, reaching the end and
the stop always are."""
MIN_STARTED_S = 30.0
MIN_STARTED_RATIO = 0.02
"""Below both, nobody has started a film: they looked at its first seconds."""


class Mark(StrEnum):
    """What a viewer may say of a bookmark; the value is the field that holds since when."""

    HIDDEN = "hidden_at"
    """Out of the history and every list."""
    DISMISSED = "dismissed_at"
    """Out of continue watching."""


@dataclass(frozen=True, slots=True, order=True)
class ReportOrder:
    """Place of a report among those of one device for one title; `session_ordinal` is the start in µs, above 0."""

    session_ordinal: int
    sequence: int


@dataclass(frozen=True, slots=True)
class BookmarkKey:
    """One profile in one title."""

    profile_id: ProfileId
    title_id: TitleId


@dataclass(frozen=True, slots=True)
class PositionReport:
    """A position that a player reported; `is_final` when it stopped. Position and duration are in seconds."""

    key: BookmarkKey
    account_id: AccountId
    series_id: TitleId | None
    device_id: str
    order: ReportOrder
    position_s: float
    duration_s: float
    credits_start_s: float | None
    received_at: datetime
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Bookmark:
    """`completed`: the position lies in what counts as the end; `completed_at`: when that was last reached, if ever.

    `watch_count` says in how many sessions the end was reached; watching again only adds to it. `announced_at` is when
    others were last told, so that a heartbeat does not become an event each time. `hidden_at`: removed from the
    history, `dismissed_at`: removed from continue watching; both last until the title is watched again.
    """

    key: BookmarkKey
    account_id: AccountId
    series_id: TitleId | None
    position_s: float
    duration_s: float
    completed: bool
    completed_at: datetime | None
    last_watched_at: datetime
    announced_at: datetime | None
    watch_count: int = 0
    hidden_at: datetime | None = None
    dismissed_at: datetime | None = None

    @property
    def fraction(self) -> float:
        """0 to 1; 0 when the duration is unknown."""
        return min(1.0, self.position_s / self.duration_s) if self.duration_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """All that is kept of one profile in one title: the bookmark, and what tells new reports from late ones.

    `cursors` has the place of the last report accepted from each device. At most MAX_DEVICES are kept; `floor_ordinal`
    is the highest session of those dropped, and reports up to it from devices without a cursor are late.
    `counted_ordinal` is the session that was last counted as a watch, so that seeking does not count again.
    """

    bookmark: Bookmark
    cursors: Mapping[str, ReportOrder]
    floor_ordinal: int = 0
    counted_ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A record after a report. `is_new`: the report changed it; `is_news`: others should be told."""

    record: WatchRecord
    is_new: bool
    is_news: bool


def hear_report(record: WatchRecord | None, report: PositionReport) -> Heard:
    """Apply a report, or leave the record as it is when the report is late or repeated."""
    if record is not None and not is_in_order(record, report):
        return Heard(record, is_new=False, is_news=False)
    before = None if record is None else record.bookmark
    counted = 0 if record is None else record.counted_ordinal
    after = apply_report(before, report)
    if after.completed and counted != report.order.session_ordinal and (before is None or not before.completed):
        after = replace(after, watch_count=after.watch_count + 1)
        counted = report.order.session_ordinal
    is_news = _is_worth_telling(before, after, report)
    if is_news:
        after = replace(after, announced_at=report.received_at)
    cursors = {} if record is None else dict(record.cursors)
    cursors[report.device_id] = report.order
    floor = 0 if record is None else record.floor_ordinal
    if len(cursors) > MAX_DEVICES:
        oldest = min(cursors, key=lambda device_id: cursors[device_id])
        floor = max(floor, cursors.pop(oldest).session_ordinal)
    return Heard(WatchRecord(after, cursors, floor, counted), is_new=True, is_news=is_news)


def is_in_order(record: WatchRecord, report: PositionReport) -> bool:
    """Whether a report comes after the last one accepted from its device."""
    last = record.cursors.get(report.device_id)
    if last is None:
        return report.order.session_ordinal > record.floor_ordinal
    return report.order > last


def apply_report(bookmark: Bookmark | None, report: PositionReport) -> Bookmark:
    """The bookmark after a report that is in order; the position is cut to 0…duration."""
    position = max(0.0, report.position_s)
    if report.duration_s > 0:
        position = min(position, report.duration_s)
    completed = report.duration_s > 0 and position >= completion_point_s(report.duration_s, report.credits_start_s)
    seen_at = None if bookmark is None else bookmark.completed_at
    reaches_end = completed and (bookmark is None or not bookmark.completed)
    # Two writers with clocks apart: recency never runs backwards.
    watched_at = report.received_at if bookmark is None else max(bookmark.last_watched_at, report.received_at)
    return Bookmark(
        key=report.key,
        account_id=report.account_id,
        series_id=report.series_id,
        position_s=position,
        duration_s=report.duration_s,
        completed=completed,
        completed_at=report.received_at if reaches_end else seen_at,
        last_watched_at=watched_at,
        announced_at=None if bookmark is None else bookmark.announced_at,
        watch_count=0 if bookmark is None else bookmark.watch_count,
    )


def _is_worth_telling(before: Bookmark | None, after: Bookmark, report: PositionReport) -> bool:
    if before is None or before.announced_at is None or report.is_final or after.completed != before.completed:
        return True
    # Others were told of the mark, and that a later watch ends it.
    if before.hidden_at is not None or before.dismissed_at is not None:
        return True
    return report.received_at - before.announced_at >= ANNOUNCE_EVERY


def completion_point_s(duration_s: float, credits_start_s: float | None) -> float:
    """From where on a title counts as watched: 90 %, or where the credits begin when that is earlier.

    Marked credits in the first half are taken for a mistake.
    """
    point = COMPLETED_RATIO * duration_s
    if credits_start_s is not None and credits_start_s >= duration_s / 2:
        return min(point, credits_start_s)
    return point


def is_started(bookmark: Bookmark) -> bool:
    """Whether enough was watched to offer to go on."""
    return bookmark.position_s >= min(MIN_STARTED_S, MIN_STARTED_RATIO * bookmark.duration_s)


def resume_position_s(bookmark: Bookmark | None) -> float:
    """Where to start: the bookmark's position, or the beginning when there is none, it is hidden or was finished."""
    if bookmark is None or bookmark.completed or bookmark.hidden_at is not None:
        return 0.0
    return bookmark.position_s
