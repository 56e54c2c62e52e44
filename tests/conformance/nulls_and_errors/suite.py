"""Null and missing entities, resolvers that raise, nulls that move up through lists, mutations in series."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

USERS: list[dict[str, Any]] = [
    {"__typename": "User", "id": "1", "name": "Ann", "mail": "a@x", "age": 30},
    {"__typename": "User", "id": "2", "name": "Bob", "mail": None, "age": None},
]
LOG: list[int] = []


def _fails(_user: dict[str, Any]) -> Any:
    raise ValueError("no luck")


def _add(number: int) -> dict[str, Any]:
    LOG.append(number)
    return {"__typename": "Total", "id": "t", "sum": sum(LOG[-2:]), "user": USERS[0]}


FEDERATION = Federation(
    subgraphs={
        "users": """
            type Query { users: [User] user(id: ID!): User strict: [User!]! broken: String nothing: User }
            type Mutation { reset: Boolean! add(number: Int!): Total }
            type Total @key(fields: "id") { id: ID! sum: Int! user: User! }
            type User @key(fields: "id") { id: ID! name: String! broken: String picky: String! mood: Mood }
            enum Mood { GLAD }
        """,
        "details": """
            type Mutation { note(text: String!): String }
            type User @key(fields: "id") { id: ID! mail: String age: Int! secret: String broke: Int }
        """,
    },
    roots={
        "users": lambda: [*USERS, None],
        "user": lambda **key: next((each for each in USERS if each["id"] == key["id"]), None),
        "strict": lambda: USERS,
        "broken": lambda: _fails({}),
        "nothing": lambda: None,
        "reset": lambda: LOG.clear() or True,
        "add": _add,
        "note": lambda text: f"{text} {len(LOG)}",
    },
    find=lambda _name, key: next((each for each in USERS if each["id"] == key["id"]), None),
    fields={
        "User.broken": _fails,
        "User.picky": lambda user: _fails(user) if user["id"] == "2" else "ok",
        "User.secret": _fails,
        "User.mood": lambda user: "GLAD" if user["id"] == "1" else "ANGRY",
        "User.broke": lambda user: None,
    },
)
