"""An interface entity whose implementations one subgraph knows, and fields that others add to it as interface objects."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

TITLES: list[dict[str, Any]] = [
    {"__typename": "Movie", "id": "m1", "name": "Up", "minutes": 96, "age": 0, "score": 0.9},
    {"__typename": "Series", "id": "s1", "name": "Dark", "seasons": 3, "age": 16, "score": 0.8},
]
BY_ID = {each["id"]: each for each in TITLES}

FEDERATION = Federation(
    subgraphs={
        "titles": """
            type Query { titles: [Title!]! title(id: ID!): Title }
            interface Title @key(fields: "id") { id: ID! name: String! age: Int! }
            type Movie implements Title @key(fields: "id") { id: ID! name: String! age: Int! minutes: Int! }
            type Series implements Title @key(fields: "id") { id: ID! name: String! age: Int! seasons: Int! }
        """,
        "playback": """
            type Query { continueWatching: [Title!]! }
            type Title @key(fields: "id") @interfaceObject {
              id: ID! age: Int! @external canPlay: Boolean! @requires(fields: "age") progress: Int
            }
        """,
        "recommendations": """
            type Query { forYou: [Title!]! }
            type Title @key(fields: "id") @interfaceObject { id: ID! match: Float similar: [Title!]! }
        """,
    },
    roots={
        "titles": lambda: TITLES,
        "title": lambda **key: BY_ID.get(key["id"]),
        "continueWatching": lambda: TITLES[1:],
        "forYou": lambda: TITLES,
    },
    find=lambda _name, key: BY_ID.get(key["id"]),
    fields={
        **{
            f"{name}.{key}": value
            for name in ("Title", "Movie", "Series")
            for key, value in {
                "canPlay": lambda title: title["age"] < 12,
                "progress": lambda title: 7 if title["id"] == "s1" else None,
                "match": lambda title: title.get("score", BY_ID[title["id"]]["score"]),
                "similar": lambda title: [each for each in TITLES if each["id"] != title["id"]],
            }.items()
        },
    },
)
