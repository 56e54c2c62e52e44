"""What differs between two revisions of a page: enough to make the new one from the old one, and nothing more.

A client that holds the old sections drops the removed ones, puts every section that is told (changed, added or moved)
at its position in the new page, and lets the others stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.recommendations.domain.page import Page, Section

__all__ = ["PageChange", "PlacedSection", "compare_pages"]


@dataclass(frozen=True, slots=True)
class PlacedSection:
    """A section of the new page and its place there, 0 at the top."""

    position: int
    section: Section


@dataclass(frozen=True, slots=True)
class PageChange:
    """From one revision to `page`.

    `removed`: keys of sections that are gone from what the client holds. `moved`: sections that are as they were, at
    another position. `held`: how many sections from the top of the new page the client holds then.
    """

    page: Page
    removed: tuple[str, ...]
    changed: tuple[PlacedSection, ...]
    added: tuple[PlacedSection, ...]
    moved: tuple[PlacedSection, ...]
    held: int


def compare_pages(before: Page, after: Page, held: int) -> PageChange:
    """For a client that holds the first `held` sections of `before`, and will hold as many of `after`."""
    old = {section.key: (position, section) for position, section in enumerate(before.sections[:held])}
    kept = after.sections[:held]
    changed: list[PlacedSection] = []
    added: list[PlacedSection] = []
    moved: list[PlacedSection] = []
    for position, section in enumerate(kept):
        known = old.pop(section.key, None)
        placed = PlacedSection(position, section)
        if known is None:
            added.append(placed)
        elif known[1] != section:
            changed.append(placed)
        elif known[0] != position:
            moved.append(placed)
    return PageChange(after, tuple(old), tuple(changed), tuple(added), tuple(moved), len(kept))
