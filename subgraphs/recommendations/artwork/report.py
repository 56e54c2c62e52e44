"""Evaluations of artwork as tables in Markdown, and as figures for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from subgraphs.recommendations.artwork.off_policy import CLIP, Estimate
from subgraphs.recommendations.artwork.open_bandit import CrossEstimate
from subgraphs.recommendations.artwork.simulate import Round
from subgraphs.recommendations.artwork.value import Comparison
from subgraphs.recommendations.evaluation.intervals import Interval

__all__ = ["comparison_table", "cross_json", "cross_table", "simulation_table"]

NAMES = {"ips": "IPS", "snips": "SNIPS", "doubly_robust": "doubly robust"}


def cross_table(found: Sequence[CrossEstimate]) -> str:
    """Each policy's value from the other's log, beside what it was worth on its own."""
    lines = [
        "# Off-policy estimates on the Open Bandit Dataset, men's items",
        "",
        f"Clicks per 1,000 choices; 95 % by bootstrap; weights clipped at {CLIP:g}.",
        "",
        "| policy | its own log | from the log of | IPS | SNIPS | doubly robust | effective | largest | clipped |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        estimates = " | ".join(
            f"{_per_thousand(interval)}{'' if each.agrees(interval) else ' (own value outside)'}"
            for interval in _intervals(each.estimate).values()
        )
        lines.append(
            f"| {each.policy} | {_per_thousand(each.on_policy)} | {each.log} | {estimates} | "
            f"{each.estimate.effective_count:,.0f} of {each.log_count:,} | {each.estimate.largest_weight:.1f} | "
            f"{each.estimate.clipped_ratio:.2%} |"
        )
    agreed = sum(each.agrees(interval) for each in found for interval in _intervals(each.estimate).values())
    lines += ["", f"In {agreed} of {len(NAMES) * len(found)} the policy's own value lies in the interval."]
    return "\n".join(lines) + "\n"


def cross_json(found: Sequence[CrossEstimate]) -> list[dict[str, Any]]:
    """The same figures, as they are."""
    return [
        {
            "policy": each.policy,
            "log": each.log,
            "log_count": each.log_count,
            "on_policy": _figures(each.on_policy),
            "clip": CLIP,
            "clipped_ratio": each.estimate.clipped_ratio,
            "effective_count": round(each.estimate.effective_count, 1),
            "largest_weight": round(each.estimate.largest_weight, 2),
            "estimates": {
                name: {**_figures(interval), "agrees": each.agrees(interval)}
                for name, interval in _intervals(each.estimate).items()
            },
        }
        for each in found
    ]


def comparison_table(found: Comparison) -> str:
    """What policies are worth on Marquee's own log."""
    counts = (
        f"{found.decision_count:,} pictures shown to {found.profile_count:,} profiles, {found.opened_count:,} opened"
    )
    lines = [
        "# Artwork on the log",
        "",
        f"{counts}: {_percent(found.logged)}. 95 % by bootstrap over profiles; weights clipped at {CLIP:g}.",
        "",
        "| choosing by | opened: doubly robust | SNIPS | IPS | effective pictures | more than the given shares |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in found.estimates.items():
        gain = found.gains.get(name)
        ratio = None if gain is None else gain.ratio
        more = "" if ratio is None else f"{ratio[0]:+.1%} [{ratio[1]:+.1%}, {ratio[2]:+.1%}]"
        lines.append(
            f"| {name} | {_percent(each.doubly_robust)} | {_percent(each.snips)} | {_percent(each.ips)} | "
            f"{each.effective_count:,.0f} | {more} |"
        )
    return "\n".join(lines) + "\n"


def simulation_table(runs: Sequence[Sequence[Round]]) -> str:
    """Means over runs of as many rounds each."""
    lines = [
        f"Means of {len(runs)} simulated audiences; openings per 100 showings.",
        "",
        "| showings learned from | bandit | given shares | best single variant | best per viewer | of the possible |",
        "|---|---|---|---|---|---|",
    ]
    for rounds in zip(*runs, strict=True):
        policy, shares, single, best = (
            100 * float(np.mean([getattr(each, name) for each in rounds]))
            for name in ("policy", "given_shares", "best_single", "best")
        )
        # Without the sign of a zero that was rounded from below.
        possible = round(float(np.mean([each.part_of_possible for each in rounds])), 4) + 0.0
        lines.append(
            f"| {rounds[0].shown_count:,} | {policy:.2f} | {shares:.2f} | {single:.2f} | {best:.2f} | {possible:.0%} |"
        )
    return "\n".join(lines) + "\n"


def _intervals(found: Estimate) -> dict[str, Interval]:
    return {name: getattr(found, name) for name in NAMES}


def _figures(interval: Interval) -> dict[str, float]:
    return {name: round(getattr(interval, name), 6) for name in ("mean", "low", "high")}


def _per_thousand(interval: Interval) -> str:
    return f"{1000 * interval.mean:.2f} [{1000 * interval.low:.2f}, {1000 * interval.high:.2f}]"


def _percent(interval: Interval) -> str:
    return f"{interval.mean:.2%} [{interval.low:.2%}, {interval.high:.2%}]"
