"""Plots of artwork's evaluations, as SVG. Needs matplotlib, a development package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from subgraphs.recommendations.artwork.open_bandit import CrossEstimate
from subgraphs.recommendations.artwork.report import NAMES
from subgraphs.recommendations.artwork.simulate import Round
from subgraphs.recommendations.evaluation.plots import COLOUR, save_figure

__all__ = ["plot_cross_estimates", "plot_rounds"]

OTHER_COLOURS = ("#888888", "#c98a2b", "#4d9a6a")


def plot_cross_estimates(found: Sequence[CrossEstimate], path: Path) -> None:
    """Each policy's own value as a band, and the estimates from the other's log as points with intervals."""
    figure = Figure(figsize=(10.0, 3.0), layout="constrained")
    for axis, each in zip(figure.subplots(1, len(found)), found, strict=True):
        own = each.on_policy
        axis.axvspan(1000 * own.low, 1000 * own.high, color=COLOUR, alpha=0.15)
        axis.axvline(1000 * own.mean, color=COLOUR, linewidth=1)
        for name, label in NAMES.items():
            interval = getattr(each.estimate, name)
            errors = [[1000 * (interval.mean - interval.low)], [1000 * (interval.high - interval.mean)]]
            axis.errorbar([1000 * interval.mean], [label], xerr=errors, fmt="o", color=COLOUR, capsize=3)
        axis.set_title(f"{each.policy}, from the log of {each.log}")
        axis.set_xlabel("clicks per 1,000 choices")
    save_figure(figure, path)


def plot_rounds(runs: Sequence[Sequence[Round]], path: Path) -> None:
    """Rates of opening by showings learned from: the bandit between the given shares and the best choice."""
    figure = Figure(figsize=(6.0, 3.2), layout="constrained")
    axis = figure.subplots()
    shown = [each.shown_count for each in runs[0]]
    lines = {
        "bandit": ("policy", COLOUR),
        "given shares": ("given_shares", OTHER_COLOURS[0]),
        "best single variant": ("best_single", OTHER_COLOURS[1]),
        "best for every viewer": ("best", OTHER_COLOURS[2]),
    }
    for label, (name, colour) in lines.items():
        axis.plot(
            shown,
            100 * np.mean([[getattr(each, name) for each in run] for run in runs], axis=0),
            color=colour,
            label=label,
        )
    axis.set_xlabel("showings learned from")
    axis.set_ylabel("opened of 100")
    axis.legend(frameon=False)
    save_figure(figure, path)
