"""Root fields that several subgraphs answer: one is enough, or each gives its part."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

ANN: dict[str, Any] = {
    "__typename": "User",
    "id": "u",
    "name": "Ann",
    "age": 30,
    "cart": {"__typename": "Cart", "size": 2},
}
STATUS: dict[str, Any] = {"__typename": "Status", "up": True, "load": 3, "queue": 9}

FEDERATION = Federation(
    subgraphs={
        "a": """
            type Query { me: User @shareable status: Status! @shareable count(of: Int = 1): Int! @shareable }
            type User @key(fields: "id") { id: ID! name: String! }
            type Status @shareable { up: Boolean! load: Int! }
        """,
        "b": """
            type Query { me: User @shareable status: Status! @shareable count(of: Int = 1): Int! @shareable }
            type User @key(fields: "id") { id: ID! age: Int }
            type Status @shareable { up: Boolean! queue: Int! }
        """,
        "c": """
            type Query { me: User @shareable only: Int }
            type User @key(fields: "id") { id: ID! cart: Cart }
            type Cart { size: Int! }
        """,
    },
    roots={"me": lambda: ANN, "status": lambda: STATUS, "count": lambda of=1: of, "only": lambda: 1},
    find=find_in(ANN),
)
