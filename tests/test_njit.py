"""The public functions inside @njit: the same bits as from Python."""

import numba
import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError

import softmax_lib
from softmax_lib import (
    cross_entropy,
    cross_entropy_and_grad,
    log_sigmoid,
    log_softmax,
    log_softmax_vjp,
    logsumexp,
    sigmoid,
    softmax,
    softmax_vjp,
)


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


def assert_same(computed, expected):
    """Raise unless both have the same bits, shapes and dtypes, member by member."""
    if isinstance(expected, tuple):
        for one, other in zip(computed, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(computed, expected)
        assert computed.dtype == expected.dtype
    else:
        # What Numba returns is a Python float, which float32 fits into.
        assert np.shape(computed) == ()
        np.testing.assert_array_equal(computed, float(expected))


@njit
def by_number(x, y, axis, weight):
    return (
        cross_entropy(x, y, axis=axis, reduction="none", weight=weight),
        cross_entropy(x, y, axis, reduction="sum", ignore_index=1),
        cross_entropy_and_grad(x, y, axis, ignore_index=1),
    )


@njit
def by_shares(x, t, axis, weight):
    return (
        cross_entropy(x, t, axis, weight=weight),
        cross_entropy_and_grad(x, t, axis, reduction="none"),
    )


@njit
def smoothed(x, y, by):
    return cross_entropy_and_grad(x, y, label_smoothing=by)


@njit
def passed_back(p, g, axis):
    return (
        softmax_vjp(p, g, axis),
        log_softmax_vjp(p, g, axis=axis),
        softmax_vjp(p, g, None),
        log_softmax_vjp(p, g, (0, -1)),
    )


@pytest.mark.parametrize("number", range(2))
def test_losses_have_the_same_bits_in_every_layout(number):
    x = cases()[number]
    rng = np.random.default_rng(3)
    for axis in (-1, 0, 1):
        n = x.shape[axis]
        shape = np.delete(x.shape, axis)
        y = rng.integers(0, n, shape)[::-1]
        t = abs(x[:, ::-1].copy()).astype(np.float32)
        weight = rng.uniform(0, 2, n)
        for inside, labels in ((by_number, y), (by_shares, t)):
            arguments = x, labels, axis, weight
            assert_same(inside(*arguments), inside.py_func(*arguments))
        arguments = softmax(x, axis), np.flip(x), axis
        assert_same(passed_back(*arguments), passed_back.py_func(*arguments))


def test_long_rows_and_all_widths_of_labels():
    x = np.random.default_rng(4).normal(size=(3, 50))
    same = njit(lambda x, y: cross_entropy(x, y))
    for name in ("i1", "u8"):
        y = np.array([49, 1, 7], name)
        assert same(x, y) == same.py_func(x, y)
    with pytest.raises(ValueError, match="= 18446744073709551615; allowed are 0 to 49"):
        same(x, np.full(3, 2**64 - 1, np.uint64))
    with pytest.raises(ValueError, match="allowed are none"):
        same(x[:, :0], np.zeros(3, int))


@njit
def ignoring(x, y, k):
    return cross_entropy(x, y, ignore_index=k)


LABEL_TYPES = ["i1", "u1", "i8", "u8"]


@pytest.mark.parametrize("width", LABEL_TYPES)
@pytest.mark.parametrize("ignored", LABEL_TYPES)
def test_only_the_label_to_ignore_is_ignored(width, ignored):
    # An index that labels cannot have must not become one that they can.
    x, limits = np.array([[0.0, 1.0], [2.0, 0.0]]), np.iinfo(ignored)
    for label in {np.iinfo(width).min, np.iinfo(width).max, 1}:
        y = np.array([0, label], width)
        for k in (limits.min, limits.max):
            for function in (ignoring, ignoring.py_func):
                if label in (0, 1, k):
                    rows = [i for i in (0, 1) if (0, label)[i] != k]
                    expected = cross_entropy(x[rows], y[rows]) if rows else 0
                    assert function(x, y, np.dtype(ignored).type(k)) == expected
                else:
                    with pytest.raises(ValueError, match=f"= {label}; allowed are 0"):
                        function(x, y, np.dtype(ignored).type(k))


@njit
def smoothed_and_weighted(x, y, weight, by):
    return cross_entropy_and_grad(x, y, 0, weight=weight, label_smoothing=by)


def test_smoothing_of_labels_of_weight_zero():
    x, weight = np.random.default_rng(5).normal(size=(3, 2)), np.array([0.0, 1, 0])
    for y in ([0, 2], [0, 1]):
        arguments = x, np.array(y), weight, 0.1
        assert_same(
            smoothed_and_weighted(*arguments), smoothed_and_weighted.py_func(*arguments)
        )


def test_smoothing():
    x = np.random.default_rng(5).normal(size=(3, 5))
    y = np.array([4, 1, 0])
    for by in (0.0, 0.25, 1.0):
        assert_same(smoothed(x, y, by), smoothed.py_func(x, y, by))
    for bad in (1.5, np.nan):
        with pytest.raises(ValueError, match="got a label_smoothing"):
            smoothed(x, y, bad)


@njit
def of_one_slice(x, y, t):
    return (
        cross_entropy(x, y, reduction="none"),
        cross_entropy_and_grad(x, t, reduction="none"),
    )


def test_one_slice_and_integers():
    for x in (np.array([1.0, 2.0, -1.0]), np.array([1, 2, -1], np.int8)):
        t = np.array([0.5, 0.25, 0.25])
        for y in (2, np.array(2)):
            assert_same(of_one_slice(x, y, t), of_one_slice.py_func(x, y, t))


def test_losses_of_nothing():
    x, y, weight = cases()[1][:, :0], np.zeros((0, 40), int), np.ones(5)
    assert_same(by_number(x, y, 0, weight), by_number.py_func(x, y, 0, weight))
    assert_same(by_shares(x, x, 0, weight), by_shares.py_func(x, x, 0, weight))
    assert_same(passed_back(x, x, 1), passed_back.py_func(x, x, 1))


@njit(parallel=True)
def rows_at_once(x):
    result = np.empty(len(x))
    for i in prange(len(x)):
        result[i] = logsumexp(softmax(x[i]))
    return result


def test_from_prange():
    x = np.random.default_rng(2).normal(size=(50, 7))
    np.testing.assert_array_equal(rows_at_once(x), logsumexp(softmax(x[:, None]))[:, 0])


@njit(parallel=True)
def along_each_axis(x):
    result = np.empty(x.ndim)
    for axis in prange(x.ndim):
        result[axis] = softmax(x, axis).sum() + logsumexp(x, (axis, -1 - axis)).sum()
    return result


def test_the_index_of_prange_is_an_axis():
    x = np.random.default_rng(6).normal(size=(2, 3, 4, 5))
    expected = [
        softmax(x, axis).sum() + logsumexp(x, (axis, -1 - axis)).sum()
        for axis in range(x.ndim)
    ]
    np.testing.assert_allclose(along_each_axis(x), expected, rtol=1e-14)


@njit
def with_axes_of_any_type(x, y, one, other):
    return (
        softmax(x, one),
        logsumexp(x, (one, other)),
        softmax_vjp(x, x, (other, one)),
        cross_entropy_and_grad(x, y, one),
    )


@pytest.mark.parametrize(("one", "other"), [("u8", "i1"), ("i1", "u8"), ("u1", "u4")])
def test_axes_of_every_type_of_integers(one, other):
    x, y = cases()[0], np.zeros((3, 5), int)
    one, other = np.dtype(one).type, np.dtype(other).type
    arguments = x, y, one(1), other(2)
    same = with_axes_of_any_type.py_func(*arguments)
    assert_same(with_axes_of_any_type(*arguments), same)
    for axis in {np.iinfo(one).max, np.iinfo(one).min} - {0}:
        with pytest.raises(np.exceptions.AxisError):
            with_axes_of_any_type(x, y, one(axis), other(2))


@pytest.mark.skipif(
    numba.version_info.short < (0, 62),
    reason="Numba 0.61 compiles this for minutes, in more than 13 GB of memory",
)
def test_more_dimensions_than_a_mask_has_bits():
    x = np.arange(2.0).reshape((1,) * 62 + (2,))
    np.testing.assert_array_equal(njit(lambda x: softmax(x))(x), softmax(x))
    for call in (lambda x: softmax(x), lambda x: cross_entropy(x, x)):
        with pytest.raises(TypingError, match="at most 63 dimensions"):
            njit(call)(x[None])


def test_bad_axes_are_refused_at_run_time():
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        three_sums(np.zeros((2, 3, 4)), 3)


def test_bad_values_are_refused_at_run_time():
    x, y, weight = np.zeros((2, 3, 1)), np.array([[0], [1]]), np.ones(3)
    out_of_range = np.array([[0], [7]])
    with pytest.raises(ValueError, match=r"labels.flat\[1\] = 7; allowed are 0 to 2"):
        by_number(x, out_of_range, 1, weight)
    with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
        by_number(x, y, 3, weight)
    with pytest.raises(ValueError, match="got labels of another shape than logits"):
        by_number(x, y, 0, weight)
    with pytest.raises(ValueError, match="got probabilities of another shape"):
        by_shares(x, x[:1], 1, weight)
    with pytest.raises(ValueError, match="got weight of another length"):
        by_number(x, y, 1, weight[:1])
    with pytest.raises(ValueError, match="got a weight that is not finite"):
        by_number(x, y, 1, np.inf * weight)
    with pytest.raises(ValueError, match="different shapes"):
        passed_back(x, x[:1], 0)


def test_the_kernels_are_called_and_not_copied():
    def lines(function):
        return sum(text.count("\n") for text in function.inspect_asm().values())

    rows_at_once(np.zeros((2, 3)))
    assert lines(rows_at_once) < 5000
    twice = njit(lambda x: softmax(softmax(x)))
    twice(np.zeros((2, 3, 4)))
    assert lines(twice) < 1500


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
        (lambda x: logsumexp(x, return_sign=True), "return_sign"),
        (lambda x: logsumexp(x, return_sign=x.size > 2), "return_sign"),
        (lambda x: logsumexp("text"), "x"),
        (lambda x: softmax(1.0), "x"),
        (lambda x: sigmoid(1j * x), "x"),
        (lambda x: cross_entropy(1.0, 0), "logits"),
        (lambda x: cross_entropy(np.array(1.0), 0), "logits"),
        (lambda x: cross_entropy(x, x > 1), "labels"),
        (lambda x: cross_entropy(x, x[0]), "labels"),
        (lambda x: cross_entropy(x, [0, 1]), "labels"),
        (lambda x: cross_entropy(x, x, None), "axis"),
        (lambda x: cross_entropy(x, x, axis=(0,)), "axis"),
        (lambda x: cross_entropy(x, x, axis=True), "axis"),
        (lambda x: cross_entropy(x, x, reduction="avg"), "reduction"),
        (lambda x: cross_entropy(x, x, reduction=None), "reduction"),
        (lambda x: cross_entropy(x, x, reduction=str(x.size)), "reduction"),
        (lambda x: cross_entropy(x, x, ignore_index=0), "ignore_index"),
        (lambda x: cross_entropy(x[0], 0, ignore_index=0.5), "ignore_index"),
        (lambda x: cross_entropy(x[0], 0, ignore_index=True), "ignore_index"),
        (lambda x: cross_entropy_and_grad(x, x, weight=1.0), "weight"),
        (lambda x: cross_entropy_and_grad(x, x, weight=x), "weight"),
        (lambda x: cross_entropy_and_grad(x, x, weight=1j * x[0]), "weight"),
        (lambda x: cross_entropy(x, x, label_smoothing="0"), "label_smoothing"),
        (lambda x: cross_entropy(x, x, label_smoothing=None), "label_smoothing"),
        (lambda x: cross_entropy(x, x, label_smoothing=True), "label_smoothing"),
        (lambda x: cross_entropy(x, x, label_smoothing=x.size > 2), "label_smoothing"),
        (lambda x: cross_entropy(x, x, label_smoothing=x[0]), "label_smoothing"),
        (lambda x: softmax_vjp(x, x, 0.5), "axis"),
        (lambda x: softmax_vjp(x, x[0]), "g"),
        (lambda x: log_softmax_vjp("text", x), "logp"),
    ],
)
def test_wrong_arguments_are_named(call, name):
    with pytest.raises(TypingError, match=f"got {name} of type .*allowed inside @njit"):
        njit(call)(np.zeros((2, 3)))


@njit
def softmax_of_split_axes(x):
    return softmax(x, (0, 2))


@pytest.mark.parametrize("shape", [(1, 2, 1), (3, 1, 4), (2, 3, 4)])
def test_moved_axes_leave_the_input_alone(shape):
    # Axes of length 1 can be moved without a copy.
    x = np.random.default_rng(1).normal(size=shape)
    before = x.copy()
    np.testing.assert_array_equal(softmax_of_split_axes(x), softmax(x, (0, 2)))
    np.testing.assert_array_equal(x, before)
