"""EASE, implicit ALS, neighbours and popularity against their textbook definitions, written out slowly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from subgraphs.recommendations.models.ease import fit_ease
from subgraphs.recommendations.models.implicit_als import AlsParameters, fit_als, objective
from subgraphs.recommendations.models.neighbours import find_neighbours
from subgraphs.recommendations.models.popularity import fit_popularity
from subgraphs.recommendations.models.recommender import Interactions, interaction_matrix


@st.composite
def liked(draw: st.DrawFn, max_profiles: int = 12, max_titles: int = 10) -> Interactions:
    """Who liked what, with empty rows and columns among them."""
    shape = draw(st.integers(2, max_profiles)), draw(st.integers(2, max_titles))
    cells = draw(
        st.sets(st.tuples(st.integers(0, shape[0] - 1), st.integers(0, shape[1] - 1)), min_size=1, max_size=50)
    )
    rows, columns = zip(*sorted(cells), strict=True)
    return interaction_matrix(rows, columns, shape=shape)


@given(matrix=liked(), told=liked(max_profiles=4), l2=st.sampled_from([0.5, 10.0, 200.0]))
@settings(max_examples=60, deadline=None)
def test_ease_is_its_closed_form_whichever_side_is_smaller(matrix: Interactions, told: Interactions, l2: float) -> None:
    titles = matrix.shape[1]
    histories = csr_array(told.toarray()[:, :titles] if told.shape[1] >= titles else np.eye(titles, dtype=np.float32))
    dense = matrix.toarray().astype(np.float64)
    precision = np.linalg.inv(dense.T @ dense + l2 * np.eye(titles))
    weights = np.eye(titles) - precision / np.diag(precision)

    expected = histories.toarray() @ weights

    # Twice as many profiles as titles turn the training round to the other side.
    tall = csr_array(np.vstack([dense, np.zeros((titles, titles))]).astype(np.float32))
    wide = csr_array(np.hstack([dense, np.zeros((len(dense), len(dense)))]).astype(np.float32))
    wide_histories = csr_array(np.hstack([histories.toarray(), np.zeros((histories.shape[0], len(dense)))]))
    np.testing.assert_allclose(expected, fit_ease(tall, l2=l2).scores(histories), atol=1e-4)
    np.testing.assert_allclose(expected, fit_ease(wide, l2=l2).scores(wide_histories)[:, :titles], atol=1e-4)


def test_ease_refuses_what_it_cannot_invert() -> None:
    matrix = interaction_matrix([0], [0], shape=(2, 2))
    with pytest.raises(ValueError, match="l2 above 0, got 0"):
        fit_ease(matrix, l2=0)
    with pytest.raises(ValueError, match="20000 profiles and 17000 titles"):
        fit_ease(interaction_matrix([0], [0], shape=(20_000, 17_000)), l2=1)


@given(matrix=liked())
@settings(max_examples=40, deadline=None)
def test_no_step_of_als_raises_its_objective(matrix: Interactions) -> None:
    values = [
        objective(matrix, fit_als(matrix, AlsParameters(factors=3, l2=0.3, unobserved=0.2, steps=steps)))
        for steps in (1, 2, 4, 8)
    ]

    assert all(after <= before + 1e-6 for before, after in pairwise(values))


@given(matrix=liked(), factors=st.sampled_from([3, 14]))
@settings(max_examples=60, deadline=None)
def test_a_vector_of_als_solves_its_row(matrix: Interactions, factors: int) -> None:
    """Folding in is the row's own least-squares problem, with rows of all lengths in one block, short and long ones."""
    parameters = AlsParameters(factors=factors, l2=0.7, unobserved=0.25, steps=2)
    model = fit_als(matrix, parameters)

    folded = model.profiles(matrix)

    for row, vector in zip(matrix.toarray(), folded, strict=True):
        seen = model.titles[row > 0]
        system = seen.T @ seen + 0.25 * model.titles.T @ model.titles + 0.7 * np.eye(factors)
        np.testing.assert_allclose(np.linalg.solve(system, seen.sum(axis=0)), vector, atol=1e-5)


def test_als_is_the_same_for_the_same_seed_and_finds_two_camps() -> None:
    camps = interaction_matrix([0, 0, 1, 1, 2, 2, 3, 3, 4], [0, 1, 0, 1, 2, 3, 2, 3, 0], shape=(5, 4))
    model = fit_als(camps, AlsParameters(factors=2, l2=0.01, unobserved=0.1))

    scores = model.scores(interaction_matrix([0], [0], shape=(1, 4)))[0]

    assert scores[1] > max(scores[2], scores[3])
    np.testing.assert_array_equal(
        model.titles, fit_als(camps, AlsParameters(factors=2, l2=0.01, unobserved=0.1)).titles
    )


@given(matrix=liked(), shrinkage=st.sampled_from([0.0, 5.0]))
@settings(max_examples=60, deadline=None)
def test_neighbours_lend_shrunk_cosines(matrix: Interactions, shrinkage: float) -> None:
    dense = matrix.toarray().astype(np.float64)
    lengths = np.linalg.norm(dense, axis=0)
    in_common = (dense > 0).T.astype(float) @ (dense > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.nan_to_num(dense.T @ dense / np.outer(lengths, lengths) * in_common / (in_common + shrinkage))
    np.fill_diagonal(expected, 0.0)

    found = find_neighbours(matrix, count=matrix.shape[1], shrinkage=shrinkage)

    np.testing.assert_allclose(expected, found.scores(csr_array(np.eye(matrix.shape[1], dtype=np.float32))), atol=1e-6)


def test_old_likes_fade_from_popularity() -> None:
    matrix = interaction_matrix([0, 1, 2], [0, 0, 1], shape=(3, 2))

    plain = fit_popularity(matrix)
    faded = fit_popularity(matrix, np.array([20.0, 20.0, 0.0]), half_life_s=10.0)

    assert plain.counts.tolist() == [2.0, 1.0]
    assert faded.counts.tolist() == [0.5, 1.0]
    with pytest.raises(ValueError, match="both"):
        fit_popularity(matrix, half_life_s=10.0)
