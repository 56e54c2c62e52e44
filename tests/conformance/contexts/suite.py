"""Arguments filled from contexts: per list item, through entities that several places share, nested, by type, null.

Clients of one server that holds everything do not send these arguments either, so there the objects carry down what the
nearest profile or row above them sets; subgraphs get bare objects by key and have to be told.
"""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

LANGUAGES: dict[str, str | None] = {"p1": "en", "p2": "fr", "p3": "en", "p4": None}
FRIENDS = {"p1": "p2", "p2": "p1", "p3": "p3", "p4": "p1"}
CARRIED = ("_viewer", "_shelf", "_region")


def _below(above: dict[str, Any], **own: Any) -> dict[str, Any]:
    """An object that knows what stands above it."""
    return {**{key: above[key] for key in CARRIED if key in above}, **own}


def _profile(above: dict[str, Any], key: str) -> dict[str, Any]:
    return _below(above, __typename="Profile", id=key)


def _film(above: dict[str, Any], key: str) -> dict[str, Any]:
    if above["__typename"] == "Profile":
        above = {**above, "_viewer": above["id"]}
    return _below(above, __typename="Film", id=key)


def _box(profile: dict[str, Any]) -> dict[str, Any]:
    return _below({**profile, "_viewer": profile["id"]}, __typename="Box", id="b1")


def _shelf(kind: str, number: int) -> dict[str, Any]:
    return {"__typename": kind, "id": f"{kind}{number}", "_shelf": f"{kind}-style-{number}"}


def _title(film: dict[str, Any], **given: Any) -> str:
    language = given.pop("language") if "language" in given else LANGUAGES[film["_viewer"]]
    return f"{film['id']} in {language} {given}"


def _tagged(film: dict[str, Any], tags: list[str] | None = None) -> str:
    return " ".join(tags if tags is not None else _tags(film["_viewer"]))


def _tags(profile: str) -> list[str]:
    return [f"{profile}-a", f"{profile}-b"]


FEDERATION = Federation(
    subgraphs={
        "profiles": """
            type Query { profiles: [Profile!]! profile(id: ID!): Profile }
            type Profile @key(fields: "id") { id: ID! language: String box: Box! friend: Profile! }
            type Box @key(fields: "id") { id: ID! }
        """,
        "films": """
            type Query { shelves: [Shelf!]! }
            type Profile @key(fields: "id") @context(name: "viewer") {
              id: ID! language: String @external region: Region! best: Film! seen(first: Int = 2): [Film!]!
            }
            type Region @shareable { tags: [Tag!]! }
            type Tag @shareable { name: String! }
            type Box @key(fields: "id") { id: ID! film: Film! inner: Inner! }
            type Inner { film: Film! }
            type Film @key(fields: "id") {
              id: ID!
              title(language: String @fromContext(field: "$viewer { language }"), short: Boolean): String
              tagged(tags: [String] @fromContext(field: "$viewer { region { tags { name } } }")): String
              kind(of: String @fromContext(field: "$viewer { __typename }")): String
              plain: String
              next: Film!
            }
            union Shelf = Row | Banner | Plain
            type Row @context(name: "shelf") { id: ID! rowStyle: String! cards: [Card!]! }
            type Banner @context(name: "shelf") { id: ID! bannerStyle: String! card: Card! }
            type Plain { id: ID! }
            type Card @key(fields: "id") {
              id: ID!
              style(style: String @fromContext(
                field: "$shelf { ... on Row { rowStyle } ... on Banner { bannerStyle } }")): String
            }
        """,
    },
    roots={
        "profiles": lambda: [{"__typename": "Profile", "id": key} for key in LANGUAGES],
        "profile": lambda **key: {"__typename": "Profile", "id": key["id"]} if key["id"] in LANGUAGES else None,
        "shelves": lambda: [
            _shelf("Row", 1),
            _shelf("Banner", 2),
            {"__typename": "Plain", "id": "x"},
            _shelf("Row", 3),
        ],
    },
    find=lambda name, key: {"__typename": name, **key},
    fields={
        "Profile.language": lambda profile: LANGUAGES[profile["id"]],
        "Profile.box": _box,
        "Profile.friend": lambda profile: _profile(profile, FRIENDS[profile["id"]]),
        "Profile.region": lambda profile: {
            "__typename": "Region",
            "tags": [{"__typename": "Tag", "name": name} for name in _tags(profile["id"])],
        },
        "Profile.best": lambda profile: _film(profile, "f1"),
        "Profile.seen": lambda profile, first: [_film(profile, f"f{number}") for number in range(1, first + 1)],
        "Box.film": lambda box: _film(box, "f7"),
        "Box.inner": lambda box: _below(box, __typename="Inner"),
        "Inner.film": lambda inner: _film(inner, "f8"),
        "Film.title": _title,
        "Film.tagged": _tagged,
        "Film.kind": lambda film, of="Profile": of,
        "Film.plain": lambda film: f"plain {film['id']}",
        "Film.next": lambda film: _film(film, f"{film['id']}n"),
        "Row.rowStyle": lambda row: row["_shelf"],
        "Banner.bannerStyle": lambda banner: banner["_shelf"],
        "Row.cards": lambda row: [_below(row, __typename="Card", id=key) for key in ("c1", "c2")],
        "Banner.card": lambda banner: _below(banner, __typename="Card", id="c1"),
        "Card.style": lambda card, style=None: f"{card['id']} {style or card['_shelf']}",
    },
)
