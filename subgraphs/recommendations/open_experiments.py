"""Experiments for a command line of the machine: opens the stores that the service uses, and nothing else of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subgraphs.recommendations.ports import ExperimentMeasures
    from subgraphs.recommendations.services.edit_experiments import EditExperiments
    from subgraphs.recommendations.settings import RecommendationsSettings

__all__ = ["open_experiments"]


@asynccontextmanager
async def open_experiments(
    settings: RecommendationsSettings,
) -> AsyncIterator[tuple[EditExperiments, ExperimentMeasures]]:
    """Definitions, and what profiles did; raises ValueError for a store that can't be opened."""
    # Here: a command that only prints its help loads no database.
    from common.valkey import open_valkey  # noqa: PLC0415
    from subgraphs.kernel.sql import open_engine  # noqa: PLC0415
    from subgraphs.recommendations.adapters.sqlalchemy.experiments import SqlExperimentStore  # noqa: PLC0415
    from subgraphs.recommendations.adapters.valkey.measures import ValkeyExperimentMeasures  # noqa: PLC0415
    from subgraphs.recommendations.services.edit_experiments import EditExperiments  # noqa: PLC0415

    engine = open_engine(settings.resolved_database_url)
    try:
        async with open_valkey(settings.shared.valkey_url) as redis:
            definitions = EditExperiments(SqlExperimentStore(engine), settings.experiment_holdout)
            yield definitions, ValkeyExperimentMeasures(redis)
    finally:
        await engine.dispose()
