"""@requires: with arguments, of nested objects, through fragments on interfaces and unions, in lists, in chains, null."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

RATES = {"EUR": 1, "SEK": 11, "USD": 2}
PRODUCTS: list[dict[str, Any]] = [
    {
        "__typename": "Product",
        "upc": "1",
        "_euros": 10,
        "size": {"__typename": "Size", "w": 2, "h": 3, "unit": {"__typename": "Unit", "name": "m"}},
        "media": [
            {"__typename": "Image", "url": "i1", "w": 640},
            {"__typename": "Video", "url": "v1", "length": 30},
        ],
        "owner": {"__typename": "Company", "name": "Acme", "vat": "FI1"},
        "parts": [{"__typename": "Part", "id": "a", "grams": 5}, {"__typename": "Part", "id": "b", "grams": 7}],
    },
    {
        "__typename": "Product",
        "upc": "2",
        "_euros": None,
        "size": {"__typename": "Size", "w": 1, "h": 1, "unit": None},
        "media": [],
        "owner": {"__typename": "Human", "name": "Ann", "age": 40},
        "parts": [],
    },
    {
        "__typename": "Product",
        "upc": "3",
        "_euros": 3,
        "size": {"__typename": "Size", "w": 5, "h": 5, "unit": None},
        "media": [{"__typename": "Video", "url": "v3", "length": 1}],
        "owner": None,
        "parts": [{"__typename": "Part", "id": "b", "grams": 7}],
    },
]
PARTS: list[dict[str, Any]] = [*PRODUCTS[0]["parts"]]


def _price(product: dict[str, Any], currency: str = "EUR") -> int | None:
    euros = product["_euros"]
    return None if euros is None else euros * RATES[currency]


def _duty(product: dict[str, Any]) -> int | None:
    kronor = product["price"] if "price" in product else _price(product, "SEK")
    return None if kronor is None else kronor + 1


def _gallery(product: dict[str, Any]) -> str:
    return " ".join(f"{each['url']}:{each.get('w', each.get('length'))}" for each in product["media"])


def _party(product: dict[str, Any]) -> str | None:
    owner = product["owner"]
    return owner and f"{owner.get('vat')}/{owner.get('age')}"


def _area(product: dict[str, Any]) -> str:
    size = product["size"]
    return f"{size['w'] * size['h']} {(size['unit'] or {}).get('name')}"


def _label(product: dict[str, Any]) -> str:
    area = product["area"] if "area" in product else _area(product)
    duty = product["duty"] if "duty" in product else _duty(product)
    return f"{area}, {duty}"


def _weight(product: dict[str, Any]) -> int:
    return sum(each["grams"] for each in product["parts"])


_SHARED = """
    type Size @shareable { w: Int! h: Int! unit: Unit }
    type Unit @shareable { name: String! }
    interface Media { url: String! }
    type Image implements Media @shareable { url: String! w: Int! }
    type Video implements Media @shareable { url: String! length: Int! }
    union Owner = Company | Human
    type Company @shareable { name: String! vat: String! }
    type Human @shareable { name: String! age: Int! }
"""

FEDERATION = Federation(
    subgraphs={
        "catalog": _SHARED
        + """
            type Query { products: [Product!]! product(upc: ID!): Product }
            type Product @key(fields: "upc") {
              upc: ID! price(currency: String! = "EUR"): Int size: Size! media: [Media!]! owner: Owner parts: [Part!]!
            }
            type Part @key(fields: "id") { id: ID! }
        """,
        "weights": """
            type Part @key(fields: "id") { id: ID! grams: Int! }
        """,
        "customs": _SHARED
        + """
            type Product @key(fields: "upc") {
              upc: ID!
              price(currency: String! = "EUR"): Int @external
              size: Size! @external
              media: [Media!]! @external
              owner: Owner @external
              duty: Int @requires(fields: "price(currency: \\"SEK\\")")
              area: String! @requires(fields: "size { w h unit { name } }")
              gallery: String! @requires(fields: "media { url ... on Image { w } ... on Video { length } }")
              party: String @requires(fields: "owner { ... on Company { vat } ... on Human { age } }")
            }
        """,
        "labels": """
            type Product @key(fields: "upc") {
              upc: ID! area: String! @external duty: Int @external parts: [Part!]! @external
              label: String! @requires(fields: "area duty")
              weight: Int! @requires(fields: "parts { grams }")
            }
            type Part @key(fields: "id") { id: ID! grams: Int! @external }
        """,
    },
    roots={
        "products": lambda: PRODUCTS,
        "product": lambda upc: next((each for each in PRODUCTS if each["upc"] == upc), None),
    },
    find=find_in(*PRODUCTS, *PARTS),
    fields={
        "Product.price": _price,
        "Product.duty": _duty,
        "Product.gallery": _gallery,
        "Product.party": _party,
        "Product.area": _area,
        "Product.label": _label,
        "Product.weight": _weight,
    },
)
