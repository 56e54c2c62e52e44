"""Viewers whose preferences are known, so that it can be seen whether the bandit learns them.

A title is opened at its own rate times one plus what its picture does for this viewer: effects of palette and
composition on everybody, on lovers of a genre, and of the very variant. The world is drawn once; the policy sees
nothing but what it showed, with which probabilities, and what was opened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.artwork.choose import draw_variants
from subgraphs.recommendations.artwork.learn import Observations, learn_policy
from subgraphs.recommendations.artwork.policy import (
    CONSTANT,
    POSTER,
    ArtworkPolicy,
    Doubles,
    PlacedPolicy,
    no_policy,
    place_policy,
    propensities_of_rows,
)
from subgraphs.recommendations.domain.artwork_looks import ArtworkTable
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS

__all__ = ["Round", "SimulatedWorld", "make_world", "simulate"]

PALETTES, COMPOSITIONS, GENRES = 15, 8, 10
MAIN_EFFECT_SD, GENRE_EFFECT_SD, OWN_EFFECT_SD = 0.15, 0.3, 0.2
"""Of the rate of opening: a picture that suits somebody makes a third more open it, about what is reported of artwork
that is chosen per viewer."""
MEAN_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Round:
    """One training's turn: after so many showings in all, the rate of opening that each way of choosing gives."""

    shown_count: int
    policy: float
    given_shares: float
    best_single: float
    best: float

    @property
    def part_of_possible(self) -> float:
        """Of what the best choice for every viewer gains over the given shares."""
        return (self.policy - self.given_shares) / (self.best - self.given_shares)


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """`rates[title]` are without a picture; `effects[context, feature]` and `own[title, variant]` are the truth."""

    table: ArtworkTable
    title_ids: tuple[str, ...]
    context_names: tuple[str, ...]
    contexts: Doubles
    rates: Doubles
    popularity: Doubles
    effects: Doubles
    own: Doubles

    def chances_to_open(self, viewers: npt.NDArray[np.int64], titles: npt.NDArray[np.int64]) -> Doubles:
        """[row, variant]: for one viewer and one title a row."""
        rows = np.arange(len(viewers))[:, None, None]
        uplift = (self.contexts[viewers] @ self.effects)[rows, self.table.features[titles]].sum(axis=2)
        return np.asarray(np.clip(self.rates[titles, None] * (1 + uplift + self.own[titles]), 0.001, 0.9), np.float64)


def make_world(seed: int, titles: int = 300, viewers: int = 5_000) -> SimulatedWorld:
    """Titles with Zipf's popularity; viewers who love one to three genres, a third of them on phones."""
    random = np.random.default_rng(seed)
    features = np.empty((titles, len(VARIANTS), 2), np.int32)
    for title in range(titles):
        features[title, :, 0] = random.permutation(PALETTES)[: len(VARIANTS)]
        features[title, :, 1] = PALETTES + random.permutation(COMPOSITIONS)[: len(VARIANTS)]
    names = tuple(f"palette {n}" for n in range(PALETTES)) + tuple(f"composition {n}" for n in range(COMPOSITIONS))
    shares = np.full((titles, len(VARIANTS)), 1 / len(VARIANTS))
    table = ArtworkTable(names, features, shares, random.integers(0, 2**63, titles).astype(np.uint64))
    contexts = np.zeros((viewers, 2 + GENRES))
    contexts[:, 0], contexts[:, 1] = 1.0, random.random(viewers) < 1 / 3
    for viewer in range(viewers):
        loved = random.permutation(GENRES)[: random.integers(1, 4)]
        contexts[viewer, 2 + loved] = 1 / np.sqrt(len(loved))
    effects = random.normal(0, GENRE_EFFECT_SD, (2 + GENRES, len(names)))
    effects[0], effects[1] = random.normal(0, MAIN_EFFECT_SD, (2, len(names)))
    return SimulatedWorld(
        table,
        tuple(f"mov_{title}" for title in range(titles)),
        (CONSTANT, POSTER, *(f"gen_{genre}" for genre in range(GENRES))),
        contexts,
        np.clip(random.gamma(4.0, MEAN_RATE / 4.0, titles), 0.02, 0.4),
        (1 / np.arange(1, titles + 1)) / (1 / np.arange(1, titles + 1)).sum(),
        effects,
        random.normal(0, OWN_EFFECT_SD, (titles, len(VARIANTS))),
    )


def simulate(world: SimulatedWorld, seed: int, rounds: int, shown_per_round: int) -> list[Round]:
    """Show, learn from all that was shown so far, and so on; the rates are exact expectations, not counts."""
    random = np.random.default_rng(seed)
    viewers, titles = _draws(world, random, 20_000)
    expected = world.chances_to_open(viewers, titles)
    single = _best_single(world, random)
    policy: ArtworkPolicy = no_policy()
    parts: list[Observations] = []
    figures: list[Round] = []
    for number in range(rounds + 1):
        placed = place_policy(policy, world.table, {title_id: n for n, title_id in enumerate(world.title_ids)})
        chances = propensities_of_rows(placed, world.contexts[viewers][:, : len(placed.weights)], titles)
        figures.append(
            Round(
                number * shown_per_round,
                float((chances * expected).sum(axis=1).mean()),
                float(expected.mean()),
                float(expected[np.arange(len(titles)), single[titles]].mean()),
                float(expected.max(axis=1).mean()),
            )
        )
        if number < rounds:
            parts.append(_show(world, placed, random, shown_per_round))
            policy = learn_policy(f"v{number}", _joined(parts), world.table, world.title_ids)
    return figures


def _draws(
    world: SimulatedWorld, random: np.random.Generator, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    viewers = random.integers(0, len(world.contexts), count)
    return viewers, random.choice(len(world.rates), count, p=world.popularity)


def _best_single(world: SimulatedWorld, random: np.random.Generator) -> npt.NDArray[np.intp]:
    """For every title the variant that opens most over all viewers."""
    viewers = random.integers(0, len(world.contexts), 500)
    return np.array(
        [
            world.chances_to_open(viewers, np.full(len(viewers), title)).mean(axis=0).argmax()
            for title in range(len(world.rates))
        ]
    )


def _show(world: SimulatedWorld, placed: PlacedPolicy, random: np.random.Generator, count: int) -> Observations:
    viewers, titles = _draws(world, random, count)
    contexts = world.contexts[viewers]
    chances = propensities_of_rows(placed, contexts[:, : len(placed.weights)], titles)
    chosen = draw_variants(chances, random.random(count)).astype(np.int64)
    rates = world.chances_to_open(viewers, titles)[np.arange(count), chosen]
    opened = (random.random(count) < rates).astype(np.float64)
    return Observations(world.context_names, titles, contexts, chances, chosen, opened, viewers)


def _joined(parts: list[Observations]) -> Observations:
    return Observations(
        parts[0].context_names,
        np.concatenate([part.titles for part in parts]),
        np.concatenate([part.contexts for part in parts]),
        np.concatenate([part.chances for part in parts]),
        np.concatenate([part.chosen for part in parts]),
        np.concatenate([part.opened for part in parts]),
        np.concatenate([part.profiles for part in parts]),
    )
