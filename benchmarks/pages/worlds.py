"""What pages are made of in the benchmark: a large catalogue, models trained on an audience, and profiles to serve.

Two catalogues: one generated (films, series, episodes; benchmarks/home) and real films of a folder of public data.
Likes are generated for both (subgraphs/recommendations/evaluation/generated): whom they belong to changes no time.
Models are trained as in production and kept in a folder, as training takes minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from benchmarks.home.catalogue import make_catalogue
from benchmarks.search.data import wikipedia_films
from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.taste import Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import TitleRecord, record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.evaluation.generated import generate_likes
from subgraphs.recommendations.evaluation.splits import LikeLog
from subgraphs.recommendations.models.blend import Models, join_models
from subgraphs.recommendations.models.content import FoldedContent, build_content
from subgraphs.recommendations.models.train import Training, TrainingSettings, train
from subgraphs.recommendations.models.trained import TrainedModels, read_trained, write_trained
from subgraphs.titles.domain.snapshot import snapshot
from subgraphs.titles.domain.title import Title

__all__ = ["NOW", "World", "generated_records", "make_world", "real_records"]

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
SEED = 1
LIKES = 300_000
WATCHED = 100
"""Titles that each measured profile watched."""
LISTED, RATED = 12, 20
DAY_S = 24 * 3600.0
TRENDING = 100


@dataclass(frozen=True)
class World:
    """`tastes`: profiles that no model was trained on. `trends`: of the country."""

    models: Models
    tastes: Sequence[Taste]
    trends: Trends


def generated_records(count: int) -> list[TitleRecord]:
    """`count` titles with series and episodes, windows, blocks and ages."""
    catalogue = make_catalogue(count, SEED, NOW)
    rows = [snapshot(work, None, None) for work in catalogue.works]
    for work, episodes in zip(catalogue.works, catalogue.episodes, strict=True):
        following = [*(episode.id for episode in episodes[1:]), None]
        rows += [snapshot(each, work, next_id) for each, next_id in zip(episodes, following, strict=False)]
    return [record_from_snapshot(row) for row in rows]


def real_records(data: Path) -> list[TitleRecord]:
    """The films of the folder of public data."""
    films: list[Title] = wikipedia_films(data)
    return [record_from_snapshot(snapshot(film, None, None)) for film in films]


def make_world(records: Sequence[TitleRecord], profiles: int, cache: Path) -> World:
    """Models over the records, and `profiles` profiles to serve."""
    catalogue = build_catalogue(records, 1)
    content = build_content(catalogue.records)
    works = catalogue.by_popularity
    # The most liked title of the generator is the most popular one of the catalogue.
    log = generate_likes(titles=len(works), likes=LIKES + 2 * profiles * WATCHED, seed=SEED)
    order = np.argsort(-np.bincount(log.titles, minlength=len(works)), kind="stable")
    place = np.empty(len(works), np.int64)
    place[order] = works
    lengths = np.bincount(log.profiles, minlength=log.profile_count)
    served = np.flatnonzero(lengths >= WATCHED)[:profiles]
    learned = _trained(log, place, served, [record.id for record in catalogue.records], content.vectors, cache)
    models = join_models(catalogue, content, learned)
    random = np.random.default_rng(SEED)
    tastes = [_taste(models, place[log.titles[log.profiles == profile]], random) for profile in served.tolist()]
    trending = {int(work): float(TRENDING - rank) for rank, work in enumerate(works[:TRENDING])}
    return World(models, tastes, Trends(dict.fromkeys(TrendWindow, trending)))


def _trained(
    log: LikeLog,
    place: np.ndarray[tuple[int], np.dtype[np.int64]],
    left_out: np.ndarray[tuple[int], np.dtype[np.int64]],
    title_ids: list[str],
    vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    cache: Path,
) -> TrainedModels:
    name = hashlib.blake2s(repr((SEED, LIKES, len(left_out), title_ids)).encode(), digest_size=8).hexdigest()
    file = cache / f"pages-{name}.npz"
    if file.exists():
        return read_trained(file.read_bytes())
    told = ~np.isin(log.profiles, left_out)
    shape = (log.profile_count, len(title_ids))
    ones = np.ones(int(told.sum()), np.float32)
    liked = csr_array((ones, (log.profiles[told], place[log.titles[told]])), shape=shape)
    works = np.flatnonzero(np.bincount(liked.indices, minlength=shape[1]))
    liked = csr_array(liked[:, works])
    training = Training(liked, np.zeros(liked.nnz))
    ids = tuple(title_ids[each] for each in works.tolist())
    learned = train(training, ids, FoldedContent(vectors[works]), TrainingSettings(), print).trained
    cache.mkdir(parents=True, exist_ok=True)
    file.write_bytes(write_trained(learned))
    return learned


def _taste(models: Models, works: np.ndarray[tuple[int], np.dtype[np.int64]], random: np.random.Generator) -> Taste:
    """WATCHED works of which the profile finished most, some on its list, some rated."""
    records = models.catalogue.records
    first_episode = {record.series_id: record for record in reversed(records) if record.series_id is not None}
    watched = {}
    chosen = random.permutation(works)
    for work in chosen[:WATCHED].tolist():
        record = first_episode.get(records[work].id, records[work])
        fraction = 0.95 if random.random() < 0.8 else float(random.random())
        at_s = NOW.timestamp() - float(random.exponential(60)) * DAY_S
        watched[record.id] = Watched(5_000 * fraction, 5_000, fraction >= 0.9, fraction >= 0.9, at_s)
    others = [records[each].id for each in random.choice(models.catalogue.by_popularity[:5_000], LISTED)]
    opinions = {title_id: Opinion(listed_at_s=NOW.timestamp() - DAY_S) for title_id in others}
    opinions |= {records[work].id: Opinion(stars=int(random.integers(1, 6))) for work in chosen[:RATED].tolist()}
    return Taste(1, watched, opinions)
