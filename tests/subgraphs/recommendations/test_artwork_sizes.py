"""Artwork is asked for in sizes and formats that exist."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from subgraphs.recommendations.domain.artwork_sizes import (
    SIZES_BY_ROLE,
    VARIANTS,
    ArtworkRole,
    ImageFormat,
    artwork_id,
    choose_format,
    choose_size,
)
from subgraphs.titles import artwork_sizes as titles


@given(role=st.sampled_from(ArtworkRole), width=st.floats(1, 5000))
def test_the_smallest_image_that_is_wide_enough(role: ArtworkRole, width: float) -> None:
    """Never narrower than the card, unless nothing is as wide; never larger than it must be."""
    chosen = choose_size(role, width)
    wide_enough = [size for size in SIZES_BY_ROLE[role] if size[0] >= width]

    assert chosen == (min(wide_enough) if wide_enough else max(SIZES_BY_ROLE[role]))


def test_formats_that_can_not_be_rendered_are_not_chosen() -> None:
    """AVIF is declared by devices and not rendered."""
    assert choose_format((ImageFormat.AVIF, ImageFormat.JPEG, ImageFormat.WEBP)) is ImageFormat.WEBP
    assert choose_format((ImageFormat.PNG,)) is ImageFormat.PNG
    assert choose_format((ImageFormat.AVIF,)) is None


def test_every_size_is_one_that_titles_offers() -> None:
    """Both tables are the same, and so are the variants; ids name role, variant, size and format."""
    assert dict(titles.SIZES_BY_ROLE) == {role.value: sizes for role, sizes in SIZES_BY_ROLE.items()}
    assert titles.VARIANTS == VARIANTS
    assert artwork_id("mov_1", ArtworkRole.POSTER, (120, 180), ImageFormat.WEBP) == "mov_1~POSTER~main~120x180~WEBP"
