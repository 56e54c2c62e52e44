"""Which variant of its artwork every title of a page is shown in: all at once, as one choice costs as much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from subgraphs.recommendations.artwork.choose import ArtworkChooser
from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole
from subgraphs.recommendations.domain.devices import Device, choose_layout
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.pages.choose import ChosenRow

__all__ = ["Pictures", "choose_pictures"]


class Pictures:
    """Variants by role and by the title's place in the catalogue."""

    def __init__(self, variants: Mapping[ArtworkRole, Mapping[int, str]]) -> None:
        self._variants = variants

    def in_role(self, role: ArtworkRole) -> Mapping[int, str]:
        """Of the titles for which one was chosen; others are shown in the main one."""
        return self._variants.get(role, {})


def choose_pictures(
    chooser: ArtworkChooser | None, device: Device, hero: int | None, rows: Sequence[ChosenRow]
) -> Pictures:
    """Of the title at the top and of all rows."""
    if chooser is None:
        return Pictures({})
    places: dict[ArtworkRole, list[np.ndarray[tuple[int], np.dtype[np.int32]]]] = {}
    if hero is not None:
        places.setdefault(choose_layout(device, SectionKind.HERO).artwork_role, []).append(np.array([hero], np.int32))
    for row in rows:
        items = np.asarray(row.candidate.items, np.int32)[np.array(row.kept, np.intp)]
        places.setdefault(choose_layout(device, row.candidate.kind).artwork_role, []).append(items)
    return Pictures({role: _choose(chooser, np.concatenate(found), role) for role, found in places.items()})


def _choose(
    chooser: ArtworkChooser, titles: np.ndarray[tuple[int], np.dtype[np.int32]], role: ArtworkRole
) -> Mapping[int, str]:
    return dict(zip(titles.tolist(), chooser.variants(titles, role), strict=True))
