"""Whole pages against each other: rows chosen together, or each for itself.

Protocol, on strong generalisation: profiles of the trial are unknown to the models; 80 % of a profile's likes are its
history, 20 % are held out and are what a page should show. All pages are made of the same candidate rows: one for each
recommender, for each of the profile's favourite genres, for each genre at large, and for titles of its history
("because you watched"). Each row is ranked by its own recommender and knows no other row.

- The row-by-row page shows the same rows in the same order to everybody: the best order, found by adding the row that
  helps most on profiles that were left out of the training ones, one slot after the other.
- The same without repetitions: every row without the titles that stand above it.
- The page of `pages.choose`, whose only weight is the expected number of hits: relevance is how often a title at that
  rank of the blend was held out, on the same left-out profiles.

Two-dimensional NDCG: a held-out title counts 1 / log2(row + column), rows and columns from 1, once, where it is first
seen; divided by the sum of the best places (Ferrari Dacrema, Felicioni, Cremonesi: Offline evaluation of recommender
systems in a user interface with multiple carousels, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from subgraphs.recommendations.domain.catalogue import Catalogue, build_catalogue
from subgraphs.recommendations.domain.devices import PageBudget
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.evaluation.movielens import DataSet
from subgraphs.recommendations.evaluation.splits import Trial, part_histories
from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.implicit_als import AlsParameters, fit_als
from subgraphs.recommendations.models.learned_blend import LearnedBlend, standardised
from subgraphs.recommendations.models.neighbours import Neighbours, find_neighbours
from subgraphs.recommendations.models.popularity import fit_popularity
from subgraphs.recommendations.models.recommender import FloatMatrix, Interactions, Recommender
from subgraphs.recommendations.pages.choose import PageChoice
from subgraphs.recommendations.pages.objective import Weights
from subgraphs.recommendations.pages.rows import RowCandidate

__all__ = ["CHOSEN", "FIXED", "FIXED_ONCE", "PageTrial", "ndcg_2d", "run_page_trial"]

ROWS, COLUMNS = 8, 10
"""The first answer of a TV."""
POOL = 120
FAVOURITE_GENRES, BECAUSE_ROWS = 5, 3
VALIDATION_RATIO = 0.25
RANK_BINS = (0, 5, 10, 20, 40, 80, 160, 320, 640)
FIXED, FIXED_ONCE, CHOSEN = "row by row", "row by row, no repetitions", "chosen together"

EXPECTED_HITS = Weights(
    worth=dict.fromkeys(SectionKind, 1.0),
    row_discount=0.8,
    same_kind_discount=1.0,
    base_relevance=0.0,
    coverage_worth=0.0,
)
"""Nothing but hits; the falling weight of rows is near that of 1 / log2(row + column) at the left."""

Titles = npt.NDArray[np.int64]
Page = Sequence[Titles]
"""Titles by row and column, best first."""


@dataclass(frozen=True, slots=True)
class PageTrial:
    """`values[way]`: two-dimensional NDCG by profile; `order`: the rows that the row-by-row page shows."""

    name: str
    profiles: npt.NDArray[np.int64]
    values: Mapping[str, npt.NDArray[np.float64]]
    order: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Trained:
    """Models by the name of their row; all are ranked over titles outside a history."""

    models: Mapping[str, Recommender]
    neighbours: Neighbours
    popularity: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Profile:
    """`rows`: candidates by name, best titles first; `blend_rank` by title; `held_out`: what a page should show."""

    rows: Mapping[str, Titles]
    blend_rank: Titles
    held_out: frozenset[int]


def ndcg_2d(page: Page, held_out: frozenset[int]) -> float:
    """0 to 1; see the module. Raises ValueError when nothing is held out."""
    if not held_out:
        raise ValueError("nothing is held out; leave the profile out of the split")
    seen: set[int] = set()
    gained = 0.0
    for row, titles in enumerate(page[:ROWS]):
        for column, title in enumerate(titles[:COLUMNS].tolist()):
            if title in held_out and title not in seen:
                gained += float(_DISCOUNTS[row, column])
            seen.add(title)
    return gained / float(_BEST[: len(held_out)].sum())


_DISCOUNTS = 1.0 / np.log2(np.add.outer(np.arange(1, ROWS + 1), np.arange(1, COLUMNS + 1)))
_BEST = np.sort(_DISCOUNTS.ravel())[::-1]


def run_page_trial(
    data: DataSet, trial: Trial, *, seed: int, progress: Callable[[str], None] = lambda _: None
) -> PageTrial:
    """One trial; the same seed gives the same result."""
    random = np.random.default_rng(seed)
    catalogue = build_catalogue(data.records, 1)
    places = np.array([catalogue.index_by_id[record.id] for record in data.records], np.int32)
    order = random.permutation(trial.trained.shape[0])
    cut = round(len(order) * VALIDATION_RATIO)
    told, found = part_histories(csr_array(trial.trained[np.sort(order[:cut])]), random)
    progress(f"{trial.name}: choosing the order")
    left_out = _profiles(_train(csr_array(trial.trained[np.sort(order[cut:])])), data, told, found)
    fixed = _best_order(left_out)
    hit_rates = _hit_rates(left_out)
    progress(f"{trial.name}: making pages")
    tested = _profiles(_train(trial.trained), data, trial.histories, trial.held_out)
    pages: dict[str, list[Page]] = {FIXED: [], FIXED_ONCE: [], CHOSEN: []}
    for profile in tested:
        page = [profile.rows.get(name, np.zeros(0, np.int64)) for name in fixed]
        pages[FIXED].append(page)
        pages[FIXED_ONCE].append(_once(page))
        pages[CHOSEN].append(_chosen(profile, catalogue, places, hit_rates))
    values = {
        way: np.array([ndcg_2d(page, profile.held_out) for page, profile in zip(made, tested, strict=True)])
        for way, made in pages.items()
    }
    return PageTrial(trial.name, trial.profiles, values, fixed)


def _train(trained: Interactions) -> _Trained:
    """With settings from the middle of the grids that `compare` tunes on this data set."""
    neighbours = find_neighbours(trained, count=100)
    models: dict[str, Recommender] = {
        "EASE": fit_ease(trained, l2=200.0),
        "ALS": fit_als(trained, AlsParameters(factors=64, l2=3.0, unobserved=0.1)),
        "neighbours": neighbours,
        "popularity": fit_popularity(trained),
    }
    models["blend"] = LearnedBlend(models, {"EASE": 0.4, "ALS": 0.4, "neighbours": 0.2})
    return _Trained(models, neighbours, np.bincount(trained.indices, minlength=trained.shape[1]))


def _profiles(trained: _Trained, data: DataSet, told: Interactions, found: Interactions) -> list[_Profile]:
    """Those with something held out."""
    kept = np.flatnonzero(np.diff(found.indptr) > 0)
    told, found = csr_array(told[kept]), csr_array(found[kept])
    scores = {name: standardised(model.scores(told), told) for name, model in trained.models.items()}
    return [
        _profile(
            trained, data, {name: rows[place] for name, rows in scores.items()}, _row(told, place), _row(found, place)
        )
        for place in range(len(kept))
    ]


def _row(matrix: Interactions, place: int) -> Titles:
    return matrix.indices[matrix.indptr[place] : matrix.indptr[place + 1]].astype(np.int64)


def _profile(
    trained: _Trained, data: DataSet, scores: Mapping[str, FloatMatrix], history: Titles, held_out: Titles
) -> _Profile:
    unknown = np.ones(len(data.records), bool)
    unknown[history] = False
    ranked = {name: _ranked(values, unknown) for name, values in scores.items()}
    rows = {name: titles[:POOL] for name, titles in ranked.items()}
    liked_genres = data.genres[history].sum(axis=0) / np.maximum(data.genres.sum(axis=0), 1e-9) ** 0.5
    for number, genre in enumerate(np.argsort(-liked_genres, kind="stable").tolist()):
        members = ranked["blend"][data.genres[ranked["blend"], genre] > 0][:POOL]
        rows[f"genre {genre}"] = members
        if number < FAVOURITE_GENRES:
            rows[f"favourite genre {number + 1}"] = members
    causes = history[np.argsort(-trained.popularity[history], kind="stable")][:BECAUSE_ROWS]
    for number, cause in enumerate(causes.tolist()):
        likeness = np.zeros(len(unknown), np.float32)
        trained.neighbours.add_to(likeness, cause, 1.0)
        near = _ranked(likeness, unknown)
        rows[f"because {number + 1}"] = near[likeness[near] > 0][:POOL]
    blend_rank = np.full(len(unknown), len(unknown))
    blend_rank[ranked["blend"]] = np.arange(len(ranked["blend"]))
    return _Profile(rows, blend_rank, frozenset(held_out.tolist()))


def _ranked(scores: FloatMatrix, unknown: npt.NDArray[np.bool_]) -> Titles:
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[unknown[order]], np.int64)


def _best_order(profiles: Sequence[_Profile]) -> list[str]:
    """The rows of the best page for everybody: in each slot the one that helps most below those above."""
    names = sorted({name for profile in profiles for name in profile.rows})
    nothing = np.zeros(0, np.int64)
    order: list[str] = []
    for _ in range(ROWS):
        worth = {
            name: np.mean(
                [
                    ndcg_2d([profile.rows.get(each, nothing) for each in (*order, name)], profile.held_out)
                    for profile in profiles
                ]
            )
            for name in names
            if name not in order
        }
        order.append(max(worth, key=lambda name: worth[name]))
    return order


def _hit_rates(profiles: Sequence[_Profile]) -> npt.NDArray[np.float32]:
    """How often the title at each of the blend's ranks was held out, by bins of ranks; never rising."""
    size = len(profiles[0].blend_rank)
    hits = np.zeros(size + 1)
    for profile in profiles:
        hits += np.bincount(profile.blend_rank[list(profile.held_out)], minlength=size + 1)
    rates = np.zeros(size + 1, np.float32)
    edges = [*(edge for edge in RANK_BINS if edge < size), size]
    before = np.inf
    for start, stop in pairwise(edges):
        before = min(before, hits[start:stop].mean() / len(profiles))
        rates[start:stop] = before
    return rates / max(float(rates.max()), 1e-9)


