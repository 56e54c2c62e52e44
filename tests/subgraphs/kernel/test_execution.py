"""The cheaper way to execute fields gives what graphql-core gives, data and errors, also where something is wrong."""

import asyncio
import enum
import gc
import inspect
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import orjson
import pytest
import strawberry
from graphql import execute, parse, validate
from hypothesis import given
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable

from subgraphs.kernel import entities
from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.execution import SharedAnswers, shared


@strawberry.enum
class Color(enum.Enum):
    """With values that are not their names."""

    RED = "r"
    BLUE = "b"


@strawberry.input
class Measure:
    """An input object with a default."""

    factor: int = 2
    labels: list[str] | None = None


@strawberry.interface
class Thing:
    """What both have, and most of it for all requests alike."""

    objects_are_shared: ClassVar[bool] = True

    name: str
    weight: float | None
    color: Color
    broken_text: str
    missing: str | None = strawberry.UNSET

    @strawberry.field(metadata=shared(lambda context: context["add"]))
    def scaled(self, info: strawberry.Info, by: Measure | None = None, plus: int = 0) -> int:
        """Reads an input object, a default and the context."""
        factor = 1 if by is None else by.factor + len(by.labels or ())
        return len(self.name) * factor + plus + int(info.context["add"])

    @strawberry.field(metadata=shared())
    def fails(self, where: str) -> str:
        """An error in a field that may not be null."""
        raise ValueError(f"no {where} of {self.name}")

    @strawberry.field(metadata=shared())
    def may_fail(self, where: Color | None = None) -> str | None:
        """An error, or a value, or null."""
        if where is Color.RED:
            raise ValueError("red")
        return None if where is None else where.name

    @strawberry.field
    async def later(self, n: int = 1) -> "Thing | None":
        """An object that has to be waited for."""
        return Stone(name="s" * n, weight=1.0, color=Color.RED, broken_text="") if n else None

    @strawberry.field
    def near(self) -> "list[Thing]":
        """Objects that hold what has to be waited for."""
        return [Leaf(name="leaf", weight=None, color=Color.BLUE, broken_text="x")]


@strawberry.type
class Stone(Thing):
    """One kind."""

    density: int = 3


@strawberry.type
class Leaf(Thing):
    """The other kind."""

    edge: str | None = None


@strawberry.type
class Query:
    """Both kinds, one of them with values that its types do not allow."""

    @strawberry.field
    def things(self) -> list[Thing | None]:
        """Right ones and wrong ones."""
        return list(THINGS)


WRONG: Any = Stone(name="wrong", weight="heavy", color="RED", broken_text=None)  # type: ignore[arg-type]
THINGS = (
    Stone(name="a", weight=1, color=Color.RED, broken_text="t"),
    Leaf(name="b", weight=None, color=Color.BLUE, broken_text="t"),
    None,
    WRONG,
)


@strawberry.type
class Crate:
    """Knows a value for all crates of a request at once, and forgets the last of three."""

    name: str

    @strawberry.field
    async def size(self) -> int | None:
        """Of this one."""
        return 1

    @classmethod
    async def size_of_all(cls, objects: list["Crate"]) -> list[int]:
        """One too few for more than two."""
        return [1] * min(len(objects), 2)


class TornCrate(Crate):
    """Its name can't be read."""

    def __init__(self) -> None:
        self.__dict__.clear()

    def __getattribute__(self, name: str) -> Any:
        if name == "name":
            raise RuntimeError("torn")
        return super().__getattribute__(name)


@strawberry.type
class Store:
    """Of crates."""

    @strawberry.field
    def crates(self, count: int) -> list[Crate]:
        """So many."""
        return [Crate(name=str(number)) for number in range(count)]

    @strawberry.field
    def torn(self) -> Crate | None:
        """One that fails when it is read."""
        return TornCrate()


@strawberry.type
class Change:
    """Fields that say in the context that they ran."""

    @strawberry.mutation
    def at_once(self, info: strawberry.Info) -> int:
        """Fails."""
        info.context["ran"].append("atOnce")
        raise ValueError("at once")

    @strawberry.mutation
    async def awaited(self, info: strawberry.Info) -> int:
        """Fails later."""
        info.context["ran"].append("awaited")
        raise ValueError("awaited")

    @strawberry.mutation
    async def may_fail(self, info: strawberry.Info) -> int | None:
        """Fails where null is allowed."""
        info.context["ran"].append("mayFail")
        raise ValueError("may")

    @strawberry.mutation
    async def works(self, info: strawberry.Info) -> int:
        """Works."""
        info.context["ran"].append("works")
        return 1


