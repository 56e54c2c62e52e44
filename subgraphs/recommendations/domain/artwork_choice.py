"""What choosing artwork is about: how variants look, what is known of a viewer, and what was decided and came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole

__all__ = ["ArtworkContext", "ArtworkDecision", "Look", "PolicyVersion", "ShownArtwork", "looks_from_snapshot"]


@dataclass(frozen=True, slots=True)
class Look:
    """How one variant is drawn. `weight` is its share by the studio's hand; 0: not to be shown."""

    variant: str
    weight: int
    palette: str
    composition: str

    @property
    def features(self) -> tuple[str, str]:
        """What a policy knows of it."""
        return (f"palette {self.palette}", f"composition {self.composition}")


@lru_cache(maxsize=20_000)
def _look(variant: str, weight: int, palette: str, composition: str) -> Look:
    """Equal ones are one object: a catalogue has three for each title and few different ones."""
    return Look(variant, weight, palette, composition)


def looks_from_snapshot(snapshot: Mapping[str, Any]) -> tuple[Look, ...]:
    """Of the variants that are known here; raises KeyError, TypeError or ValueError when malformed."""
    return tuple(
        _look(str(each["variant"]), int(each["weight"]), str(each["palette"]), str(each["composition"]))
        for each in snapshot.get("artwork") or ()
        if each["variant"] in VARIANTS
    )


@dataclass(frozen=True, slots=True)
class ArtworkContext:
    """What a choice for a profile depends on, the same for a whole epoch: `genres` are its affinities, 0 to 1, by id.

    Without affinities nothing is known of the profile yet.
    """

    epoch: int
    genres: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShownArtwork:
    """One choice with its probabilities, in the order of VARIANTS; `policy_id` "": nothing was learned yet."""

    role: ArtworkRole
    variant: str
    propensities: tuple[float, ...]
    policy_id: str
    context: ArtworkContext


@dataclass(frozen=True, slots=True)
class ArtworkDecision:
    """What a profile was shown of a title, and whether it opened the title while it was."""

    profile_id: str
    title_id: str
    shown: ShownArtwork
    shown_at: datetime
    is_opened: bool


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A learned policy. `id` sorts by time.

    `lift` is (estimate, low, high) of what it opens more than the variants' given shares would, as a ratio, on profiles
    that it did not learn from; None: too little was shown. `unfit_because` says why it must not serve; None: it may.
    `sha256` is of the policy's bytes.
    """

    id: str
    made_at: datetime
    decision_count: int
    opened_count: int
    title_count: int
    took_s: float
    byte_count: int
    sha256: str
    lift: tuple[float, float, float] | None = None
    unfit_because: str | None = None
