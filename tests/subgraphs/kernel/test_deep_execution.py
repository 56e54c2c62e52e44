"""Operations of any depth, over interfaces, unions, lists of lists, batches and awaited objects of which some fail.

What is compared with graphql-core: the data, and the places that errors made null. Of failures below one such place the
specification wants one told and does not say which; where some are awaited, that is whichever comes first.
"""

import asyncio
import gc
import inspect
import json
import os
import random
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, ClassVar

import orjson
import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, execute, parse, validate
from strawberry.execution.is_awaitable import optimized_is_awaitable

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.execution import SharedAnswers, shared

OPERATIONS = int(os.environ.get("MARQUEE_TEST_OPERATIONS", "60"))
"""Written anew for each seed; 2,000 take a minute."""


def _number(text: str) -> int:
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(text))


@strawberry.interface
class Knot:
    """Its id says what fails, and most of what it answers is the same for all requests."""

    objects_are_shared: ClassVar[bool] = True

    id: strawberry.ID

    @strawberry.field
    async def kids(self, n: int = 2) -> "list[Annotated[Red | Blue, strawberry.union('Colored')] | None]":
        """Of a union, awaited."""
        await asyncio.sleep(0)
        return [_knot(f"{self.id}{place}") for place in range(n)]

    @strawberry.field
    def sure(self) -> "list[Knot]":
        """Items that may not be null."""
        return [_knot(f"{self.id}s"), _knot(f"{self.id}t")]

    @strawberry.field
    async def slow(self) -> "Knot":
        """Awaited, may not be null, fails at times."""
        await asyncio.sleep(0)
        if _number(f"{self.id}slow") % 5 == 0:
            raise ValueError(f"slow {self.id}")
        return _knot(f"{self.id}w")

    @strawberry.field(metadata=shared())
    def deep(self) -> list[list[int]]:
        """With a null where none is allowed, at times."""
        wrong: Any = None
        return [[1, 2], [3, wrong if _number(f"{self.id}deep") % 4 == 0 else 4]]

    @strawberry.field(metadata=shared())
    def maybe(self) -> list[list[int | None] | None] | None:
        """With values of other types, at times."""
        given: list[Any] = [None, [[1], None, [None]], [["x"]], 5, [[2], [3.0]], [[True]]]
        chosen: list[list[int | None] | None] | None = given[_number(f"{self.id}maybe") % 6]
        return chosen

    @strawberry.field
    async def total(self) -> int:
        """Of this one."""
        return (await Knot.total_of_all([self]))[0]

    @classmethod
    async def total_of_all(cls, objects: "Sequence[Knot]") -> list[int]:
        """Null for some, where none is allowed."""
        await asyncio.sleep(0)
        nothing: Any = None
        return [nothing if _number(f"{each.id}total") % 6 == 0 else len(each.id) for each in objects]

    @strawberry.field
    async def link(self) -> "Knot | None":
        """Of this one."""
        return (await Knot.link_of_all([self]))[0]

    @classmethod
    async def link_of_all(cls, objects: "Sequence[Knot]") -> "list[Knot | None]":
        """Objects, and none for some."""
        await asyncio.sleep(0)
        return [None if _number(f"{each.id}l") % 6 == 0 else _knot(f"{each.id}l") for each in objects]


@strawberry.type
class Red(Knot):
    """One kind."""

    a: int


@strawberry.type
class Blue(Knot):
    """The other kind."""

    b: str | None
    a: int


@cache
def _knot(id_: str) -> Red | Blue:
    missing: Any = None
    kind, key = _number(id_) % 7, strawberry.ID(id_)
    if kind < 3:
        return Red(id=key, a=missing if kind == 2 else 1)
    return Blue(id=key, b=None if kind == 3 else "b", a=2)


@strawberry.type
class Query:
    """Ways in."""

    @strawberry.field
    def root(self, id: strawberry.ID) -> Knot:
        """May not be null."""
        return _knot(id)

    @strawberry.field
    def opt(self, id: strawberry.ID) -> Knot | None:
        """May be null."""
        return _knot(id)

    @strawberry.field
    async def many(self, id: strawberry.ID) -> list[Knot | None]:
        """Awaited."""
        await asyncio.sleep(0)
        return [_knot(f"{id}{place}") for place in range(3)]


