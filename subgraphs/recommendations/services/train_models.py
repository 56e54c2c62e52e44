"""One training: tastes and titles as they are kept → a new version, used at once where it may be.

Only one trains at a time: whoever holds the lease, which is renewed while the work goes on in a thread. A version that
is no better than one list for everybody is kept, with its figures and the reason, and not used.
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import structlog
from scipy.sparse import csr_array

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.domain.model_versions import ModelVersion
from subgraphs.recommendations.domain.taste import read_likes
from subgraphs.recommendations.models.content import FoldedContent, build_content
from subgraphs.recommendations.models.train import Outcome, Training, TrainingSettings, train
from subgraphs.recommendations.models.trained import write_trained
from subgraphs.recommendations.ports import ModelChoice, ModelStore, TasteStore, TitleStore

__all__ = ["KEPT_VERSIONS", "MAX_LIKES", "TrainModels", "TrainingRefused"]

log = structlog.get_logger(__name__)

MAX_LIKES = 100
"""Of one profile, the latest: a pair of titles costs time for each profile that likes both."""
MAX_PROFILES = 200_000
"""Read for one training; 20 million likes are some 300 MB."""
KEPT_VERSIONS = 10
LEASE_S = 60.0
RENEW_S = 15.0


class TrainingRefused(Exception):
    """There is nothing to train on, or somebody else trains now; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class _Likes:
    """`training` over the titles of `indices`, which are places in the catalogue."""

    training: Training
    indices: np.ndarray[tuple[int], np.dtype[np.int64]]
    profile_count: int


class TrainModels:
    """Trains when told; reads each taste once and keeps only its likes."""

    def __init__(
        self, titles: TitleStore, tastes: TasteStore, store: ModelStore, choice: ModelChoice, clock: Clock
    ) -> None:
        self._titles = titles
        self._tastes = tastes
        self._store = store
        self._choice = choice
        self._clock = clock

    async def train(
        self, settings: TrainingSettings, progress: Callable[[str], None] = lambda _: None
    ) -> tuple[ModelVersion, bool]:
        """The new version, and whether it is in use now. Raises TrainingRefused and ServiceError."""
        async with self._leased():
            started = time.monotonic()
            progress("reading titles and tastes")
            catalogue = await asyncio.to_thread(build_catalogue, await self._titles.load(), 1)
            likes = await self._read_likes(catalogue)
            outcome = await asyncio.to_thread(_train, catalogue, likes, settings, progress)
            content = await asyncio.to_thread(write_trained, outcome.trained)
            version = self._version(outcome, content, likes, time.monotonic() - started)
            await self._store.put(version, content)
            is_used = await self._use(version)
            await self._forget_old(version.id)
        log.info("models.trained", version=version.id, is_used=is_used, unfit_because=version.unfit_because)
        return version, is_used

    async def _read_likes(self, catalogue: Catalogue) -> _Likes:
        rows, columns, instants = [], [], []
        profile_count = 0
        async for taste in self._tastes.all_tastes():
            latest = sorted(((at_s, work) for work, at_s in read_likes(taste, catalogue).items()), reverse=True)
            if not latest:
                continue
            at_s, works = zip(*latest[:MAX_LIKES], strict=True)
            rows.append(np.full(len(works), profile_count, np.int32))
            columns.append(np.array(works, np.int32))
            instants.append(np.array(at_s, np.float64))
            profile_count += 1
            if profile_count >= MAX_PROFILES:
                log.warning("models.profiles_left_out", read=profile_count)
                break
        if not rows:
            raise TrainingRefused("no profile has liked anything yet; train when somebody has watched")
        indices, places = np.unique(np.concatenate(columns), return_inverse=True)
        return _Likes(
            _training(np.concatenate(rows), places, np.concatenate(instants), (profile_count, len(indices))),
            indices.astype(np.int64),
            profile_count,
        )

    def _version(self, outcome: Outcome, content: bytes, likes: _Likes, took_s: float) -> ModelVersion:
        made_at = self._clock.now()
        return ModelVersion(
            id=f"{made_at:%Y%m%dT%H%M%S}.{made_at.microsecond:06}-{secrets.token_hex(2)}",
            made_at=made_at,
            profile_count=likes.profile_count,
            title_count=len(likes.indices),
            like_count=int(likes.training.liked.nnz),
            took_s=round(took_s, 3),
            peak_memory_bytes=_peak_memory_bytes(),
            byte_count=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            weights=outcome.trained.weights,
            metrics=_metrics(outcome),
            unfit_because=None if outcome.is_better_than_popularity else "popularity alone ranks no worse",
        )

    async def _use(self, version: ModelVersion) -> bool:
        if version.unfit_because is not None or (await self._choice.choice()).is_pinned:
            return False
        await self._choice.choose(version.id, is_pinned=False)
        return True

    async def _forget_old(self, newest_id: str) -> None:
        in_use = (await self._choice.choice()).version_id
        for version in (await self._store.versions())[KEPT_VERSIONS:]:
            if version.id not in {in_use, newest_id}:
                await self._store.delete(version.id)

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[None]:
        owner = secrets.token_hex(8)
        if not await self._choice.take_lease(owner, LEASE_S):
            raise TrainingRefused("another process trains now; `marquee models list` shows when it is done")
        renewing = asyncio.create_task(self._renew(owner))
        try:
            yield
        finally:
            renewing.cancel()
            await self._choice.give_back_lease(owner)

    async def _renew(self, owner: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._choice.take_lease(owner, LEASE_S)
            except ServiceError as error:
                # Two trainings at worst, of which the later one is used.
                log.warning("models.lease_not_renewed", error=error.message)


def _training(
    rows: np.ndarray[tuple[int], np.dtype[np.int32]],
    columns: np.ndarray[tuple[int], np.dtype[np.int64]],
    at_s: np.ndarray[tuple[int], np.dtype[np.float64]],
    shape: tuple[int, int],
) -> Training:
    """Entries in the order of the matrix: by profile, then by title."""
    order = np.lexsort((columns, rows))
    starts = np.zeros(shape[0] + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
    liked = csr_array((np.ones(len(rows), np.float32), columns[order].astype(np.int32), starts), shape=shape)
    return Training(liked, np.maximum(at_s.max() - at_s[order], 0.0))


def _train(catalogue: Catalogue, likes: _Likes, settings: TrainingSettings, progress: Callable[[str], None]) -> Outcome:
    progress(f"content of {len(likes.indices)} titles")
    records = [catalogue.records[index] for index in likes.indices.tolist()]
    content = FoldedContent(build_content(records).vectors)
    try:
        return train(likes.training, tuple(record.id for record in records), content, settings, progress)
    except MemoryError as error:
        raise ServiceError(
            ErrorKind.RESOURCE_EXHAUSTED,
            f"{likes.training.liked.nnz} likes of {len(records)} titles do not fit into memory; "
            "lower MARQUEE_RECOMMENDATIONS_EASE_TITLES",
        ) from error


def _metrics(outcome: Outcome) -> Mapping[str, Mapping[str, tuple[float, float, float]]]:
    return {
        name: {"NDCG@100": measured.ndcg_at_100, "recall@20": measured.recall_at_20}
        for name, measured in outcome.measured.items()
    }


def _peak_memory_bytes() -> int:
    """Of this process since its start; Linux counts in kibibytes, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
