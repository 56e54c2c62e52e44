"""One training: titles and tastes as they are kept → what titles are about, and a new version of the models.

Both are used at once, the version only where it may be. Only one trains at a time. A version that is no better than
one list for everybody is kept, with its figures and the reason, and not used.
"""

from __future__ import annotations

import asyncio
import hashlib
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import structlog
from scipy.sparse import csr_array

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.domain.model_versions import ModelVersion
from subgraphs.recommendations.domain.taste import read_likes
from subgraphs.recommendations.models.content import Content, FoldedContent, build_content
from subgraphs.recommendations.models.content_record import write_content
from subgraphs.recommendations.models.train import Outcome, Training, TrainingSettings, train
from subgraphs.recommendations.models.trained import write_trained
from subgraphs.recommendations.ports import ContentStore, ModelChoice, ModelStore, TasteStore, TitleStore
from subgraphs.recommendations.services.publish_versions import PublishVersions, TrainingRefused, new_version_id

__all__ = ["MAX_LIKES", "TrainModels", "TrainingRefused"]

log = structlog.get_logger(__name__)

MAX_LIKES = 100
"""Of one profile, the latest: a pair of titles costs time for each profile that likes both."""
MAX_PROFILES = 200_000
"""Read for one training; 20 million likes are some 300 MB."""


@dataclass(frozen=True, slots=True)
class _Likes:
    """`training` over the titles of `indices`, which are places in the catalogue."""

    training: Training
    indices: np.ndarray[tuple[int], np.dtype[np.int64]]
    profile_count: int


class TrainModels:
    """Trains when told; reads each taste once and keeps only its likes."""

    def __init__(
        self,
        *,
        titles: TitleStore,
        tastes: TasteStore,
        store: ModelStore,
        contents: ContentStore,
        choice: ModelChoice,
        clock: Clock,
    ) -> None:
        self._titles = titles
        self._tastes = tastes
        self._versions = PublishVersions(store, choice, "marquee models list")
        self._contents = contents
        self._choice = choice
        self._clock = clock

    async def train(
        self, settings: TrainingSettings, progress: Callable[[str], None] = lambda _: None
    ) -> tuple[ModelVersion, bool]:
        """The new version, and whether it is in use now. Raises TrainingRefused and ServiceError."""
        async with self._versions.leased():
            started = time.monotonic()
            progress("reading titles and tastes")
            catalogue = await asyncio.to_thread(build_catalogue, await self._titles.load(), 1)
            likes = await self._read_likes(catalogue)
            content = await self._keep_content(catalogue, progress)
            outcome = await asyncio.to_thread(_train, catalogue, likes, content, settings, progress)
            data = await asyncio.to_thread(write_trained, outcome.trained)
            version = self._version(outcome, data, likes, time.monotonic() - started)
            is_used = await self._versions.publish(version, data)
        log.info("models.trained", version=version.id, is_used=is_used, unfit_because=version.unfit_because)
        return version, is_used

    async def learn_content(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """What titles are about, alone; nobody need have watched any. Raises TrainingRefused and ServiceError."""
        async with self._versions.leased():
            await self._keep_content(build_catalogue(await self._titles.load(), 1), progress)

    async def _keep_content(self, catalogue: Catalogue, progress: Callable[[str], None]) -> Content:
        progress(f"content of {len(catalogue)} titles")
        content = await asyncio.to_thread(build_content, catalogue.records)
        data = await asyncio.to_thread(write_content, catalogue.records, content)
        content_id = await self._contents.put(self._clock.now(), data)
        await self._choice.choose_content(content_id)
        log.info("content.learned", content=content_id, titles=len(catalogue), byte_count=len(data))
        return content

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

    def _version(self, outcome: Outcome, data: bytes, likes: _Likes, took_s: float) -> ModelVersion:
        made_at = self._clock.now()
        return ModelVersion(
            id=new_version_id(made_at),
            made_at=made_at,
            profile_count=likes.profile_count,
            title_count=len(likes.indices),
            like_count=int(likes.training.liked.nnz),
            took_s=round(took_s, 3),
            peak_memory_bytes=_peak_memory_bytes(),
            byte_count=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            weights=outcome.trained.weights,
            metrics=_metrics(outcome),
            unfit_because=None if outcome.is_better_than_popularity else "popularity alone ranks no worse",
        )


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


def _train(
    catalogue: Catalogue,
    likes: _Likes,
    content: Content,
    settings: TrainingSettings,
    progress: Callable[[str], None],
) -> Outcome:
    records = [catalogue.records[index] for index in likes.indices.tolist()]
    folded = FoldedContent(content.vectors[likes.indices])
    try:
        return train(likes.training, tuple(record.id for record in records), folded, settings, progress)
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
