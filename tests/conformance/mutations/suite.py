"""Root fields of mutations one after the other, whoever answers them, and what is asked of others below them."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation


def _order(**key: Any) -> dict[str, Any]:
    return {"__typename": "Order", "id": key["id"], "total": 10, "state": f"{key['id']} sent"}


FEDERATION = Federation(
    subgraphs={
        "orders": """
            type Query { order(id: ID!): Order }
            type Mutation { place(id: ID!): Order! cancel(id: ID!): Order refuse: String }
            type Order @key(fields: "id") { id: ID! total: Int! }
        """,
        "delivery": """
            type Mutation { send(id: ID!): Order! stop(id: ID!): Boolean! @shareable }
            type Order @key(fields: "id") { id: ID! state: String! }
        """,
        "stock": """
            type Mutation { stop(id: ID!): Boolean! @shareable }
        """,
    },
    roots={
        "order": _order,
        "place": _order,
        "send": _order,
        "cancel": lambda **_key: None,
        "stop": lambda **_key: True,
        "refuse": lambda: 1 // 0,
    },
    find=lambda _name, key: _order(**key),
)
