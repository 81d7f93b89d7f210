"""The public functions inside @njit: the same bits as from Python."""

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError

import softmax_lib
from softmax_lib import log_sigmoid, log_softmax, logsumexp, sigmoid, softmax


def cases():
    """Return arrays of both dtypes, contiguous or not, one of them read-only."""
    a = np.random.default_rng(1).normal(scale=4, size=(3, 40, 5))
    frozen = a.copy()
    frozen.flags.writeable = False
    return frozen, a.astype(np.float32).transpose(2, 0, 1)


@njit
def three_softmaxes(x, axis):
    return softmax(x), softmax_lib.softmax(x, axis=axis), softmax(x, None)


@njit
def three_sums(x, axis):
    return logsumexp(x, axis), logsumexp(x, axis=None), logsumexp(x, keepdims=True)


@njit
def each_entry(x):
    return sigmoid(x), log_sigmoid(x), log_softmax(x, 0)


@pytest.mark.parametrize("number", range(2))
def test_same_bits_in_every_layout(number):
    x = cases()[number]
    for axis in (-1, 0, 1):
        expected = softmax(x), softmax(x, axis), softmax(x, None)
        for computed, same in zip(three_softmaxes(x, axis), expected, strict=True):
            np.testing.assert_array_equal(computed, same)
            assert computed.dtype == x.dtype
        expected = logsumexp(x, axis), logsumexp(x, None), logsumexp(x, keepdims=True)
        for computed, same in zip(three_sums(x, axis), expected, strict=True):
            np.testing.assert_array_equal(computed, same)
    expected = sigmoid(x), log_sigmoid(x), log_softmax(x, 0)
    for computed, same in zip(each_entry(x), expected, strict=True):
        np.testing.assert_array_equal(computed, same)


@njit
def tuples(x):
    return softmax(x, (0, 1)), softmax(x, axis=(2, 0)), logsumexp(x, (-3, 2))


def test_tuples_of_axes():
    x = cases()[0]
    expected = softmax(x, (0, 1)), softmax(x, (0, 2)), logsumexp(x, (0, 2))
    for computed, same in zip(tuples(x), expected, strict=True):
        np.testing.assert_array_equal(computed, same)
    for computed, same in zip(tuples(x[:, :0]), tuples.py_func(x[:, :0]), strict=True):
        np.testing.assert_array_equal(computed, same)


@njit
def of_numbers(x):
    return sigmoid(x), log_sigmoid(x)


def test_numbers_and_integers():
    for x in (0.3, np.float32(-7), 2, True):
        assert of_numbers(x) == (sigmoid(x), log_sigmoid(x))
    integers = np.array([[100, 127, -128]], np.int8)
    np.testing.assert_array_equal(each_entry(integers)[0], sigmoid(integers))


def test_zero_dimensions():
    x = np.array(2.0)
    assert three_sums(x, -1)[0] == 2 and three_softmaxes(x, 0)[0] == 1


@njit(parallel=True)
def rows_at_once(x):
    result = np.empty(len(x))
    for i in prange(len(x)):
        result[i] = logsumexp(softmax(x[i]))
    return result


def test_from_prange():
    x = np.random.default_rng(2).normal(size=(50, 7))
    np.testing.assert_array_equal(rows_at_once(x), logsumexp(softmax(x[:, None]))[:, 0])


def test_bad_axes_are_refused_at_run_time():
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        three_sums(np.zeros((2, 3, 4)), 3)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: softmax(x, 1.5), "axis"),
        (lambda x: softmax(x, axis=(0, "1")), "axis"),
        (lambda x: softmax(x, axis=True), "axis"),
        (lambda x: log_softmax(x, out=x), "out"),
        (lambda x: softmax(x, where=x > 0), "where"),
        (lambda x: logsumexp(x, b=x), "b"),
        (lambda x: logsumexp(x, keepdims=x.size > 2), "keepdims"),
        (lambda x: logsumexp("text"), "x"),
        (lambda x: softmax(1.0), "x"),
        (lambda x: sigmoid(1j * x), "x"),
    ],
)
def test_wrong_arguments_are_named(call, name):
    with pytest.raises(TypingError, match=f"got {name} of type .*allowed inside @njit"):
        njit(call)(np.zeros((2, 3)))
