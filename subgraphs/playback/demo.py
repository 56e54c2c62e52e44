"""Watch history for the demo's profiles, so that a fresh installation has something to continue and reasons to name.

`seed_demo_history` writes through the store that the subgraph uses, also while it runs: positions become bookmarks
and, by the outbox, the events from which recommendations learn. Profiles that have watched anything are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.bookmarks import BookmarkKey, PositionReport, ReportOrder
from subgraphs.playback.domain.titles import PlayableTitle
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import open_stores

__all__ = ["DEMO_HISTORY", "DemoProfile", "DemoReport", "DemoWatch", "seed_demo_history"]


@dataclass(frozen=True, slots=True)
class DemoWatch:
    """One title, how much of it (0 to 1), and how long ago."""

    title_id: str
    fraction: float
    hours_ago: float


@dataclass(frozen=True, slots=True)
class DemoProfile:
    """A profile of a demo account; `name` chooses its history."""

    profile_id: str
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class DemoReport:
    """`written` bookmarks; `missing` titles that playback has not heard of (yet)."""

    written: int
    missing: tuple[str, ...]


DEMO_HISTORY: Mapping[str, tuple[DemoWatch, ...]] = {
    "Ada": (
        DemoWatch("mov_metropolis-1927", 0.97, 6),
        DemoWatch("mov_nosferatu-1922", 0.95, 30),
        DemoWatch("mov_the-cabinet-of-dr-caligari-1920", 0.98, 55),
        DemoWatch("epi_les-vampires-1915-s1e1", 0.96, 20),
        DemoWatch("epi_les-vampires-1915-s1e2", 0.4, 3),
        DemoWatch("mov_aelita-1924", 0.35, 9),
        DemoWatch("mov_sherlock-jr-1924", 0.95, 200),
        DemoWatch("mov_woman-in-the-moon-1929", 0.6, 27),
        DemoWatch("mov_faust-1926", 0.93, 410),
    ),
    "Grace": (
        DemoWatch("mov_his-girl-friday-1940", 0.96, 5),
        DemoWatch("mov_charade-1963", 0.55, 2),
        DemoWatch("mov_detour-1945", 0.97, 26),
        DemoWatch("mov_d-o-a-1949", 0.94, 50),
        DemoWatch("mov_the-stranger-1946", 0.3, 12),
        DemoWatch("mov_my-man-godfrey-1936", 0.98, 120),
        DemoWatch("epi_fantomas-1913-s1e1", 0.95, 70),
    ),
    "Milo": (
        DemoWatch("mov_steamboat-willie-1928", 0.99, 4),
        DemoWatch("mov_the-kid-1921", 0.5, 2),
        DemoWatch("mov_gertie-the-dinosaur-1914", 0.97, 28),
        DemoWatch("mov_gullivers-travels-1939", 0.95, 52),
        DemoWatch("mov_the-general-1926", 0.2, 31),
    ),
    "Alan": (
        DemoWatch("mov_the-lost-world-1925", 0.96, 8),
        DemoWatch("mov_a-trip-to-the-moon-1902", 1.0, 33),
        DemoWatch("mov_metropolis-1927", 0.45, 3),
        DemoWatch("mov_the-thief-of-bagdad-1924", 0.95, 90),
    ),
    "Barbara": (
        DemoWatch("mov_sunrise-a-song-of-two-humans-1927", 0.97, 7),
        DemoWatch("mov_7th-heaven-1927", 0.95, 40),
        DemoWatch("mov_the-wind-1928", 0.5, 5),
        DemoWatch("epi_judex-1916-s1e1", 0.95, 22),
        DemoWatch("mov_nosferatu-1922", 0.95, 60),
    ),
    "Edsger": (
        DemoWatch("mov_man-with-a-movie-camera-1929", 0.98, 4),
        DemoWatch("mov_berlin-symphony-of-a-metropolis-1927", 0.96, 29),
        DemoWatch("mov_ballet-mecanique-1924", 0.95, 75),
        DemoWatch("mov_battleship-potemkin-1925", 0.6, 6),
        DemoWatch("mov_metropolis-1927", 0.96, 100),
    ),
}
"""By the profile's name in the demo accounts."""


async def seed_demo_history(
    settings: PlaybackSettings,
    profiles: Sequence[DemoProfile],
    now: datetime,
    histories: Mapping[str, Sequence[DemoWatch]] = DEMO_HISTORY,
) -> DemoReport:
    """Write the histories, by name, of the profiles that have none; profiles whose name is not among them are left out.

    Nothing is written for anybody while titles are missing, so that calling it again later writes all of it.
    """
    async with open_stores(settings) as stores:
        wanted = [profile for profile in profiles if profile.name in histories]
        wanted = [p for p in wanted if not await stores.bookmarks.history(ProfileId(p.profile_id), limit=1)]
        title_ids = {TitleId(watch.title_id) for profile in wanted for watch in histories[profile.name]}
        titles = await stores.catalogue.titles_by_id(title_ids)
        missing = tuple(sorted(title_ids - titles.keys()))
        if missing:
            return DemoReport(0, missing)
        reports = [
            _report(profile, watch, titles[TitleId(watch.title_id)], now)
            for profile in wanted
            for watch in histories[profile.name]
        ]
        # In the order in which they were watched, as recency is told to others.
        for report in sorted(reports, key=lambda report: report.received_at):
            await stores.bookmarks.record(report)
        return DemoReport(len(reports), ())


def _report(profile: DemoProfile, watch: DemoWatch, title: PlayableTitle, now: datetime) -> PositionReport:
    watched_at = now - timedelta(hours=watch.hours_ago)
    duration_s = title.duration_s or 60.0
    return PositionReport(
        key=BookmarkKey(ProfileId(profile.profile_id), title.id),
        account_id=AccountId(profile.account_id),
        series_id=title.series_id,
        device_id="demo",
        order=ReportOrder(int(watched_at.timestamp() * 1_000_000), 1),
        position_s=round(watch.fraction * duration_s, 1),
        duration_s=duration_s,
        credits_start_s=title.credits_start_s,
        received_at=watched_at,
        is_final=True,
    )
