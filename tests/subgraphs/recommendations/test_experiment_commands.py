"""`marquee experiments` as a person types it, on the stores that the service uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as PlainRedis
from redis.asyncio import Redis
from rich.console import Console
from typer.testing import CliRunner, Result

from stack.cli import app
from subgraphs.kernel import migrations
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.sqlalchemy.experiments import SqlExperimentStore
from subgraphs.recommendations.adapters.valkey.measures import ValkeyExperimentMeasures
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.domain.page import Exposure
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.experiments.definition import Arm, Experiment, ExperimentKind
from subgraphs.recommendations.services.edit_experiments import EditExperiments

PICKS = (Arm("blend", 1, {}), Arm("ease", 1, {"top-picks.ranker": "EASE"}))


@pytest.fixture
def save(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Experiment], None]:
    """Into a state folder that the commands find."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MARQUEE_VALKEY_URL", valkey_url)
    monkeypatch.setattr("stack.experiment_commands.console", Console(highlight=False, soft_wrap=True, width=200))
    with PlainRedis.from_url(valkey_url) as redis:
        redis.flushall()
    database_url = sqlite_url(tmp_path / "recommendations" / "recommendations.sqlite")

    @asynccontextmanager
    async def definitions() -> AsyncIterator[EditExperiments]:
        engine = open_engine(database_url)
        await migrations.upgrade(engine, MIGRATIONS)
        yield EditExperiments(SqlExperimentStore(engine), holdout=10)
        await engine.dispose()

    async def keep(experiment: Experiment | None) -> None:
        async with definitions() as desk:
            if experiment is not None:
                await desk.save("acc_lab", experiment, datetime.now(UTC))

    asyncio.run(keep(None))
    return lambda experiment: asyncio.run(keep(experiment))


def made(**changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": "picks",
        "description": "EASE alone picks as well.",
        "kind": ExperimentKind.AB,
        "arms": PICKS,
        "traffic": 400,
        "primary": "hours",
        "guardrails": ("refusals",),
    }
    return Experiment(**{**values, **changes})


def run(*words: str, exit_code: int = 0) -> Result:
    found = CliRunner().invoke(app, ["experiments", *words])
    assert found.exit_code == exit_code, found.output
    return found


def measure(valkey_url: str, work: Callable[[ValkeyExperimentMeasures, str, int], Any], count: int) -> None:
    async def count_all() -> None:
        redis = Redis.from_url(valkey_url)
        measures = ValkeyExperimentMeasures(redis)
        for number in range(count):
            await work(measures, f"prof_{number}", number)
        await redis.aclose()

    asyncio.run(count_all())


def test_nothing_yet_is_said(save: Callable[[Experiment], None]) -> None:
    """With the next step; what is not there is named with what is."""
    assert "saveExperiment makes one" in run("list").output
    assert "top-picks.ranker" in run("parameters").output
    assert "no experiment 'picks'; known are none" in run("show", "picks", exit_code=1).stderr
    save(made())
    assert "known are picks" in run("results", "none", exit_code=1).stderr
    assert "never ran; `marquee experiments start picks`" in run("results", "picks").output


def test_words_in_brackets_are_words(save: Callable[[Experiment], None]) -> None:
    """People write them; the terminal's markup has brackets too."""
    save(made(description="Rows [/new] and [red]old."))
    assert "Rows [/new] and [red]old." in run("show", "picks").output
    assert "'[/x]'" in run("show", "[/x]", exit_code=1).stderr


