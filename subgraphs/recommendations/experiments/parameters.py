"""What an experiment can change: typed parameters that the code reads, each in one layer.

A parameter belongs to exactly one layer, and an experiment to the layer of its parameters: so two experiments that a
profile is in at the same time never set the same thing (Tang et al., Overlapping experiment infrastructure, 2010). The
default is what runs for everybody who is in no experiment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

__all__ = [
    "BASE_RELEVANCE",
    "BECAUSE_ROWS",
    "COVERAGE_WORTH",
    "FILM_BONUS",
    "PARAMETERS",
    "ROW_DISCOUNT",
    "SAME_KIND_DISCOUNT",
    "TOP_PICKS_RANKER",
    "Layer",
    "Parameter",
    "ParameterValue",
    "Ranker",
]

ParameterValue = int | float | str
ValueT = TypeVar("ValueT", int, float, str)


class Layer(StrEnum):
    """What is decided independently of the other layers: each parts the profiles anew."""

    PAGE = "PAGE"
    """Which rows, in which order."""
    RANKING = "RANKING"
    """Which titles of a row come first."""
    HERO = "HERO"
    """What stands at the top."""


class Ranker(StrEnum):
    """Whose order a row of picks has: all models together, or one of them."""

    BLEND = "BLEND"
    EASE = "EASE"
    ALS = "ALS"
    NEIGHBOURS = "NEIGHBOURS"
    CONTENT = "CONTENT"


@dataclass(frozen=True, slots=True)
class Parameter(Generic[ValueT]):
    """A number from `low` to `high`, or one of `choices`; `default` says of which type."""

    name: str
    layer: Layer
    default: ValueT
    meaning: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    @property
    def values_in_words(self) -> str:
        """What may be set."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return f"a {'whole ' if isinstance(self.default, int) else ''}number from {self.low:g} to {self.high:g}"

    def read(self, text: str) -> ValueT:
        """The value in a text; raises ValueError naming the value and what is wanted."""
        value: ParameterValue | None = None
        if self.choices:
            value = text if text in self.choices else None
        else:
            try:
                value = int(text) if isinstance(self.default, int) else float(text)
            except ValueError:
                value = None
            if value is not None and not (math.isfinite(value) and self.low <= value <= self.high):
                value = None
        if value is None:
            raise ValueError(f"{self.name} is {text[:40]!r}; send {self.values_in_words}")
        return type(self.default)(value)


COVERAGE_WORTH = Parameter(
    "page.coverage-worth", Layer.PAGE, 1.0, "how much variety of genres and types counts beside relevance", 0.0, 5.0
)
ROW_DISCOUNT = Parameter("page.row-discount", Layer.PAGE, 0.9, "what a row counts against the one above it", 0.5, 1.0)
SAME_KIND_DISCOUNT = Parameter(
    "page.same-kind-discount", Layer.PAGE, 0.6, "what a row counts for each of its kind above it", 0.1, 1.0
)
BASE_RELEVANCE = Parameter(
    "page.base-relevance", Layer.PAGE, 0.35, "what a row counts whatever its titles, of a perfect one's worth", 0.0, 1.0
)
BECAUSE_ROWS = Parameter(
    "page.because-rows", Layer.PAGE, 3, "rows Because you watched at most, and never more than the device allows", 0, 3
)
TOP_PICKS_RANKER = Parameter(
    "top-picks.ranker",
    Layer.RANKING,
    Ranker.BLEND.value,
    "whose order Top picks has",
    choices=tuple(ranker.value for ranker in Ranker),
)
FILM_BONUS = Parameter(
    "hero.film-bonus", Layer.HERO, 1.0, "how much a title that plays goes before better ones that do not", 0.0, 2.0
)

PARAMETERS: Mapping[str, Parameter[int] | Parameter[float] | Parameter[str]] = {
    each.name: each
    for each in (
        COVERAGE_WORTH,
        ROW_DISCOUNT,
        SAME_KIND_DISCOUNT,
        BASE_RELEVANCE,
        BECAUSE_ROWS,
        TOP_PICKS_RANKER,
        FILM_BONUS,
    )
}
"""By name: what `marquee experiments parameters` prints."""
