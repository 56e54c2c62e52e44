"""Answers that many requests have in common: kept they are what they would be, and nobody gets another's."""

import asyncio
import gc
import itertools
from typing import Any, ClassVar

import orjson
import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.execution import SharedAnswers, shared, sharing
from subgraphs.kernel.shared_objects import SharedObjects

resolved: list[str] = []


def country(context: Any) -> str:
    """What prices depend on."""
    return str(context["country"])


@strawberry.type
class Maker:
    """Lies within what is kept."""

    name: str

    @strawberry.field(metadata=shared(country))
    def label(self, info: strawberry.Info, size: int = 1) -> str:
        """Another one in each country."""
        return f"{self.name} {info.context['country']} {size}"

    @strawberry.field
    def mood(self, info: strawberry.Info) -> str:
        """Nobody says that it is the same for all."""
        return str(info.context["mood"])


@strawberry.interface
class Good:
    """Lives as long as nobody changes it."""

    objects_are_shared: ClassVar[bool] = True

    name: str
    weight: float | None

    @strawberry.field(metadata=shared())
    def text(self, length: int | None = None, suffix: str = "") -> str:
        """Depends on the arguments."""
        resolved.append("text")
        return self.name[:length] + suffix

    @strawberry.field(metadata=shared())
    def times(self, by: float) -> float:
        """Tells 0.0 from -0.0."""
        return by

    @strawberry.field(metadata=shared(country))
    def price(self, info: strawberry.Info) -> str | None:
        """Of a country; an error in one of them."""
        if info.context["country"] == "XX":
            raise ValueError("no price")
        return f"{self.name} in {info.context['country']}"

    @strawberry.field(metadata=shared())
    def maker(self) -> Maker:
        """An object within."""
        return Maker(name=f"maker of {self.name}")

    @strawberry.field(metadata=shared())
    def makers(self) -> list[Maker | None]:
        """Some of them."""
        return [Maker(name="m1"), None, Maker(name="m2")]

    @strawberry.field(metadata=shared())
    def sure(self) -> str:
        """Fails for one good, where null is not allowed."""
        if self.name == "broken":
            raise ValueError("broken")
        return "sure"

    @strawberry.field
    def mood(self, info: strawberry.Info) -> str:
        """Of each request."""
        return str(info.context["mood"])

    @strawberry.field(metadata=shared())
    def twin(self) -> "Cup":
        """A good within, made for each answer."""
        return Cup(name=f"twin of {self.name}", weight=None)

    @strawberry.field(metadata=shared())
    def rival(self) -> "Good":
        """A good within, of a kind that only the object tells."""
        resolved.append("rival")
        return (Plate if self.name == "cup" else Cup)(name=f"rival of {self.name}", weight=2.5)

    @strawberry.field
    async def later(self, info: strawberry.Info) -> "list[Good]":
        """Of each request, awaited, with goods within."""
        return list(info.context["goods"][:2])


@strawberry.type
class Cup(Good):
    """One kind."""

    handles: int = 1


@strawberry.type
class Plate(Good):
    """The other kind."""

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str:
        """Fails where null is not allowed, for one mood."""
        await asyncio.sleep(0)
        if info.context["mood"] == "bad":
            raise ValueError("slow")
        return str(info.context["mood"])


@strawberry.type
class Query:
    """The goods of the context."""

    @strawberry.field
    def goods(self, info: strawberry.Info) -> list[Good | None]:
        """All of them."""
        return list(info.context["goods"])


SCHEMA = build_schema(query=Query, types=[Cup, Plate])
FIELDS = (
    "__typename",
    "name",
    "weight",
    "name weight more: name again: weight",
    "text",
    "text(length: $n)",
    "text(suffix: $s, length: 2)",
    "times(by: $f)",
    "price",
    "maker { name }",
    "maker { label(size: $n) name }",
    "maker { name mood }",
    "makers { label }",
    "sure",
    "mood",
    "later { name price text(length: $n) }",
    "twin { name price maker { label(size: $n) } }",
    "rival { name price ... on Cup { handles text(length: $n) } maker { label } }",
    "rival { name ... on Plate { mood } }",
    "rival { name ... on Plate { slow } }",
    "... on Cup { handles }",
    "... on Plate { slow }",
    "... on Plate { name text slow price }",
    "... { both: maker { name } } ... { both: maker { label(size: $n) } }",
    "... @include(if: $c) { asked: price mine: mood }",
    "... { some: makers @include(if: $c) { label name @skip(if: $c) } none: text(length: null) }",
    "... on Cup { behind: later { name twin { name sure price mood } } }",
)
DECLARED = {"$n": "$n: Int", "$s": '$s: String! = "s"', "$f": "$f: Float! = 0", "$c": "$c: Boolean!"}
NAMES = ("cup", "broken", "plate", "other")


