"""The comparison of whole pages as a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from subgraphs.recommendations.evaluation.intervals import Interval, by_profile, mean_interval
from subgraphs.recommendations.evaluation.pages import CHOSEN, COLUMNS, FIXED, FIXED_ONCE, ROWS, PageTrial

__all__ = ["page_table"]


def page_table(data: str, results: Sequence[PageTrial]) -> str:
    """Means with 95 % intervals over profiles, and what choosing together adds; raises ValueError for no trial."""
    if not results:
        raise ValueError("there is no trial to summarise")
    profiles = np.concatenate([result.profiles for result in results])
    values = {
        way: by_profile(profiles, np.concatenate([result.values[way] for result in results]))
        for way in (FIXED, FIXED_ONCE, CHOSEN)
    }
    profile_count = len(np.unique(profiles))
    lines = [
        f"{data}, strong generalisation, {profile_count} profiles in {len(results)} trials;",
        f"pages of {ROWS} rows and {COLUMNS} columns, means with 95 % intervals.",
        "",
        "| page | two-dimensional NDCG | rows chosen together add |",
        "|---|---|---|",
    ]
    for way, its in values.items():
        added = "" if way == CHOSEN else _relative(mean_interval(values[CHOSEN] - its), float(its.mean()))
        mean = mean_interval(its)
        lines.append(f"| {way} | {mean.mean:.4f} ({mean.low:.4f} to {mean.high:.4f}) | {added} |")
    lines += ["", f"The row-by-row page of the first trial: {', '.join(results[0].order)}."]
    return "\n".join(lines) + "\n"


def _relative(difference: Interval, base: float) -> str:
    mean, low, high = (100 * part / base for part in (difference.mean, difference.low, difference.high))
    return f"{mean:+.1f} % ({low:+.1f} to {high:+.1f})"
