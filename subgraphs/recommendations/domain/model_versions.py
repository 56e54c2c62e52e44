"""A version of the trained models: when it was made, from how much, how good it is, and whether it may serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

__all__ = ["Choice", "ModelVersion", "Version", "VersionT", "newest_fit"]


class Version(Protocol):
    """`id` sorts by time. `unfit_because` says why it must not serve; None: it may."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def made_at(self) -> datetime:
        """When."""
        ...

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        ...

    @property
    def unfit_because(self) -> str | None:
        """The reason, for people."""
        ...


VersionT = TypeVar("VersionT", bound=Version)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """`id` sorts by time. `metrics[model][metric]` is (mean, low, high) on profiles left out; empty: too few profiles.

    `unfit_because` says why it must not serve; None: it may. `sha256` is of the model's bytes.
    """

    id: str
    made_at: datetime
    profile_count: int
    title_count: int
    like_count: int
    took_s: float
    peak_memory_bytes: int
    byte_count: int
    sha256: str
    weights: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, tuple[float, float, float]]] = field(default_factory=dict)
    unfit_because: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The version in use, None before the first; `is_pinned`: a person chose it, and training leaves it in place.

    `content_id`: what titles are about, as it was learned last; the same for all versions.
    """

    version_id: str | None = None
    is_pinned: bool = False
    content_id: str | None = None


def newest_fit(versions: Sequence[VersionT]) -> VersionT | None:
    """The last that was made and may serve."""
    return max((each for each in versions if each.unfit_because is None), key=lambda each: each.id, default=None)
