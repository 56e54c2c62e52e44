"""`marquee artwork` and `marquee evaluate artwork` as a person types them, and learning as a service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from rich.console import Console
from typer.testing import CliRunner, Result

from stack.cli import app
from subgraphs.kernel import migrations
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.object_models import ObjectPolicyStore, open_model_objects
from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
from subgraphs.recommendations.adapters.valkey.artwork_contexts import ValkeyArtworkContexts
from subgraphs.recommendations.adapters.valkey.model_choice import ARTWORK_KEY_PREFIX, ValkeyModelChoice
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.artwork.policy import read_policy
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ArtworkDecision, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole
from subgraphs.recommendations.services.choose_artwork import ChooseArtwork
from subgraphs.recommendations.services.follow_training import FollowVersions
from subgraphs.recommendations.services.log_artwork import REMEMBERED_FOR

SHARES = (1 / 3, 1 / 3, 1 / 3)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def state(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch, make_snapshot: Any) -> Path:
    """A state folder with twelve titles in three looks; nothing was shown."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MARQUEE_VALKEY_URL", valkey_url)
    monkeypatch.setattr("stack.artwork_commands.console", Console(highlight=False, soft_wrap=True, width=200))
    with PlainRedis.from_url(valkey_url) as redis:
        redis.flushall()

    async def keep_titles() -> None:
        engine = open_engine(sqlite_url(tmp_path / "recommendations" / "recommendations.sqlite"))
        await migrations.upgrade(engine, MIGRATIONS)
        looks = [
            {"variant": variant, "weight": 1, "palette": f"p{place}", "composition": f"c{place}", "typeface": "bebas"}
            for place, variant in enumerate(VARIANTS)
        ]
        titles = [make_snapshot(f"mov_{number:02}", artwork=looks) for number in range(12)]
        await SqlTitleStore(engine).put(titles, datetime.now(UTC))
        await engine.dispose()

    asyncio.run(keep_titles())
    return tmp_path


def decisions(count: int, now: datetime) -> Iterator[ArtworkDecision]:
    """Sixty profiles; the third variant is opened far more often than the others."""
    random = np.random.default_rng(1)
    for number in range(count):
        variant = VARIANTS[random.integers(0, 3)]
        shown = ShownArtwork(ArtworkRole.BACKDROP, variant, SHARES, "", ArtworkContext(number, {"gen_a": 1.0}))
        is_opened = bool(random.random() < (0.5 if variant == "third" else 0.1))
        yield ArtworkDecision(f"prof_{number % 60}", f"mov_{number % 12:02}", shown, now, is_opened)


@pytest.fixture
def shown(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of 240 pictures it is known whether they were opened; one more is too old to learn from."""
    monkeypatch.setattr("subgraphs.recommendations.services.learn_artwork.MIN_DECISIONS", 200)
    now = datetime.now(UTC)

    async def show() -> None:
        engine = open_engine(sqlite_url(state / "recommendations" / "recommendations.sqlite"))
        log = SqlArtworkLog(engine)
        for each in decisions(240, now):
            await log.add(each)
        await log.add(replace(next(decisions(1, now - REMEMBERED_FOR - timedelta(days=1))), profile_id="prof_old"))
        await engine.dispose()

    asyncio.run(show())
    return state


def test_a_policy_is_learned_listed_chosen_and_taken_back(shown: Path, valkey_url: str) -> None:
    """The figures are of profiles that it did not learn from; what is used is what running services load."""
    first, second = run("artwork", "learn"), run("artwork", "learn")
    assert "240 pictures shown" in first.output, first.output
    assert "In use from now on" in second.output
    ids = sorted(path.parent.name for path in (shown / "objects" / "models" / "artwork").glob("*/about.json"))
    assert len(ids) == 2
    listed = run("artwork", "list").output
    assert all(version in listed for version in ids)
    assert "+" in listed.split("240")[1]
    assert run("artwork", "rollback").output.startswith(ids[0])
    assert "in use, pinned" in run("artwork", "list").output
    assert run("artwork", "use", "newest").output.startswith(ids[1])
    wrong = run("artwork", "use", "tomorrow")
    assert wrong.exit_code == 1
    compared = run("evaluate", "artwork", "--output", str(shown / "out"))
    assert "policy in use" in compared.output, compared.output
    assert "best single variant" in (shown / "out" / "artwork-log.md").read_text()

    async def follow() -> tuple[str, float]:
        redis = Redis.from_url(valkey_url)
        choose = ChooseArtwork(ValkeyArtworkContexts(redis, timedelta(days=15)))
        store = ObjectPolicyStore(open_model_objects("", shown / "objects" / "models"))
        choice = ValkeyModelChoice(redis, ARTWORK_KEY_PREFIX)
        following = FollowVersions(store, choice, read=read_policy, use=choose.use, what="artwork policies")
        await following.load()
        policy = read_policy(await store.read((await store.versions())[0]))
        await redis.aclose()
        return choose.policy_id, float(policy.weights[0, policy.features.index("palette p2")])

    policy_id, weight = asyncio.run(follow())
    assert policy_id == ids[1]
    assert weight > 0.2


def test_too_little_is_told(state: Path) -> None:
    """What there is, and how much is wanted."""
    assert "No policy was learned yet" in run("artwork", "list").output
    for command in (("artwork", "learn"), ("evaluate", "artwork")):
        answer = run(*command)
        assert answer.exit_code == 1
        assert "0 pictures were shown" in answer.output
    missing = run("evaluate", "artwork", str(state))
    assert missing.exit_code == 1
    assert "obd_random_men.csv.xz" in missing.output.replace("\n", "")


def test_learning_is_a_simulation_too(tmp_path: Path) -> None:
    """As a table and a plot."""
    pytest.importorskip("matplotlib")
    answer = run(
        "evaluate", "artwork-learning", "--seeds", "1", "--rounds", "1", "--shown", "500", "--output", str(tmp_path)
    )
    assert answer.exit_code == 0, answer.output
    assert "given shares" in (tmp_path / "artwork-learning.md").read_text()
    assert (tmp_path / "artwork-learning.svg").read_text().startswith("<?xml")
