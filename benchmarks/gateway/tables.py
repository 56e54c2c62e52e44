"""Tables and ratios as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["print_ratios", "print_table"]


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table under its title: the first column to the left, the others to the right."""
    widths = [max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    print(f"\n### {title}\n", line(header), "| " + " | ".join(rule) + " |", *(line(row) for row in rows), sep="\n")
    print(flush=True)


def print_ratios(what: str, ours: str, figures: Mapping[str, float]) -> None:
    """Everybody else's figure as a multiple of ours; nothing when ours was not measured."""
    if figures.get(ours):
        told = [f"{name} {value / figures[ours]:.2f}" for name, value in figures.items() if name != ours]
        if told:
            print(f"{what}, as a multiple of {ours}'s: {', '.join(told)}\n", flush=True)
