"""@provides: of a type, nested, of members of a union, of an interface; and what is not provided after all."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

MAKER: dict[str, Any] = {"__typename": "Maker", "id": "m", "name": "Acme", "town": "Oulu"}
BOOK: dict[str, Any] = {"__typename": "Book", "id": "b", "title": "Dune", "pages": 600, "maker": MAKER}
FILM: dict[str, Any] = {"__typename": "Film", "id": "f", "title": "Alien", "minutes": 117, "maker": MAKER}

FEDERATION = Federation(
    subgraphs={
        "shop": """
            type Query {
              found: [Found!]! @provides(fields: "... on Book { title } ... on Film { minutes }")
              named: [Named!]! @provides(fields: "maker { name } ... on Book { pages }")
              plain: [Found!]!
              best: Book @provides(fields: "title maker { name }")
            }
            union Found = Book | Film
            interface Named { id: ID! maker: Maker }
            type Book implements Named @key(fields: "id") {
              id: ID! title: String @external pages: Int @external maker: Maker @external
            }
            type Film implements Named @key(fields: "id") {
              id: ID! minutes: Int @external maker: Maker @external
            }
            type Maker @key(fields: "id") { id: ID! name: String @external }
        """,
        "library": """
            type Query { books: [Book!]! }
            type Book @key(fields: "id") {
              id: ID! title: String @shareable pages: Int @shareable maker: Maker @shareable
            }
            type Film @key(fields: "id") { id: ID! title: String @shareable minutes: Int @shareable maker: Maker @shareable }
            type Maker @key(fields: "id") { id: ID! name: String @shareable town: String }
        """,
    },
    roots={
        "found": lambda: [BOOK, FILM],
        "named": lambda: [FILM, BOOK],
        "plain": lambda: [BOOK, FILM],
        "best": lambda: BOOK,
        "books": lambda: [BOOK],
    },
    find=find_in(MAKER, BOOK, FILM),
)
