"""Fields that moved to another subgraph: at once, gradually by label, with requirements on them, on shared types."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

ITEMS: list[dict[str, Any]] = [
    {"__typename": "Item", "id": key, "name": f"item {key}", "price": price, "stock": price // 2, "tax": price // 10}
    for key, price in (("a", 10), ("b", 50))
]

FEDERATION = Federation(
    subgraphs={
        "old": """
            type Query { items: [Item!]! cheapest: Item @deprecated(reason: "moved") }
            interface Priced { price: Int! }
            type Item implements Priced @key(fields: "id") { id: ID! name: String! price: Int! stock: Int! }
        """,
        "new": """
            type Query { cheapest: Item @override(from: "old") }
            type Item @key(fields: "id") {
              id: ID! price: Int! @override(from: "old") stock: Int! @override(from: "old", label: "fresh")
            }
        """,
        "taxes": """
            type Item @key(fields: "id") { id: ID! price: Int! @external tax: Int! @requires(fields: "price") }
        """,
    },
    roots={"items": lambda: ITEMS, "cheapest": lambda: ITEMS[0]},
    find=find_in(*ITEMS),
    fields={"Item.tax": lambda item: item["price"] // 10},
    refused={"old": ("Item.price", "Query.cheapest")},
)
