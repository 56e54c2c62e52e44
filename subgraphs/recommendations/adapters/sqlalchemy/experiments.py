"""ExperimentStore on a relational store: each experiment as JSON, each edit with what was there before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import MetaData, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.sql import reading, writing
from subgraphs.recommendations.adapters.sqlalchemy.edited_records import edited_tables
from subgraphs.recommendations.experiments.definition import Experiment

__all__ = ["PERSONAL_TABLES", "SqlExperimentStore"]

metadata = MetaData()

tables = edited_tables(metadata, "experiment")
experiments = tables.records

PERSONAL_TABLES = (tables.personal,)


class SqlExperimentStore:
    """See the ExperimentStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all_experiments(self) -> Sequence[Experiment]:
        """See ExperimentStore."""
        async with reading(self._engine) as connection:
            rows = (await connection.execute(select(experiments.c.content).order_by(experiments.c.id))).scalars()
            return [_decode(content) for content in rows]

    async def removed_version(self, experiment_id: str) -> int:
        """See ExperimentStore."""
        edits = tables.edits.c
        removed = select(edits.before).where(edits.experiment_id == experiment_id, edits.after.is_(None))
        async with reading(self._engine) as connection:
            return max((_decode(before).version for before in await connection.scalars(removed)), default=0)

    async def change(
        self,
        experiment_id: str,
        account_id: str,
        at: datetime,
        decide: Callable[[Sequence[Experiment]], Experiment | None],
    ) -> Experiment | None:
        """See ExperimentStore."""
        wanted = select(experiments.c.content).order_by(experiments.c.id)
        async with writing(self._engine) as connection:
            # All of them: slots are given by what every other experiment holds.
            await tables.lock(connection)
            known = [_decode(content) for content in (await connection.execute(wanted)).scalars()]
            before = next((each for each in known if each.id == experiment_id), None)
            after = decide(known)
            if after == before:
                return after
            await connection.execute(delete(experiments).where(experiments.c.id == experiment_id))
            if after is not None:
                await connection.execute(insert(experiments).values(id=experiment_id, content=_encode(after)))
            was = None if before is None else _encode(before)
            now = None if after is None else _encode(after)
            await connection.execute(tables.edit(experiment_id, account_id, at, before=was, after=now))
        return after


def _encode(experiment: Experiment) -> bytes:
    return msgspec.json.encode(experiment, order="sorted")


def _decode(content: bytes) -> Experiment:
    return msgspec.json.decode(content, type=Experiment)
