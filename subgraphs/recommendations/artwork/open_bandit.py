"""The Open Bandit Dataset (Saito and others, 2020), men's items: two policies chose side by side for the same shop.

Each log estimates the other's policy, and what that was really worth is known from its own log: a check of the
estimators on real clicks. `random` chose uniformly. `bts` (Bernoulli Thompson sampling) changed with time and its
probabilities were logged for what it chose only, so what is estimated of it is its mean behaviour over the period:
how often it chose each item at each position.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.artwork.off_policy import Estimate, LoggedChoices, estimate, folds_of, on_policy
from subgraphs.recommendations.evaluation.intervals import Interval

__all__ = ["BanditDataMissing", "BanditLog", "CrossEstimate", "cross_estimate", "read_bandit_logs"]

POLICIES = ("random", "bts")
RIDGE = 50.0
"""A row of the reward's model is one choice; an item is trusted as the mean after so many."""

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class BanditDataMissing(Exception):
    """The folder does not hold the logs, or they are not what they should be; the message names the file."""


@dataclass(frozen=True, slots=True)
class BanditLog:
    """One policy's choices; `items` and `positions` count from 0."""

    items: Integers
    positions: Integers
    clicks: Doubles
    propensities: Doubles

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class CrossEstimate:
    """One policy's value from the other's log beside its own."""

    policy: str
    log: str
    log_count: int
    estimate: Estimate
    on_policy: Interval

    def agrees(self, interval: Interval) -> bool:
        """Whether the true mean lies in the estimate's interval."""
        return interval.low <= self.on_policy.mean <= interval.high


def read_bandit_logs(folder: Path) -> Mapping[str, BanditLog]:
    """By policy; raises BanditDataMissing."""
    return {policy: _read_log(folder / f"obd_{policy}_men.csv.xz") for policy in POLICIES}


def cross_estimate(logs: Mapping[str, BanditLog]) -> list[CrossEstimate]:
    """Each policy's value from the other's log."""
    names = list(logs)
    pairs = [(policy, log) for policy in names for log in names if policy != log]
    return [
        CrossEstimate(
            policy,
            log,
            len(logs[log]),
            estimate(_choices(logs[log], _behaviour(logs[policy], is_uniform=policy == "random"))),
            on_policy(logs[policy].clicks, np.arange(len(logs[policy]))),
        )
        for policy, log in pairs
    ]


def _read_log(path: Path) -> BanditLog:
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = [
                (int(row["item_id"]), int(row["position"]) - 1, float(row["click"]), float(row["propensity_score"]))
                for row in csv.DictReader(file)
            ]
    except (OSError, lzma.LZMAError, EOFError, KeyError, ValueError, TypeError) as error:
        raise BanditDataMissing(f"{path} can't be read: {error}") from error
    if not rows:
        raise BanditDataMissing(f"{path} holds no choices")
    items, positions, clicks, propensities = zip(*rows, strict=True)
    return BanditLog(np.array(items, np.int64), np.array(positions, np.int64), np.array(clicks), np.array(propensities))


def _behaviour(log: BanditLog, *, is_uniform: bool) -> Doubles:
    """[position, item]: how often the policy chooses it."""
    shape = (int(log.positions.max()) + 1, int(log.items.max()) + 1)
    counts = np.ones(shape) if is_uniform else np.zeros(shape)
    if not is_uniform:
        np.add.at(counts, (log.positions, log.items), 1.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True), np.float64)


def _choices(log: BanditLog, behaviour: Doubles) -> LoggedChoices:
    """With a model of clicks by item and position, fitted on the other half of the log."""
    groups = np.arange(len(log))
    folds = folds_of(groups)
    expected, expected_target = np.zeros(len(log)), np.zeros(len(log))
    for fold in (0, 1):
        held = folds == fold
        model = _fit_clicks(log, ~held, behaviour.shape)
        expected[held] = model[log.positions[held], log.items[held]]
        expected_target[held] = (model * behaviour).sum(axis=1)[log.positions[held]]
    return LoggedChoices(
        log.clicks, log.propensities, behaviour[log.positions, log.items], expected, expected_target, groups
    )


def _fit_clicks(log: BanditLog, kept: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> Doubles:
    """[position, item]: the mean, and what item and position add to it, by ridge regression."""
    positions, items = shape
    features = np.zeros((len(log), positions + items))
    rows = np.arange(len(log))
    features[rows, log.positions] = 1.0
    features[rows, positions + log.items] = 1.0
    seen, mean = features[kept], float(log.clicks[kept].mean())
    squares = seen.T @ seen + RIDGE * np.eye(positions + items)
    added = np.linalg.solve(squares, seen.T @ (log.clicks[kept] - mean))
    return np.asarray(mean + added[:positions, None] + added[None, positions:], np.float64)
