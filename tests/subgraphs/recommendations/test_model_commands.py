"""`marquee train` and `marquee models` as a person types them, and the process that the schedule starts."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from rich.console import Console
from typer.testing import CliRunner, Result

from common.clock import SystemClock
from stack.cli import app
from subgraphs.kernel import migrations
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.models.content_record import read_content
from subgraphs.recommendations.settings import RecommendationsSettings
from subgraphs.recommendations.trainer import learn_content, run_trainer

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch, make_snapshot: Any) -> Path:
    """A state folder with thirty titles; nobody has watched anything."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MARQUEE_VALKEY_URL", valkey_url)
    # A table wraps at the width that the console had when it was made, in whichever test that was.
    monkeypatch.setattr("stack.model_commands.console", Console(highlight=False, soft_wrap=True, width=200))
    with PlainRedis.from_url(valkey_url) as redis:
        redis.flushall()

    async def keep_titles() -> None:
        engine = open_engine(sqlite_url(tmp_path / "recommendations" / "recommendations.sqlite"))
        await migrations.upgrade(engine, MIGRATIONS)
        await SqlTitleStore(engine).put([make_snapshot(f"mov_{number:02}") for number in range(30)], NOW)
        await engine.dispose()

    asyncio.run(keep_titles())
    return tmp_path


@pytest.fixture
def watched(state: Path, valkey_url: str) -> Path:
    """Twelve profiles have watched six titles each."""

    async def watch() -> None:
        redis = Redis.from_url(valkey_url)
        tastes = ValkeyTasteStore(redis)
        for number in range(12):
            for step in range(6):
                at_s = NOW.timestamp() - step
                place = Watched(100, 100, completed=True, ever_completed=True, at_s=at_s)
                await tastes.watched(f"prof_{number}", f"mov_{(number * 5 + step) % 30:02}", place)
        await redis.aclose()

    asyncio.run(watch())
    return state


def run(*words: str, exit_code: int = 0) -> Result:
    found = CliRunner().invoke(app, list(words))
    assert found.exit_code == exit_code, found.output
    return found


def versions(state: Path) -> list[str]:
    return sorted(path.parent.name for path in (state / "objects" / "models").glob("*/about.json"))


def test_train_list_use_and_roll_back(watched: Path) -> None:
    assert "No version was trained yet" in run("models", "list").output
    run("models", "rollback", exit_code=1)

    trained = run("train").output
    assert "72 likes of 12 profiles in 30 titles" in trained
    assert "In use from now on" in trained
    run("train")
    first, second = versions(watched)
    listed = run("models", "list").output
    assert next(line for line in listed.splitlines() if second in line).rstrip(" │").endswith("in use")

    assert f"{first} is in use" in run("models", "rollback").output
    assert "another version is pinned" in run("train").output
    listed = run("models", "list").output
    assert next(line for line in listed.splitlines() if first in line).rstrip(" │").endswith("in use, pinned")

    newest = versions(watched)[-1]
    assert f"{newest} is in use" in run("models", "use", "newest").output
    assert f"{second} is in use" in run("models", "use", second).output
    assert "there is no version nothing" in run("models", "use", "nothing", exit_code=1).stderr


def test_nobody_to_learn_from_is_said(state: Path) -> None:
    assert "no profile has liked anything yet" in run("train", exit_code=1).stderr
    assert versions(state) == []


def test_a_server_that_is_away_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_VALKEY_URL", "redis://127.0.0.1:5159/0")

    assert "is Marquee running" in run("models", "list", exit_code=1).stderr


async def test_the_schedule_s_process_makes_a_version(watched: Path) -> None:
    """In a process of its own, which is gone when it is done."""
    await run_trainer()

    (version,) = versions(watched)
    about = json.loads((watched / "objects" / "models" / version / "about.json").read_text())
    assert about["profile_count"] == 12
    (content,) = (watched / "objects" / "models" / "content").iterdir()
    assert len(read_content(content.read_bytes()).title_ids) == 30


async def test_what_titles_are_about_needs_nobody_s_likes(state: Path) -> None:
    """Before anybody has watched anything; what a process of its own does for `run_trainer(CONTENT)`."""
    await learn_content(RecommendationsSettings.load(), SystemClock())

    (content,) = (state / "objects" / "models" / "content").iterdir()
    assert len(read_content(content.read_bytes()).title_ids) == 30
    assert versions(state) == []


async def test_stopping_ends_the_process(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it and is cancelled leaves no process behind."""
    started: list[asyncio.subprocess.Process] = []
    is_started = asyncio.Event()
    create = asyncio.create_subprocess_exec

    async def remembered(*command: str, **options: Any) -> asyncio.subprocess.Process:
        started.append(await create(*command, **options))
        is_started.set()
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembered)
    task = asyncio.create_task(run_trainer())
    await is_started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert started[0].returncode is not None
    assert versions(watched) == []
