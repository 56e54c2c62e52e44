"""The floor: an aggregator written by hand for exactly the benchmark's query, with six subgraph requests.

What a gateway in Python could do at best: all that it does besides HTTP and JSON is known in advance. It forwards
Authorization and answers in the order of the selection.

Usage: floor.py PORT SUBGRAPHS_URL
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import orjson
import uvicorn

USERS = b'{"query":"{users{__typename id username name}}"}'
PRODUCTS = b'{"query":"{topProducts{__typename upc name price weight}}"}'
_AUTHOR = "author{__typename id username reviews{id body product{__typename upc}}}"
REVIEWS = orjson.dumps(
    "query($u:[_Any!]!,$p:[_Any!]!){u:_entities(representations:$u){...on User{reviews{id body product{__typename upc "
    "reviews{id body "
    + _AUTHOR
    + "}}}}}p:_entities(representations:$p){...on Product{reviews{id body "
    + _AUTHOR
    + "}}}}"
)
NAMES = orjson.dumps("query($r:[_Any!]!){_entities(representations:$r){...on User{name}}}")
DETAILS = orjson.dumps("query($r:[_Any!]!){_entities(representations:$r){...on Product{name price weight}}}")
STOCK = orjson.dumps("query($r:[_Any!]!){_entities(representations:$r){...on Product{inStock shippingEstimate}}}")

Json = dict[str, Any]


class Aggregator:
    """An ASGI application that knows one query."""

    def __init__(self, subgraphs_url: str) -> None:
        self._url = subgraphs_url
        self._client: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        headers = {"content-type": "application/json"}
        for name, value in scope["headers"]:
            if name == b"authorization":
                headers["authorization"] = value.decode()
        body = orjson.dumps(await self._answer(headers))
        start_headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": start_headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, headers: dict[str, str]) -> Json:
        users_data, products_data = await asyncio.gather(
            self._ask("accounts", USERS, headers), self._ask("products", PRODUCTS, headers)
        )
        users, top = users_data["users"], products_data["topProducts"]
        variables = {
            "u": [{"__typename": "User", "id": user["id"]} for user in users],
            "p": [{"__typename": "Product", "upc": product["upc"]} for product in top],
        }
        reviews = await self._ask("reviews", _body(REVIEWS, variables), headers)
        authors, upcs = _missing(reviews)
        names, details = await asyncio.gather(
            self._entities("accounts", NAMES, "User", "id", authors, headers),
            self._entities("products", DETAILS, "Product", "upc", upcs, headers),
        )
        for product in top:
            details.setdefault(product["upc"], product)
        stock = await self._entities("inventory", STOCK, "Product", "upc", list(details), headers)
        products = {
            upc: {
                "inStock": stock[upc]["inStock"],
                "name": detail["name"],
                "price": detail["price"],
                "shippingEstimate": stock[upc]["shippingEstimate"],
                "upc": upc,
                "weight": detail["weight"],
            }
            for upc, detail in details.items()
        }
        return {"data": _shape(users, top, reviews, names, products)}

    async def _entities(
        self, subgraph: str, query: bytes, typename: str, key: str, ids: list[str], headers: dict[str, str]
    ) -> dict[str, Json]:
        if not ids:
            return {}
        representations = [{"__typename": typename, key: value} for value in ids]
        data = await self._ask(subgraph, _body(query, {"r": representations}), headers)
        return dict(zip(ids, data["_entities"], strict=True))

    async def _ask(self, subgraph: str, body: bytes, headers: dict[str, str]) -> Json:
        if self._client is None:
            self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with self._client.post(f"{self._url}/{subgraph}", data=body, headers=headers) as answer:
            data: Json = orjson.loads(await answer.read())["data"]
            return data


def _body(query: bytes, variables: Json) -> bytes:
    return b'{"query":' + query + b',"variables":' + orjson.dumps(variables) + b"}"


def _missing(reviews: Json) -> tuple[list[str], list[str]]:
    """Authors and products that the reviews name, each once."""
    authors: dict[str, None] = {}
    upcs: dict[str, None] = {}

    def author_of(review: Json) -> None:
        author = review["author"]
        authors[author["id"]] = None
        for own in author["reviews"]:
            upcs[own["product"]["upc"]] = None

    for user in reviews["u"]:
        for review in user["reviews"]:
            upcs[review["product"]["upc"]] = None
            for inner in review["product"]["reviews"]:
                author_of(inner)
    for product in reviews["p"]:
        for review in product["reviews"]:
            author_of(review)
    return list(authors), list(upcs)


def _shape(
    users: list[Json], top: list[Json], reviews: Json, names: dict[str, Json], products: dict[str, Json]
) -> Json:
    """The client's shape; equal products are one object, written several times."""

    def author_review(review: Json) -> Json:
        author = review["author"]
        own = [{"id": r["id"], "body": r["body"], "product": products[r["product"]["upc"]]} for r in author["reviews"]]
        shaped = {
            "id": author["id"],
            "username": author["username"],
            "name": names[author["id"]]["name"],
            "reviews": own,
        }
        return {"id": review["id"], "body": review["body"], "author": shaped}

    def user_review(review: Json) -> Json:
        inner = [author_review(each) for each in review["product"]["reviews"]]
        product = {**products[review["product"]["upc"]], "reviews": inner}
        return {"id": review["id"], "body": review["body"], "product": product}

    return {
        "users": [
            {
                "id": user["id"],
                "username": user["username"],
                "name": user["name"],
                "reviews": [user_review(review) for review in entity["reviews"]],
            }
            for user, entity in zip(users, reviews["u"], strict=True)
        ],
        "topProducts": [
            {**products[product["upc"]], "reviews": [author_review(review) for review in entity["reviews"]]}
            for product, entity in zip(top, reviews["p"], strict=True)
        ],
    }


if __name__ == "__main__":
    uvicorn.run(
        Aggregator(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
