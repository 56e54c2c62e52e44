"""What the schema's doors are pointed at: for every root field and entity, things of the owner's and of everybody's.

A root field or an entity that is not named here has no target, and the tests say so: a new door must be tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.households import Households
from tests.support.whole_graph import WholeGraph

__all__ = [
    "MISSING",
    "EntityTarget",
    "Target",
    "entity_targets",
    "query_targets",
    "usual_argument",
]

MISSING = "nothing-0000000000"
"""The end of ids that nothing has."""
FEW = 3
DEVICE = {
    "formFactor": "TV",
    "widthPx": 1280,
    "heightPx": 720,
    "supports": [
        "HERO",
        "CONTINUE_WATCHING",
        "BECAUSE_YOU_WATCHED",
        "TOP_PICKS",
        "TRENDING",
        "NEW_RELEASES",
        "POPULAR_IN_COUNTRY",
        "GENRE",
        "MY_LIST",
        "WATCH_AGAIN",
        "COLLECTION",
        "LEAVING_SOON",
    ],
}


@dataclass(frozen=True)
class Target:
    """A root field with its arguments; `missing` are the same with an id that nothing has."""

    field: str
    arguments: Mapping[str, Any]
    missing: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        shown = ", ".join(f"{name}: {json.dumps(value)[:60]}" for name, value in self.arguments.items())
        return f"{self.field}({shown})"


@dataclass(frozen=True)
class EntityTarget:
    """A representation to ask a subgraph for, beside __typename; `required` are the inputs of @requires."""

    subgraph: str
    type_name: str
    id: str
    required: Mapping[str, object]

    @property
    def missing_id(self) -> str:
        """Of the same form, and nothing's."""
        return missing_id(self.id)

    def __str__(self) -> str:
        return f"{self.subgraph}: {self.type_name} {self.id}"


def usual_argument(coordinate: str, name: str) -> str | None:
    """Literals for arguments below the root; None leaves one out."""
    field_name = coordinate.partition(".")[2]
    if field_name.startswith("artwork") or coordinate == "Artwork.inRole":
        return {"role": "POSTER", "widthPx": "200"}.get(name)
    return {"first": str(FEW), "number": "1"}.get(name)


def missing_id(own_id: str) -> str:
    """An id of the same kind that nothing has."""
    return f"{own_id.partition('_')[0]}_{MISSING}"


def query_targets(graph: WholeGraph, households: Households, section_id: str) -> list[Target]:
    """Every root field of Query with everything that it can be pointed at."""
    catalogue = graph.catalogue
    titles = [*_titles(graph), catalogue.trailer, catalogue.adult_trailer]
    adult, series = catalogue.title(catalogue.adult_film), catalogue.title(catalogue.series)
    return [
        *(_by_id("title", title_id) for title_id in titles),
        Target("titlesByIds", {"ids": [*titles, f"mov_{MISSING}"]}),
        Target("titles", {"first": FEW}),
        Target("titles", {"first": FEW, "filter": {"kind": "EPISODE"}}),
        Target("genres", {}),
        *(_by_id("genre", genre.id) for genre in adult.genres[:1]),
        *(
            Target(field, {"query": text, "first": FEW})
            for title in (adult, series)
            for field, text in (("search", title.display_name), ("searchSuggestions", title.display_name[:6]))
        ),
        Target("page", {"kind": "HOME", "device": DEVICE}),
        Target("page", {"kind": "GENRE", "device": DEVICE, "genreId": adult.genres[0].id}),
        Target("page", {"kind": "MORE_LIKE_THIS", "device": DEVICE, "titleId": catalogue.film}),
        _by_id("section", section_id),
        _by_id("playbackSession", households.session_id),
        Target("viewer", {}),
        Target("titleFacets", {}),
        Target("comingSoon", {"days": 30, "first": FEW}),
        _by_id("person", adult.credits[0].person.id),
        _by_id("catalogueEntry", catalogue.adult_film),
        Target("auditLog", {"first": FEW}),
        Target("collections", {}),
        Target("experiments", {}),
        Target("onboarding", {}),
        Target("planChange", {"plan": "BASIC"}),
        Target("erasureCertificate", {"id": f"ers_{MISSING}"}),
        Target("plans", {}),
    ]


def entity_targets(graph: WholeGraph, households: Households, doors: Sequence[str]) -> list[EntityTarget]:
    """Every entity door with the owner's things and with titles for everybody and for adults.

    Raises KeyError for a door that has no target.
    """
    catalogue, owner = graph.catalogue, households.owner
    adult, episode = catalogue.title(catalogue.adult_film), catalogue.title(_titles(graph)[-1])
    movies = [catalogue.film, catalogue.adult_film]
    ids: dict[str, list[str]] = {
        "Account": [owner.account_id],
        "Profile": [owner.profile_id],
        "Title": [*movies, catalogue.series, catalogue.adult_series],
        "Movie": movies,
        "Series": [catalogue.series, catalogue.adult_series],
        "Episode": [episode.id],
        "Video": [catalogue.trailer, catalogue.adult_trailer],
        "Season": [str(episode.season_id), catalogue.seasons[0].id],
        "Genre": [adult.genres[0].id],
        "Person": [adult.credits[0].person.id],
        "Artwork": [f"{title_id}~POSTER~main~240x360~WEBP" for title_id in movies],
    }
    required = {
        "certificate": {"minimumAge": 0},
        "availability": {"isAvailable": True},
        "mediaStatus": "READY",
    }
    targets = []
    for door in doors:
        subgraph, _, type_name = door.partition(": ")
        inputs = required if (subgraph, type_name) == ("playback", "Title") else {}
        targets += [EntityTarget(subgraph, type_name, own_id, inputs) for own_id in ids[type_name]]
    return targets


def _titles(graph: WholeGraph) -> list[str]:
    """One of each kind for everybody, and one of each kind for adults."""
    catalogue = graph.catalogue
    episode = next(title.id for title in catalogue.titles if title.series_id == catalogue.adult_series)
    return [catalogue.film, catalogue.series, catalogue.adult_film, catalogue.adult_series, episode]


def _by_id(field_name: str, own_id: str) -> Target:
    return Target(field_name, {"id": own_id}, {"id": missing_id(own_id)})
