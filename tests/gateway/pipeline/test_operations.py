"""The cache of compiled operations: bounded, never twice the same work at once, patient only up to a point."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.errors import InternalError, PlanningBudgetExceeded, RequestInvalid, ResponseError
from gateway.pipeline.operations import OperationCache


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


class Compiled(tuple[str, str | None]):
    """Stands for an operation."""

    __slots__ = ()
    field_count = 40


class Compiler:
    """Counts, and can be held back."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.error: Exception | None = None

    def __call__(self, text: str, name: str | None, _labels: frozenset[str]) -> Any:
        self.calls.append((text, name))
        assert self.may_go.wait(10)
        if self.error is not None:
            raise self.error
        return Compiled((text, name))


def cache(compiler: Compiler, threads: ThreadPoolExecutor, **options: Any) -> OperationCache:
    return OperationCache(compiler, threads, **{"max_operations": 10, "timeout_s": 5.0, **options})


async def test_prepares_once_per_text_and_name(threads: ThreadPoolExecutor) -> None:
    compiler = Compiler()
    known = cache(compiler, threads)
    for _ in range(2):
        assert await known.prepare("{ a }", None) == ("{ a }", None)
        assert await known.prepare("{ a }", "A") == ("{ a }", "A")
    assert compiler.calls == [("{ a }", None), ("{ a }", "A")]
    assert known.get("{ a }", "A") == ("{ a }", "A")
    assert known.get("{ b }", None) is None


async def test_the_same_text_is_not_prepared_twice_at_once(threads: ThreadPoolExecutor) -> None:
    compiler = Compiler()
    compiler.may_go.clear()
    known = cache(compiler, threads)
    tasks = [asyncio.create_task(known.prepare("{ a }", None)) for _ in range(5)]
    await asyncio.sleep(0)
    compiler.may_go.set()
    assert len(set(await asyncio.gather(*tasks))) == 1
    assert len(compiler.calls) == 1


async def test_least_recently_used_operations_go_first(threads: ThreadPoolExecutor) -> None:
    known = cache(Compiler(), threads, max_operations=2)
    await known.prepare("{ a }", None)
    await known.prepare("{ b }", None)
    assert known.get("{ a }", None)
    await known.prepare("{ c }", None)
    assert len(known) == 2
    assert known.get("{ b }", None) is None
    assert known.get("{ a }", None)


async def test_operations_together_have_so_many_fields_at_most(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short text may stand for thousands: neither their number nor their length bounds what operations take."""
    monkeypatch.setattr("gateway.pipeline.operations._MAX_CACHED_FIELDS", 100)
    known = cache(Compiler(), threads)
    for text in ("{ a }", "{ b }", "{ c }"):
        await known.prepare(text, None)
    assert len(known) == 2
    assert known.get("{ a }", None) is None


async def test_who_waits_too_long_is_told_and_the_work_is_kept(threads: ThreadPoolExecutor) -> None:
    compiler = Compiler()
    compiler.may_go.clear()
    known = cache(compiler, threads, timeout_s=0.01)
    with pytest.raises(PlanningBudgetExceeded):
        await known.prepare("{ a }", None)
    compiler.may_go.set()
    async with asyncio.timeout(5):
        while known.get("{ a }", None) is None:  # noqa: ASYNC110  # the cache does not signal
            await asyncio.sleep(0.001)
    assert len(compiler.calls) == 1


async def test_one_waiter_that_leaves_does_not_take_the_others_with_it(threads: ThreadPoolExecutor) -> None:
    compiler = Compiler()
    compiler.may_go.clear()
    known = cache(compiler, threads)
    leaving = asyncio.create_task(known.prepare("{ a }", None))
    staying = asyncio.create_task(known.prepare("{ a }", None))
    await asyncio.sleep(0)
    leaving.cancel()
    compiler.may_go.set()
    assert await staying == ("{ a }", None)
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_failures_are_not_kept(threads: ThreadPoolExecutor) -> None:
    compiler = Compiler()
    known = cache(compiler, threads)
    compiler.error = RequestInvalid([ResponseError("no", "X")])
    with pytest.raises(RequestInvalid):
        await known.prepare("{ a }", None)
    compiler.error = RuntimeError("planner bug")
    with pytest.raises(InternalError):
        await known.prepare("{ a }", None)
    compiler.error = None
    assert await known.prepare("{ a }", None)


async def test_preparations_that_wait_have_a_limit(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.pipeline.operations._MAX_WAITING", 1)
    compiler = Compiler()
    compiler.may_go.clear()
    known = cache(compiler, threads)
    first = asyncio.create_task(known.prepare("{ a }", None))
    await asyncio.sleep(0)
    with pytest.raises(RequestInvalid) as raised:
        await known.prepare("{ b }", None)
    assert raised.value.status == 503
    compiler.may_go.set()
    await first
