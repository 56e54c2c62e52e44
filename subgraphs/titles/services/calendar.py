"""Which titles are closed right now in a country: the part of availability that a search index can't know.

The index knows the countries of a title's windows, not the clock. Few titles have windows that open or close at an
instant; those are kept here with their windows, and the set of closed ones is computed once per country and kept
until the next instant at which it can change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE, Window
from subgraphs.titles.domain.title import Title

__all__ = ["AvailabilityCalendar", "AvailabilityChange"]

MAX_COUNTRIES_KEPT = 300
_INSTANT = timedelta(microseconds=1)
"""As fine as instants are."""


@dataclass(frozen=True, slots=True)
class _Closed:
    since: datetime
    until: datetime | None
    ids: frozenset[TitleId]


@dataclass(frozen=True, slots=True)
class AvailabilityChange:
    """That a title is offered in a country from `at` on, or no longer; `country` may be EVERYWHERE."""

    at: datetime
    title_id: TitleId
    country: str
    is_open: bool


class AvailabilityCalendar:
    """The timed titles and who is closed when."""

    def __init__(self) -> None:
        self._windows: dict[TitleId, tuple[Window, ...]] = {}
        self._closed: dict[str | None, _Closed] = {}

    def update(self, titles: Iterable[Title]) -> None:
        """Titles as they are now."""
        is_changed = False
        for title in titles:
            has_times = any(window.opens_at is not None or window.closes_at is not None for window in title.windows)
            if has_times and not title.is_gone:
                self._windows[title.id] = title.windows
                is_changed = True
            elif self._windows.pop(title.id, None) is not None:
                is_changed = True
        if is_changed:
            self._closed.clear()

    def closed_titles(self, country: str | None, now: datetime) -> frozenset[TitleId]:
        """Timed titles without an open window for the country; correct for `now` going either way."""
        known = self._closed.get(country)
        if known is not None and known.since <= now and (known.until is None or now < known.until):
            return known.ids
        computed = self._compute(country, now)
        if len(self._closed) >= MAX_COUNTRIES_KEPT:
            self._closed.clear()
        self._closed[country] = computed
        return computed.ids

    def openings(self, country: str | None, after: datetime, until: datetime) -> list[tuple[datetime, TitleId]]:
        """When closed titles open for the country, each once, behind `after` and up to `until`; soonest first."""
        found: list[tuple[datetime, TitleId]] = []
        for title_id in self.closed_titles(country, after):
            opens = [
                window.opens_at
                for window in self._windows[title_id]
                if window.country in {EVERYWHERE, country} and window.opens_at is not None
            ]
            soonest = min((instant for instant in opens if after < instant <= until), default=None)
            if soonest is not None:
                found.append((soonest, title_id))
        return sorted(found)

    def changes(self, after: datetime, until: datetime) -> list[AvailabilityChange]:
        """What opened and closed behind `after` and up to `until`, in order of time.

        For each country that a title's windows name, and as "*" for those that they do not name. Nothing is told of an
        edge at which another window of the country goes on or went on before.
        """
        found: list[AvailabilityChange] = []
        for title_id, windows in self._windows.items():
            edges = {
                (instant, country)
                for country in {window.country for window in windows}
                for window in windows
                if window.country in {EVERYWHERE, country}
                for instant in (window.opens_at, window.closes_at)
                if instant is not None and after < instant <= until
            }
            for instant, country in edges:
                is_open = _is_open(windows, country, instant)
                if is_open is not _is_open(windows, country, instant - _INSTANT):
                    found.append(AvailabilityChange(instant, title_id, country, is_open=is_open))
        return sorted(found, key=lambda change: (change.at, change.title_id, change.country))

    def next_edge(self, after: datetime) -> datetime | None:
        """The next instant at which any window opens or closes."""
        instants = (
            instant
            for windows in self._windows.values()
            for window in windows
            for instant in (window.opens_at, window.closes_at)
        )
        return min((instant for instant in instants if instant is not None and instant > after), default=None)

    def _compute(self, country: str | None, now: datetime) -> _Closed:
        closed: set[TitleId] = set()
        next_change: datetime | None = None
        for title_id, windows in self._windows.items():
            ours = [window for window in windows if window.country in {EVERYWHERE, country}]
            if not any(window.is_open(now) for window in ours):
                closed.add(title_id)
            for window in ours:
                for instant in (window.opens_at, window.closes_at):
                    if instant is not None and instant > now and (next_change is None or instant < next_change):
                        next_change = instant
        return _Closed(now, next_change, frozenset(closed))


def _is_open(windows: Iterable[Window], country: str, at: datetime) -> bool:
    return any(window.country in {EVERYWHERE, country} and window.is_open(at) for window in windows)
