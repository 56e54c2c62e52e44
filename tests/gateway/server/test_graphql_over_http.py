"""GraphQL over HTTP: media types, statuses, refusals, limits, compression."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import pytest

from gateway.errors import SubgraphUnavailable
from gateway.executor.transport.recorded import RecordedTransport
from tests.gateway.server.conftest import GRAPH, OpenGateway

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


def code_of(response: httpx.Response) -> str:
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{JSON};q=0.9, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.1, {JSON}", JSON),
        (f"{GRAPHQL};q=0, {JSON}", JSON),
        ("text/html, */*;q=0.1", JSON),
    ],
)
async def test_the_media_type_is_negotiated(client: httpx.AsyncClient, accept: str | None, content_type: str) -> None:
    client.headers.pop("accept")
    headers = {} if accept is None else {"accept": accept}
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.json() == {"data": {"hello": "world"}}


@pytest.mark.parametrize("accept", ["text/plain", f"{JSON};q=0", f"{JSON}; charset=iso-8859-1", "image/*"])
async def test_an_accept_header_without_a_known_type_is_refused(client: httpx.AsyncClient, accept: str) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"accept": accept})
    assert response.status_code == 406
    assert code_of(response) == "NOT_ACCEPTABLE"


BAD_DOCUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ }"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query($t: String!) { word(text: $t) { text } }"}, "BAD_USER_INPUT"),
    ({"query": "query($t: String!) { word(text: $t) { text } }", "variables": {"t": 7}}, "BAD_USER_INPUT"),
    ({"query": "{ word(text: $t) { text } }", "variables": {"t": "x"}}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query A { hello } query B { hello }"}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": "query A { hello }", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": "{ _service { sdl } }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ _entities(representations: []) { __typename } }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{a" * 5000 + "}" * 5000}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ hello " + "@include(if: true) " * 2000 + "}"}, "OPERATION_TOO_LARGE"),
    ({"query": "{ " + " ".join(f"a{i}: hello" for i in range(1000)) + "}"}, "OPERATION_TOO_LARGE"),
    ({"query": "{ " + "a " * 300_000 + "}"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ ...A } fragment A on Query { ...A }"}, "GRAPHQL_VALIDATION_FAILED"),
    (
        {"query": "{ __schema { types " + "{ fields { type " * 6 + "{ name }" + " } }" * 6 + " } }"},
        "GRAPHQL_VALIDATION_FAILED",
    ),
]


@pytest.mark.parametrize(("payload", "code"), BAD_DOCUMENTS)
async def test_what_can_not_be_executed_is_told_without_data(
    client: httpx.AsyncClient, payload: dict[str, Any], code: str
) -> None:
    """The older media type keeps 200, the newer one says 400; neither has a data key."""
    for accept, status in ((JSON, 200), (GRAPHQL, 400)):
        response = await client.post("/graphql", json=payload, headers={"accept": accept})
        assert (response.status_code, code_of(response)) == (status, code)
        assert "data" not in response.json()


async def test_a_syntax_error_names_line_and_column(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ hello\n  ) }"})
    assert response.json()["errors"][0]["locations"] == [{"line": 2, "column": 3}]


async def test_fragments_that_double_are_measured_without_being_expanded(client: httpx.AsyncClient) -> None:
    bomb = '{ word(text: "x") { ...F0 } } ' + " ".join(
        f"fragment F{i} on Word {{ a{i}: text ...F{i + 1} b{i}: length ...F{i + 1} }}" for i in range(30)
    )
    response = await client.post("/graphql", json={"query": bomb + " fragment F30 on Word { text }"})
    assert code_of(response) == "OPERATION_TOO_LARGE"


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b'{"query":1}',
        b'{"query":"{hello}","variables":[]}',
        b'{"query":"{hello}",',
        b'{"query":"{hello}","variables":"x"}',
        b'{"query":"{hello}","operationName":{}}',
        b"{}",
        b"",
        b"\xef\xbb\xbf{}",
        b'{"query":"{hello}","extensions":[]}',
        b'{"query":"{ hello \\ud800 }"}',
        b'{"query":null}',
        b'{"query":"{hello}","variables":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    ],
)
async def test_a_body_of_another_shape_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": JSON})
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": f"{JSON}; charset=utf-7"},
        {"content-type": JSON, "content-encoding": "gzip"},
    ],
)
async def test_content_types_that_a_form_could_send_are_refused(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.post("/graphql", content=b'{"query":"{ hello }"}', headers=headers)
    assert response.status_code == 415


async def test_get_answers_queries_and_refuses_mutations(client: httpx.AsyncClient) -> None:
    ok = await client.get(
        "/graphql", params={"query": "query W($t: String!) { word(text: $t) { length } }", "variables": '{"t":"abc"}'}
    )
    assert ok.json() == {"data": {"word": {"length": 3}}}
    refused = await client.get("/graphql", params={"query": 'mutation { say(text: "x") }'})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await client.get("/graphql", params={"query": "{ hello }", "variables": "{"})).status_code == 400
    assert (await client.get("/graphql", headers={"accept": JSON})).status_code == 400
    assert (await client.get("/graphql?query=" + "a" * 40_000)).status_code == 414
    assert (await client.get("/graphql?query=%ff")).status_code == 400


async def test_other_methods_are_told_which_are_answered(client: httpx.AsyncClient) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        response = await client.request(method, "/graphql")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, OPTIONS")
    assert (await client.options("/graphql")).status_code == 204


async def test_get_can_demand_a_header_that_no_form_sends(open_gateway: OpenGateway) -> None:
    async with open_gateway(require_preflight_header=True) as client:
        query = {"query": "{ hello }"}
        assert (await client.get("/graphql", params=query)).status_code == 403
        assert (
            await client.get("/graphql", params=query, headers={"apollo-require-preflight": "1"})
        ).status_code == 200
        assert (await client.get("/graphql", params=query, headers={"content-type": "message/x"})).status_code == 415


async def test_bodies_and_headers_have_limits(open_gateway: OpenGateway) -> None:
    async with open_gateway(max_body_bytes=1000) as client:

        async def chunks() -> Any:
            for _ in range(100):
                yield b"x" * 100

        headers = {"content-type": JSON}
        assert (await client.post("/graphql", content=b"x" * 1001, headers=headers)).status_code == 413
        assert (await client.post("/graphql", content=chunks(), headers=headers)).status_code == 413
        many = {f"x-h{i}": "a" for i in range(200)}
        assert (await client.post("/graphql", json={"query": "{ hello }"}, headers=many)).status_code == 431
        assert (
            await client.post("/graphql", json={"query": "{ hello }"}, headers={"x": "a" * 70_000})
        ).status_code == 431


async def test_answers_are_compressed_when_that_pays(client: httpx.AsyncClient) -> None:
    query = {"query": "{ __schema { types { name fields { name type { name } } } } }"}
    async with client.stream("POST", "/graphql", json=query, headers={"accept-encoding": "gzip"}) as response:
        raw = b"".join([piece async for piece in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert b'"__schema"' in gzip.decompress(raw)
    for accepted in ("identity", "gzip;q=0", "gzip; q=0.", "br"):
        plain = await client.post("/graphql", json=query, headers={"accept-encoding": accepted})
        assert "content-encoding" not in plain.headers
    small = await client.post("/graphql", json={"query": "{ hello }"}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


async def test_data_beside_errors_has_its_own_status_in_the_newer_media_type(client: httpx.AsyncClient) -> None:
    def fault(subgraph: str, _request: dict[str, Any]) -> Any:
        return SubgraphUnavailable("numbers", "subgraph 'numbers' can't be reached") if subgraph == "numbers" else None

    GRAPH.fault = fault
    try:
        for accept, status in ((JSON, 200), (GRAPHQL, 294)):
            response = await client.post(
                "/graphql", json={"query": '{ word(text: "ab") { length count } }'}, headers={"accept": accept}
            )
            assert response.status_code == status
            assert response.json() == {
                "data": {"word": {"length": 2, "count": None}},
                "errors": [
                    {
                        "message": "subgraph 'numbers' can't be reached",
                        "path": ["word", "count"],
                        "extensions": {"code": "SUBREQUEST_CONNECT_FAILED", "service": "numbers"},
                    }
                ],
            }
    finally:
        GRAPH.fault = None


async def test_texts_of_subgraphs_are_masked_unless_their_code_is_meant_for_clients(client: httpx.AsyncClient) -> None:
    def fault(_subgraph: str, _request: dict[str, Any]) -> Any:
        extensions = {"code": "NOT_FOUND", "field": "text", "stacktrace": ["secret"]}
        return {
            "data": {"hello": None, "word": None},
            "errors": [
                {"message": "db at 10.0.0.1 is down", "path": ["hello"], "extensions": {"code": "INTERNAL"}},
                {"message": "no such word", "path": ["word"], "extensions": extensions},
            ],
        }

    GRAPH.fault = fault
    try:
        response = await client.post("/graphql", json={"query": '{ hello word(text: "x") { text } }'})
    finally:
        GRAPH.fault = None
    assert response.json()["errors"] == [
        {
            "message": "subgraph 'words' reported an error",
            "path": ["hello"],
            "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "words"},
        },
        {
            "message": "no such word",
            "path": ["word"],
            "extensions": {"code": "NOT_FOUND", "field": "text", "service": "words"},
        },
    ]


async def test_persisted_queries_are_learnt_and_then_known(client: httpx.AsyncClient) -> None:
    from gateway.pipeline.persisted import sha256_of

    text = "{ hello }"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(text)}}
    unknown = await client.post("/graphql", json={"extensions": extensions})
    assert code_of(unknown) == "PERSISTED_QUERY_NOT_FOUND"
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    taught = await client.post("/graphql", json={"query": text, "extensions": extensions})
    assert taught.json() == {"data": {"hello": "world"}}
    assert (await client.post("/graphql", json={"extensions": extensions})).json() == {"data": {"hello": "world"}}
    by_id = await client.get("/graphql", params={"documentId": f"sha256:{sha256_of(text)}"})
    assert by_id.json() == {"data": {"hello": "world"}}
    wrong = {"persistedQuery": {"version": 1, "sha256Hash": sha256_of("{ other }")}}
    assert (await client.post("/graphql", json={"query": text, "extensions": wrong})).status_code == 400


async def test_too_many_requests_at_once_are_turned_away(
    open_gateway: OpenGateway, transport: RecordedTransport
) -> None:
    release = asyncio.Event()

    async def wait() -> dict[str, Any]:
        await release.wait()
        return {"data": {"hello": "late"}}

    GRAPH.fault = lambda _subgraph, _request: wait()
    try:
        async with open_gateway(max_concurrent_requests=1) as client:
            first = asyncio.create_task(client.post("/graphql", json={"query": "{ hello }"}))
            while not transport.in_flight:  # noqa: ASYNC110  # it counts, it does not signal
                await asyncio.sleep(0)
            second = await client.post("/graphql", json={"query": "{ hello }"})
            assert (second.status_code, second.headers["retry-after"]) == (503, "1")
            release.set()
            assert (await first).json() == {"data": {"hello": "late"}}
    finally:
        GRAPH.fault = None


async def test_a_request_ends_at_its_deadline_whatever_subgraphs_do(
    open_gateway: OpenGateway, transport: RecordedTransport
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    GRAPH.fault = lambda subgraph, _request: hang() if subgraph == "numbers" else None
    try:
        async with open_gateway(request_timeout_s=0.05) as client:
            response = await client.post("/graphql", json={"query": '{ word(text: "a") { length count } }'})
    finally:
        GRAPH.fault = None
    assert response.json()["data"] == {"word": {"length": 1, "count": None}}
    assert code_of(response) == "SUBREQUEST_TIMEOUT"
    assert transport.in_flight == 0


async def test_subscriptions_and_batches_are_refused_by_name(client: httpx.AsyncClient) -> None:
    batch = await client.post("/graphql", json=[{"query": "{ hello }"}] * 2)
    assert batch.status_code == 400
    assert "batches" in batch.json()["errors"][0]["message"]


async def test_every_answer_carries_a_request_id(client: httpx.AsyncClient) -> None:
    given = await client.post("/graphql", json={"query": "{ hello }"}, headers={"x-request-id": "abcdefgh-1"})
    assert given.headers["x-request-id"] == "abcdefgh-1"
    strange = await client.post("/graphql", json={"query": "{ hello }"}, headers={"x-request-id": "<script>"})
    assert strange.headers["x-request-id"].isalnum()


async def test_listed_headers_reach_subgraphs_and_no_others(
    open_gateway: OpenGateway, transport: RecordedTransport
) -> None:
    async with open_gateway(forwarded_headers=("accept-language", "x-marquee-viewer")) as client:
        headers = {
            "accept-language": "fi",
            "x-marquee-viewer": "forged",
            "cookie": "secret",
            "authorization": "Bearer x",
        }
        await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert transport.exchanges[0].headers == {"accept-language": "fi"}


async def test_subgraphs_learn_the_address_that_the_request_came_from(
    open_gateway: OpenGateway, transport: RecordedTransport
) -> None:
    """And not the one that the client made up: limits per address depend on it."""
    async with open_gateway() as client:
        await client.post("/graphql", json={"query": "{ hello }"}, headers={"x-forwarded-for": "203.0.113.1"})
    assert transport.exchanges[0].headers["x-forwarded-for"] == "127.0.0.1"