def _good(number: int) -> Good:
    return (Plate if number % 2 else Cup)(name=NAMES[number], weight=None if number else 1.5)


def _document(chosen: list[str]) -> str:
    # Nothing of one name means two things.
    names = itertools.count()
    selection = " ".join(
        each if each.startswith((".", "_", "name", "weight")) else f"f{next(names)}: {each}" for each in chosen
    )
    head = ", ".join(text for name, text in DECLARED.items() if name in selection)
    return f"query{f'({head})' if head else ''} {{ goods {{ {selection} }} }}"


async def _ask(document: str, context: dict[str, Any], kept: SharedAnswers | None = None, **variables: Any) -> Any:
    given = {name: value for name, value in variables.items() if f"${name}" in document}
    got = await SCHEMA.execute(document, given, context, kept=kept)
    errors = sorted(str(error.formatted) for error in got.errors or ())
    return orjson.dumps(got.data), errors


requests = st.tuples(
    st.sampled_from(["DE", "FR", "XX"]),
    st.sampled_from(["good", "glad", "bad"]),
    st.fixed_dictionaries(
        {
            "n": st.sampled_from([None, 0, 1, 2]),
            "s": st.sampled_from(["a", "b"]),
            "f": st.sampled_from([0.0, -0.0, 1]),
            "c": st.booleans(),
        }
    ),
    st.sets(st.integers(0, 3)),
)


@given(
    documents=st.lists(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6, unique=True), min_size=1, max_size=2),
    asked=st.lists(requests, min_size=2, max_size=6),
    most=st.sampled_from([2, 3, 100]),
)
async def test_with_and_without_keeping_the_bytes_are_equal(
    documents: list[list[str]], asked: list[tuple[str, str, dict[str, Any], set[int]]], most: int
) -> None:
    """Whoever asks what, and whichever goods were replaced since: the same data, the same errors."""
    kept = SharedAnswers(most)
    goods: list[Good | None] = [_good(number) for number in range(4)]
    for chosen_country, mood, variables, replaced in asked:
        for number in replaced:
            goods[number] = None if goods[number] and number == 3 else _good(number)
        context = {"country": chosen_country, "mood": mood, "goods": [each for each in goods if each] + [None]}
        for document in map(_document, documents):
            expected = await _ask(document, context, **variables)
            assert await _ask(document, context, kept, **variables) == expected
            assert await _ask(document, context, kept, **variables) == expected
            assert len(kept) <= most


async def test_requests_at_the_same_time_do_not_meet_in_what_is_kept() -> None:
    """Each fills its own fields into an answer of its own, also while they wait."""
    kept, goods = SharedAnswers(10), [_good(1), _good(3)]
    contexts = [{"country": "DE", "mood": mood, "goods": goods} for mood in ("good", "glad", "bad")]
    document = "{ goods { text mood ... on Plate { slow } price } }"
    expected = [await _ask(document, context) for context in contexts]
    for _ in range(2):
        assert await asyncio.gather(*(_ask(document, context, kept) for context in contexts)) == expected


async def test_a_second_request_resolves_nothing_that_is_the_same_for_all() -> None:
    """Also where the object has fields of its own, whose places in the answer stay."""
    kept = SharedAnswers(10)
    context = {"country": "DE", "mood": "good", "goods": [_good(0)]}
    document = "{ goods { name text mood price } }"
    first = await _ask(document, context, kept)
    resolved.clear()
    context["mood"] = "bad"
    second = await _ask(document, context, kept)
    assert resolved == []
    assert b'[{"name":"cup","text":"cup","mood":"bad","price":"cup in DE"}]' in second[0]
    assert second[0] == first[0].replace(b'good"', b'bad"')


