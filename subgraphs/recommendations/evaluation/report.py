"""The result of an evaluation as a record and as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from subgraphs.recommendations.evaluation.compare import BLEND, TrialResult
from subgraphs.recommendations.evaluation.intervals import Interval, by_profile, mean_interval

__all__ = ["HEADLINES", "DifferenceRow", "Summary", "markdown", "summarise", "to_json"]

HEADLINES = ("NDCG@100", "recall@20")
METRICS = (*HEADLINES, "NDCG@10", "recall@50", "novelty@20", "diversity@20", "calibration@20")


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """The blend minus another model, on the same profiles."""

    metric: str
    model: str
    difference: Interval


@dataclass(frozen=True)
class Summary:
    """Of all trials of one split. `means[model][metric]`, over profiles.

    `coverage[model]` is of a whole trial: the mean of the trials' coverages, with an interval over trials, which a
    single trial has not (its ends are the mean).
    """

    data: str
    split: str
    profile_count: int
    trial_count: int
    means: Mapping[str, Mapping[str, Interval]]
    coverage: Mapping[str, Interval]
    differences: Sequence[DifferenceRow]
    settings: Mapping[str, Sequence[str]]
    weights: Mapping[str, float]


def summarise(data: str, split: str, results: Sequence[TrialResult]) -> Summary:
    """Pools trials by profile; raises ValueError for none."""
    if not results:
        raise ValueError("there is no trial to summarise")
    profiles = np.concatenate([result.profiles for result in results])
    models = list(results[0].values)
    pooled = {
        model: {
            metric: by_profile(profiles, np.concatenate([result.values[model][metric] for result in results]))
            for metric in METRICS
        }
        for model in models
    }
    return Summary(
        data=data,
        split=split,
        profile_count=len(np.unique(profiles)),
        trial_count=len(results),
        means={
            model: {metric: mean_interval(values) for metric, values in by_metric.items()}
            for model, by_metric in pooled.items()
        },
        coverage={model: mean_interval(np.array([result.coverage[model] for result in results])) for model in models},
        differences=[
            DifferenceRow(metric, model, mean_interval(pooled[BLEND][metric] - pooled[model][metric]))
            for metric in HEADLINES
            for model in models
            if model != BLEND
        ],
        settings={model: sorted({result.settings[model] for result in results}) for model in results[0].settings},
        weights={name: float(np.mean([result.weights[name] for result in results])) for name in results[0].weights},
    )


def to_json(summary: Summary) -> dict[str, Any]:
    """All of it, for programs."""
    return asdict(summary)


def markdown(summary: Summary) -> str:
    """Two tables: every model by every metric, and the blend against each."""
    counts = f"{summary.profile_count} profiles, {summary.trial_count} trials"
    lines = [
        f"{summary.data}, {summary.split}: {counts}. Means with 95 % intervals.",
        "",
        "| model | " + " | ".join(METRICS) + " | coverage@20 |",
        "|---|" + "---|" * (len(METRICS) + 1),
    ]
    for model, by_metric in summary.means.items():
        cells = [_cell(by_metric[metric]) for metric in METRICS]
        coverage = summary.coverage[model]
        cells.append(_cell(coverage) if summary.trial_count > 1 else f"{coverage.mean:.4f}")
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    lines += ["", "| the blend minus … | metric | difference | beyond chance |", "|---|---|---|---|"]
    for row in summary.differences:
        verdict = "yes" if row.difference.is_above_zero else "no"
        lines.append(f"| {row.model} | {row.metric} | {_cell(row.difference, sign='+')} | {verdict} |")
    lines += ["", "Chosen settings: " + "; ".join(f"{m}: {' / '.join(s)}" for m, s in summary.settings.items()) + "."]
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in summary.weights.items())
    lines += ["", f"Mean weights of the blend: {weights}."]
    return "\n".join(lines) + "\n"


def _cell(interval: Interval, sign: str = "") -> str:
    return f"{interval.mean:{sign}.4f} [{interval.low:{sign}.4f}, {interval.high:{sign}.4f}]"
