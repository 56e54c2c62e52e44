# The numeric libraries read how many cores they may use when they are loaded: nothing is imported before main() says.
# ruff: noqa: PLC0415
"""Training as a process of its own: opens the stores, trains once, and ends.

`python -m subgraphs.recommendations.trainer` is what the schedule starts, at a low priority and on one core;
`marquee train` calls `train_once` with all cores.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from common.clock import Clock, SystemClock
from common.errors import ServiceError

if TYPE_CHECKING:
    from subgraphs.recommendations.domain.model_versions import ModelVersion
    from subgraphs.recommendations.ports import ModelChoice, ModelStore
    from subgraphs.recommendations.settings import RecommendationsSettings

__all__ = ["main", "open_versions", "run_trainer", "train_once"]

log = structlog.get_logger(__name__)

ONE_CORE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by the numeric libraries when they are loaded."""
NICENESS = 10
MAX_TRAINING_S = 2 * 3600.0
STOP_GRACE_S = 5.0


async def run_trainer() -> None:
    """Start the process and wait for its end, two hours at most; it is gone when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "subgraphs.recommendations.trainer", stdin=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(MAX_TRAINING_S):
            code = await process.wait()
        log.info("training.ended", exit_code=code)
    except TimeoutError:
        log.exception("training.took_too_long", limit_s=MAX_TRAINING_S)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_GRACE_S)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def open_versions(settings: RecommendationsSettings) -> AsyncIterator[tuple[ModelStore, ModelChoice]]:
    """The versions and the choice among them; raises ValueError for a store that can't be opened."""
    from common.valkey import open_valkey
    from subgraphs.recommendations.adapters.object_models import open_model_store
    from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice

    async with open_valkey(settings.shared.valkey_url) as redis:
        yield open_model_store(settings.models_url, settings.models_dir), ValkeyModelChoice(redis)


async def train_once(
    settings: RecommendationsSettings, clock: Clock, progress: Callable[[str], None] = lambda _: None
) -> tuple[ModelVersion, bool]:
    """A new version and whether it is in use; raises TrainingRefused and ServiceError."""
    from common.valkey import open_valkey
    from subgraphs.kernel.sql import open_engine
    from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
    from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
    from subgraphs.recommendations.models.train import TrainingSettings
    from subgraphs.recommendations.services.train_models import TrainModels

    engine = open_engine(settings.resolved_database_url)
    try:
        async with open_versions(settings) as (store, choice), open_valkey(settings.shared.valkey_url) as redis:
            trainer = TrainModels(SqlTitleStore(engine), ValkeyTasteStore(redis), store, choice, clock)
            return await trainer.train(TrainingSettings(ease_titles=settings.ease_titles), progress)
    finally:
        await engine.dispose()


def main() -> int:
    """The process: 0 when a version was made or there is nothing to train on, 1 when something failed."""
    for name in ONE_CORE:
        os.environ.setdefault(name, "1")
    os.nice(NICENESS)
    # After the above: what these import reads it.
    from common.telemetry import configure_logs
    from subgraphs.recommendations.services.train_models import TrainingRefused
    from subgraphs.recommendations.settings import RecommendationsSettings

    settings = RecommendationsSettings.load()
    configure_logs("trainer", settings.shared.log_level)
    try:
        asyncio.run(train_once(settings, SystemClock()))
    except TrainingRefused as refusal:
        log.info("training.refused", reason=str(refusal))
    except ServiceError as error:
        log.error("training.failed", error=error.message)  # noqa: TRY400  # expected: the message says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
