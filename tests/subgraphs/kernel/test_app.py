"""A subgraph over HTTP: what it answers to good, bad and hostile requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry
import strawberry.federation
import structlog
from starlette.applications import Starlette
from strawberry.types import Info

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.settings import SharedSettings
from common.tokens import Viewer, ensure_key_file, sign_viewer_context
from subgraphs.kernel.app import OpenedSubgraph, create_subgraph_app
from subgraphs.kernel.context import RequestContext
from subgraphs.kernel.entities import MAX_REPRESENTATIONS, build_schema
from subgraphs.kernel.export_sdl import export_sdl
from subgraphs.kernel.readiness import StillPreparing
from subgraphs.kernel.settings import SubgraphSettings

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SECRET = "postgresql://user:hunter2@db"

FIRST_ID = strawberry.ID("first")

fetched: list[list[str]] = []


async def fetch_names(ids: Sequence[str]) -> dict[str, str]:
    fetched.append(list(ids))
    if "explode" in ids:
        raise RuntimeError(SECRET)
    return {id_: id_.upper() for id_ in ids if id_ != "missing"}


@strawberry.federation.interface(keys=["id"])
class Named:
    id: strawberry.ID

    @classmethod
    async def resolve_reference(cls, info: Info[RequestContext, None], id: strawberry.ID) -> Thing | None:
        if id == "forbidden":
            raise ServiceError(ErrorKind.PERMISSION_DENIED, "not yours")
        if id == "broken":
            raise RuntimeError(SECRET)
        name = await info.context.loaders.by_key(fetch_names).load(id)
        return None if name is None else Thing(id=id, name=name)


@strawberry.federation.type(keys=["id"])
class Thing(Named):
    name: str


@strawberry.type
class Query:
    @strawberry.field
    def account(self, info: Info[RequestContext, None]) -> str | None:
        return info.context.viewer.account_id

    @strawberry.field
    def address(self, info: Info[RequestContext, None]) -> str:
        return info.context.head.client_address

    @strawberry.field
    def thing(self, id: strawberry.ID = FIRST_ID) -> Thing:
        return Thing(id=id, name="one")

    @strawberry.field
    def explode(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def refuse(self) -> str | None:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, "first is 99; ask for 0 to 50 items at a time")

    @strawberry.field
    async def hang(self) -> str:
        await asyncio.Event().wait()
        return "never"


@strawberry.federation.type(keys=["id"])
class Orphan:
    id: strawberry.ID


@strawberry.type
class OrphanQuery:
    orphan: Orphan | None = None


schema = build_schema(query=Query)


class Client:
    """Talks to one application in process."""

    def __init__(self, app: Starlette, key_folder: Path) -> None:
        self.key = ensure_key_file(key_folder / "viewer.pem")
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 1234))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://things")

    async def post(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> httpx.Response:
        return await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def viewer_header(self, viewer: Viewer) -> dict[str, str]:
        return {"x-marquee-viewer": sign_viewer_context(self.key, viewer.to_claims(), NOW)}


def app_with(tmp_path: Path, **options: Any) -> Starlette:
    settings = SubgraphSettings(shared=SharedSettings(state_dir=tmp_path), **options)

    async def fine() -> None:
        return None

    async def broken() -> None:
        raise ConnectionError(SECRET)

    async def filling() -> None:
        raise StillPreparing("copying, 3 of 9")

    @asynccontextmanager
    async def open_subgraph() -> AsyncIterator[OpenedSubgraph]:
        yield OpenedSubgraph(
            make_context=lambda head: RequestContext(head=head),
            required={"store": fine},
            optional={"events": broken, "index": filling},
        )

    return create_subgraph_app(
        name="things", schema=schema, settings=settings, open_subgraph=open_subgraph, clock=FakeClock(NOW)
    )


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    fetched.clear()
    app = app_with(tmp_path)
    async with app.router.lifespan_context(app):
        yield Client(app, tmp_path / "keys")


async def test_the_viewer_is_who_the_gateway_says(client: Client) -> None:
    """Anonymous without a header."""
    answer = await client.post("{account}", client.viewer_header(Viewer(account_id="acc_1")))
    assert answer.json() == {"data": {"account": "acc_1"}}
    assert (await client.post("{account}")).json() == {"data": {"account": None}}


@pytest.mark.parametrize("token", ["", "acc_1", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhY2NfMSJ9."])
async def test_a_forged_viewer_is_refused(client: Client, token: str) -> None:
    """401, and nothing is executed."""
    answer = await client.post("{account}", {"x-marquee-viewer": token})
    assert answer.status_code == 401
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (None, "192.0.2.7"),
        ("203.0.113.9", "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("'; DROP TABLE limits", "192.0.2.7"),
    ],
)
async def test_the_address_is_the_one_that_the_gateway_added(
    client: Client, forwarded: str | None, expected: str
) -> None:
    """The last entry; what a client put before it, or text that is no address, is not believed."""
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert (await client.post("{address}", headers)).json()["data"]["address"] == expected


async def test_unexpected_errors_are_masked_and_logged(client: Client) -> None:
    """The client gets the request id, the log the cause."""
    with structlog.testing.capture_logs() as logs:
        answer = await client.post("{explode account}", {"x-request-id": "request-1"})
    assert answer.json() == {
        "data": {"explode": None, "account": None},
        "errors": [
            {
                "message": "internal error, request request-1",
                "locations": [{"line": 1, "column": 2}],
                "path": ["explode"],
                "extensions": {"code": "INTERNAL"},
            }
        ],
    }
    assert answer.headers["x-request-id"] == "request-1"
    [entry] = [entry for entry in logs if entry["event"] == "graphql.unexpected_error"]
    assert entry["error"] == SECRET


async def test_service_errors_are_told(client: Client) -> None:
    """With their kind as the code."""
    [error] = (await client.post("{refuse}")).json()["errors"]
    assert error["extensions"] == {"code": "INVALID_ARGUMENT"}
    assert error["message"].startswith("first is 99")


async def test_entities_fail_one_by_one(client: Client) -> None:
    """Whatever is wrong with one representation, its neighbours are answered, and by one fetch."""
    representations = [
        {"__typename": "Thing", "id": "a"},
        {"__typename": "Named", "id": "b"},
        {"__typename": "Thing", "id": "missing"},
        {"__typename": "Nothing", "id": "a"},
        {"__typename": "Thing"},
        {"id": "a"},
        "a",
        {"__typename": "Thing", "id": "forbidden"},
        {"__typename": "Thing", "id": "broken"},
        {"__typename": "Thing", "id": "c", "surplus": {"x": 1}},
    ]
    answer = await client.post(
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id name } } }", r=representations
    )
    body = answer.json()
    names = [entity and entity["name"] for entity in body["data"]["_entities"]]
    assert names == ["A", "B", None, None, None, None, None, None, None, "C"]
    codes = {error["path"][1]: error["extensions"]["code"] for error in body["errors"]}
    assert codes == {
        3: "INVALID_ARGUMENT",
        4: "INVALID_ARGUMENT",
        5: "INVALID_ARGUMENT",
        6: "INVALID_ARGUMENT",
        7: "PERMISSION_DENIED",
        8: "INTERNAL",
    }
    assert fetched == [["a", "b", "missing", "c"]]
    assert SECRET not in answer.text


async def test_a_thousand_entities_cost_two_fetches_and_repetitions_none(client: Client) -> None:
    """Batches are cut at the loader's bound; equal keys are loaded once."""
    representations = [{"__typename": "Thing", "id": str(number % 1000)} for number in range(3000)]
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { name } } }"
    answer = await client.post(query, r=representations)
    assert len(answer.json()["data"]["_entities"]) == 3000
    assert [len(ids) for ids in fetched] == [500, 500]


