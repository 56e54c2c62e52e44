"""@inaccessible keys, fields that others require, enum values, members of unions, implementations, arguments."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

USERS: list[dict[str, Any]] = [
    {"__typename": "User", "id": "1", "name": "Ann", "role": "USER", "shoe": 38, "friend": None},
    {"__typename": "User", "id": "2", "name": "Bob", "role": "ADMIN", "shoe": 44, "friend": None},
]
ROBOT: dict[str, Any] = {"__typename": "Robot", "id": "r", "name": "R2"}
USERS[0]["friend"], USERS[1]["friend"] = ROBOT, USERS[0]

FEDERATION = Federation(
    subgraphs={
        "users": """
            type Query {
              users(reverse: Boolean = false @inaccessible): [User!]!
              beings: [Being]!
              found: [Found]
              secret: String @inaccessible
            }
            interface Being { name: String! }
            union Found = User | Robot
            type User implements Being @key(fields: "id") { id: ID! @inaccessible name: String! role: Role friend: Being }
            type Robot implements Being @inaccessible @key(fields: "id") { id: ID! name: String! }
            enum Role { USER ADMIN @inaccessible }
        """,
        "shoes": """
            type User @key(fields: "id") { id: ID! @inaccessible shoe: Int! @inaccessible }
        """,
        "socks": """
            type User @key(fields: "id") {
              id: ID! @inaccessible shoe: Int! @external socks: String! @requires(fields: "shoe")
            }
        """,
    },
    roots={
        "users": lambda **_given: USERS,
        "beings": lambda: [USERS[0], ROBOT, USERS[1]],
        "found": lambda: [ROBOT, USERS[1]],
    },
    find=find_in(*USERS, ROBOT),
    fields={"User.socks": lambda user: f"size {user['shoe']}"},
)