SCHEMA = build_schema(query=Query, types=[Red, Blue])
DIRECTIVES = (
    "",
    "",
    "",
    "",
    "@skip(if: $yes)",
    "@include(if: $yes)",
    "@skip(if: $no)",
    "@include(if: $no) @skip(if: $no)",
)
DECLARED = {"$yes": "Boolean! = true", "$no": "Boolean! = false", "$n": "Int! = 3"}
FRAGMENT = " fragment Part on Knot { id total link { id total } }"


def _write(chance: random.Random) -> str:
    """A document; most are valid."""
    alias = iter(range(10_000))

    def selection(depth: int, *, of_union: bool = False) -> str:
        leaves = ("__typename",) if of_union else ("__typename", "id", "deep", "maybe", "total")
        inner = () if of_union or not depth else ("kids", "sure", "slow", "link", "...Part")
        fragments = ("... on Red", "... on Blue", "... on Knot") if depth else ()
        parts = []
        for chosen in chance.choices(leaves + inner + fragments, k=chance.randint(1, 4)):
            name = f"x{next(alias)}: "
            directive = chance.choice(DIRECTIVES)
            if chosen == "kids":
                arguments = chance.choice(("", "(n: 1)", "(n: $n)"))
                parts.append(f"{name}kids{arguments} {directive} {{ {selection(depth - 1, of_union=True)} }}")
            elif chosen in fragments:
                own = {"... on Red": f"{name}a", "... on Blue": f"{name}a b"}.get(chosen, "")
                parts.append(f"{chosen} {directive} {{ {own} {selection(depth - 1)} }}")
            elif chosen in leaves or chosen == "...Part":
                parts.append(f"{name if chosen in leaves[1:] else ''}{chosen} {directive}")
            else:
                parts.append(f"{name}{chosen} {directive} {{ {selection(depth - 1)} }}")
        return " ".join(parts)

    ids = ["".join(chance.choices("abcdefg", k=4)) for _ in range(chance.randint(1, 3))]
    body = " ".join(
        f'r{n}: {chance.choice(("root", "opt", "many", "opt"))}(id: "{id_}") {{ {selection(3)} }}'
        for n, id_ in enumerate(ids)
    )
    head = ", ".join(f"{name}: {type_}" for name, type_ in DECLARED.items() if name in body)
    return f"query{f'({head})' if head else ''} {{ {body} }}{FRAGMENT if '...Part' in body else ''}"


def _nulled(result: ExecutionResult | Any) -> set[tuple[str | int, ...]]:
    """The places that are null by an error."""
    places = set()
    for error in result.errors or ():
        value, place = result.data, list(error.path or ())
        for depth, key in enumerate(place):
            if value is None:
                place = place[:depth]
                break
            value = value[key]
        assert value is None, "an error leaves null behind"
        places.add(tuple(place))
    return places


async def _general(document: DocumentNode, variables: dict[str, Any]) -> ExecutionResult:
    seen: list[Any] = []

    def is_awaitable(value: Any) -> bool:
        if is_one := optimized_is_awaitable(value):
            seen.append(value)
        return is_one

    outcome = execute(SCHEMA._schema, document, variable_values=variables, is_awaitable=is_awaitable)  # type: ignore[arg-type]
    result = outcome if isinstance(outcome, ExecutionResult) else await outcome
    # graphql-core leaves coroutines behind where a neighbour failed at once.
    for each in seen:
        if inspect.iscoroutine(each) and inspect.getcoroutinestate(each) == inspect.CORO_CREATED:
            each.close()
    return result


# Of graphql-core alone: none of ours, and no resolver's.
@pytest.mark.filterwarnings("ignore:coroutine 'Executor.* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <coroutine object Executor:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("seed", [1, 2])
async def test_any_operation_gives_what_graphql_core_gives(seed: int) -> None:
    """Data, their order, and what is null by errors."""
    chance = random.Random(seed)
    failed = 0
    for _ in range(OPERATIONS // 2):
        document = _write(chance)
        parsed = parse(document)
        if validate(SCHEMA._schema, parsed):
            continue
        variables = {"n": chance.randint(0, 3)} if "$n" in document else {}
        expected = await _general(parsed, variables)
        kept = SharedAnswers(1_000)
        for keeping in (None, kept, kept):
            got = await SCHEMA.execute(document, variable_values=variables, context_value={}, kept=keeping)
            got.data = orjson.loads(orjson.dumps(got.data))
            assert json.dumps(got.data) == json.dumps(expected.data), document
            assert _nulled(got) == _nulled(expected), document
        failed += bool(got.errors)
    assert failed > OPERATIONS // 20, "most operations have something that fails"
    gc.collect()  # While graphql-core's warnings are still expected.
