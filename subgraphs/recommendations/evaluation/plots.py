"""Plots of an evaluation, as SVG that is the same for the same figures. Needs matplotlib, a development package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from subgraphs.recommendations.evaluation.report import HEADLINES, Summary

__all__ = ["COLOUR", "plot_differences", "plot_models", "save_figure"]

COLOUR = "#3b6ea5"


def plot_models(summary: Summary, path: Path) -> None:
    """NDCG@100 and recall@20 of every model, with intervals, as SVG."""
    figure, axes = _figure(columns=2)
    models = sorted(summary.means, key=lambda model: summary.means[model]["NDCG@100"].mean)
    for axis, metric in zip(axes, HEADLINES, strict=True):
        means = [summary.means[model][metric] for model in models]
        errors = [[m.mean - m.low for m in means], [m.high - m.mean for m in means]]
        axis.barh(models, [m.mean for m in means], xerr=errors, color=COLOUR, height=0.6, capsize=3)
        axis.set_title(metric)
    save_figure(figure, path)


def plot_differences(summary: Summary, path: Path) -> None:
    """What the blend gains over each model, with intervals; right of the line is beyond chance. SVG."""
    figure, axes = _figure(columns=2)
    for axis, metric in zip(axes, HEADLINES, strict=True):
        rows = [row for row in summary.differences if row.metric == metric]
        means = [row.difference for row in rows]
        errors = [[m.mean - m.low for m in means], [m.high - m.mean for m in means]]
        axis.errorbar(
            [m.mean for m in means], [row.model for row in rows], xerr=errors, fmt="o", color=COLOUR, capsize=3
        )
        axis.axvline(0.0, color="#888888", linewidth=1)
        axis.set_title(f"blend minus model, {metric}")
    save_figure(figure, path)


def _figure(*, columns: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.0 * columns, 3.2), layout="constrained")
    return figure, figure.subplots(1, columns)


def save_figure(figure: Figure, path: Path) -> None:
    """As SVG."""
    # The same figures give the same file: no date, no random ids.
    with mpl.rc_context({"svg.hashsalt": "marquee"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
