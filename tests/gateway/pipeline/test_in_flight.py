"""Identical queries at the same time are executed once; anything else never shares an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.executor.operation import Answer
from gateway.pipeline.in_flight import InFlight, request_key
from tests.support.federation import Federation
from tests.support.gateway import gateway_client, post

ANSWER = Answer({"a": 1}, (), 1)


class Work:
    """Counts its starts and waits to be told to end."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> Answer:
        self.started += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return ANSWER


async def test_equal_work_runs_once() -> None:
    in_flight, work = InFlight(), Work()
    tasks = [asyncio.create_task(in_flight.share(("k",), work())) for _ in range(3)]
    other = asyncio.create_task(in_flight.share(("other",), work()))
    await asyncio.sleep(0.001)
    work.may_end.set()
    assert await asyncio.gather(*tasks, other) == [ANSWER] * 4
    assert work.started == 2
    assert await in_flight.share(("k",), work()) is ANSWER
    assert work.started == 3


async def test_the_first_may_leave_and_the_others_still_get_their_answer() -> None:
    in_flight, work = InFlight(), Work()
    first, second = (asyncio.create_task(in_flight.share(("k",), work())) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    work.may_end.set()
    assert await second is ANSWER
    assert (work.started, work.cancelled) == (1, 0)


async def test_the_work_ends_with_the_last_who_waits_and_newcomers_start_anew() -> None:
    in_flight, work = InFlight(), Work()
    first = asyncio.create_task(in_flight.share(("k",), work()))
    await asyncio.sleep(0.001)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    newcomer = asyncio.create_task(in_flight.share(("k",), work()))
    await asyncio.sleep(0.001)
    work.may_end.set()
    assert await newcomer is ANSWER
    assert (work.started, work.cancelled) == (2, 1)


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    async def fails() -> Answer:
        await asyncio.sleep(0)
        raise ValueError("no")

    in_flight = InFlight()
    got = await asyncio.gather(*(in_flight.share(("k",), fails()) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in got] == [ValueError, ValueError]
    work = Work()
    work.may_end.set()
    assert await in_flight.share(("k",), work()) is ANSWER


def test_whoever_asks_and_whatever_is_asked_is_in_the_key() -> None:
    operation = object()
    key = request_key(operation, {"a": b'"a":1'}, {"x-marquee-viewer": "ann", "x-request-id": "1"})
    assert key == request_key(operation, {"a": b'"a":1'}, {"x-request-id": "2", "x-marquee-viewer": "ann"})
    assert key != request_key(operation, {"a": b'"a":1'}, {"x-marquee-viewer": "bob"})
    assert key != request_key(operation, {"a": b'"a":1'}, {})
    assert key != request_key(operation, {"a": b'"a":2'}, {"x-marquee-viewer": "ann"})
    assert key != request_key(object(), {"a": b'"a":1'}, {"x-marquee-viewer": "ann"})


GRAPH = Federation(
    subgraphs={"s": "type Query { a(n: Int): Int } type Mutation { b: Int }"},
    roots={"a": lambda n=0: n, "b": lambda: 1},
    find=lambda _name, _key: None,
)


@pytest.mark.parametrize(
    ("enabled", "query", "variables", "headers", "asked"),
    [
        (True, "query($n: Int) { a(n: $n) }", [1, 1, 1], ["x", "x", "x"], 1),
        (True, "query($n: Int) { a(n: $n) }", [1, 2, 1], ["x", "x", "x"], 2),
        (True, "query($n: Int) { a(n: $n) }", [1, 1, 1], ["x", "y", "x"], 2),
        (True, "mutation { b }", [1, 1, 1], ["x", "x", "x"], 3),
        (False, "query($n: Int) { a(n: $n) }", [1, 1, 1], ["x", "x", "x"], 3),
    ],
)
async def test_through_the_gateway(
    enabled: bool, query: str, variables: list[int], headers: list[str], asked: int, tmp_path: Path
) -> None:
    everybody_asked = asyncio.Event()

    async def later(_request: dict[str, Any]) -> dict[str, Any]:
        await everybody_asked.wait()
        return GRAPH.execute(schema, _request["query"], _request.get("variables") or {})

    from graphql import build_schema

    schema = build_schema(GRAPH.subgraphs["s"])
    transport = GRAPH.transport()
    settings = {"deduplicate_queries": enabled, "forwarded_headers": ("accept-language", "x-request-id")}
    async with gateway_client(GRAPH.supergraph_sdl(), transport, tmp_path, **settings) as client:
        await post(client, query, {"n": 0})  # from here on the operation is known, and asking is quick
        transport.exchanges.clear()
        GRAPH.fault = lambda _name, request: later(request)
        try:
            tasks = [
                asyncio.create_task(
                    client.post(
                        "/graphql",
                        json={"query": query, "variables": {"n": number}},
                        headers={"accept-language": header},
                    )
                )
                for number, header in zip(variables, headers, strict=True)
            ]
            await asyncio.sleep(0.05)
            everybody_asked.set()
            answers = [(await task).json() for task in tasks]
        finally:
            GRAPH.fault = None
    assert len(transport.exchanges) == asked
    if query.startswith("query"):
        assert [answer["data"]["a"] for answer in answers] == variables
