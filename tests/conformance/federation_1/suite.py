"""Schemas of Federation 1: no link, extensions with the keyword and the directive, external keys, value types, upgraded."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

PRODUCTS: list[dict[str, Any]] = [
    {
        "__typename": "Product",
        "upc": str(number),
        "name": name,
        "price": number * 700,
        "weight": number * 10,
        "inStock": number > 1,
        "size": {"__typename": "Size", "w": number},
        "box": {"__typename": "Size", "w": number + 1},
    }
    for number, name in enumerate(("Table", "Couch", "Lamp"), 1)
]
REVIEWS: list[dict[str, Any]] = [
    {"__typename": "Review", "id": "r1", "body": "good", "product": PRODUCTS[0]},
    {"__typename": "Review", "id": "r2", "body": "bad", "product": PRODUCTS[1]},
]
USERS: list[dict[str, Any]] = [{"__typename": "User", "id": "u1", "name": "Ann", "reviews": REVIEWS}]

FEDERATION = Federation(
    subgraphs={
        "products": """
            type Query { products: [Product] product(upc: String!): Product }
            type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int size: Size }
            type Size { w: Int }
        """,
        "inventory": """
            extend type Product @key(fields: "upc") {
              upc: String! @external
              weight: Int @external
              price: Int @external
              inStock: Boolean
              box: Size
              estimate: Int @requires(fields: "price weight")
            }
            type Size { w: Int }
        """,
        "reviews": """
            type Query @extends { latest: [Review] }
            type Review @key(fields: "id") { id: ID! body: String product: Product @provides(fields: "name") }
            type Product @key(fields: "upc") @extends { upc: String! @external name: String @external reviews: [Review] }
            extend type User @key(fields: "id") { id: ID! @external reviews: [Review] }
        """,
        "users": """
            extend type Query { me: User }
            type User @key(fields: "id") { id: ID! name: String }
        """,
    },
    as_is=("products", "inventory", "reviews", "users"),
    roots={
        "products": lambda: PRODUCTS,
        "product": lambda upc: next((each for each in PRODUCTS if each["upc"] == upc), None),
        "latest": lambda: REVIEWS,
        "me": lambda: USERS[0],
    },
    find=find_in(*PRODUCTS, *REVIEWS, *USERS),
    fields={
        "Product.estimate": lambda product: 0 if product["price"] > 1000 else product["weight"] // 2,
        "Product.reviews": lambda product: [each for each in REVIEWS if each["product"]["upc"] == product["upc"]],
    },
)
