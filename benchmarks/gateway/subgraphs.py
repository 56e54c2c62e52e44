"""The four subgraphs of the public gateway benchmark in one process, fast enough never to be the limit.

Each distinct (path, body) is answered once by a real GraphQL execution over the case's data and from memory afterwards,
so that nearly all of the time measured is the gateway's. GET /counts tells the requests per subgraph since the start.

Usage: subgraphs.py CASE_DIR PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httptools
import uvloop
from graphql import GraphQLSchema, build_schema, graphql_sync

SDL = {
    "accounts": """
        union _Entity = User
        scalar _Any
        type Query { me: User user(id: ID!): User users: [User] _entities(representations: [_Any!]!): [_Entity]! }
        type User { id: ID! name: String username: String birthday: Int }
    """,
    "inventory": """
        union _Entity = Product
        scalar _Any
        type Query { _entities(representations: [_Any!]!): [_Entity]! }
        type Product { upc: String! weight: Int price: Int inStock: Boolean shippingEstimate: Int }
    """,
    "products": """
        union _Entity = Product
        scalar _Any
        type Query { topProducts(first: Int = 5): [Product] _entities(representations: [_Any!]!): [_Entity]! }
        type Product { upc: String! name: String price: Int weight: Int }
    """,
    "reviews": """
        union _Entity = User | Product | Review
        scalar _Any
        type Query { _entities(representations: [_Any!]!): [_Entity]! }
        type Review { id: ID! body: String product: Product author: User }
        type User { id: ID! username: String reviews: [Review] }
        type Product { upc: String! reviews: [Review] }
    """,
}


class Data:
    """The case's data, with the upstream resolvers' own rules: see the case folder's description."""

    def __init__(self, case_dir: Path) -> None:
        content = json.loads((case_dir / "data.json").read_text())
        self.users = {user["id"]: user for user in content["users"]}
        self.products = {product["upc"]: product for product in content["products"]}
        self.in_stock = content["in_stock_by_upc"]
        self.reviews = content["reviews"]
        first_two = [self.review(review) for review in self.reviews[:2]]
        # Every review's author is user 1, and every user's reviews are the first two.
        self.author = {"__typename": "User", "id": "1", "username": self.users["1"]["username"], "reviews": first_two}
        for review in first_two:
            review["author"] = self.author

    def review(self, review: dict[str, Any]) -> dict[str, Any]:
        """A review as the reviews subgraph sees it."""
        return {"__typename": "Review", **review, "product": self.reviewed_product(review["product"]["upc"])}

    def reviewed_product(self, upc: str) -> dict[str, Any]:
        """A product as the reviews subgraph sees it; its reviews are made when asked."""
        return {"__typename": "Product", "upc": upc, "reviews": lambda _info: self.reviews_of(upc)}

    def reviews_of(self, upc: str) -> list[dict[str, Any]]:
        """The reviews of a product, with their author."""
        found = [self.review(review) for review in self.reviews if review["product"]["upc"] == upc]
        return [{**review, "author": self.author} for review in found]

    def entity(self, subgraph: str, representation: dict[str, Any]) -> dict[str, Any] | None:
        """One entity as a subgraph knows it."""
        if representation["__typename"] == "User":
            user = self.users.get(representation["id"])
            if user is None:
                return None
            if subgraph == "reviews":
                return {**self.author, "id": user["id"], "username": user["username"]}
            return {"__typename": "User", **user}
        upc = representation["upc"]
        if subgraph == "inventory":
            # The upstream resolver answers the estimate with null.
            return {"__typename": "Product", "upc": upc, "inStock": self.in_stock[upc], "shippingEstimate": None}
        if subgraph == "reviews":
            return self.reviewed_product(upc)
        return {"__typename": "Product", **self.products[upc]}

    def root(self, subgraph: str) -> dict[str, Any]:
        """The root value of a subgraph."""

        def entities(_info: Any, representations: list[dict[str, Any]]) -> list[Any]:
            return [self.entity(subgraph, representation) for representation in representations]

        return {
            "_entities": entities,
            "me": lambda _info: self.users["1"],
            "user": lambda _info, id: self.users.get(id),
            "users": lambda _info: list(self.users.values()),
            "topProducts": lambda _info, first: list(self.products.values())[:first],
        }


class Subgraphs:
    """Answers by path and body, from memory where it can."""

    def __init__(self, data: Data) -> None:
        self._schemas = {name: _schema(sdl) for name, sdl in SDL.items()}
        self._roots = {name: data.root(name) for name in SDL}
        self._answers: dict[tuple[bytes, bytes], bytes] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, path: bytes, body: bytes) -> bytes:
        """The whole HTTP answer."""
        name = path.rsplit(b"/", 1)[-1].decode()
        if name == "counts":
            return _http(json.dumps(self.counts).encode())
        if name not in self._schemas:
            return _http(b"{}", b"404 Not Found")
        self.counts[name] += 1
        known = self._answers.get((path, body))
        if known is None:
            known = self._answers[path, body] = _http(self._execute(name, body))
        return known

    def _execute(self, name: str, body: bytes) -> bytes:
        request = json.loads(body)
        result = graphql_sync(
            self._schemas[name],
            request["query"],
            self._roots[name],
            variable_values=request.get("variables"),
            operation_name=request.get("operationName"),
        )
        return json.dumps(result.formatted).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, subgraphs: Subgraphs) -> None:
        self._subgraphs = subgraphs
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._transport.write(self._subgraphs.answer(self._path, self._body))  # type: ignore[attr-defined]


def _schema(sdl: str) -> GraphQLSchema:
    schema = build_schema(sdl)
    union = schema.type_map["_Entity"]

    def resolve(value: dict[str, Any], *_: object) -> str:
        return str(value["__typename"])

    union.resolve_type = resolve  # type: ignore[attr-defined]
    return schema


def _http(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
    return head + body


async def main(case_dir: Path, port: int) -> None:
    """Serve until killed."""
    subgraphs = Subgraphs(Data(case_dir))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(subgraphs), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
