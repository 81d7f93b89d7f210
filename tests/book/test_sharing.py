"""Entmax, hinge, ratings and pairs, as Python runs them."""

import numpy as np
import pytest

import softmax_lib as sl
from helpers import sharing


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the functions without compiling them."""
    for name, function in list(vars(sharing).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(sharing, name, function.py_func)


@pytest.mark.parametrize("alpha", [1.01, 1.25, 1.5, 1.9, 2.0])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_entmax_is_that_of_50_digits(alpha, scale):
    rng = np.random.default_rng(7)
    for x in scale * rng.normal(size=(3, 6)):
        exact = np.array(sharing.exact_entmax(x, alpha), float)
        shares = sharing.entmax(x[None], alpha)[0]
        np.testing.assert_allclose(shares, exact, rtol=0, atol=1e-15 / (alpha - 1))
        assert abs(shares.sum() - 1) < 1e-15


def test_entmax_begins_with_softmax_and_ends_with_a_projection():
    x = np.array([[0.0, 0.5, 1.0]])
    np.testing.assert_array_equal(sharing.entmax(x, 1.0), sl.softmax(x))
    np.testing.assert_allclose(sharing.entmax(x, 2.0), [[0, 0.25, 0.75]], atol=1e-16)
    near_softmax = sharing.entmax(x, 1 + 1e-6)
    np.testing.assert_allclose(near_softmax, sl.softmax(x), atol=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0])
def test_large_and_masked_scores(alpha):
    x = np.array([[1e8, 1e8 + 0.5, -np.inf]])
    expected = sharing.entmax(np.array([[0.0, 0.5]]), alpha)[0]
    np.testing.assert_allclose(sharing.entmax(x, alpha)[0, :2], expected, rtol=1e-15)
    assert sharing.entmax(x, alpha)[0, 2] == 0


def test_equal_scores_have_equal_shares():
    for alpha in (1.0, 1.25, 1.5, 2.0):
        shares = sharing.entmax(np.full((1, 7), 3.0), alpha)
        np.testing.assert_allclose(shares, 1 / 7, rtol=1e-15)


def test_the_hinge_goes_to_the_class_that_is_within_one_point_of_the_truth():
    x = np.array([[2.0, 0.5, 0.0], [1.5, 1.0, 0.0], [0.0, 0.2, 3.0]])
    shares = sharing.hinge_shares(x, np.array([0, 0, 1]))
    np.testing.assert_array_equal(shares, np.eye(3)[[0, 1, 2]])


def test_every_pair_of_teams_played_thirteen_games():
    played = sharing.WINS + sharing.WINS.T
    assert (played[~np.eye(7, dtype=bool)] == 13).all()
    assert len(sharing.TEAMS) == len(sharing.WINS)


def test_elo_moves_both_ratings_by_the_surprise():
    ratings = sharing.elo(np.array([0, 0, 2]), np.array([1, 1, 0]), 3, 0.5)
    first = 0.25
    second = 0.5 * sl.sigmoid(-2 * first)
    third = 0.5 * sl.sigmoid(first + second)
    expected = [first + second - third, -first - second, third]
    np.testing.assert_allclose(ratings, expected, rtol=1e-14)


def test_gradients_of_pairs_are_slopes():
    rng = np.random.default_rng(8)
    first, second = rng.normal(size=(2, 6, 5))
    A, B, to_a, to_b = rng.normal(size=(4, 5, 3))
    loss, slope_a, slope_b = sharing.pairs_loss_and_grads(first, second, A, B, 0.5)
    a = first @ A / np.linalg.norm(first @ A, axis=1, keepdims=True)
    b = second @ B / np.linalg.norm(second @ B, axis=1, keepdims=True)
    scores, truth = a @ b.T / 0.5, np.arange(6)
    both = sl.cross_entropy(scores, truth) + sl.cross_entropy(scores.T, truth)
    assert loss == pytest.approx(both / 2, rel=1e-13)

    def along(step):
        moved = A + step * to_a, B + step * to_b
        return sharing.pairs_loss_and_grads(first, second, *moved, 0.5)[0]

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    assert (slope_a * to_a + slope_b * to_b).sum() == pytest.approx(slope, rel=1e-7)