def test_start_read_and_stop(save: Callable[[Experiment], None], valkey_url: str) -> None:
    """The table has a row for each arm and metric; --json has the same figures; a stopped one keeps its results."""
    save(made())
    shown = run("show", "picks").output
    assert "running" in run("start", "picks").output
    assert "No profile has met it yet" in run("results", "picks").output

    async def watch(measures: ValkeyExperimentMeasures, profile_id: str, number: int) -> None:
        at = datetime.now(UTC)
        arm = PICKS[number % 2].name
        await measures.expose(profile_id, Exposure("picks", 1, arm, "0"), at - timedelta(hours=2))
        for minutes in (60, 30, 0):
            position_s = (90 - minutes) * (20.0 + number % 7 + 9 * (arm == "ease"))
            at_s = (at - timedelta(minutes=minutes)).timestamp()
            place = Watched(position_s, 9_000.0, completed=False, ever_completed=False, at_s=at_s)
            await measures.count_watched(profile_id, ["picks:1"], "mov_1", place)

    measure(valkey_url, watch, 80)
    told = run("results", "picks").output
    figures = json.loads(run("results", "picks", "--json").output)
    assert "stopped" in run("stop", "picks").output
    listed = run("list").output

    assert "EASE alone picks as well." in shown
    assert "judged by hours, guarded by refusals" in shown
    assert "profiles: blend 40, ease 40" in told
    hours = next(line for line in told.splitlines() if "ease" in line and "+" in line)
    assert "%" in hours
    assert "would be found four times of five now" in told
    assert figures["metrics"][0]["arms"][1]["comparison"]["low"] > 0
    assert figures["profile_counts"] == {"blend": 40, "ease": 40}
    assert "stopped" in next(line for line in listed.splitlines() if "picks" in line)
    assert "profiles: blend 40, ease 40" in run("results", "picks").output


def test_lost_profiles_withhold_the_comparison(save: Callable[[Experiment], None], valkey_url: str) -> None:
    """Three of four in one arm of two."""
    save(made())
    run("start", "picks")

    async def meet(measures: ValkeyExperimentMeasures, profile_id: str, number: int) -> None:
        await measures.expose(profile_id, Exposure("picks", 1, PICKS[number % 4 == 0].name, "0"), datetime.now(UTC))

    measure(valkey_url, meet, 100)
    told = run("results", "picks").output

    assert "do not fit the arms' weights" in told
    assert "[" not in "".join(line for line in told.splitlines() if "hours" in line)
    assert json.loads(run("results", "picks", "--json").output)["is_withheld"]


def test_interleaved_results(save: Callable[[Experiment], None], valkey_url: str) -> None:
    """Who preferred which, with the sign test; before any click it is said that there was none."""
    save(made(kind=ExperimentKind.INTERLEAVED))
    run("start", "picks")

    async def meet(measures: ValkeyExperimentMeasures, profile_id: str, _number: int) -> None:
        await measures.expose(profile_id, Exposure("picks", 1, "", "0"), datetime.now(UTC))

    async def click(measures: ValkeyExperimentMeasures, profile_id: str, number: int) -> None:
        arm = "blend" if number < 10 else "ease"
        for _ in range(2):
            await measures.count_point(profile_id, "picks:1", arm, "5-1", datetime.now(UTC))

    measure(valkey_url, meet, 45)
    assert "No profile preferred either yet" in run("results", "picks").output
    measure(valkey_url, click, 40)
    told = run("results", "picks").output

    assert "ease was preferred by 75.0%" in told
    assert "sign test p = 0.00" in told
    assert json.loads(run("results", "picks", "--json").output)["interleaved"]["points"] == {"blend": 10, "ease": 30}


def test_the_simulation_prints_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a toy size."""
    monkeypatch.setattr("stack.experiment_commands.SIMULATED_PROFILES", 1_500)
    told = run("simulate", "20", "--repetitions", "2", "--better", "0.5").output

    assert "interleaving finds it" in told
    assert "times fewer" in told


def test_a_server_that_is_away_is_named(save: Callable[[Experiment], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next step."""
    save(made())
    monkeypatch.setenv("MARQUEE_VALKEY_URL", "redis://127.0.0.1:5299/0")

    assert "is Marquee running" in run("results", "picks", exit_code=1).stderr
