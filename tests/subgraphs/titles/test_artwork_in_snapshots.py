"""What other services hear of a title's artwork."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from common.event_catalogue import TitleSnapshot
from subgraphs.titles.artwork_sizes import VARIANTS
from subgraphs.titles.demo.load import load_demo
from subgraphs.titles.domain.snapshot import snapshot


def test_every_variant_is_told_with_its_look() -> None:
    """Palette and composition differ between variants; without weights set by hand all have the same share."""
    for title in load_demo().titles:
        told = msgspec.convert(snapshot(title, None, None), TitleSnapshot).artwork
        assert [each.variant for each in told] == list(VARIANTS)
        assert len({each.palette for each in told}) == len({each.composition for each in told}) == len(VARIANTS)
        assert {each.weight for each in told} == {1}


def test_a_variant_without_a_weight_is_told_as_not_to_be_shown() -> None:
    """As soon as any weight was set."""
    title = replace(load_demo().titles[0], artwork_weights=(("second", 3),))
    told = snapshot(title, None, None)["artwork"]
    assert {each["variant"]: each["weight"] for each in told} == {"main": 0, "second": 3, "third": 0}
