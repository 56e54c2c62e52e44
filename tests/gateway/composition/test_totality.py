"""Composition is total: whatever the texts hold, the outcome is a supergraph or diagnostics, never an exception."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.composition.compose import compose
from gateway.composition.diagnostics import CODES, Severity
from gateway.composition.stages import Composed, CompositionFailed, SubgraphSource
from gateway.supergraph.read import read_supergraph
from gateway.supergraph.write import write_supergraph

CASES = Path(__file__).resolve().parents[2] / "cases" / "composition"
SEEDS = [
    tuple((path.stem, path.read_text()) for path in sorted((folder / "subgraphs").glob("*.graphql")))
    for folder in sorted(CASES.iterdir())
    if folder.is_dir()
]
WORDS = sorted(
    {word for seed in SEEDS for _, sdl in seed for word in re.findall(r'@?[\w]+|"[^"\n]*"|[{}()\[\]:!|=&]', sdl)}
)


def mutated(sdl: str, choose: random.Random) -> str:
    """The text with a few words dropped, doubled, exchanged or replaced by words of other cases."""
    words = re.split(r"(\s+|[{}()\[\]:!|=&,])", sdl)
    for _ in range(choose.randint(1, 4)):
        at = choose.randrange(len(words))
        match choose.randrange(4):
            case 0:
                words[at] = ""
            case 1:
                words.insert(at, words[at])
            case 2:
                words[at] = choose.choice(WORDS)
            case _:
                other = choose.randrange(len(words))
                words[at], words[other] = words[other], words[at]
    return "".join(words)


def check(sources: list[SubgraphSource]) -> None:
    result = compose(sources)
    if isinstance(result, Composed):
        assert result.supergraph == read_supergraph(write_supergraph(result.supergraph))
    else:
        assert isinstance(result, CompositionFailed)
        errors = [d for d in result.diagnostics if d.severity is Severity.ERROR]
        assert errors
        assert {d.code for d in errors} <= set(CODES)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.integers(min_value=0, max_value=2**32))
def test_mutated_subgraphs_never_raise(seed: tuple[tuple[str, str], ...], number: int) -> None:
    """Valid and invalid cases, broken at random places, lead to an outcome; what composes also round-trips."""
    choose = random.Random(number)
    check([SubgraphSource(name, mutated(sdl, choose)) for name, sdl in seed])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=80)), max_size=3))
def test_any_text_never_raises(texts: list[tuple[str, str]]) -> None:
    """Arbitrary names and arbitrary text."""
    check([SubgraphSource(name, sdl) for name, sdl in texts])


@pytest.mark.parametrize(
    "sdl",
    [
        "type Query { a: " + "[" * 3000 + "Int" + "]" * 3000 + " }",
        "type Query { a(b: Int = " + "[" * 3000 + "1" + "]" * 3000 + "): Int }",
        'type Query @key(fields: "' + "a { " * 3000 + "b" + " }" * 3000 + '") { a: Query }',
        "interface A implements A { a: Int } type Query { a: A }",
        "interface A implements B { a: Int } interface B implements A { a: Int } type Query { a: A }",
        "union U = U type Query { u: U }",
        "input I { i: I! } type Query { a(i: I): Int }",
        "schema { query: Nothing }",
        "type Query",
        "extend type Query { _service: Int }",
        "{ a }",
        "",
    ],
)
def test_hostile_documents_are_refused_not_crashed_on(sdl: str) -> None:
    """Deep nesting, cycles and empty things are diagnosed."""
    result = compose([SubgraphSource("a", sdl)])

    assert isinstance(result, CompositionFailed)
