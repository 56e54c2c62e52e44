"""Two processes that edit at the same time do so one after the other, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel import migrations
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.sqlalchemy.collections import SqlCollectionStore
from subgraphs.recommendations.adapters.sqlalchemy.experiments import SqlExperimentStore
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.experiments.definition import Arm, Experiment, ExperimentKind
from subgraphs.recommendations.services.edit_experiments import EditExperiments

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PROCESSES = 4


@pytest.fixture(params=["sqlite", "postgresql"])
async def engines(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[AsyncEngine]]:
    """One for each process."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        url = sqlite_url(tmp_path / "recommendations.sqlite")
    engines = [open_engine(url) for _ in range(PROCESSES)]
    await migrations.upgrade(engines[0], MIGRATIONS)
    yield engines
    await migrations.downgrade(engines[0], MIGRATIONS, "base")
    for engine in engines:
        await engine.dispose()


def experiment(number: int) -> Experiment:
    arms = (Arm("control", 1, {}), Arm("fewer", 1, {"page.because-rows": 1}))
    return Experiment(f"rows-{number}", "Fewer rows.", ExperimentKind.AB, arms, traffic=900, primary="hours")


async def test_no_slot_is_given_twice(engines: list[AsyncEngine]) -> None:
    """Each wants nearly the whole layer, and all start at once: one has room."""
    desks = [EditExperiments(SqlExperimentStore(engine), holdout=10) for engine in engines]
    for number in range(PROCESSES):
        await desks[0].save("acc_1", experiment(number), NOW)

    starts = (desk.start("acc_1", f"rows-{number}", NOW) for number, desk in enumerate(desks))
    answers = await asyncio.gather(*starts, return_exceptions=True)

    assert sum(isinstance(answer, Experiment) for answer in answers) == 1, answers
    slots = [slot for each in await desks[0].all_known() for slot in each.slots]
    assert len(slots) == len(set(slots)) == 900


async def test_a_new_experiment_of_one_name_is_saved_by_all(engines: list[AsyncEngine]) -> None:
    """The second finds what the first made."""
    desks = [EditExperiments(SqlExperimentStore(engine), holdout=10) for engine in engines]
    saved = await asyncio.gather(*(desk.save("acc_1", experiment(1), NOW) for desk in desks))
    assert [each.version for each in saved] == [1] * PROCESSES


async def test_a_new_collection_of_one_name_is_saved_by_all(engines: list[AsyncEngine]) -> None:
    """The last one holds, and every edit is kept."""
    stores = [SqlCollectionStore(engine) for engine in engines]
    made = [Collection(id="col_1", heading=f"Heading {number}", title_ids=("mov_1",)) for number in range(PROCESSES)]
    answers = await asyncio.gather(*(store.save(each, "acc_1", NOW) for store, each in zip(stores, made, strict=True)))
    assert answers == [True] * PROCESSES
    [kept] = await stores[0].all_collections()
    assert kept in made
