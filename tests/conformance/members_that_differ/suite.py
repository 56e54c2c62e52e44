"""Unions and interfaces that have other members in each subgraph, and fields that only some of them know."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

BOOK: dict[str, Any] = {"__typename": "Book", "id": "b", "title": "Dune", "pages": 600, "price": 9}
FILM: dict[str, Any] = {"__typename": "Film", "id": "f", "title": "Alien", "minutes": 117, "price": 5}
SONG: dict[str, Any] = {"__typename": "Song", "id": "s", "title": "Hello", "seconds": 200, "price": 1}

FEDERATION = Federation(
    subgraphs={
        "library": """
            type Query { read: [Thing!]! works: [Work!]! }
            union Thing = Book | Film
            interface Work { title: String! }
            type Book implements Work @key(fields: "id") { id: ID! title: String! pages: Int! }
            type Film implements Work @key(fields: "id") { id: ID! title: String! @shareable }
        """,
        "radio": """
            type Query { heard: [Thing!]! played: [Work!]! }
            union Thing = Song | Film
            interface Work { title: String! price: Int! }
            type Song implements Work @key(fields: "id") { id: ID! title: String! seconds: Int! price: Int! @shareable }
            type Film implements Work @key(fields: "id") { id: ID! title: String! @shareable minutes: Int! price: Int! @shareable }
        """,
        "shop": """
            type Query { sold: [Thing!]! }
            union Thing = Book | Song | Film
            interface Work { price: Int! }
            type Book implements Work @key(fields: "id") { id: ID! price: Int! }
            type Song implements Work @key(fields: "id") { id: ID! price: Int! @shareable }
            type Film implements Work @key(fields: "id") { id: ID! price: Int! @shareable }
        """,
    },
    roots={
        "read": lambda: [BOOK, FILM],
        "works": lambda: [FILM, BOOK],
        "heard": lambda: [SONG, FILM],
        "played": lambda: [SONG, FILM],
        "sold": lambda: [SONG, BOOK, FILM],
    },
    find=find_in(BOOK, FILM, SONG),
)
