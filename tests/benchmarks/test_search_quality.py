"""The benchmark of search: its figures mean what they say, and its questions are what they claim to be."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from graphql import parse, validate

from benchmarks.search.data import Misspelled, typed_with_two_edits
from benchmarks.search.engines import open_engine
from benchmarks.search.latency import ask_at_rate, of_titles_alone, operation
from benchmarks.search.quality import ndcg, recall
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.api.schema import schema
from subgraphs.titles.domain.completion import edits_between
from subgraphs.titles.domain.title import Origin, Title, TitleKind

NAMES = ("Carnival of Souls", "The Phantom of the Opera", "Metropolis", "Safety Last!")


def titles(names: Sequence[str] = NAMES) -> list[Title]:
    return [
        Title(
            id=TitleId(f"mov_{number}"),
            kind=TitleKind.MOVIE,
            display_name=name,
            origin=Origin("test", str(number)),
            added_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, name in enumerate(names)
    ]


def test_ndcg_is_that_of_the_formula() -> None:
    """1 for the ideal order, less where a good title stands lower, 0 without any."""
    a, b, c = TitleId("a"), TitleId("b"), TitleId("c")
    grades = {a: 2, b: 1, c: 0}
    assert ndcg([a, b, c], grades) == 1
    assert ndcg([c, a, b], grades) == pytest.approx(
        (3 / math.log2(3) + 1 / math.log2(4)) / (3 / math.log2(2) + 1 / math.log2(3))
    )
    assert ndcg([c], grades) == 0
    assert ndcg([a], {c: 0}) == 0


def test_generated_typos_are_two_edits_away() -> None:
    """At most, for a second edit may undo a part of the first; and the same ones each time."""
    misspelled = typed_with_two_edits(titles(), 50)
    assert misspelled == typed_with_two_edits(titles(), 50)
    for each in misspelled:
        # A swap of two letters that the other edit touched, too, is counted as up to three.
        assert 1 <= edits_between(each.typed, each.name, 3, is_beginning=False) <= 3


@pytest.mark.parametrize("engine_name", ["tantivy", "fts5", "fts5-trigram"])
async def test_engines_answer(engine_name: str) -> None:
    """Each finds a name; recall counts those that are found."""
    async with open_engine(engine_name, None) as engine:
        await engine.fill(titles())
        assert (await engine.search("metropolis", 5))[0] == "mov_2"
        found = await recall(
            engine,
            titles(),
            [Misspelled("metropolis", "metropolis"), Misspelled("zzzzzz", "metropolis")],
        )
        assert found.mean == 0.5
        assert found.worst[0] == ("zzzzzz (metropolis)", 0.0)


async def test_an_engine_without_its_server_is_refused() -> None:
    """With the option that names it."""
    with pytest.raises(ValueError, match="--opensearch URL"):
        async with open_engine("multi_match", None):
            pass


def test_what_is_asked_of_titles_alone_is_all_that_titles_answers() -> None:
    """The screens' operation but for what playback says."""
    for name in ("shared/search", "shared/search_suggestions"):
        assert validate(schema._schema, parse(of_titles_alone(operation(name)))) == []
    assert validate(schema._schema, parse(operation("shared/search"))) != []


async def test_a_latency_counts_from_when_its_question_was_due() -> None:
    """One that waits makes no other wait, and all answers are kept."""
    held = asyncio.Event()

    async def ask(text: str) -> str:
        if text == "a":
            await held.wait()
        else:
            held.set()
        return text.upper()

    latency = await ask_at_rate(ask, ["a", "b"], 1_000.0)

    assert latency.answers == {"a": "A", "b": "B"}
    assert len(latency.milliseconds) == 2
    assert latency.quantile(0.99) == max(latency.milliseconds)
    assert latency.quantile_of_lateness(0.0) >= 0
