"""Identical queries at the same time are executed once; anything else never shares an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.executor.operation import Answer
from gateway.executor.transport.recorded import RecordedTransport
from gateway.pipeline.in_flight import InFlight, SharedAnswer, request_key
from tests.support.federation import Federation
from tests.support.gateway import gateway_client, post

ANSWER = Answer({"a": 1}, (), 1)


def json_of(answer: SharedAnswer) -> Any:
    return orjson.loads(orjson.dumps(answer.data))


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
    tasks = [asyncio.create_task(in_flight.share(("k",), work)) for _ in range(3)]
    other = asyncio.create_task(in_flight.share(("other",), work))
    await asyncio.sleep(0.001)
    work.may_end.set()
    one, *others = await asyncio.gather(*tasks, other)
    assert json_of(one) == {"a": 1}
    assert [each is one for each in others] == [True, True, False]
    assert work.started == 2
    assert json_of(await in_flight.share(("k",), work)) == {"a": 1}
    assert work.started == 3


async def test_the_first_may_leave_and_the_others_still_get_their_answer() -> None:
    in_flight, work = InFlight(), Work()
    first, second = (asyncio.create_task(in_flight.share(("k",), work)) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    work.may_end.set()
    assert json_of(await second) == {"a": 1}
    assert (work.started, work.cancelled) == (1, 0)


async def test_the_work_ends_with_the_last_who_waits_and_newcomers_start_anew() -> None:
    in_flight, work = InFlight(), Work()
    first = asyncio.create_task(in_flight.share(("k",), work))
    await asyncio.sleep(0.001)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    newcomer = asyncio.create_task(in_flight.share(("k",), work))
    await asyncio.sleep(0.001)
    work.may_end.set()
    assert json_of(await newcomer) == {"a": 1}
    assert (work.started, work.cancelled) == (2, 1)


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    async def fails() -> Answer:
        await asyncio.sleep(0)
        raise ValueError("no")

    in_flight = InFlight()
    got = await asyncio.gather(*(in_flight.share(("k",), fails) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in got] == [ValueError, ValueError]
    work = Work()
    work.may_end.set()
    assert json_of(await in_flight.share(("k",), work)) == {"a": 1}


async def test_who_asks_after_a_change_joins_nothing_from_before_it() -> None:
    in_flight, before, after = InFlight(), Work(), Work()
    first = asyncio.create_task(in_flight.share(("k",), before))
    await asyncio.sleep(0.001)
    in_flight.let_nobody_join()
    second, third = (asyncio.create_task(in_flight.share(("k",), after)) for _ in range(2))
    await asyncio.sleep(0.001)
    before.may_end.set()
    assert json_of(await first) == {"a": 1}
    fourth = asyncio.create_task(in_flight.share(("k",), after))
    await asyncio.sleep(0.001)
    after.may_end.set()
    await asyncio.gather(second, third, fourth)
    assert (before.started, after.started) == (1, 1)


@pytest.mark.parametrize("data", [None, {"a": None}])
async def test_no_data_stays_no_data(data: dict[str, Any] | None) -> None:
    async def answer() -> Answer:
        return Answer(data, (), 1)

    shared = await InFlight().share(("k",), answer)
    assert (shared.data is None) == (data is None)
    assert json_of(shared) == data


async def test_data_that_can_not_be_written_is_left_to_each_request() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"a": deep}

    async def answer() -> Answer:
        return Answer(deep, (), 1)

    assert (await InFlight().share(("k",), answer)).data is deep


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


async def test_a_change_through_the_gateway_is_seen_by_who_asks_next(tmp_path: Path) -> None:
    query_may_end, number = asyncio.Event(), 1

    async def slowly(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal number
        if "mutation" in request["query"]:
            number += 1
            return {"data": {"b": number}}
        seen = number
        await query_may_end.wait()
        return {"data": {"a": seen}}

    async with gateway_client(
        GRAPH.supergraph_sdl(), RecordedTransport(lambda _name, request: slowly(request)), tmp_path,
        deduplicate_queries=True,
    ) as client:  # fmt: skip
        query_may_end.set()
        await post(client, "{ a }")
        query_may_end.clear()
        before = asyncio.create_task(post(client, "{ a }"))
        await asyncio.sleep(0.02)
        assert await post(client, "mutation { b }") == {"data": {"b": 2}}
        after = asyncio.create_task(post(client, "{ a }"))
        await asyncio.sleep(0.02)
        query_may_end.set()
        assert await before == {"data": {"a": 1}}
        assert await after == {"data": {"a": 2}}