SCHEMA = build_schema(query=Query, types=[Stone, Leaf])
STORE = build_schema(query=Store, mutation=Change)
FIELDS = (
    "__typename",
    "name",
    "weight",
    "color",
    "brokenText",
    "missing",
    "scaled",
    "scaled(plus: $plus)",
    "scaled(by: {factor: $plus})",
    "scaled(by: $by)",
    'scaled(plus: 3, by: {labels: ["x", "y"]})',
    'fails(where: "it")',
    "mayFail",
    "mayFail(where: RED)",
    "mayFail(where: $color)",
    "later { name scaled }",
    "later(n: $plus) { __typename color }",
    'near { name ... on Leaf { edge } later { name } fails(where: "near") }',
    "... on Stone { density stone: name }",
    '... on Leaf { edge fails(where: "leaf") }',
)


async def _general(document: str, variables: dict[str, Any], context: Any = None, *, of: Any = SCHEMA) -> Any:
    parsed = parse(document)
    assert validate(of._schema, parsed) == []
    seen: list[Any] = []

    def is_awaitable(value: Any) -> bool:
        if is_one := optimized_is_awaitable(value):
            seen.append(value)
        return is_one

    outcome = execute(
        of._schema,
        parsed,
        context_value=context or {"add": 7},
        variable_values=variables,
        is_awaitable=is_awaitable,  # type: ignore[arg-type]
    )
    result = outcome if hasattr(outcome, "data") else await outcome
    # graphql-core leaves coroutines behind where an error ends an object.
    for each in seen:
        if inspect.iscoroutine(each) and inspect.getcoroutinestate(each) == inspect.CORO_CREATED:
            each.close()
    return result


# Of graphql-core alone: none of ours, and no resolver's.
@pytest.mark.filterwarnings("ignore:coroutine 'Executor.* was never awaited:RuntimeWarning")
@given(
    chosen=st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True),
    plus=st.integers(0, 2),
    color=st.sampled_from(["RED", "BLUE", None]),
)
async def test_gives_what_graphql_core_gives(chosen: list[str], plus: int, color: str | None) -> None:
    """For any selection: the same data, and the same errors at the same places, in whatever order they came."""
    fields = [field if field.startswith((".", "_")) else f"f{n}: {field}" for n, field in enumerate(chosen)]
    selection = " ".join(fields)
    declared = {"$plus": "$plus: Int! = 1", "$color": "$color: Color", "$by": "$by: Measure"}
    head = ", ".join(text for name, text in declared.items() if name in selection)
    document = f"query{f'({head})' if head else ''} {{ things {{ {selection} }} }}"
    variables: dict[str, Any] = {"plus": plus, "color": color, "by": {"factor": plus}}
    expected = await _general(document, variables)
    kept = SharedAnswers(10)
    for keeping in (None, kept, kept):
        got = await SCHEMA.execute(document, variable_values=variables, context_value={"add": 7}, kept=keeping)
        assert expected.data == (got.data if keeping is None else orjson.loads(orjson.dumps(got.data)))
        as_text = [sorted(str(error.formatted) for error in errors or ()) for errors in (expected.errors, got.errors)]
        assert as_text[0] == as_text[1]


@pytest.mark.parametrize(
    "document",
    [
        "{ things { ...Part } } fragment Part on Thing { scaled(plus: 4) name }",
        "{ things { a: scaled(plus: 1) b: scaled(plus: 2) ... on Stone { a: scaled(plus: 1) } } }",
        '{ __schema { queryType { name } } __type(name: "Stone") { name } _service { sdl } }',
    ],
)
async def test_fragments_aliases_and_introspection_are_as_they_were(document: str) -> None:
    """Arguments belong to their place in the document, not to the field."""
    expected = await _general(document, {})
    got = await SCHEMA.execute(document, context_value={"add": 7})
    assert (expected.data, expected.errors) == (got.data, got.errors)


