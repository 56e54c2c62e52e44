"""What policies are worth, from Marquee's own log: the one in use, the given shares, and the best single variants.

The best single variant of a title is chosen on half of the profiles and measured on the other half, and the other way
round: chosen and measured on the same openings it would look better than it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.artwork.learn import RATE_PRIOR, Observations, learn_policy, title_rates
from subgraphs.recommendations.artwork.off_policy import (
    Estimate,
    LoggedChoices,
    difference,
    estimate,
    folds_of,
    on_policy,
)
from subgraphs.recommendations.artwork.policy import ArtworkPolicy, Doubles, place_policy, propensities_of_rows
from subgraphs.recommendations.domain.artwork_looks import ArtworkTable
from subgraphs.recommendations.evaluation.intervals import Interval

__all__ = ["Comparison", "Gain", "compare_policies", "gain_over_shares"]

POLICY, SHARES, SINGLE = "policy in use", "given shares", "best single variant"


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more often a title is opened than by the given shares, whose rate is `base`."""

    difference: Interval
    base: float

    @property
    def ratio(self) -> tuple[float, float, float] | None:
        """(estimate, low, high) as parts of the base; None where nothing was opened."""
        if self.base <= 0:
            return None
        gained, base = self.difference, self.base
        return (round(gained.mean / base, 4), round(gained.low / base, 4), round(gained.high / base, 4))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rates of opening. `logged`: what was really opened. `gains`: over the given shares, by policy."""

    decision_count: int
    opened_count: int
    profile_count: int
    logged: Interval
    estimates: Mapping[str, Estimate]
    gains: Mapping[str, Gain]


def gain_over_shares(
    policy: ArtworkPolicy, seen: Observations, table: ArtworkTable, index_by_id: Mapping[str, int]
) -> Gain:
    """Of a policy that learned nothing from what was seen here."""
    placed = place_policy(policy, table, index_by_id)
    target = propensities_of_rows(placed, seen.contexts, seen.titles)
    logs = [_logged(seen, chances, _expectations(seen, table)) for chances in (target, table.shares[seen.titles])]
    return Gain(difference(logs[0], logs[1]), estimate(logs[1], resamples=1).doubly_robust.mean)


def compare_policies(
    policy: ArtworkPolicy,
    seen: Observations,
    table: ArtworkTable,
    index_by_id: Mapping[str, int],
) -> Comparison:
    """The policy in use, the given shares, and each title's best single variant.

    `seen.contexts` must be over the policy's own parts. The policy may have learned from the same log: what it gains
    then looks a little better than it is (`marquee artwork list` shows what it gained where it had not).
    """
    folds = folds_of(seen.profiles)
    single = np.zeros_like(seen.chances)
    for fold in (0, 1):
        held = folds == fold
        single[held] = _best_single(seen.part(~held), table)[seen.titles[held]]
    expected = _expectations(seen, table)
    placed = place_policy(policy, table, index_by_id)
    targets = {
        POLICY: propensities_of_rows(placed, seen.contexts, seen.titles),
        SHARES: table.shares[seen.titles],
        SINGLE: single,
    }
    logs = {name: _logged(seen, chances, expected) for name, chances in targets.items()}
    base = estimate(logs[SHARES], resamples=1).doubly_robust.mean
    return Comparison(
        len(seen),
        int(seen.opened.sum()),
        len(np.unique(seen.profiles)),
        on_policy(seen.opened, seen.profiles),
        {name: estimate(log) for name, log in logs.items()},
        {name: Gain(difference(log, logs[SHARES]), base) for name, log in logs.items() if name != SHARES},
    )


def _expectations(seen: Observations, table: ArtworkTable) -> Doubles:
    """[decision, variant]: a model's rate of opening, fitted on the other half of the profiles."""
    folds, count = folds_of(seen.profiles), len(table.seeds)
    expected = np.zeros_like(seen.chances)
    titles = [str(index) for index in range(count)]
    places = {title: index for index, title in enumerate(titles)}
    for fold in (0, 1):
        held = folds == fold
        other, part = seen.part(~held), seen.part(held)
        if not len(other) or not len(part):
            continue
        placed = place_policy(learn_policy("", other, table, titles), table, places)
        uplift = placed.own[part.titles].astype(np.float64)
        if placed.weights.size:
            rows = np.arange(len(part))[:, None, None]
            uplift += (part.contexts @ placed.weights)[rows, table.features[part.titles]].sum(axis=2)
        rates = title_rates(other, count)[part.titles][:, None]
        expected[held] = np.clip(rates * (1 + uplift), 0.0, 1.0)
    return expected


def _best_single(seen: Observations, table: ArtworkTable) -> Doubles:
    """[title, variant]: 1 for the variant that is opened most, by weighted counts drawn to the title's own rate."""
    size = len(table.seeds)
    rates = title_rates(seen, size)
    weights = 1.0 / seen.logged
    scores = np.full(table.shares.shape, -np.inf)
    for variant in range(table.shares.shape[1]):
        is_chosen = seen.chosen == variant
        shown = np.bincount(seen.titles[is_chosen], weights[is_chosen], minlength=size)
        opened = np.bincount(seen.titles[is_chosen], (weights * seen.opened)[is_chosen], minlength=size)
        scores[:, variant] = (opened + RATE_PRIOR * rates) / (shown + RATE_PRIOR)
    scores[table.shares <= 0] = -np.inf
    best = np.zeros(table.shares.shape)
    best[np.arange(size), scores.argmax(axis=1)] = 1.0
    return best


def _logged(seen: Observations, target: Doubles, expected: Doubles) -> LoggedChoices:
    rows: npt.NDArray[np.int64] = np.arange(len(seen))
    return LoggedChoices(
        rewards=seen.opened,
        logged=seen.logged,
        target=target[rows, seen.chosen],
        expected=expected[rows, seen.chosen],
        expected_target=(target * expected).sum(axis=1),
        groups=seen.profiles,
    )
