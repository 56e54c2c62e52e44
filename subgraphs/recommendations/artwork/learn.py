"""The next policy, from what was shown and whether it was opened.

**Problem.** How much a title is opened depends mostly on the title, and pages show what is liked; only the difference
that its picture makes is wanted, from choices that an earlier policy made with known probabilities.

**Idea.** What an opening says of a variant is taken relative to what was expected of the choice: its features minus
their mean under the probabilities of that choice, against the opening minus the title's own rate. Whatever else
moved the opening is unrelated to that difference, as the draw was; a wrong rate makes the estimate less sure and puts
no popularity into it (action-centred learning: Greenewald and others, 2017). Effects are parts of the title's rate.
Weights are ridge regression on these differences; what is left over is what a title's very variant is worth, drawn to
0 where little was seen.

**Invariants.** The same decisions in any order give the same policy but for rounding. A policy belongs to nobody: sums
over all profiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.artwork.policy import CONSTANT, POSTER, ArtworkPolicy, Doubles, context_row
from subgraphs.recommendations.domain.artwork_choice import ArtworkDecision
from subgraphs.recommendations.domain.artwork_looks import ArtworkTable
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS

__all__ = ["MAX_GENRES", "RATE_PRIOR", "Observations", "gather", "learn_policy", "title_rates"]

MAX_GENRES = 16
"""Of a context: those that most profiles are drawn to. Weights grow with their number, what is known of each falls."""
EFFECT_SD = 0.25
"""How far weights are expected from 0, as a part of a title's rate: before anything was seen, and for little of it."""
OWN_SD = 0.2
RATE_PRIOR = 20.0
"""A title's rate is trusted as much as the mean of all after so many showings."""
CHUNK = 10_000
"""Decisions at a time: a row has some 400 numbers."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Observations:
    """Decisions as columns: `titles` are places in the table, `chances[decision, variant]` what was logged.

    `contexts[decision, context]` over `context_names`; `profiles` number whose decisions belong together.
    """

    context_names: tuple[str, ...]
    titles: Integers
    contexts: Doubles
    chances: Doubles
    chosen: Integers
    opened: Doubles
    profiles: Integers

    def __len__(self) -> int:
        return len(self.titles)

    def part(self, kept: npt.NDArray[np.bool_]) -> Observations:
        """Those of the mask."""
        return Observations(
            self.context_names,
            self.titles[kept],
            self.contexts[kept],
            self.chances[kept],
            self.chosen[kept],
            self.opened[kept],
            self.profiles[kept],
        )

    @property
    def logged(self) -> Doubles:
        """The probability of what was chosen."""
        return np.asarray(self.chances[np.arange(len(self)), self.chosen], np.float64)


def gather(
    decisions: Sequence[ArtworkDecision], index_by_id: Mapping[str, int], context_names: Sequence[str] | None = None
) -> Observations:
    """Decisions on titles that are still there; contexts over the given names, else over those that are most common."""
    kept = [each for each in decisions if each.title_id in index_by_id]
    names = (CONSTANT, POSTER, *_common_genres(kept)) if context_names is None else tuple(context_names)
    genre_places = {genre_id: place for place, genre_id in enumerate(names) if place >= 2}
    profiles: dict[str, int] = {}
    contexts = np.zeros((len(kept), len(names)))
    for row, each in enumerate(kept):
        contexts[row] = context_row(each.shown.context, each.shown.role, genre_places, len(names))
        profiles.setdefault(each.profile_id, len(profiles))
    return Observations(
        names,
        np.array([index_by_id[each.title_id] for each in kept], np.int64),
        contexts,
        np.array([each.shown.propensities for each in kept], np.float64).reshape(len(kept), len(VARIANTS)),
        np.array([VARIANTS.index(each.shown.variant) for each in kept], np.int64),
        np.array([each.is_opened for each in kept], np.float64),
        np.array([profiles[each.profile_id] for each in kept], np.int64),
    )


def _common_genres(decisions: Iterable[ArtworkDecision]) -> list[str]:
    counts: Counter[str] = Counter()
    for each in decisions:
        counts.update(each.shown.context.genres.keys())
    return [genre_id for genre_id, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_GENRES]]


def title_rates(seen: Observations, size: int) -> Doubles:
    """How often each of `size` titles is opened, whatever its picture; near the mean of all where little is known."""
    shown = np.bincount(seen.titles, minlength=size)
    opened = np.bincount(seen.titles, seen.opened, minlength=size)
    mean = float(seen.opened.mean()) if len(seen) else 0.0
    return np.asarray((opened + RATE_PRIOR * mean) / (shown + RATE_PRIOR), np.float64)


def learn_policy(version_id: str, seen: Observations, table: ArtworkTable, title_ids: Sequence[str]) -> ArtworkPolicy:
    """From all observations; `title_ids` in the table's order. With nothing opened it prefers nothing."""
    rate = float(seen.opened.mean()) if len(seen) else 0.0
    shape = (len(seen.context_names), len(table.names))
    if rate <= 0.0 or rate >= 1.0:
        return ArtworkPolicy(
            version_id, seen.context_names, table.names, np.zeros(shape), (), np.zeros((0, len(VARIANTS)))
        )
    scale = _Scale.of(seen, len(title_ids))
    weights = _fit_weights(seen, table, scale)
    rest = scale.surplus - scale.effect * _explained(seen, table, weights)
    known, own = _own_effects(seen, scale, rest, len(title_ids))
    return ArtworkPolicy(
        version_id,
        seen.context_names,
        table.names,
        weights,
        tuple(title_ids[index] for index in known.tolist()),
        own,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Openings in units of their noise: `surplus` over the title's rate, and what an effect of 1 adds to it.

    A picture that is opened a tenth more adds much to a popular title's rate and little to another's, and the noise
    grows with the rate too: in these units all say the same of an effect.
    """

    surplus: Doubles
    effect: Doubles

    @classmethod
    def of(cls, seen: Observations, title_count: int) -> _Scale:
        rates = title_rates(seen, title_count)[seen.titles]
        noise = np.sqrt(rates * (1 - rates))
        return cls((seen.opened - rates) / noise, rates / noise)


def _centred_features(seen: Observations, table: ArtworkTable) -> Doubles:
    """[decision, feature]: the features of what was chosen, minus their mean under the probabilities."""
    count = len(seen)
    centred = np.zeros((count, len(table.names)))
    rows = np.arange(count)
    signs = -seen.chances
    signs[rows, seen.chosen] += 1.0
    features = table.features[seen.titles]
    for variant in range(len(VARIANTS)):
        for part in range(features.shape[2]):
            # A feature that two variants share adds up: no two of these assignments of one row are lost.
            centred[rows, features[:, variant, part]] += signs[:, variant]
    return centred


def _fit_weights(seen: Observations, table: ArtworkTable, scale: _Scale) -> Doubles:
    shape = (len(seen.context_names), len(table.names))
    size = shape[0] * shape[1]
    squares, products = np.zeros((size, size)), np.zeros(size)
    for start in range(0, len(seen), CHUNK):
        rows = np.zeros(len(seen), np.bool_)
        rows[start : start + CHUNK] = True
        part = seen.part(rows)
        centred = _centred_features(part, table) * scale.effect[rows, None]
        crossed = (part.contexts[:, :, None] * centred[:, None, :]).reshape(len(part), size)
        squares += crossed.T @ crossed
        products += crossed.T @ scale.surplus[rows]
    squares[np.diag_indices(size)] += EFFECT_SD**-2
    return np.asarray(np.linalg.solve(squares, products).reshape(shape), np.float64) if size else np.zeros(shape)


def _explained(seen: Observations, table: ArtworkTable, weights: Doubles) -> Doubles:
    tastes = seen.contexts @ weights
    rows = np.arange(len(seen))[:, None, None]
    effects = tastes[rows, table.features[seen.titles]].sum(axis=2) if len(table.names) else np.zeros_like(seen.chances)
    chosen = effects[np.arange(len(seen)), seen.chosen]
    return np.asarray(chosen - (seen.chances * effects).sum(axis=1), np.float64)


def _own_effects(seen: Observations, scale: _Scale, rest: Doubles, size: int) -> tuple[Integers, Doubles]:
    """Of every title that was shown: one regression a variant, on whether it was chosen."""
    differences = -seen.chances
    differences[np.arange(len(seen)), seen.chosen] += 1.0
    differences *= scale.effect[:, None]
    own = np.zeros((size, len(VARIANTS)))
    for variant in range(len(VARIANTS)):
        products = np.bincount(seen.titles, differences[:, variant] * rest, minlength=size)
        squares = np.bincount(seen.titles, differences[:, variant] ** 2, minlength=size)
        own[:, variant] = products / (squares + OWN_SD**-2)
    known = np.unique(seen.titles)
    return known, own[known]
