"""Several interface objects of one interface: requirements between them, references without a way back, lists, types."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

ACCOUNTS: list[dict[str, Any]] = [
    {"__typename": "Current", "id": "c1", "owner": "Ann", "limit": 100, "overdraft": 5, "flag": "NEW"},
    {"__typename": "Savings", "id": "s1", "owner": "Bob", "limit": 0, "interest": 3, "flag": None},
    {"__typename": "Savings", "id": "s2", "owner": "Cid", "limit": 7, "interest": None, "flag": "OLD"},
]
LETTERS: list[dict[str, Any]] = [
    {"__typename": "Letter", "id": "l1", "to": ACCOUNTS[1]},
    {"__typename": "Letter", "id": "l2", "to": ACCOUNTS[0]},
]


def _score(account: dict[str, Any]) -> str:
    return f"{account['owner']} {account['limit']}"


FEDERATION = Federation(
    subgraphs={
        "accounts": """
            type Query { accounts: [Account!]! account(id: ID!): Account }
            interface Account @key(fields: "id") { id: ID! owner: String! }
            type Current implements Account @key(fields: "id") { id: ID! owner: String! overdraft: Int }
            type Savings implements Account @key(fields: "id") { id: ID! owner: String! interest: Int }
        """,
        "limits": """
            type Query { risky: [[Account!]]! }
            type Account @key(fields: "id") @interfaceObject { id: ID! limit: Int! flag: Flag }
            enum Flag { NEW OLD }
        """,
        "scores": """
            type Account @key(fields: "id") @interfaceObject {
              id: ID! limit: Int! @external owner: String! @external score: String! @requires(fields: "limit owner")
            }
        """,
        "post": """
            type Query { letters: [Letter!]! }
            type Letter @key(fields: "id") { id: ID! to: Account! }
            type Account @key(fields: "id", resolvable: false) @interfaceObject { id: ID! }
        """,
    },
    roots={
        "accounts": lambda: ACCOUNTS,
        "account": lambda **key: next((each for each in ACCOUNTS if each["id"] == key["id"]), None),
        "risky": lambda: [ACCOUNTS[1:], None, [ACCOUNTS[0]]],
        "letters": lambda: LETTERS,
    },
    find=find_in(*ACCOUNTS, *LETTERS),
    fields={f"{name}.score": _score for name in ("Account", "Current", "Savings")},
)
