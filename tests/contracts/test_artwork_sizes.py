"""Four places know the sizes of artwork, because none of them may import another; here they meet."""

from __future__ import annotations

import re
from pathlib import Path

from media_pipeline.delivery.artwork_sizes import SIZES_BY_ROLE as DELIVERED
from subgraphs.recommendations.domain.artwork_sizes import SIZES_BY_ROLE as CHOSEN
from subgraphs.titles.artwork_sizes import SIZES_BY_ROLE as OFFERED

DOCUMENT = Path(__file__).parents[2] / "docs" / "artwork.md"


def test_what_is_offered_is_delivered() -> None:
    """A size that titles offers and delivery refuses is a hole in every page."""
    assert {role.lower(): frozenset(sizes) for role, sizes in OFFERED.items()} == dict(DELIVERED)


def test_what_pages_choose_from_is_offered() -> None:
    """In the same order: small to large."""
    assert dict(OFFERED) == {role.value: sizes for role, sizes in CHOSEN.items()}
    assert all(list(sizes) == sorted(sizes) for sizes in OFFERED.values())


def test_the_document_has_the_table() -> None:
    """docs/artwork.md is what teams outside read."""
    rows = dict(re.findall(r"^\| `?(\w+)`? \|(.*)$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    documented = {
        role.upper(): {(int(width), int(height)) for width, height in re.findall(r"(\d+)[^\d\s,:](\d+)", row)}
        for role, row in rows.items()
        if role.upper() in OFFERED
    }
    assert {role: set(sizes) for role, sizes in OFFERED.items()} == documented
