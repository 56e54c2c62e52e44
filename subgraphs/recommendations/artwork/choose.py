"""The choice for one viewer: drawn from the policy's probabilities by a hash, so that it need not be kept anywhere.

The same profile, title and epoch always give the same number between 0 and 1. With the same probabilities it is the
same variant; a new policy moves only those choices whose probabilities it moves. Roles share the number: a viewer
sees the same variant on a TV and on a phone unless the policy prefers another there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.artwork.policy import Doubles, PlacedPolicy, Places, propensities
from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ShownArtwork
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole

__all__ = ["EPOCH", "ArtworkChooser", "draw_numbers", "draw_variants", "epoch_of"]

EPOCH = timedelta(days=14)
"""How long a viewer's pictures stay: after it the context is looked at anew, and the draw is another."""


def epoch_of(profile_id: str, now: datetime) -> int:
    """The profile's epoch; profiles change theirs on different days, so that no day changes every picture."""
    offset_s = _seed(profile_id) % int(EPOCH.total_seconds())
    return int(now.timestamp() + offset_s) // int(EPOCH.total_seconds())


@dataclass(frozen=True, slots=True)
class ArtworkChooser:
    """Chooses for one profile in one epoch."""

    placed: PlacedPolicy
    profile_id: str
    context: ArtworkContext

    @property
    def tag(self) -> str:
        """Names policy and epoch, in few letters: what was chosen under another tag may be another choice."""
        about = f"{self.placed.id}\x1f{self.context.epoch}\x1f{bool(self.context.genres)}"
        return hashlib.blake2s(about.encode(), digest_size=4).hexdigest()

    def variants(self, titles: Places, role: ArtworkRole) -> list[str]:
        """One variant for each of the titles, which are places in the catalogue."""
        chosen, _ = self._choose(titles, role)
        return [VARIANTS[place] for place in chosen.tolist()]

    def shown(self, titles: Sequence[int], role: ArtworkRole) -> list[ShownArtwork]:
        """The same with the probabilities of all variants."""
        chosen, chances = self._choose(np.array(titles, np.int32), role)
        return [
            ShownArtwork(role, VARIANTS[place], tuple(row), self.placed.id, self.context)
            for place, row in zip(chosen.tolist(), chances.tolist(), strict=True)
        ]

    def _choose(self, titles: Places, role: ArtworkRole) -> tuple[npt.NDArray[np.intp], Doubles]:
        chances = propensities(self.placed, self.context, role, titles)
        seed = _seed(f"{self.profile_id}\x1f{self.context.epoch}")
        return draw_variants(chances, draw_numbers(self.placed.table.seeds[titles], seed)), chances


def draw_variants(chances: Doubles, numbers: Doubles) -> npt.NDArray[np.intp]:
    """The variant in whose part of the line from 0 to 1 the number falls, row by row."""
    # The last end is 1 whatever was rounded; a part of no length is never hit, as numbers are below its end.
    ends = np.cumsum(chances, axis=1)[:, :-1]
    ends[ends > 1 - 1e-12] = 1.0
    return np.asarray((numbers[:, None] >= ends).sum(axis=1), np.intp)


def draw_numbers(title_seeds: npt.NDArray[np.uint64], seed: int) -> Doubles:
    """One number in [0, 1) for each title: SplitMix64's finaliser over both seeds (Steele and others, 2014)."""
    mixed = title_seeds ^ np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53, np.float64)


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.blake2s(f"artwork:{text}".encode(), digest_size=8).digest(), "little")