@pytest.mark.parametrize(
    "document",
    [
        "mutation { awaited works }",
        "mutation { works atOnce again: works }",
        "mutation { mayFail works awaited again: works }",
    ],
)
async def test_no_mutation_happens_behind_one_that_leaves_nothing_to_answer(document: str) -> None:
    """As graphql-core: the others' effects would be there, and nobody would be told."""
    ran: dict[str, list[str]] = {"general": [], "own": []}
    expected = await _general(document, {}, {"ran": ran["general"]}, of=STORE)
    got = await STORE.execute(document, context_value={"ran": ran["own"]})
    assert expected.data is None
    assert got.data is None
    assert [error.path for error in expected.errors] == [error.path for error in got.errors or ()]
    assert ran["own"] == ran["general"]


async def test_an_attribute_that_can_not_be_read_is_told_at_its_own_place() -> None:
    """Not at the object's."""
    expected = await _general("{ torn { name } crates(count: 1) { name } }", {}, of=STORE)
    got = await STORE.execute("{ torn { name } crates(count: 1) { name } }", context_value={})
    assert (got.data, got.errors) == (expected.data, expected.errors)
    assert [error.path for error in got.errors or ()] == [["torn", "name"]]


async def test_a_batch_of_too_few_values_is_an_error_of_its_objects_alone() -> None:
    """Nobody knows whose value is missing; the rest of the answer stands."""
    got = await STORE.execute("{ crates(count: 3) { name size } }", context_value={})
    assert got.data == {"crates": [{"name": str(number), "size": None} for number in range(3)]}
    assert [error.path for error in got.errors or ()] == [["crates", number, "size"] for number in range(3)]


@pytest.mark.parametrize("variables", [{}, {"no": None}, {"no": False}, {"no": True}])
async def test_null_in_the_place_of_a_condition_is_refused(variables: dict[str, Any]) -> None:
    """A default stands for what is absent, not for null."""
    document = "query($no: Boolean = true) { crates(count: 1) { name size @skip(if: $no) } }"
    expected = await _general(document, variables, of=STORE)
    got = await STORE.execute(document, variable_values=variables, context_value={})
    assert (got.data, got.errors) == (expected.data, expected.errors)


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["RED", "BLUE", None]), st.booleans(), st.integers(0, 50)),
        min_size=2,
        max_size=6,
    )
)
async def test_nothing_of_one_request_is_left_for_the_next(asked: list[tuple[int, str | None, bool, int]]) -> None:
    """One document, one plan, many viewers at once: each gets the answer of its own variables and context."""
    document = (
        "query($plus: Int!, $color: Color, $by: Measure, $is: Boolean!) { things { "
        'a: scaled(plus: $plus) b: scaled(by: $by) c: mayFail(where: $color) d: fails(where: "x") @include(if: $is) '
        "e: later(n: $plus) { scaled(by: $by) } f: near { scaled(plus: $plus) } } }"
    )
    requests = [
        ({"plus": plus, "color": color, "by": {"factor": plus}, "is": is_asked}, {"add": add})
        for plus, color, is_asked, add in asked
    ]
    kept = SharedAnswers(10)
    got = await asyncio.gather(
        *(
            SCHEMA.execute(document, variable_values=variables, context_value=context, kept=kept)
            for variables, context in requests
        )
    )
    for (variables, context), answer in zip(requests, got, strict=True):
        expected = await _general(document, variables, context)
        assert orjson.loads(orjson.dumps(answer.data)) == expected.data
        assert len(answer.errors or ()) == len(expected.errors or ())


@strawberry.type
class Counted:
    """Has a field that is answered for many at once."""

    number: int

    @strawberry.field
    async def doubled(self, info: strawberry.Info) -> int:
        """Of this one."""
        return (await self.doubled_of_all(info, [self]))[0]

    @classmethod
    async def doubled_of_all(cls, info: strawberry.Info, objects: "Sequence[Counted]") -> list[int]:
        """Of all; notes how many came, and takes no thirteen."""
        info.context.append(len(objects))
        if any(each.number == 13 for each in objects):
            raise ValueError("thirteen")
        return [2 * each.number for each in objects]


@strawberry.type
class Holder:
    """What it holds has to be waited for."""

    number: int

    @strawberry.field
    async def held(self) -> Counted | None:
        """One more turn of the loop for each."""
        await asyncio.sleep(0)
        return Counted(number=self.number)