@pytest.mark.parametrize("document", ["{ goods { price text } }", "{ goods { sure text } }"])
async def test_an_answer_with_an_error_is_not_kept(document: str) -> None:
    """Neither where null stands for it, nor where it takes the object with it: it is told each time."""
    kept = SharedAnswers(10)
    context = {"country": "XX", "mood": "good", "goods": [_good(1)]}
    expected = await _ask(document, context)
    assert expected[1]
    for _ in range(2):
        assert await _ask(document, context, kept) == expected
        assert len(kept) == 0


async def test_what_lies_within_a_kept_answer_is_kept_once() -> None:
    """A good whole, not its parts; few plain fields not at all."""
    kept = SharedAnswers(10)
    context = {"country": "DE", "mood": "good", "goods": [_good(0), _good(2)]}
    await _ask("{ goods { name maker { name label } twin { name price } } }", context, kept)
    assert len(kept) == 2
    await _ask("{ goods { name weight } }", context, kept)
    assert len(kept) == 2


async def test_what_lies_within_may_be_of_any_type_that_is_the_same_for_all() -> None:
    """It is kept with the object when no type that may be met there has a field of each request."""
    for document, again in (
        ("{ goods { name rival { text ... on Plate { price } } } }", 0),
        ("{ goods { name rival { text ... on Plate { mood } } } }", 2),
    ):
        kept, context = SharedAnswers(10), {"country": "DE", "mood": "good", "goods": [_good(0), _good(2)]}
        first = await _ask(document, context, kept)
        resolved.clear()
        assert await _ask(document, context, kept) == first
        assert resolved.count("rival") == again


def test_what_is_kept_is_of_one_object_and_one_key() -> None:
    """And holds its object, so that no other one can come to have its identity."""
    kept, goods = SharedAnswers(10), [_good(0), _good(1)]
    kept.keep(goods[0], (1,), "a", 1)
    kept.keep(goods[1], (2,), "b", 1)
    assert [kept.get(each, (number,)) for each in goods for number in (1, 2)] == ["a", None, None, "b"]
    assert any(found is goods[0] for found in gc.get_referents(*gc.get_referents(kept._kept._young)))


async def test_all_answers_together_have_so_many_bytes_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a document asks of an object, under as many names as it likes, alone or beside fields of its own."""
    monkeypatch.setattr(sharing, "MAX_BYTES", 20_000)
    kept, context = SharedAnswers(1_000), {"country": "DE", "mood": "good", "goods": [_good(0), _good(1)]}
    for number in range(100):
        names = " ".join(f"f{each}: text(suffix: $s) m{each}: makers {{ label }}" for each in range(number % 20))
        for own in ("", "mood "):
            document = f"query($s: String!) {{ goods {{ {own}sure {names} }} }}"
            assert await _ask(document, context, kept, s="s" * number) == await _ask(document, context, s="s" * number)
            held = [*kept._kept._young.values(), *kept._kept._old.values()]
            assert sum(size for _, _, size in held) <= 20_000
            assert all(size >= _size_of(answer) for _, answer, size in held)
    assert len(kept) > 2


def _size_of(answer: Any) -> int:
    return len(orjson.dumps(answer))


@given(
    st.integers(1, 9),
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=60),
)
def test_what_is_held_weighs_so_much_at_most(most: int, most_weight: int, puts: list[tuple[int, int]]) -> None:
    """And what was put last is there, unless it is heavier than half of it."""
    objects = SharedObjects[int](most=most, most_weight=most_weight, weigh=lambda weight: weight)
    for key, weight in puts:
        objects.put(key, weight)
        assert sum([*objects._young.values(), *objects._old.values()]) <= most_weight
        assert objects._young_weight == sum(objects._young.values())
        assert objects.get(key) == (weight if weight <= most_weight // 2 else None)


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60),
)
def test_what_was_asked_for_last_is_there(most: int, steps: list[tuple[bool, int]]) -> None:
    """Never more than allowed, of a key what was put last or nothing, and for sure what was touched last, half as many."""
    objects, put, touched = SharedObjects[str](most=most), dict[int, str](), list[int]()
    for step, (is_put, key) in enumerate(steps):
        if is_put:
            put[key] = f"{key} {step}"
            assert objects.put(key, put[key]) is put[key]
        found = objects.get(key)
        assert found in {None, put.get(key)}
        if found is not None:
            touched = [*(each for each in touched if each != key), key]
        assert len(objects) <= max(2, most)
        assert all(each in objects._young or each in objects._old for each in touched[-max(1, most // 2) :])
