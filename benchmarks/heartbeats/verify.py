"""What the store kept of what the players were told."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from pydantic import SecretStr

from benchmarks.heartbeats.players import Player
from common.settings import SharedSettings
from subgraphs.kernel.ids import ProfileId
from subgraphs.playback.settings import PlaybackSettings
from subgraphs.playback.stores import open_stores

__all__ = ["count_lost", "count_lost_naive"]


def count_lost_naive(state_dir: Path, players: Sequence[Player]) -> int:
    """As count_lost, of the naive peer's own table."""
    with closing(sqlite3.connect(state_dir / "naive.sqlite")) as database:
        kept = dict(database.execute("SELECT profile_id, position_s FROM bookmarks").fetchall())
    told = [player for player in players if player.acknowledged]
    return sum(kept.get(player.profile_id, -1.0) < player.position_s(player.acknowledged) for player in told)


async def count_lost(store_url: str | None, state_dir: Path, players: Sequence[Player]) -> int:
    """Players whose last acknowledged position the store does not have, read through the port."""
    lost = 0
    url = SecretStr(store_url) if store_url else None
    async with open_stores(PlaybackSettings(shared=SharedSettings(state_dir=state_dir), store_url=url)) as stores:
        for player in players:
            if player.acknowledged:
                kept = await stores.bookmarks.history(ProfileId(player.profile_id), limit=1)
                reached = kept[0].position_s if kept else -1.0
                lost += reached < player.position_s(player.acknowledged)
    return lost