@strawberry.type
class Holders:
    """The root."""

    @strawberry.field
    def holders(self, start: int) -> list[Holder]:
        """Five."""
        return [Holder(number=start + offset) for offset in range(5)]

    @strawberry.field
    def counted(self) -> Counted:
        """One at another place."""
        return Counted(number=100)


HOLDERS = build_schema(query=Holders)


async def test_a_field_of_many_objects_is_answered_once() -> None:
    """Also where each object was waited for by itself, and where two places of the document ask."""
    calls: list[int] = []
    got = await HOLDERS.execute("{ holders(start: 1) { held { doubled } } }", context_value=calls)
    assert got.data == {"holders": [{"held": {"doubled": 2 * number}} for number in range(1, 6)]}
    assert calls == [5]
    got = await HOLDERS.execute("{ a: counted { doubled } b: counted { twice: doubled } }", context_value=calls)
    assert got.data == {"a": {"doubled": 200}, "b": {"twice": 200}}
    assert calls == [5, 2]


async def test_a_batch_that_fails_is_the_error_of_each_of_its_objects() -> None:
    """Each at its own place, which makes the nearest nullable place above null."""
    got = await HOLDERS.execute("{ holders(start: 10) { number held { doubled } } }", context_value=[])
    assert got.data == {"holders": [{"number": number, "held": None} for number in range(10, 15)]}
    assert got.errors is not None
    assert [["holders", index, "held", "doubled"] for index in range(5)] == [error.path for error in got.errors]


@strawberry.type
class Late:
    """Whose fields have to be waited for, beside one that fails at once."""

    @strawberry.field
    async def text(self) -> str:
        """Awaited."""
        return "late"

    @strawberry.field
    def broken(self) -> str:
        """Ends the object."""
        raise ValueError("broken")

    @strawberry.field
    def texts(self) -> list[str]:
        """The second ends the list, the others have to be waited for."""
        given: list[Any] = [self.text(), None, self.text()]
        return given

    @strawberry.field
    def inner(self) -> "Late":
        """As deep as one likes."""
        return Late()


@strawberry.type
class LateQuery:
    """The root."""

    @strawberry.field
    def late(self) -> Late | None:
        """May be null."""
        return Late()


LATE = build_schema(query=LateQuery)


@pytest.mark.parametrize(
    "selection",
    ["text broken", "broken text", "inner { text broken } text", "texts", "texts text broken", "text texts"],
)
async def test_nothing_that_has_to_be_waited_for_is_left_behind(selection: str) -> None:
    """Also where its object or list has failed: every coroutine is awaited, as its resolver may hold something."""
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        got = await LATE.execute(f"{{ late {{ {selection} }} }}")
        assert got.data == {"late": None}
        assert len(got.errors or ()) == 1
        del got
        gc.collect()
    assert [str(each.message) for each in left] == []


async def test_documents_and_their_plans_take_only_so_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients write the documents, and choose how conditions fall: what is forgotten is made again."""
    monkeypatch.setattr(entities, "MAX_KEPT_CHARACTERS", 3_000)
    monkeypatch.setattr(entities, "MAX_PLANS", 2)
    schema = build_schema(query=Query, types=[Stone, Leaf])
    for round_ in range(40):
        fields = " ".join(f"f{round_}x{number}: name" for number in range(round_))
        document = (
            "query($a: Boolean!, $b: Boolean!) { things { color @include(if: $a) weight @skip(if: $b) "
            f"{fields} {'nobody' if round_ % 5 == 4 else ''} }} }}"
        )
        for is_a, is_b in ((True, True), (False, True), (True, False), (False, False), (True, True)):
            got = await schema.execute(document, {"a": is_a, "b": is_b})
            if round_ % 5 == 4:
                assert "nobody" in str(got.errors)
                continue
            expected = await _general(document, {"a": is_a, "b": is_b})
            assert got.data == expected.data
        kept = [*schema._documents._young.values(), *schema._documents._old.values()]
        assert 0 < sum(each.text_length for each in kept) <= 3_000
        operations = [each._operations[None] for each in kept if isinstance(each, entities._Document)]
        assert all(len(each._plans) <= 2 for each in operations)
