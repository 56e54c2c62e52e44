"""Simple, several, composite and nested keys; @requires chains, with arguments and fragments; @provides; @override."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

PRODUCTS: list[dict[str, Any]] = [
    {
        "__typename": "Product",
        "upc": "1",
        "sku": "s1",
        "name": "Table",
        "price": 900,
        "weight": 100,
        "maker": "acme",
        "place": {"__typename": "Place", "row": 1, "shelf": {"__typename": "Shelf", "level": 2}},
        "stock": 4,
    },
    {
        "__typename": "Product",
        "upc": "2",
        "sku": "s2",
        "name": "Couch",
        "price": 1300,
        "weight": 1000,
        "maker": "acme",
        "place": {"__typename": "Place", "row": 2, "shelf": {"__typename": "Shelf", "level": 1}},
        "stock": 0,
    },
    {
        "__typename": "Product",
        "upc": "3",
        "sku": "s3",
        "name": "Glass",
        "price": None,
        "weight": 20,
        "maker": None,
        "place": {"__typename": "Place", "row": 1, "shelf": {"__typename": "Shelf", "level": 1}},
        "stock": 9,
    },
]
MAKERS: dict[str, dict[str, Any]] = {
    "acme": {"__typename": "Maker", "id": "acme", "country": "FI", "label": "Acme", "rating": 4},
}


def _find(name: str, key: dict[str, Any]) -> dict[str, Any] | None:
    if name == "Maker":
        return MAKERS.get(key["id"])
    if name == "Slot":
        return {"__typename": "Slot", **key, "free": key["row"] + key["shelf"]["level"] < 4}
    wanted = {field: value for field, value in key.items() if field in {"upc", "sku"}}
    return next((each for each in PRODUCTS if all(each[k] == v for k, v in wanted.items())), None)


def _slot(product: dict[str, Any]) -> dict[str, Any]:
    slot = {"__typename": "Slot", "row": product["place"]["row"], "shelf": product["place"]["shelf"]}
    return {**slot, "free": slot["row"] + slot["shelf"]["level"] < 4}


def _shipping(product: dict[str, Any], fast: bool = False) -> int | None:
    if product["price"] is None:
        return None
    if product["price"] > 1000:
        return 0
    return int(product["weight"] // 2) * (2 if fast else 1)


FEDERATION = Federation(
    subgraphs={
        "catalog": """
            type Query { products: [Product!]! product(upc: ID!): Product top(first: Int = 2): [Product!]! }
            type Product @key(fields: "upc") @key(fields: "sku") {
              upc: ID! sku: ID! name: String! @shareable price: Int weight: Int! maker: Maker slot: Slot!
            }
            type Maker @key(fields: "id") { id: ID! label: String! @shareable }
            type Slot @key(fields: "row shelf { level }") { row: Int! shelf: Shelf! }
            type Shelf @shareable { level: Int! }
        """,
        "shipping": """
            type Product @key(fields: "upc") {
              upc: ID! price: Int @external weight: Int! @external
              shipping(fast: Boolean = false): Int @requires(fields: "price weight")
              stock: Int!
            }
            type Slot @key(fields: "row shelf { level }") { row: Int! shelf: Shelf! free: Boolean! }
            type Shelf @shareable { level: Int! }
        """,
        "reviews": """
            type Query { latest: [Review!]! }
            type Review { text: String! product: Product! @provides(fields: "name") maker: Maker }
            type Product @key(fields: "sku") {
              sku: ID! name: String! @external shipping(fast: Boolean = false): Int @external
              verdict: String! @requires(fields: "shipping")
              reviews: [Review!]!
            }
            type Maker @key(fields: "id") { id: ID! label: String! @shareable rating: Int! }
        """,
        "geo": """
            type Maker @key(fields: "id") { id: ID! country: String! @override(from: "catalog") }
        """,
    },
    roots={
        "products": lambda: PRODUCTS,
        "product": lambda upc: _find("Product", {"upc": upc}),
        "top": lambda first=2: PRODUCTS[:first],
        "latest": lambda: [{"text": "good", "product": PRODUCTS[0]}, {"text": "bad", "product": PRODUCTS[2]}],
    },
    find=_find,
    fields={
        "Product.maker": lambda product: MAKERS.get(product["maker"] or ""),
        "Product.slot": _slot,
        "Product.shipping": _shipping,
        "Product.verdict": lambda product: (
            f"ships for {product['shipping'] if 'shipping' in product else _shipping(product)}"
        ),
        "Product.reviews": lambda product: [{"text": f"of {product['sku']}", "product": product}],
        "Review.maker": lambda review: MAKERS.get(review["product"].get("maker") or ""),
    },
)