async def test_too_many_representations_are_refused(client: Client) -> None:
    """With the bound."""
    representations = [{"__typename": "Thing", "id": "1"}] * (MAX_REPRESENTATIONS + 1)
    query = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    [error] = (await client.post(query, r=representations)).json()["errors"]
    assert str(MAX_REPRESENTATIONS) in error["message"]


BAD_REQUESTS = {
    "no JSON": (b"{query", 400, "JSON"),
    "a list": (b"[]", 400, "list"),
    "no query": (b"{}", 400, "query is missing"),
    "an empty query": (b'{"query": " "}', 400, "query is missing"),
    "a query that is a number": (b'{"query": 1}', 400, "query is missing"),
    "variables that are a list": (b'{"query": "{account}", "variables": []}', 400, "variables is a list"),
    "an operation name that is a number": (b'{"query": "{account}", "operationName": 1}', 400, "operationName"),
    "a body that is too large": (b'{"query": "' + b"x" * 3000 + b'"}', 413, "more than 2000 bytes"),
    "broken UTF-8": (b'{"query": "\xff"}', 400, "JSON"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
async def test_bad_requests_are_refused_in_words(tmp_path: Path, case: str) -> None:
    """Each with a status, GraphQL's error form, and what is wrong."""
    body, status, words = BAD_REQUESTS[case]
    app = app_with(tmp_path, max_body_bytes=2000)
    async with app.router.lifespan_context(app):
        answer = await Client(app, tmp_path / "keys").http.post(
            "/graphql", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == status
    assert words in answer.json()["errors"][0]["message"]


async def test_another_content_type_or_method_is_refused(client: Client) -> None:
    """A browser's form can't send a mutation here."""
    form = await client.http.post("/graphql", data={"query": "{account}"})
    assert form.status_code == 415
    assert (await client.http.get("/graphql?query={account}")).status_code == 405


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{", "Syntax Error"),
        ("{nothing}", "Cannot query field 'nothing'"),
        ("query($id: ID!) {thing(id: $id) {id}}", "Variable '$id'"),
        ("{" + "account " * 30_000 + "}", "tokens"),
    ],
)
async def test_bad_operations_get_errors_and_no_data(client: Client, query: str, words: str) -> None:
    """graphql-core's own words; nothing was executed."""
    body = (await client.post(query)).json()
    assert words in body["errors"][0]["message"]
    assert "data" not in body


async def test_a_request_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """504, and nothing stays behind."""
    app = app_with(tmp_path, request_timeout_s=0.05)
    async with app.router.lifespan_context(app):
        answer = await Client(app, tmp_path / "keys").post("{hang}")
        assert len(asyncio.all_tasks()) == 1
    assert answer.status_code == 504
    assert answer.json()["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"


async def test_more_requests_than_allowed_are_sent_away(tmp_path: Path) -> None:
    """503 with Retry-After for the surplus, answers for the others."""
    app = app_with(tmp_path, max_concurrent_requests=2, request_timeout_s=0.5)
    async with app.router.lifespan_context(app):
        client = Client(app, tmp_path / "keys")
        answers = await asyncio.gather(*(client.post("{hang}") for _ in range(5)))
        assert (await client.post("{account}")).status_code == 200
    assert sorted(answer.status_code for answer in answers) == [503, 503, 503, 504, 504]
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}


async def test_health_tells_what_is_missing(client: Client) -> None:
    """Ready while everything required answers; no details of what failed."""
    answer = await client.http.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        "service": "things",
        "live": True,
        "ready": True,
        "checks": {"store": "ok", "events": "ConnectionError", "index": "preparing: copying, 3 of 9"},
    }


async def test_health_before_the_start(tmp_path: Path) -> None:
    """Alive and not ready; operations are sent away."""
    client = Client(app_with(tmp_path), tmp_path / "keys")
    health = await client.http.get("/health")
    assert (health.status_code, health.json()["live"], health.json()["ready"]) == (503, True, False)
    assert (await client.post("{account}")).status_code == 503


def test_the_exported_sdl_is_what_the_authors_wrote() -> None:
    """Directives and link stay; what every federated server adds is left out."""
    assert export_sdl(schema) == (
        'schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) {\n  query: Query\n}\n\n'
        'interface Named @key(fields: "id") {\n  id: ID!\n}\n\n'
        "type Query {\n  account: String\n  address: String!\n"
        '  thing(id: ID! = "first"): Thing!\n  explode: String\n  refuse: String\n  hang: String!\n}\n\n'
        'type Thing implements Named @key(fields: "id") {\n  id: ID!\n  name: String!\n}\n'
    )


async def test_the_service_field_gives_the_sdl(client: Client) -> None:
    """For composers that ask a running subgraph."""
    sdl = (await client.post("{_service {sdl}}")).json()["data"]["_service"]["sdl"]
    assert '@key(fields: "id")' in sdl


def test_an_entity_without_a_resolver_is_refused_when_the_schema_is_built() -> None:
    """Not when the first request comes."""

    with pytest.raises(TypeError, match="entity type Orphan has a key and no resolve_reference"):
        build_schema(query=OrphanQuery)


async def test_answers_are_json(client: Client) -> None:
    """Byte for byte what json reads."""
    answer = await client.post("{thing {id name}}")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content) == {"data": {"thing": {"id": "first", "name": "one"}}}