def _once(page: Page) -> list[Titles]:
    """Every row without the titles that are seen above it."""
    seen: set[int] = set()
    rows = []
    for titles in page:
        row = [title for title in titles.tolist() if title not in seen][:COLUMNS]
        seen.update(row)
        rows.append(np.array(row, np.int64))
    return rows


def _chosen(
    profile: _Profile, catalogue: Catalogue, places: npt.NDArray[np.int32], hit_rates: npt.NDArray[np.float32]
) -> list[Titles]:
    """The rules of the product hold: how many rows of a kind, how few cards, no repetition."""
    candidates = [
        RowCandidate(name, _kind(name), name, None, places[titles], hit_rates[profile.blend_rank[titles]])
        for name, titles in profile.rows.items()
        if len(titles) and not name.startswith("favourite")
    ]
    budget = PageBudget(ROWS, COLUMNS, ROWS, COLUMNS, BECAUSE_ROWS)
    choice = PageChoice(candidates, catalogue, frozenset(SectionKind), budget, None, weights=EXPECTED_HITS)
    return [profile.rows[row.candidate.key][list(row.kept)] for row in choice.best()]


def _kind(name: str) -> SectionKind:
    if name.startswith("genre"):
        return SectionKind.GENRE
    if name.startswith("because"):
        return SectionKind.BECAUSE_YOU_WATCHED
    # Rows of recommenders differ in nothing but their titles; each is a kind of its own, as popular and picks are.
    return _RECOMMENDER_KINDS[name]


_RECOMMENDER_KINDS = {
    "blend": SectionKind.TOP_PICKS,
    "popularity": SectionKind.POPULAR_IN_COUNTRY,
    "EASE": SectionKind.TRENDING,
    "ALS": SectionKind.NEW_RELEASES,
    "neighbours": SectionKind.COLLECTION,
}
