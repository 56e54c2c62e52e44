# The numeric libraries read how many cores they may use when they are loaded: nothing is imported before main() says.
# ruff: noqa: PLC0415
"""Training as a process of its own: opens the stores, trains once, and ends.

`python -m subgraphs.recommendations.trainer` is what the schedule starts, at a low priority and on one core, and with
the word `content` what learns only what titles are about, with the word `artwork` which artwork is opened; `marquee
train` calls `train_once` with all cores, `marquee artwork learn` calls `learn_artwork`.
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
    from subgraphs.recommendations.artwork.value import Comparison
    from subgraphs.recommendations.domain.artwork_choice import PolicyVersion
    from subgraphs.recommendations.domain.model_versions import ModelVersion
    from subgraphs.recommendations.ports import ModelChoice, ModelStore
    from subgraphs.recommendations.ports_artwork import PolicyStore
    from subgraphs.recommendations.services.train_models import TrainModels
    from subgraphs.recommendations.settings import RecommendationsSettings

__all__ = [
    "ARTWORK",
    "CONTENT",
    "evaluate_artwork",
    "learn_artwork",
    "learn_content",
    "main",
    "open_policies",
    "open_versions",
    "run_trainer",
    "train_once",
]

log = structlog.get_logger(__name__)

ONE_CORE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by the numeric libraries when they are loaded."""
NICENESS = 10
CONTENT = "content"
"""The word that asks for what titles are about, alone."""
ARTWORK = "artwork"
"""The word that asks for a policy of artwork."""
MAX_TRAINING_S = 2 * 3600.0
STOP_GRACE_S = 5.0


async def run_trainer(*words: str) -> None:
    """Start the process and wait for its end, two hours at most; it is gone when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "subgraphs.recommendations.trainer", *words, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(MAX_TRAINING_S):
            code = await process.wait()
        log.info("training.ended", exit_code=code, words=words)
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
    from subgraphs.recommendations.adapters.object_models import ObjectModelStore, open_model_objects
    from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice

    async with open_valkey(settings.shared.valkey_url) as redis:
        objects = open_model_objects(settings.models_url, settings.models_dir)
        yield ObjectModelStore(objects), ValkeyModelChoice(redis)


async def train_once(
    settings: RecommendationsSettings, clock: Clock, progress: Callable[[str], None] = lambda _: None
) -> tuple[ModelVersion, bool]:
    """A new version and whether it is in use; raises TrainingRefused and ServiceError."""
    from subgraphs.recommendations.models.train import TrainingSettings

    async with _open_trainer(settings, clock) as trainer:
        return await trainer.train(TrainingSettings(ease_titles=settings.ease_titles), progress)


async def learn_content(settings: RecommendationsSettings, clock: Clock) -> None:
    """Learn only what titles are about; raises TrainingRefused and ServiceError."""
    async with _open_trainer(settings, clock) as trainer:
        await trainer.learn_content()


@asynccontextmanager
async def open_policies(settings: RecommendationsSettings) -> AsyncIterator[tuple[PolicyStore, ModelChoice]]:
    """As open_versions, of the policies of artwork."""
    from common.valkey import open_valkey
    from subgraphs.recommendations.adapters.object_models import ObjectPolicyStore, open_model_objects
    from subgraphs.recommendations.adapters.valkey.model_choice import ARTWORK_KEY_PREFIX, ValkeyModelChoice

    async with open_valkey(settings.shared.valkey_url) as redis:
        objects = open_model_objects(settings.models_url, settings.models_dir)
        yield ObjectPolicyStore(objects), ValkeyModelChoice(redis, ARTWORK_KEY_PREFIX)


async def learn_artwork(
    settings: RecommendationsSettings, clock: Clock, progress: Callable[[str], None] = lambda _: None
) -> tuple[PolicyVersion, bool]:
    """A new policy and whether it is in use; raises TrainingRefused and ServiceError."""
    from subgraphs.kernel.sql import open_engine
    from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
    from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
    from subgraphs.recommendations.services.learn_artwork import LearnArtwork

    engine = open_engine(settings.resolved_database_url)
    try:
        async with open_policies(settings) as (store, choice):
            learner = LearnArtwork(
                titles=SqlTitleStore(engine), entries=SqlArtworkLog(engine), store=store, choice=choice, clock=clock
            )
            return await learner.learn(progress)
    finally:
        await engine.dispose()


async def evaluate_artwork(settings: RecommendationsSettings, clock: Clock) -> Comparison:
    """The policy in use, measured on the log; raises TrainingRefused and ServiceError."""
    from subgraphs.kernel.sql import open_engine
    from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
    from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
    from subgraphs.recommendations.artwork.policy import no_policy, read_policy
    from subgraphs.recommendations.services.learn_artwork import evaluate_policy

    engine = open_engine(settings.resolved_database_url)
    try:
        async with open_policies(settings) as (store, choice):
            version_id = (await choice.choice()).version_id
            version = next((each for each in await store.versions() if each.id == version_id), None)
            policy = no_policy() if version is None else read_policy(await store.read(version))
        return await evaluate_policy(SqlTitleStore(engine), SqlArtworkLog(engine), policy, clock)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _open_trainer(settings: RecommendationsSettings, clock: Clock) -> AsyncIterator[TrainModels]:
    from common.valkey import open_valkey
    from subgraphs.kernel.sql import open_engine
    from subgraphs.recommendations.adapters.object_models import (
        ObjectContentStore,
        ObjectModelStore,
        open_model_objects,
    )
    from subgraphs.recommendations.adapters.sqlalchemy.titles import SqlTitleStore
    from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice
    from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
    from subgraphs.recommendations.services.train_models import TrainModels

    engine = open_engine(settings.resolved_database_url)
    try:
        async with open_valkey(settings.shared.valkey_url) as redis:
            objects = open_model_objects(settings.models_url, settings.models_dir)
            yield TrainModels(
                titles=SqlTitleStore(engine),
                tastes=ValkeyTasteStore(redis),
                store=ObjectModelStore(objects),
                contents=ObjectContentStore(objects),
                choice=ValkeyModelChoice(redis),
                clock=clock,
            )
    finally:
        await engine.dispose()


def main() -> int:
    """The process: 0 when it is done or there is nothing to train on, 1 when something failed, 2 for other words."""
    words = sys.argv[1:]
    if words not in ([], [CONTENT], [ARTWORK]):
        sys.stderr.write(f"trainer: unknown words {words}; it takes none, {CONTENT} or {ARTWORK}\n")
        return 2
    for name in ONE_CORE:
        os.environ.setdefault(name, "1")
    os.nice(NICENESS)
    # After the above: what these import reads it.
    from common.telemetry import configure_logs
    from subgraphs.recommendations.services.train_models import TrainingRefused
    from subgraphs.recommendations.settings import RecommendationsSettings

    settings, clock = RecommendationsSettings.load(), SystemClock()
    configure_logs("trainer", settings.shared.log_level)
    try:
        match words:
            case ["content"]:
                asyncio.run(learn_content(settings, clock))
            case ["artwork"]:
                asyncio.run(learn_artwork(settings, clock))
            case _:
                asyncio.run(train_once(settings, clock))
    except TrainingRefused as refusal:
        log.info("training.refused", reason=str(refusal))
    except ServiceError as error:
        log.error("training.failed", error=error.message)  # noqa: TRY400  # expected: the message says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
