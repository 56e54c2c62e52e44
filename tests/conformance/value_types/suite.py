"""Types without keys that several subgraphs have, whole or in parts, below shared fields, in lists, null."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

SPOTS: list[dict[str, Any]] = [
    {"__typename": "Spot", "x": 1, "y": 2, "z": 3},
    {"__typename": "Spot", "x": 4, "y": 5, "z": None},
]
THINGS: list[dict[str, Any]] = [
    {
        "__typename": "Thing",
        "id": "1",
        "spot": SPOTS[0],
        "track": [SPOTS, [], None, [None, SPOTS[1]]],
        "price": {
            "__typename": "Money",
            "amount": 5,
            "currency": {"__typename": "Currency", "code": "EUR", "sign": "e"},
        },
    },
    {"__typename": "Thing", "id": "2", "spot": None, "track": None, "price": None},
]

FEDERATION = Federation(
    subgraphs={
        "a": """
            type Query { things: [Thing!]! origin: Spot @shareable }
            type Thing @key(fields: "id") {
              id: ID! spot: Spot @shareable track: [[Spot]] @shareable price: Money @shareable
            }
            type Spot @shareable { x: Int! y: Int! }
            type Money @shareable { amount: Int! currency: Currency! }
            type Currency @shareable { code: String! }
        """,
        "b": """
            type Query { origin: Spot @shareable }
            type Thing @key(fields: "id") {
              id: ID! spot: Spot @shareable track: [[Spot]] @shareable price: Money @shareable
            }
            type Spot @shareable { x: Int z: Int }
            type Money @shareable { amount: Int! currency: Currency! }
            type Currency @shareable { code: String! sign: String }
        """,
    },
    roots={"things": lambda: THINGS, "origin": lambda: SPOTS[0]},
    find=find_in(*THINGS),
)
