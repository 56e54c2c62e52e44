"""What others are told of a profile's taste: few genres, people and titles with how much it is drawn to each, 0 to 1.

Enough to order titles by that are found by other means, as a search finds them; not what the profile watched. Titles
are those that the models would recommend, none that it knows; what the profile refused is among them with 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from subgraphs.recommendations.domain.catalogue import Catalogue, FloatArray
from subgraphs.recommendations.domain.taste import Signals

__all__ = ["MAX_GENRES", "MAX_PEOPLE", "MAX_TITLES", "ToldTaste", "told_taste"]

MAX_GENRES, MAX_PEOPLE, MAX_TITLES = 20, 50, 100
PRIOR_WORKS = 3.0
"""Works that everybody is taken to have liked, of genres as the catalogue has them: one comedy makes nobody a fan."""
KNOWN_CAST = 5
"""By billing: whom a film is watched for."""


@dataclass(frozen=True, slots=True)
class ToldTaste:
    """Genres by id, people by name, titles by id; the strongest first."""

    genres: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    titles: Mapping[str, float] = field(default_factory=dict)


def told_taste(catalogue: Catalogue, signals: Signals, scores: FloatArray | None) -> ToldTaste:
    """`scores` are the models' for every title of the catalogue; None where they know nothing of the profile."""
    liked = {work: weight for work, weight in signals.weights.items() if weight > 0 and work not in signals.refused}
    refused = sorted(catalogue.records[work].id for work in signals.refused)[:MAX_TITLES]
    best = _best_titles(catalogue, signals, scores) if scores is not None else {}
    return ToldTaste(
        genres=_strongest(_genres(catalogue, liked), MAX_GENRES),
        people=_strongest(_people(catalogue, liked), MAX_PEOPLE),
        titles={**best, **dict.fromkeys(refused, 0.0)},
    )


def _best_titles(catalogue: Catalogue, signals: Signals, scores: FloatArray) -> dict[str, float]:
    wanted = np.where(catalogue.is_listable, scores, np.float32(0.0))
    wanted[[*signals.refused, *signals.weights]] = 0.0
    count = min(MAX_TITLES, len(wanted))
    places = np.argpartition(-wanted, count - 1)[:count] if count else np.zeros(0, np.int64)
    order = places[np.lexsort((places, -wanted[places]))]
    return {catalogue.records[place].id: round(float(wanted[place]), 3) for place in order if wanted[place] > 0}


def _genres(catalogue: Catalogue, liked: Mapping[int, float]) -> dict[str, float]:
    """How much more often a genre was liked than the catalogue has it: 0 as often or less, near 1 far more often."""
    if not liked:
        return {}
    listable = max(1, int(catalogue.is_listable.sum()))
    found: dict[str, float] = defaultdict(float)
    for work, weight in liked.items():
        for genre_id, _ in catalogue.records[work].genres:
            found[genre_id] += weight
    total = sum(liked.values())
    weights: dict[str, float] = {}
    for genre_id, weight in found.items():
        genre = catalogue.genres_by_id.get(genre_id)
        usual = (len(genre.members) if genre is not None else 0) / listable
        share = (weight + PRIOR_WORKS * usual) / (total + PRIOR_WORKS)
        weights[genre_id] = max(0.0, (share - usual) / (share + usual)) if share + usual > 0 else 0.0
    return weights


def _people(catalogue: Catalogue, liked: Mapping[int, float]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for work, weight in liked.items():
        record = catalogue.records[work]
        for name in dict.fromkeys((*record.cast[:KNOWN_CAST], *record.directors)):
            found[name] += weight
    # Feeds have credits without a name, who are nobody.
    found.pop("", None)
    return {name: weight / (weight + 1.0) for name, weight in found.items()}


def _strongest(weights: Mapping[str, float], most: int) -> dict[str, float]:
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return {name: round(weight, 3) for name, weight in ranked[:most] if round(weight, 3) > 0}
