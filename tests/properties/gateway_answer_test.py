"""Random federations: the federated answer is the single server's, the plan check holds, nothing is fetched in vain.

`scripts/federation_properties` looks at many more, and keeps what fails in `found/`, from where it is replayed here.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.support.federation_cases import FederationCase, cases_of_seed, read_case, run_case, shrink, write_case
from tests.support.random_federation import RandomFederation

FOUND = sorted(path.parent for path in (Path(__file__).parent / "found").glob("*/world.json"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
@example(72162)  # an entry of which conditions that exclude each other leave nothing
def test_federated_answer_is_the_single_servers(seed: int) -> None:
    """For any federation that composes and any valid operation: 300 federations that compose."""
    cases = cases_of_seed(seed)
    assume(cases)
    for case in cases:
        outcome = run_case(case)
        assert outcome.problems == []
        assert outcome.answer == outcome.expected, f"scripts/federation_properties --seed {seed}\n{case.text}"


@pytest.mark.parametrize("folder", FOUND, ids=lambda folder: folder.name)
def test_what_was_once_wrong_is_right(folder: Path) -> None:
    """Every kept failure answers as a single server does."""
    outcome = run_case(read_case(folder))
    assert outcome.problems == []
    assert outcome.answer == outcome.expected


def test_the_generator_covers_what_federation_is_made_of() -> None:
    """Over at most a few hundred federations that compose, each feature and each number of subgraphs appears."""
    missing: set[str | int] = {
        2,
        3,
        4,
        5,
        6,
        '@key(fields: "id sku")',
        '@key(fields: "tag { code }")',
        "resolvable: false",
        "@shareable",
        "@external",
        '@requires(fields: "f',
        '@requires(fields: "r',
        "(x:1)",
        '@provides(fields: "f',
        '@provides(fields: "... on',
        '@override(from: "s0")',
        "label: ",
        "interface I @key",
        "@interfaceObject",
        "union U = ",
    }
    for seed in range(250):
        world = RandomFederation(random.Random(seed))
        if not isinstance(world.compose(), list):
            sdl = "\n".join(world.sdl(name) for name in world.subgraphs)
            missing -= {
                part for part in missing if part == len(world.subgraphs) or (isinstance(part, str) and part in sdl)
            }
        if not missing:
            break
    assert missing == set()


def test_a_kept_case_is_the_case(tmp_path: Path) -> None:
    """Written and read again, a federation declares, holds and answers the same."""
    seeds = (seed for seed in range(1000) if cases_of_seed(seed))
    for _ in range(10):
        seed = next(seeds)
        (case, *_rest) = cases_of_seed(seed)
        write_case(case, tmp_path / str(seed), seed)
        again = read_case(tmp_path / str(seed))
        assert [again.world.sdl(name) for name in again.world.subgraphs] == [
            case.world.sdl(name) for name in case.world.subgraphs
        ]
        assert run_case(again) == run_case(case)


def test_a_failure_becomes_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks for `ping_s0` is said to fail: a case that asks for hardly anything else is left."""
    case = next(
        each for seed in range(1000) for each in cases_of_seed(seed) if "ping_s0" in each.text and len(each.text) > 300
    )

    def is_said_to_fail(tried: FederationCase) -> object:
        return type("Said", (), {"is_right": "ping_s0" not in tried.text})

    monkeypatch.setattr("tests.support.federation_cases.run_case", is_said_to_fail)
    smaller = shrink(case)
    assert "ping_s0" in smaller.text
    assert len(smaller.text) < 60
    assert len(smaller.world.roots) == 0
