"""What clients may write: aliases, fragments, conditions, type names, lists of lists, variables; over two subgraphs."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

ITEMS: dict[str, dict[str, Any]] = {key: {"__typename": "Item", "id": key} for key in "abc"}


def _after(item: dict[str, Any], count: int) -> list[dict[str, Any]]:
    keys = list(ITEMS)
    at = keys.index(item["id"])
    return [ITEMS[keys[(at + step) % len(keys)]] for step in range(1, count + 1)]


FEDERATION = Federation(
    subgraphs={
        "items": """
            type Query { items(first: Int = 2): [Item!]! item(id: ID!): Item shelves: [[Item]] node(id: ID!): Node }
            interface Node { id: ID! }
            type Item implements Node @key(fields: "id") {
              id: ID! name(lang: String = "en"): String! related(first: Int! = 1): [Item!]! grid: [[[Item!]]!]
            }
        """,
        "prices": """
            type Item @key(fields: "id") {
              id: ID! price(currency: String = "EUR", rounded: Boolean): String! similar(first: Int! = 1): [Item!]!
            }
        """,
    },
    roots={
        "items": lambda first=2: list(ITEMS.values())[:first],
        "item": lambda **key: ITEMS.get(key["id"]),
        "node": lambda **key: ITEMS.get(key["id"]),
        "shelves": lambda: [[ITEMS["a"], None], None, [], [ITEMS["c"], ITEMS["a"]]],
    },
    find=lambda name, key: ITEMS.get(key["id"]),
    fields={
        "Item.name": lambda item, lang="en": f"{item['id']} in {lang}",
        "Item.price": lambda item, **given: f"{item['id']} for {sorted(given.items(), key=str)}",
        "Item.related": lambda item, first=1: _after(item, first),
        "Item.similar": lambda item, first=1: _after(item, first)[::-1],
        "Item.grid": lambda item: [[_after(item, 1), None], [_after(item, 2), []]],
    },
)
