"""Root types of other names, and extensions of everything that can be extended, in one document and over several."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

FILMS: list[dict[str, Any]] = [
    {"__typename": "Film", "id": "1", "title": "Up", "year": 2009, "rating": 8, "kind": "LONG"},
    {"__typename": "Film", "id": "2", "title": "Luxo", "year": 1986, "rating": 7, "kind": "SHORT"},
]
PERSON: dict[str, Any] = {"__typename": "Person", "id": "p", "title": "Dr", "year": 1970, "best": FILMS[0]}

FEDERATION = Federation(
    subgraphs={
        "films": """
            schema { query: Root mutation: Change }
            type Root { films: [Film!]! }
            extend type Root { film(id: ID!): Film search(by: Wish): [Anything!]! }
            type Change { rate(id: ID!, rating: Int!): Film }
            type Film @key(fields: "id") { id: ID! title: String! }
            extend type Film implements Named { year: Int! kind: Kind }
            interface Named { title: String! }
            extend interface Named { year: Int! }
            enum Kind { SHORT }
            extend enum Kind { LONG }
            type Person implements Named { title: String! year: Int! best: Film }
            union Anything = Film
            extend union Anything = Person
            input Wish { title: String }
            extend input Wish { year: Int = 1970 }
            scalar Url
            extend scalar Url @tag(name: "text")
        """,
        "ratings": """
            schema { query: Everything }
            type Everything { best: Film }
            extend type Film @key(fields: "id") { id: ID! rating: Int! }
        """,
        "plain": """
            extend type Query { ping: String! }
            extend type Mutation { pong: String! }
        """,
    },
    roots={
        "films": lambda: FILMS,
        "film": lambda **key: next((each for each in FILMS if each["id"] == key["id"]), None),
        "search": lambda by: [each for each in (*FILMS, PERSON) if each["year"] == by["year"]],
        "rate": lambda rating, **key: {**_film(key["id"]), "rated": rating},
        "best": lambda: FILMS[0],
        "ping": lambda: "pong",
        "pong": lambda: "ping",
    },
    find=find_in(*FILMS),
)


def _film(key: str) -> dict[str, Any]:
    return next(each for each in FILMS if each["id"] == key)
