"""One product over all models' vectors as bytes: held to the models' own scores in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import numkong
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.recommendations.models.content import FoldedContent
from subgraphs.recommendations.models.implicit_als import AlsParameters, ImplicitAls, PlacedAls
from subgraphs.recommendations.models.title_vectors import (
    ERROR,
    ROUGH_ERROR,
    TitleVectors,
    VectorModel,
    pack_title_vectors,
)

Doubles = npt.NDArray[np.float64]


def some_models(chance: np.random.Generator, size: int, factors: int = 5) -> dict[str, VectorModel]:
    """Content of unit length, and ALS of which popular titles have vectors a hundred times as long, over a half."""
    content = chance.normal(size=(size, 7)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    known = np.sort(chance.permutation(size)[: size // 2 + 1]).astype(np.int32)
    lengths = 0.05 * chance.pareto(1.5, (len(known), 1))
    vectors = (chance.normal(size=(len(known), factors)) * lengths).astype(np.float32)
    als = ImplicitAls(np.vstack([vectors, vectors[:1]]), AlsParameters(factors=factors))
    return {"content": FoldedContent(content), "ALS": PlacedAls(als, np.append(known, -1).astype(np.int32), size)}


def some_profile(chance: np.random.Generator, models: Mapping[str, VectorModel]) -> dict[str, Doubles]:
    return {name: chance.normal(size=len(model.gram)) for name, model in models.items()}


def exact_sums(models: Mapping[str, VectorModel], profile: Mapping[str, Doubles]) -> Doubles:
    places = np.arange(next(iter(models.values())).size, dtype=np.int32)
    return np.sum([model.vectors_at(places) @ profile[name] for name, model in models.items()], axis=0)


def greatest_products(
    titles: TitleVectors, models: Mapping[str, VectorModel], profile: Mapping[str, Doubles]
) -> Doubles:
    """By title: the width, times the greatest number of its row, times the profile's greatest."""
    places = np.arange(len(titles.has_row), dtype=np.int32)
    rows = np.hstack([models[name].vectors_at(places) / unit for name, unit in titles.units.items()])
    numbers = np.concatenate([profile[name] * unit for name, unit in titles.units.items()])
    return rows.shape[1] * np.abs(rows).max(axis=1) * np.abs(numbers).max()


@given(seed=st.integers(0, 10_000), size=st.integers(1, 60), share=st.sampled_from([0.1, 0.7, 1.0]))
@settings(max_examples=60, deadline=None)
def test_sums_are_off_by_no_more_than_is_said(seed: int, size: int, share: float) -> None:
    """Rough ones and refined ones; what has no row has no sum, before and after."""
    chance = np.random.default_rng(seed)
    models = some_models(chance, size)
    has_row = chance.random(size) < share
    profile = some_profile(chance, models)
    titles = pack_title_vectors(models, has_row)

    sums = titles.ask(profile)
    rough = sums.rough.copy()
    sums.refine(sums.rough, size)

    exact, most = exact_sums(models, profile)[has_row], greatest_products(titles, models, profile)[has_row]
    rounding = 1e-6 * most
    assert (np.abs(rough[has_row] - exact) <= ROUGH_ERROR * most + rounding).all()
    assert (np.abs(sums.rough[has_row] - exact) <= ERROR * most + rounding).all()
    assert (rough[~has_row] == -np.inf).all()
    assert (sums.rough[~has_row] == -np.inf).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_the_highest_are_refined(seed: int) -> None:
    """Of 2,000 titles with 100 refined, the 60 highest stand as exact sums put them: titles with long vectors, too."""
    chance = np.random.default_rng(seed)
    models = some_models(chance, 2_000, factors=40)
    profile = some_profile(chance, models)
    titles = pack_title_vectors(models, np.ones(2_000, np.bool_))
    other = chance.normal(size=2_000).astype(np.float32)

    sums = titles.ask(profile)
    rough = sums.rough + other
    total = rough.copy()
    sums.refine(total, 100)
    assert np.count_nonzero(total != rough) <= 100

    exact = exact_sums(models, profile) + other
    best = np.argsort(-exact)[:60]
    most = greatest_products(titles, models, profile)
    assert (np.abs(total - exact)[best] <= ERROR * most[best] + 1e-5 * exact.std()).all()
    assert total[np.argsort(-exact)[100:]].max() <= exact[best].min() + 0.05 * exact.std()


def test_every_instruction_set_gives_the_same() -> None:
    """Machines differ; what a viewer is shown does not."""
    chance = np.random.default_rng(4)
    models = some_models(chance, 300, factors=90)
    profile = some_profile(chance, models)

    def found() -> npt.NDArray[np.float32]:
        sums = pack_title_vectors(models, np.ones(300, np.bool_)).ask(profile)
        sums.refine(sums.rough, 50)
        return sums.rough

    as_it_is = found()
    with ExitStack() as after:
        for capability in [each for each, is_on in numkong.get_capabilities().items() if is_on and each != "serial"]:
            after.callback(numkong.enable_capability, capability)
            numkong.disable_capability(capability)
            np.testing.assert_array_equal(found(), as_it_is, err_msg=f"without {capability}")


def test_nothing_to_add_up() -> None:
    """Without models, without rows, and for a profile of which they say nothing."""
    models = some_models(np.random.default_rng(1), 8)
    nothing = {name: np.zeros(len(model.gram)) for name, model in models.items()}
    for titles, profile in (
        (pack_title_vectors({}, np.ones(8, np.bool_)), {}),
        (pack_title_vectors(models, np.ones(8, np.bool_)), nothing),
    ):
        sums = titles.ask(profile)
        sums.refine(sums.rough, 3)
        np.testing.assert_array_equal(sums.rough, np.zeros(8))
    assert len(pack_title_vectors(models, np.zeros(0, np.bool_)).ask(nothing).rough) == 0
    hidden = pack_title_vectors(models, np.zeros(8, np.bool_)).ask(nothing)
    hidden.refine(hidden.rough, 3)
    assert (hidden.rough == -np.inf).all()


@pytest.mark.parametrize("width", [3, 700])
def test_wide_rows_do_not_overflow(width: int) -> None:
    """Of the same greatest number everywhere, which is the most that sums of bytes can come to."""
    ones = FoldedContent(np.ones((5, width), np.float32))

    sums = pack_title_vectors({"content": ones}, np.ones(5, np.bool_)).ask({"content": np.ones(width)})
    sums.refine(sums.rough, 5)

    np.testing.assert_allclose(sums.rough, width, rtol=1e-6)
