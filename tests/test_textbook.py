"""The textbook's loops: right where the book says so, wrong where it says so."""

import numpy as np
import pytest

from softmax_lib import softmax, textbook

LOOPS = [getattr(textbook, name) for name in textbook.__all__]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_the_library_on_moderate_scores(loop, dtype):
    x = np.random.default_rng(1).normal(scale=3, size=100).astype(dtype)
    before = x.copy()
    p = loop(x)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, softmax(x), rtol=100 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(("dtype", "safe"), [(np.float32, 88), (np.float64, 709)])
def test_the_naive_form_overflows_and_the_others_do_not(dtype, safe):
    inside = np.array([safe, 0], dtype)
    outside = np.array([safe + 1, 0], dtype)
    assert np.all(np.isfinite(textbook.naive_softmax(inside)))
    assert np.isnan(textbook.naive_softmax(outside)[0])
    for loop in (textbook.shifted_softmax, textbook.online_softmax):
        assert loop(outside)[0] == 1
        assert loop(outside[::-1].copy())[1] == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_one_score_has_everything_and_equal_scores_have_the_same(loop):
    assert loop(np.array([3.0])).tolist() == [1]
    assert loop(np.full(4, -2.5)).tolist() == [0.25] * 4


@pytest.mark.parametrize("loop", LOOPS)
def test_a_list_of_minus_infinity_has_no_shares(loop):
    assert np.isnan(loop(np.array([-np.inf, -np.inf]))).all()


def test_only_the_online_form_fails_if_minus_infinity_comes_first():
    x = np.array([-np.inf, 0.0])
    assert textbook.naive_softmax(x).tolist() == [0, 1]
    assert textbook.shifted_softmax(x).tolist() == [0, 1]
    assert np.isnan(textbook.online_softmax(x)).all()
    assert textbook.online_softmax(x[::-1].copy()).tolist() == [1, 0]


@pytest.mark.parametrize(("dtype", "low"), [(np.float32, -102), (np.float64, -744)])
def test_the_naive_form_loses_digits_before_it_underflows(dtype, low):
    x = np.array([low, low - 1], dtype)
    right = softmax(x)
    assert abs(textbook.naive_softmax(x)[0] - right[0]) > 0.05
    np.testing.assert_allclose(textbook.shifted_softmax(x), right, rtol=1e-6)
    assert np.isnan(textbook.naive_softmax(x - 10)).all()


@pytest.mark.parametrize("order", [1, -1])
def test_the_online_form_takes_the_maximum_wherever_it_comes(order):
    x = np.linspace(-500.0, 500.0, 11)[::order].copy()
    np.testing.assert_allclose(textbook.online_softmax(x), softmax(x), rtol=1e-13)
