"""How many profiles each way of comparing needs: made-up profiles open cards of made-up rankings of known quality.

Each profile wants titles with its own strength, and opens cards by it from the left. Ranker B sorts by what the profile
wants with less noise than A. One world gives both experiments: an A/B test compares cards opened per profile between
two halves, interleaving counts who opened more cards of which team. Power is the share of repetitions in which the
better ranker is found (p < 0.05 and the right sign); the numbers of profiles for a power of 0.8 follow by the normal
approximation from one large sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy import stats

from subgraphs.recommendations.experiments.draft import team_draft
from subgraphs.recommendations.experiments.statistics import compare, estimate_mean, sign_test

__all__ = ["Needed", "Power", "World", "find_needed", "simulate_power"]

TITLES = 30
CARDS = 10
LEVEL = 0.05
TARGET = 0.8


@dataclass(frozen=True, slots=True)
class World:
    """`noise`: of A's and B's scores, beside 1 of what profiles want; `activity`: of log-normal visits per profile."""

    noise: tuple[float, float] = (1.0, 0.9)
    activity: float = 1.2
    open_rate: float = 0.05
    column_discount: float = 0.85


@dataclass(frozen=True, slots=True)
class Power:
    """At a number of profiles in all: the share of repetitions in which each way found the better ranker."""

    profile_count: int
    ab: float
    interleaved: float


@dataclass(frozen=True, slots=True)
class Needed:
    """Profiles in all for a power of TARGET; `gain`: how many more cards are opened with the better ranker."""

    gain: float
    ab: int
    interleaved: int


@dataclass(frozen=True, slots=True)
class _Visitor:
    """One profile: cards that it opens in a row of A's and of B's, how many are to be expected; B's lead in a draft."""

    opened: tuple[float, float]
    expected: tuple[float, float]
    lead: float


def simulate_power(world: World, sizes: Sequence[int], repetitions: int, seed: int = 0) -> list[Power]:
    """For each number of profiles; cost grows with their sum times the repetitions."""
    visitors = _visitors(world, np.random.default_rng(seed))
    found = []
    for size in sizes:
        hits = [_repeat(list(islice(visitors, size))) for _ in range(repetitions)]
        found.append(Power(size, sum(ab for ab, _ in hits) / repetitions, sum(each for _, each in hits) / repetitions))
    return found


def find_needed(world: World, sample: int, seed: int = 0) -> Needed | None:
    """From `sample` profiles; None where they show no lead of B's in a drafted row."""
    found = list(islice(_visitors(world, np.random.default_rng(seed)), sample))
    expected = np.array([each.expected for each in found])
    gain = float((expected[:, 1] - expected[:, 0]).mean())
    scatter = float(np.array([each.opened for each in found]).var(axis=0).sum())
    test = sign_test(np.array([each.lead for each in found]))
    if gain <= 0 or not test.share > 0.5:
        return None
    reach = float(stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(TARGET)) ** 2
    told = (test.first + test.second) / sample
    return Needed(
        gain=gain / float(expected[:, 0].mean()),
        # Two halves, each with its own scatter; of a drafted row only those who prefer one say anything.
        ab=math.ceil(2 * reach * scatter / gain**2),
        interleaved=math.ceil(reach / (4 * (test.share - 0.5) ** 2 * told)),
    )


def _repeat(visitors: Sequence[_Visitor]) -> tuple[bool, bool]:
    halves = [np.array([each.opened[side] for each in visitors[side::2]]) for side in (0, 1)]
    comparison = compare(estimate_mean(halves[0]), estimate_mean(halves[1]))
    test = sign_test(np.array([each.lead for each in visitors]))
    return comparison.p < LEVEL and comparison.difference > 0, test.p < LEVEL and test.share > 0.5


def _visitors(world: World, random: np.random.Generator) -> Iterator[_Visitor]:
    """Without end."""
    attention = world.column_discount ** np.arange(CARDS)
    noise = np.array(world.noise)[:, None]
    while True:
        wants = random.normal(size=TITLES)
        rankings = np.argsort(-(wants + noise * random.normal(size=(2, TITLES))), axis=1)[:, :CARDS]
        rates = world.open_rate * random.lognormal(sigma=world.activity) * attention * np.exp(wants[rankings])
        draft = team_draft(rankings[0].tolist(), rankings[1].tolist(), CARDS, int(random.integers(2**62)))
        rate = rates.sum(axis=1)
        scale = rates[0, 0] / np.exp(wants[rankings[0, 0]])
        points = random.poisson(scale * attention * np.exp(wants[list(draft.items)]))
        side = np.array(draft.teams) * 2 - 1
        opened = random.poisson(rate)
        yield _Visitor(
            opened=(float(opened[0]), float(opened[1])),
            expected=(float(rate[0]), float(rate[1])),
            lead=float((points * side).sum()),
        )
