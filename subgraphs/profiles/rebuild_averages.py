"""Counts all ratings anew: `python -m subgraphs.profiles.rebuild_averages`, also while the subgraph is running.

Triggers keep the totals with every change; this is for a store that was repaired by hand.
"""

from __future__ import annotations

import argparse
import asyncio

from common.errors import ServiceError
from common.settings import SettingsInvalid
from subgraphs.kernel.sql import open_engine
from subgraphs.profiles.adapters.sqlalchemy.lists import SqlListStore
from subgraphs.profiles.settings import ProfilesSettings

__all__ = ["rebuild_averages"]


async def rebuild_averages(settings: ProfilesSettings) -> int:
    """How many titles have ratings; raises ServiceError when the store is away."""
    engine = open_engine(settings.store_url)
    try:
        return await SqlListStore(engine).rebuild_totals()
    finally:
        await engine.dispose()


def main() -> None:
    """On the configured store; tells how many titles were counted."""
    argparse.ArgumentParser(
        prog="python -m subgraphs.profiles.rebuild_averages",
        description="Counts all ratings anew in the configured store (MARQUEE_STATE_DIR or MARQUEE_PROFILES_…).",
    ).parse_args()
    try:
        count = asyncio.run(rebuild_averages(ProfilesSettings.load()))
    except (SettingsInvalid, ServiceError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{count} titles have ratings")


if __name__ == "__main__":
    main()
