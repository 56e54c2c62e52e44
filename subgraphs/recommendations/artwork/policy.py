"""A policy: from a context and a title's variants to the probability of each. Nothing is drawn here.

**Idea.** How much more a variant is opened than a title's others is estimated as a sum: weights of its palette and of
its composition, each added up over what is known of the viewer (a constant, the role that the device wants, genre
affinities), and what was seen of this very variant. Estimates are relative: 0.1 is a tenth more than on average. The
probability is the variant's given share times exp(SHARPNESS x estimate), made to add up to 1, mixed with EXPLORATION
of the given shares.

**Invariants** (`tests/subgraphs/recommendations/artwork/test_policy.py`): probabilities add up to 1; a variant of share
0 has none, every other at least EXPLORATION times its share, so that what is logged can be weighed; with nothing
learned they are the shares.

**Limits.** Linear in the context; a title's neighbours on the page count for nothing. Known from practice: Netflix,
"Artwork Personalization" (2017); for propensities and their floor, Saito et al., Open Bandit Dataset (2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from subgraphs.recommendations.domain.artwork_choice import ArtworkContext
from subgraphs.recommendations.domain.artwork_looks import ArtworkTable
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS, ArtworkRole
from subgraphs.recommendations.models.archive import ModelUnreadable, opened_archive, write_archive

__all__ = [
    "EXPLORATION",
    "ArtworkPolicy",
    "PlacedPolicy",
    "context_row",
    "no_policy",
    "place_policy",
    "propensities",
    "propensities_of_rows",
    "read_policy",
    "write_policy",
]

EXPLORATION = 0.05
"""The part of all choices that is left to the given shares: one in twenty, so that no weight in an estimate from the
log is larger than 60."""
SHARPNESS = 25.0
"""A variant that is opened a tenth more gets twelve times the probability: by simulation (docs/artwork.md)."""
MAX_EXPONENT = 50.0
CONSTANT, POSTER = "constant", "poster"
"""The first two parts of a context; genres follow."""
FORMAT = 1

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32] | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ArtworkPolicy:
    """What was learned: `weights[context, feature]` over both names, `own[title, variant]` the surplus of a variant."""

    id: str
    contexts: tuple[str, ...]
    features: tuple[str, ...]
    weights: Doubles
    title_ids: tuple[str, ...]
    own: Doubles


def no_policy() -> ArtworkPolicy:
    """Nothing learned: every variant in its given share."""
    return ArtworkPolicy("", (CONSTANT, POSTER), (), np.zeros((2, 0)), (), np.zeros((0, len(VARIANTS))))


@dataclass(frozen=True, slots=True)
class PlacedPolicy:
    """A policy over one catalogue: `weights[context, feature]` and `own[title, variant]` in the table's places."""

    id: str
    table: ArtworkTable
    genre_places: Mapping[str, int] = field(repr=False)
    weights: Doubles
    own: npt.NDArray[np.float32]


def place_policy(policy: ArtworkPolicy, table: ArtworkTable, index_by_id: Mapping[str, int]) -> PlacedPolicy:
    """Features and titles that it does not know count for nothing."""
    known = {name: place for place, name in enumerate(policy.features)}
    weights = np.zeros((len(policy.contexts), len(table.names)))
    for place, name in enumerate(table.names):
        if name in known:
            weights[:, place] = policy.weights[:, known[name]]
    own = np.zeros((len(table.seeds), len(VARIANTS)), np.float32)
    places = np.fromiter((index_by_id.get(each, -1) for each in policy.title_ids), np.int64, len(policy.title_ids))
    own[places[places >= 0]] = policy.own[places >= 0]
    genres = {name: place for place, name in enumerate(policy.contexts) if place >= 2}
    return PlacedPolicy(policy.id, table, genres, weights, own)


def context_row(context: ArtworkContext, role: ArtworkRole, genre_places: Mapping[str, int], size: int) -> Doubles:
    """The context in numbers, `size` of them: the constant, whether posters are wanted, and the genres' affinities."""
    row = np.zeros(size)
    row[0], row[1] = 1.0, float(role is ArtworkRole.POSTER)
    for genre_id, affinity in context.genres.items():
        place = genre_places.get(genre_id)
        if place is not None:
            row[place] = affinity
    return row


def propensities(placed: PlacedPolicy, context: ArtworkContext, role: ArtworkRole, titles: Places) -> Doubles:
    """[title, variant]: how probable each variant is for this context; rows add up to 1."""
    tastes = context_row(context, role, placed.genre_places, len(placed.weights)) @ placed.weights
    estimates = placed.own[titles].astype(np.float64)
    if len(tastes):
        features = placed.table.features[titles]
        for part in range(features.shape[2]):
            # By hand: adding up along so short an axis takes several times as long.
            estimates += tastes[features[:, :, part]]
    return shares_to_propensities(placed.table.shares[titles], estimates)


def propensities_of_rows(placed: PlacedPolicy, contexts: Doubles, titles: Places) -> Doubles:
    """[row, variant]: the same for one context and one title a row; `contexts` over the policy's own parts."""
    estimates = placed.own[titles].astype(np.float64)
    if placed.weights.size:
        rows = np.arange(len(titles))[:, None, None]
        estimates += (contexts @ placed.weights)[rows, placed.table.features[titles]].sum(axis=2)
    return shares_to_propensities(placed.table.shares[titles], estimates)


def shares_to_propensities(shares: Doubles, estimates: Doubles) -> Doubles:
    """The mixture that is described above; shares add up to 1 in every row."""
    # Against the best that may be shown: nothing is above 0 but what may not be, and no exponent overflows.
    best = np.where(shares > 0, estimates, -np.inf).max(axis=1, keepdims=True)
    drawn_to = shares * np.exp(np.clip(SHARPNESS * (estimates - best), -MAX_EXPONENT, 0.0))
    drawn_to /= drawn_to.sum(axis=1, keepdims=True)
    return np.asarray((1 - EXPLORATION) * drawn_to + EXPLORATION * shares, np.float64)


def write_policy(policy: ArtworkPolicy) -> bytes:
    """As an archive."""
    about = {
        "id": policy.id,
        "contexts": policy.contexts,
        "features": policy.features,
        "title_ids": policy.title_ids,
        "variants": VARIANTS,
    }
    return write_archive(FORMAT, about, {"weights": policy.weights, "own": policy.own.astype(np.float32)})


def read_policy(content: bytes) -> ArtworkPolicy:
    """What write_policy wrote; raises ModelUnreadable for anything else."""
    with opened_archive(content, "policy of artwork", FORMAT) as (about, arrays):
        contexts, features, title_ids = (tuple(map(str, about[name])) for name in ("contexts", "features", "title_ids"))
        weights, own = arrays["weights"].astype(np.float64), arrays["own"].astype(np.float64)
        if tuple(about["variants"]) != VARIANTS:
            raise ModelUnreadable(f"it is for the variants {about['variants']}; wanted {list(VARIANTS)}")
        if weights.shape != (len(contexts), len(features)) or own.shape != (len(title_ids), len(VARIANTS)):
            raise ModelUnreadable(f"weights are {weights.shape}, own effects {own.shape}")
        if not (np.isfinite(weights).all() and np.isfinite(own).all()):
            raise ModelUnreadable("a weight is no number")
        return ArtworkPolicy(str(about["id"]), contexts, features, weights, title_ids, own)
