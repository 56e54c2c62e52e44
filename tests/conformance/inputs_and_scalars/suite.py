"""Custom scalars, enums and inputs by position, defaults, coercion, variables that several subgraphs get."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation


def _find(filter: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"__typename": "Hit", "id": f"{filter['text']}{number}", "given": filter} for number in range(filter["limit"])
    ]


FEDERATION = Federation(
    subgraphs={
        "a": """
            scalar JSON @specifiedBy(url: "https://example.com/json")
            scalar Date
            enum Shade { LIGHT DARK ODD }
            enum Color { RED GREEN }
            enum Sort { UP DOWN }
            input Filter { text: String! limit: Int! = 2 shade: Shade inner: [Filter!] onlyHere: Int }
            type Query {
              find(filter: Filter!): [Hit!]!
              colors: [Color!]!
              echo(json: JSON, at: Date = "2020-02-02", sort: Sort! = UP, ids: [ID!] = ["x"]): JSON
              sorted(by: [Sort!]): [Sort!]!
            }
            type Hit @key(fields: "id") { id: ID! given: JSON }
        """,
        "b": """
            scalar JSON
            enum Shade { LIGHT DARK }
            enum Color { BLUE GREEN }
            enum Sort { UP DOWN }
            input Filter { text: String! limit: Int! = 2 shade: Shade inner: [Filter!] }
            type Query { count(filter: Filter!, shade: Shade = DARK): JSON more: [Color!]! }
            type Hit @key(fields: "id") { id: ID! marked(with: Shade, deep: [[Int]], note: String = "n"): JSON sort: Sort }
        """,
    },
    roots={
        "find": _find,
        "colors": lambda: ["RED", "GREEN"],
        "more": lambda: ["BLUE", "GREEN"],
        "echo": lambda **given: given,
        "sorted": lambda by=("DOWN",): list(by),
        "count": lambda **given: given,
    },
    find=lambda name, key: {"__typename": name, **key},
    fields={"Hit.marked": lambda hit, **given: {"hit": hit["id"], **given}, "Hit.sort": lambda _hit: "DOWN"},
)
