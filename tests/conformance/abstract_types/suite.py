"""Interfaces and unions whose members and fields are spread over subgraphs, in lists of lists and below each other."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

MEDIA: list[dict[str, Any]] = [
    {"__typename": "Book", "id": "b1", "title": "Dune", "pages": 600, "price": 10, "rank": 1, "sizes": [[1, 2], []]},
    {"__typename": "Film", "id": "f1", "title": "Alien", "minutes": 117, "price": 5, "rank": 2, "cut": "B1"},
    {"__typename": "Song", "id": "s1", "title": "Hello", "seconds": 200, "price": 1, "rank": 3},
]
BY_ID = {each["id"]: each for each in MEDIA}
MEDIA[0]["next"], MEDIA[1]["next"], MEDIA[2]["next"] = MEDIA[1], MEDIA[2], None


def _find(_name: str, key: dict[str, Any]) -> dict[str, Any] | None:
    return BY_ID.get(key["id"])


FEDERATION = Federation(
    subgraphs={
        "library": """
            type Query { media: [Media!]! shelves: [[Media]] found(text: String!): [Found!]! one(id: ID!): Media }
            interface Media { id: ID! title: String! next: Media }
            type Book implements Media @key(fields: "id") { id: ID! title: String! next: Media pages: Int! }
            type Film implements Media @key(fields: "id") { id: ID! title: String! next: Media }
            type Song implements Media @key(fields: "id") { id: ID! title: String! next: Media seconds: Int! }
            union Found = Book | Film | Song
        """,
        "shop": """
            type Query { offers: [Priced!]! }
            interface Priced { id: ID! price: Int! }
            type Book implements Priced @key(fields: "id") { id: ID! price: Int! rank: Int! sizes: [[Int!]!] }
            type Film implements Priced @key(fields: "id") { id: ID! price: Int! rank: Int! minutes: Int! cut: Cut }
            type Song @key(fields: "id") { id: ID! price: Int! }
            enum Cut { B1 B2 @inaccessible }
        """,
    },
    roots={
        "media": lambda: MEDIA,
        "shelves": lambda: [[MEDIA[0], None], None, [MEDIA[2], MEDIA[1], MEDIA[0]], []],
        "found": lambda text: [each for each in MEDIA if text in each["title"]],
        "one": lambda **key: BY_ID.get(key["id"]),
        "offers": lambda: MEDIA[:2],
    },
    find=_find,
)
