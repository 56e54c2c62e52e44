"""Two processes on one store, one Valkey and one place for objects: both know every title, and serve what one trained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from common.clock import FakeClock
from common.events import Event, EventPublisher
from common.settings import SharedSettings
from common.tokens import ensure_key_file
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.app import create_app
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.services import follow_training
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.recommendations.trainer import train_once

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
DEADLINE_S = 20.0


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110  # what happens in the processes' own tasks sets no event of ours
            await asyncio.sleep(0.02)


async def test_what_one_hears_or_trains_all_serve(
    tmp_path: Path, valkey_url: str, redis: Redis, make_snapshot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecommendationsSettings, "has_neighbours", True)
    monkeypatch.setattr(follow_training, "LOOK_S", 0.05)
    ensure_key_file(tmp_path / "keys" / "viewer.pem")
    clock = FakeClock(NOW)
    shared = SharedSettings(state_dir=tmp_path, valkey_url=valkey_url)
    settings = [RecommendationsSettings(shared=shared, port=port, train_every_s=0) for port in (5141, 5142)]
    async with AsyncExitStack() as stack:
        processes = []
        for each in settings:
            app = create_app(each, clock)
            await stack.enter_async_context(app.router.lifespan_context(app))
            processes.append(app.state.resources)
        publisher = EventPublisher(redis)

        snapshots = [make_snapshot(f"mov_{number:02}") for number in range(12)]
        await publisher.publish(Event("titles", "title.changed", {"titles": snapshots}, clock.now()))
        await until(lambda: all(len(each.models.catalogue) == 12 for each in processes))

        film = {"titleId": "mov_03", "assetId": "ast_1", "durationSeconds": 60.0, "maxHeightPx": 720}
        manifests = {"clear": {"hls": "assets/ast_1/clear/master.m3u8", "dash": "assets/ast_1/clear/manifest.mpd"}}
        await publisher.publish(Event("assets", "asset.published", {**film, "variants": manifests}, clock.now()))
        await until(lambda: all(each.models.catalogue.is_playable[3] for each in processes))

        tastes = ValkeyTasteStore(redis)
        for number in range(4):
            seen = Watched(100, 100, completed=True, ever_completed=True, at_s=NOW.timestamp())
            await tastes.watched("prof_1", f"mov_{number:02}", seen)
        version, is_used = await train_once(settings[0], clock)
        assert is_used
        await until(lambda: all(each._trained is not None for each in processes))
        assert all(each._trained.title_ids == processes[0]._trained.title_ids for each in processes)
        assert version.title_count == len(processes[1]._trained.title_ids)
