"""Health, GraphiQL, CORS, reload of the graph, and clients that leave."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from common.settings import SharedSettings
from gateway.errors import NoPath
from gateway.executor.transport.base import SubgraphAnswer
from gateway.executor.transport.recorded import RecordedTransport
from gateway.server.app import create_app
from gateway.settings import GatewaySettings
from gateway.supergraph.read import SupergraphInvalid
from tests.gateway.server.conftest import GRAPH, SDL, OpenGateway
from tests.support.federation import Federation
from tests.support.gateway import gateway_client, post


async def test_health_tells_the_running_version(client: httpx.AsyncClient) -> None:
    response = await client.get("/health")
    assert response.status_code == 200
    assert response.json()["ready"] is True
    assert len(response.json()["supergraph"]) == 12


async def test_a_gateway_that_has_not_started_is_not_ready(tmp_path: Path) -> None:
    app = create_app(GatewaySettings(supergraph=tmp_path / "none.graphql", shared=SharedSettings(state_dir=tmp_path)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        assert (await client.get("/health")).status_code == 503
        answer = await client.post("/graphql", json={"query": "{ hello }"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_an_unusable_supergraph_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text("type Query { a: Int }")
    app = create_app(GatewaySettings(supergraph=path, shared=SharedSettings(state_dir=tmp_path)))
    with pytest.raises(SupergraphInvalid):
        async with app.router.lifespan_context(app):
            pass


async def test_browsers_get_graphiql_from_local_files(open_gateway: OpenGateway, tmp_path: Path) -> None:
    folder = tmp_path / "node_modules"
    for file in (
        "react/umd/react.production.min.js",
        "react-dom/umd/react-dom.production.min.js",
        "graphiql/graphiql.min.js",
        "graphiql/graphiql.min.css",
    ):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"/* {file} */")
    async with open_gateway(graphiql_dir=folder, graphiql_query='{ hello } # "first"') as client:
        page = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page.status_code == 200
        assert "https://" not in page.text
        for name in ("react.js", "react-dom.js", "graphiql.js", "graphiql.css", "start.js"):
            if name != "start.js":
                assert name in page.text
            assert (await client.get(f"/graphiql-assets/{name}")).status_code == 200
        assert r'defaultQuery: "{ hello } # \"first\""' in (await client.get("/graphiql-assets/start.js")).text
        assert (await client.get("/graphiql-assets/..%2F..%2Fsupergraph.graphql")).status_code == 404
        assert (await client.get("/graphiql-assets/package.json")).status_code == 404
        answer = await client.get("/graphql?query={hello}", headers={"accept": "text/html,*/*"})
        assert answer.json() == {"data": {"hello": "world"}}


async def test_a_missing_graphiql_says_what_to_do(open_gateway: OpenGateway, tmp_path: Path) -> None:
    async with open_gateway(graphiql_dir=tmp_path / "none") as client:
        page = await client.get("/graphql", headers={"accept": "text/html"})
        assert page.status_code == 503
        assert "npm ci" in page.text
    async with open_gateway(graphiql=False) as client:
        assert (await client.get("/graphql", headers={"accept": "text/html"})).status_code == 406
        assert (await client.get("/graphiql-assets/start.js")).status_code == 404


async def test_only_listed_origins_may_call_from_browsers(open_gateway: OpenGateway) -> None:
    preflight = {"origin": "https://tv.example", "access-control-request-method": "POST"}
    async with open_gateway(cors_origins=("https://tv.example",)) as client:
        allowed = await client.options("/graphql", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == "https://tv.example"
        refused = await client.options("/graphql", headers={**preflight, "origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
    async with open_gateway() as client:
        assert "access-control-allow-origin" not in (await client.options("/graphql", headers=preflight)).headers


async def test_introspection_can_be_switched_off(open_gateway: OpenGateway) -> None:
    queries = [
        "{ __schema { types { name } } }",
        "{ ...F } fragment F on Query { a: __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
    ]
    async with open_gateway(introspection=False, suggestions=False) as client:
        for query in queries:
            assert "data" not in (await client.post("/graphql", json={"query": query})).json()
        assert "Did you mean" not in (await client.post("/graphql", json={"query": "{ helo }"})).text
        assert (await client.post("/graphql", json={"query": "{ __typename }"})).json()["data"]


async def test_introspection_is_answered_beside_subgraphs_fields(
    client: httpx.AsyncClient, transport: RecordedTransport
) -> None:
    query = "query($n: String!) { hello t: __type(name: $n) { name kind } __schema { queryType { name } } }"
    answer = await client.post("/graphql", json={"query": query, "variables": {"n": "Word"}})
    assert answer.json() == {
        "data": {
            "hello": "world",
            "t": {"name": "Word", "kind": "OBJECT"},
            "__schema": {"queryType": {"name": "Query"}},
        }
    }
    assert len(transport.exchanges) == 1


async def test_introspection_is_found_in_fragments_and_under_conditions(
    client: httpx.AsyncClient, transport: RecordedTransport
) -> None:
    query = """
        query($no: Boolean!) { ...A ... on Query { k: __type(name: "Word") { ...T } } __type(name: "x") @include(if: $no) { name } }
        fragment A on Query { ...B hello @include(if: $no) }
        fragment B on Query { s: __schema @skip(if: $no) { queryType { ...T } } }
        fragment T on __Type { name }
    """
    answer = await client.post("/graphql", json={"query": query, "variables": {"no": False}})
    assert answer.json() == {"data": {"s": {"queryType": {"name": "Query"}}, "k": {"name": "Word"}}}
    assert transport.exchanges == []


async def test_times_are_told_when_asked_for(open_gateway: OpenGateway) -> None:
    async with open_gateway(server_timing=True) as client:
        timing = (await client.post("/graphql", json={"query": "{ hello }"})).headers["server-timing"]
        assert timing.startswith("prepare;dur=")
        assert "execute;dur=" in timing


async def test_every_request_leaves_a_line_in_the_log(open_gateway: OpenGateway) -> None:
    async with open_gateway(access_log=True) as client:
        with structlog.testing.capture_logs() as lines:
            await client.post("/graphql", json={"query": "query Q { hello }", "operationName": "Q"})
            await client.post("/graphql", content=b"{", headers={"content-type": "application/json"})
    asked, refused = (line for line in lines if line["event"] == "request")
    assert (asked["operation_name"], asked["status"], asked["subgraph_requests"], asked["errors"]) == ("Q", 200, 1, 0)
    assert (refused["outcome"], refused["status"]) == ("RefusedRequest", 400)


async def test_a_bug_of_ours_is_an_internal_error_without_details(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("gateway.planner.planner.Planner.plan", broken)
    with structlog.testing.capture_logs() as lines:
        answer = await client.post("/graphql", json={"query": "{ hello }"})
    assert answer.status_code == 500
    assert answer.json() == {"errors": [{"message": "internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
    assert "secret detail" in str(lines)


async def test_an_operation_that_can_not_be_planned_says_so(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_path(*_arguments: Any) -> Any:
        raise NoPath("Query.hello", ["'words' is not there"])

    monkeypatch.setattr("gateway.planner.planner.Planner.plan", no_path)
    answer = await client.post("/graphql", json={"query": "{ hello }"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "QUERY_PLANNING_FAILED"
    assert "Query.hello" in answer.json()["errors"][0]["message"]


async def test_subscriptions_are_refused_by_name(tmp_path: Path) -> None:
    graph = Federation(
        subgraphs={"s": "type Query { a: Int } type Subscription { ticks: Int }"}, roots={}, find=lambda _n, _k: None
    )
    async with gateway_client(graph.supergraph_sdl(), graph.transport(), tmp_path) as client:
        answer = await post(client, "subscription { ticks }")
    assert answer["errors"][0]["extensions"]["code"] == "SUBSCRIPTIONS_DISABLED"


async def test_an_answer_too_deep_to_be_written_is_an_error(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    graph = Federation(
        subgraphs={"s": "scalar Json type Query { a: Json b: Int }"},
        roots={},
        find=lambda _n, _k: None,
        fault=lambda _name, _request: SubgraphAnswer(200, json.dumps({"data": {"a": deep, "b": 1}}).encode()),
    )
    async with gateway_client(graph.supergraph_sdl(), graph.transport(), tmp_path) as client:
        answer = await post(client, "{ a b }")
    assert answer["data"] is None
    assert "nested too deeply" in answer["errors"][0]["message"]


async def test_only_trusted_operations_when_so_set(open_gateway: OpenGateway, tmp_path: Path) -> None:
    folder = tmp_path / "operations"
    folder.mkdir()
    (folder / "hello.graphql").write_text("query Hello { hello }")
    async with open_gateway(trusted_operations_dir=folder, trusted_operations_only=True) as client:
        assert (await client.post("/graphql", json={"query": "query Hello { hello }"})).json()["data"]
        other = await client.post("/graphql", json={"query": "{ hello }"})
        assert other.json()["errors"][0]["extensions"]["code"] == "OPERATION_NOT_TRUSTED"


async def test_a_changed_supergraph_is_swapped_in_and_a_broken_one_is_not(
    open_gateway: OpenGateway, tmp_path: Path
) -> None:
    async with open_gateway(reload_interval_s=0.01) as client:
        version = (await client.get("/health")).json()["supergraph"]
        path = tmp_path / "supergraph.graphql"
        path.write_text("this is no graph")
        await asyncio.sleep(0.1)
        assert (await client.get("/health")).json()["supergraph"] == version
        path.write_text(SDL.replace("hello: String", "hello: String @deprecated"))
        async with asyncio.timeout(5):
            while (await client.get("/health")).json()["supergraph"] == version:  # noqa: ASYNC110  # only HTTP tells
                await asyncio.sleep(0.01)
        assert (await client.post("/graphql", json={"query": "{ hello }"})).json() == {"data": {"hello": "world"}}


async def test_a_client_that_leaves_cancels_what_it_started(tmp_path: Path, transport: RecordedTransport) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text(SDL)
    shared = SharedSettings(state_dir=tmp_path)
    app = create_app(GatewaySettings(supergraph=path, access_log=False, shared=shared), transport=transport)
    asked = asyncio.Event()

    async def hang() -> None:
        asked.set()
        await asyncio.Event().wait()

    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": json.dumps({"query": "{ hello }"}).encode()})
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("gateway", 80),
        "asgi": {"version": "3.0"},
        "state": {},
    }
    GRAPH.fault = lambda _subgraph, _request: hang()
    try:
        async with app.router.lifespan_context(app):
            before = asyncio.all_tasks()
            call = asyncio.create_task(app(scope, messages.get, send))
            await asked.wait()
            messages.put_nowait({"type": "http.disconnect"})
            await asyncio.wait_for(call, 5)
            assert sent == []
            assert transport.in_flight == 0
            assert asyncio.all_tasks() == before
    finally:
        GRAPH.fault = None
