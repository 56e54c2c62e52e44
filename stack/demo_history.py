"""Watch history for the demo's profiles: whose it is comes from profiles, what was watched from playback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console

from common.clock import SystemClock
from common.valkey import open_valkey

if TYPE_CHECKING:
    # Imported where they are used: the command line and the supervisor do without the subgraphs.
    from subgraphs.playback.demo import DemoProfile

__all__ = ["bring_in_demo_history"]

TRIES = 60
PAUSE_S = 0.5
"""Playback hears of the demo's titles within a second or two of the first start; half a minute is far too long."""


async def bring_in_demo_history(console: Console) -> None:
    """Write the histories that are missing; a failure is told and ends nothing else."""
    from subgraphs.playback.demo import DemoReport, seed_demo_history
    from subgraphs.playback.settings import PlaybackSettings

    try:
        profiles = await _demo_profiles()
        report = DemoReport(0, ())
        for _ in range(TRIES):
            report = await seed_demo_history(PlaybackSettings.load(), profiles, SystemClock().now())
            if not report.missing:
                break
            await asyncio.sleep(PAUSE_S)
        if report.missing:
            console.print(f"[red]The demo's history waits for titles that never came:[/] {', '.join(report.missing)}")
    except Exception as error:  # noqa: BLE001  # a background task's edge: the demo's history is no reason to stop
        console.print(f"[red]The demo's history could not be written:[/] {error}")


async def _demo_profiles() -> list[DemoProfile]:
    from subgraphs.playback.demo import DemoProfile
    from subgraphs.profiles.app import open_services
    from subgraphs.profiles.demo import seed_demo
    from subgraphs.profiles.settings import ProfilesSettings

    settings = ProfilesSettings.load()
    async with (
        open_valkey(settings.shared.valkey_url) as redis,
        open_services(settings, redis) as (services, _),
    ):
        return [
            DemoProfile(profile.id, seeded.account.id, profile.name)
            for seeded in await seed_demo(services)
            for profile in seeded.profiles
        ]
