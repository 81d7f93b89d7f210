"""Losses and gradients against their definitions, to 50 digits and by their laws."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.exceptions import AxisError

from helpers import exact
from helpers.exact import mpmath
from softmax_lib import (
    cross_entropy,
    cross_entropy_and_grad,
    log_softmax,
    log_softmax_vjp,
    softmax,
    softmax_vjp,
)

FLOATS = [np.float32, np.float64]
GAPS = [(np.float32, 20), (np.float32, 80), (np.float64, 40), (np.float64, 700)]
BOTH = [cross_entropy, cross_entropy_and_grad]


def of_label(x, y):
    """Return the loss of one slice and its gradient, to 50 digits."""
    values = [mpmath.mpf(float(v)) for v in x]
    others = [mpmath.exp(v - values[y]) if i != y else 0 for i, v in enumerate(values)]
    rest = mpmath.fsum(others)
    grad = [t / (1 + rest) for t in others]
    grad[y] = -rest / (1 + rest)
    return mpmath.log1p(rest), grad


def of_shares(x, c):
    """Return -sum c log p and its gradient to 50 digits; c are mpmath numbers."""
    logs = exact.log_softmax(x)
    mass = mpmath.fsum(c)
    loss = -mpmath.fsum(a * b for a, b in zip(c, logs, strict=True) if a)
    shares = exact.softmax(x)
    return loss, [mass * p - a for a, p in zip(c, shares, strict=True)]


def defined(x, labels, reduction, ignore_index, weight, smoothing):
    """Return loss and gradient of rows by the definition, as arrays of objects."""
    n = x.shape[1]
    w = [mpmath.mpf(float(v)) for v in (np.ones(n) if weight is None else weight)]
    keep, spread = 1 - mpmath.mpf(smoothing), mpmath.mpf(smoothing) / n
    losses, grads, divisor = [], [], mpmath.mpf(0)
    for row, label in zip(x, labels, strict=True):
        if label.ndim == 0 and label == ignore_index:
            losses.append(mpmath.mpf(0))
            grads.append([mpmath.mpf(0)] * n)
            continue
        t = np.eye(n)[label] if label.ndim == 0 else label
        c = [a * (keep * float(s) + spread) for a, s in zip(w, t, strict=True)]
        loss, grad = of_shares(row, c)
        divisor += w[label] if label.ndim == 0 else 1
        losses.append(loss)
        grads.append(grad)
    loss, grad = np.array(losses), np.array(grads)
    if reduction == "none":
        return loss, grad
    total = mpmath.fsum(losses)
    return (total, grad) if reduction == "sum" else (total / divisor, grad / divisor)


def logits_of(dtype, shape, axis, labels, seed):
    """Return logits, some of them sure and right, some sure and wrong."""
    rng = np.random.default_rng(seed)
    x = np.moveaxis(rng.normal(0, 4, shape), axis, -1).copy()
    rows = x.reshape(-1, shape[axis])
    depth = 80 if dtype is np.float32 else 700
    for i, y in enumerate(labels.ravel()):
        if i % 3 < 2:
            rows[i, (y + i % 3) % shape[axis]] += depth * rng.random() ** 2
    return np.ascontiguousarray(np.moveaxis(x, -1, axis).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((1,), 0),
        ((40, 2), 1),
        ((37, 10), 1),
        ((3, 100), 1),
        ((5, 7, 6), 1),
        ((9, 5), 0),
    ],
)
def test_loss_and_gradient_are_accurate(dtype, shape, axis):
    rng = np.random.default_rng(11)
    labels = rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    x = logits_of(dtype, shape, axis, labels, 12)
    loss, grad = cross_entropy_and_grad(x, labels, axis, reduction="none")
    np.testing.assert_array_equal(
        loss, cross_entropy(x, labels, axis, reduction="none")
    )
    assert loss.dtype == grad.dtype == dtype
    assert grad.shape == x.shape
    rows = np.moveaxis(x, axis, -1).reshape(-1, shape[axis])
    answers = [of_label(row, y) for row, y in zip(rows, labels.ravel(), strict=True)]
    assert exact.ulps(loss, [a for a, _ in answers]).max() <= 2
    got = np.moveaxis(grad, axis, -1).reshape(-1, shape[axis])
    for row, (_, expected) in zip(got, answers, strict=True):
        assert exact.ulps(row, expected).max() <= 3


@pytest.mark.parametrize(("dtype", "gap"), GAPS)
@pytest.mark.parametrize("n", [2, 10, 50])
def test_a_sure_answer_keeps_its_doubt(dtype, gap, n):
    x = np.zeros((5, n), dtype)
    x[:, 0] = gap
    for labels in (np.zeros(5, int), np.eye(n, dtype=dtype)[np.zeros(5, int)]):
        loss, grad = cross_entropy_and_grad(x, labels, reduction="sum")
        one, slope = of_label(x[0], 0)
        assert loss > 0
        assert exact.ulps(loss, [5 * one]).max() <= 2
        for row in grad:
            assert exact.ulps(row, slope).max() <= 3


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("shape", "axis"), [((6, 5), 1), ((4, 6), 0), ((2, 3, 4), 1)])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_every_option_agrees_with_the_definition(dtype, shape, axis, reduction):
    rng = np.random.default_rng(13)
    n = shape[axis]
    rows_shape = shape[:axis] + shape[axis + 1 :]
    x = rng.normal(0, 3, shape).astype(dtype)
    weight = rng.uniform(0.1, 2, n).astype(dtype)
    numbers = rng.integers(0, n, rows_shape)
    with_ignored = np.where(rng.random(rows_shape) < 0.3, -100, numbers)
    shares = rng.dirichlet(np.ones(n), rows_shape).astype(dtype)
    shares = np.ascontiguousarray(np.moveaxis(shares, -1, axis))
    rows = np.moveaxis(x, axis, -1).reshape(-1, n)
    for labels, w, smoothing in itertools.product(
        (numbers, with_ignored, shares), (None, weight), (0.0, 0.125, 1.0)
    ):
        ignored = -100 if labels is with_ignored else None
        options = {
            "reduction": reduction,
            "ignore_index": ignored,
            "weight": w,
            "label_smoothing": smoothing,
        }
        loss, grad = cross_entropy_and_grad(x, labels, axis, **options)
        alone = cross_entropy(x, labels, axis, **options)
        np.testing.assert_array_equal(loss, alone)
        flat = labels.reshape(-1)
        if labels is shares:
            flat = np.moveaxis(labels, axis, -1).reshape(-1, n)
        expected, slopes = defined(rows, flat, reduction, ignored, w, smoothing)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(
            np.ravel(loss), np.array(expected, dtype).ravel(), rtol=4 * eps
        )
        got = np.moveaxis(grad, axis, -1).reshape(-1, n)
        np.testing.assert_allclose(
            got, slopes.astype(dtype), rtol=4 * eps, atol=4 * eps
        )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["number", "shares"])
def test_the_gradient_is_the_slope_of_the_loss(smoothing, kind):
    rng = np.random.default_rng(14)
    x = rng.normal(0, 3, 6)
    label = np.int64(2) if kind == "number" else rng.dirichlet(np.ones(6))
    _, grad = cross_entropy_and_grad(x, label, label_smoothing=smoothing)
    t = np.eye(6)[label] if kind == "number" else label
    c = [(1 - mpmath.mpf(smoothing)) * float(v) + mpmath.mpf(smoothing) / 6 for v in t]
    point = [mpmath.mpf(float(v)) for v in x]
    step = mpmath.mpf(10) ** -16

    def loss_at(k, by):
        moved = [v + (by if i == k else 0) for i, v in enumerate(point)]
        total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in moved))
        return mpmath.fsum(a * (total - v) for a, v in zip(c, moved, strict=True))

    slopes = [(loss_at(k, step) - loss_at(k, -step)) / (2 * step) for k in range(6)]
    np.testing.assert_allclose(grad, np.array(slopes, float), rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("weighted", [False, True])
def test_little_smoothing_keeps_the_gradient_at_the_label(dtype, weighted):
    # What the other classes weigh is far below the digits of the label's coefficient.
    rng, digits = np.random.default_rng(16), np.finfo(dtype).nmant
    worst = 0.0
    for _ in range(150):
        n, smoothing = int(rng.integers(2, 7)), float(10 ** rng.uniform(-14, 0))
        x = rng.normal(0, rng.choice([1, 20]), n).astype(dtype)
        label = np.int64(rng.choice([np.argmax(x), 0]))
        weight = np.exp(rng.normal(0, 9, n)).astype(dtype) if weighted else None
        _, grad = cross_entropy_and_grad(
            x, label, reduction="none", weight=weight, label_smoothing=smoothing
        )
        spread = mpmath.mpf(smoothing) / n
        c = [(1 - mpmath.mpf(smoothing)) * (k == label) + spread for k in range(n)]
        if weighted:
            c = [a * float(w) for a, w in zip(c, weight, strict=True)]
        terms = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
        for k, got in enumerate(grad):
            others = [j for j in range(n) if j != k]
            rest = mpmath.fsum(terms[j] for j in others) / mpmath.fsum(terms)
            share = terms[k] / mpmath.fsum(terms)
            parts = share * mpmath.fsum(c[j] for j in others), c[k] * rest
            ulp = mpmath.mpf(2) ** (mpmath.floor(mpmath.log(sum(parts), 2)) - digits)
            worst = max(worst, abs(float(got) - (parts[0] - parts[1])) / ulp)
    assert 0.5 < worst <= 5


@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_longer_than_the_cache(dtype):
    rng = np.random.default_rng(15)
    n = 140_000
    x = rng.normal(0, 3, (2, n)).astype(dtype)
    labels = rng.integers(0, n, 2)
    x[0, labels[0]] += 60
    loss, grad = cross_entropy_and_grad(x, labels, reduction="none")
    wide = x.astype(np.longdouble)
    terms = np.exp(wide - wide.max(axis=1, keepdims=True))
    others = terms.copy()
    others[[0, 1], labels] = 0
    rest, total = others.sum(axis=1), terms.sum(axis=1)
    expected = terms / total[:, None]
    expected[[0, 1], labels] = -rest / total
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(grad, expected.astype(dtype), rtol=4 * eps)
    answer = np.log1p(rest / terms[[0, 1], labels])
    np.testing.assert_allclose(loss, answer.astype(dtype), rtol=4 * eps)
    soft = np.zeros((2, n), dtype)
    soft[[0, 1], labels] = 1
    loss, grad = cross_entropy_and_grad(x, soft, reduction="none")
    np.testing.assert_allclose(grad, expected.astype(dtype), rtol=4 * eps)
    np.testing.assert_allclose(loss, answer.astype(dtype), rtol=4 * eps)


@given(
    hnp.arrays(
        st.sampled_from(FLOATS),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=6),
        elements=st.floats(-60, 60, width=32),
    ),
    st.data(),
)
def test_one_hot_rows_are_labels_and_slopes_sum_to_zero(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    moved = np.moveaxis(x, axis, -1)
    labels = data.draw(
        hnp.arrays(np.int64, moved.shape[:-1], elements=st.integers(0, n - 1))
    )
    hot = np.moveaxis(np.eye(n, dtype=x.dtype)[labels], -1, axis)
    loss, grad = cross_entropy_and_grad(x, labels, axis)
    soft_loss, soft_grad = cross_entropy_and_grad(x, hot, axis)
    eps = np.finfo(x.dtype).eps
    np.testing.assert_allclose(soft_loss, loss, rtol=3 * eps)
    np.testing.assert_allclose(soft_grad, grad, rtol=4 * eps, atol=1e-44)
    np.testing.assert_allclose(grad.sum(axis=axis), 0, atol=8 * eps)


def test_what_is_ignored_does_not_count_whatever_it_is():
    x = np.array([[1.0, 2.0, 3.0], [np.nan, np.inf, 0.0], [0.0, 0.0, 0.0]])
    for rows in (x, np.vstack([x] * 20)):
        labels = np.resize([2, -1, 0], len(rows))
        kept = labels >= 0
        for smoothing in (0.0, 0.2):
            options = {"label_smoothing": smoothing}
            loss, grad = cross_entropy_and_grad(
                rows, labels, ignore_index=-1, **options
            )
            expected, slope = cross_entropy_and_grad(
                rows[kept], labels[kept], **options
            )
            np.testing.assert_allclose(loss, expected, rtol=1e-15)
            np.testing.assert_allclose(grad[kept], slope, rtol=1e-15)
            assert not grad[~kept].any()
    # Along another axis, where slices share a vector.
    loss, grad = cross_entropy_and_grad(x.T.copy(), [2, 0, 0], 0, ignore_index=2)
    assert np.isnan(loss)
    assert not grad[:, 0].any()
    assert np.isnan(grad[:, 1]).all()
    assert np.isfinite(grad[:, 2]).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_nothing_that_counts_gives_zero(smoothing):
    x = np.random.default_rng(16).normal(size=(3, 4))
    choices = [
        {"ignore_index": 7, "labels": [7, 7, 7]},
        {"weight": [0, 0, 0, 0], "labels": [0, 1, 2]},
        {"weight": [0, 1, 1, 1], "labels": [0, 0, 0]},
    ]
    for options in choices if smoothing == 0 else choices[:2]:
        labels = options.pop("labels")
        loss, grad = cross_entropy_and_grad(
            x, labels, label_smoothing=smoothing, **options
        )
        assert loss == 0
        assert not grad.any()


def test_a_class_of_weight_zero_does_not_count():
    x = np.array([[np.nan, 0.0], [1.0, 2.0]])
    loss, grad = cross_entropy_and_grad(x, [0, 1], weight=[0.0, 3.0])
    np.testing.assert_allclose(loss, cross_entropy(x[1], 1), rtol=4e-16)
    assert grad[0].tolist() == [0.0, 0.0]


def test_smoothing_gives_a_label_of_weight_zero_the_weights_of_all_classes():
    # The values are those of torch 2, but for the mean that it has NaN for.
    options = {"weight": [0, 1], "label_smoothing": 0.1}
    smoothed = 0.05 * np.logaddexp(3, 0)
    x = [[3.0, 0.0]]
    for reduction, expected in (("none", [smoothed]), ("sum", smoothed)):
        loss = cross_entropy(x, [0], reduction=reduction, **options)
        np.testing.assert_allclose(loss, expected, rtol=1e-15)
    loss, grad = cross_entropy_and_grad(x, [0], **options)
    assert loss == np.inf
    assert grad.tolist() == [[np.inf, -np.inf]]
    # The divisor of the mean is the weight of the labels; all slices are summed up.
    two = np.array([[3.0, 0.0], [0.0, 0.0]])
    loss, grad = cross_entropy_and_grad(two, [0, 1], **options)
    np.testing.assert_allclose(loss, smoothed + 0.95 * np.log(2), rtol=1e-15)
    assert (grad != 0).all()
    # Only an ignored slice does not count, whatever its logits are.
    two[0, 0] = np.nan
    assert np.isnan(cross_entropy(two, [0, 1], **options))
    assert np.isfinite(cross_entropy(two, [0, 1], ignore_index=0, **options))
    # An ignored slice beside one over 0 keeps its 0, as do classes of no weight.
    x = [[0.0, 1.0], [3.0, 0.0]]
    loss, grad = cross_entropy_and_grad(x, [-1, 0], ignore_index=-1, **options)
    assert loss == np.inf
    assert grad.tolist() == [[0, 0], [np.inf, -np.inf]]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [3, 50])
def test_masked_classes_do_no_harm(dtype, n):
    x = np.zeros((6, n), dtype)
    x[:, 2:] = -np.inf
    x[:, 0] = 1
    open_rows = x[:, :2].copy()
    labels = np.zeros(6, int)
    soft = np.zeros((6, n), dtype)
    soft[:, :2] = 0.25, 0.75
    for both in ((labels, labels), (soft, soft[:, :2].copy())):
        loss, grad = cross_entropy_and_grad(x, both[0])
        expected, slope = cross_entropy_and_grad(open_rows, both[1])
        assert loss == expected
        np.testing.assert_array_equal(grad[:, :2], slope)
        assert not grad[:, 2:].any()


@pytest.mark.parametrize("shape", [(6, 3), (6, 50), (50, 6)])
def test_a_masked_label_is_infinitely_surprising(shape):
    axis = 0 if shape[0] == 50 else 1
    x = np.zeros(shape)
    np.moveaxis(x, axis, -1)[:, 1] = -np.inf
    labels = np.ones(6, int)
    for smoothing in (0.0, 0.1):
        loss, grad = cross_entropy_and_grad(
            x, labels, axis, reduction="sum", label_smoothing=smoothing
        )
        assert loss == np.inf
        assert np.isfinite(grad).all()
    assert cross_entropy(x, labels, axis) == np.inf


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [3, 40])
@pytest.mark.parametrize("kind", ["number", "shares", "smooth"])
def test_special_values_spoil_their_slice_only(dtype, n, kind):
    for bad in (np.nan, np.inf, -np.inf):
        x = np.zeros((5, n), dtype)
        x[2] = bad if bad == -np.inf else 0
        x[2, 1] = bad
        labels = np.eye(n)[[1] * 5] if kind == "shares" else [1] * 5
        smoothing = 0.1 if kind == "smooth" else 0.0
        loss, grad = cross_entropy_and_grad(
            x, labels, reduction="none", label_smoothing=smoothing
        )
        assert np.isnan(loss).tolist() == [False, False, True, False, False]
        assert np.isnan(grad).all(axis=1).tolist() == [0, 0, 1, 0, 0]
        assert np.isnan(grad).any(axis=1).tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("dtype", FLOATS)
def test_extreme_scores(dtype):
    big = np.finfo(dtype).max
    x = np.array([[big, -big], [-big, big]], dtype)
    loss, grad = cross_entropy_and_grad(x, [0, 0], reduction="none")
    assert loss[0] == 0
    assert loss[1] == np.inf
    assert grad.tolist() == [[0, 0], [-1, 1]]


@pytest.mark.parametrize("name", ["i1", "u1", "i2", "u4", "i8", "u8", ">i4"])
def test_labels_of_any_width(name):
    x = np.random.default_rng(17).normal(size=(4, 5))
    labels = np.array([0, 4, 2, 1])
    assert cross_entropy(x, labels.astype(name)) == cross_entropy(x, labels)


def test_whatever_the_memory_the_result_is_the_same():
    rng = np.random.default_rng(18)
    x = rng.normal(size=(6, 8))
    labels = rng.integers(0, 8, 6)
    shares = rng.dirichlet(np.ones(8), 6)
    frozen = x.copy()
    frozen.flags.writeable = False
    frozen_labels = labels.copy()
    frozen_labels.flags.writeable = False
    twice = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)
    before = x.copy(), labels.copy(), shares.copy()
    for t in (labels, shares):
        expected = cross_entropy_and_grad(x, t)
        for same in (
            np.asfortranarray(x),
            twice[::2, ::2],
            x.astype(">f8"),
            frozen,
            x.tolist(),
        ):
            for also in (t, t.tolist(), t[::-1].copy()[::-1], frozen_labels):
                if also is frozen_labels and t is shares:
                    continue
                loss, grad = cross_entropy_and_grad(same, also)
                assert loss == expected[0]
                np.testing.assert_array_equal(grad, expected[1])
                assert grad.flags.c_contiguous
                assert grad.flags.writeable
    for now, then in zip((x, labels, shares), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_dtypes_of_the_results():
    whole = np.array([[1, 2, 0]], np.int8)
    loss, grad = cross_entropy_and_grad(whole, [1])
    assert isinstance(loss, np.float64)
    assert grad.dtype == np.float64
    loss, grad = cross_entropy_and_grad(whole.astype(np.float32), np.ones((1, 3)))
    assert isinstance(loss, np.float32)
    assert grad.dtype == np.float32
    half = whole.astype(np.float16)
    for labels in ([1], np.array([[0, 1, 0]], np.float16)):
        loss, grad = cross_entropy_and_grad(half, labels)
        assert isinstance(loss, np.float16)
        assert grad.dtype == np.float16
        assert loss == np.float16(cross_entropy(whole, [1]))
    each = cross_entropy(half, [1], reduction="none")
    assert each.dtype == np.float16
    assert cross_entropy(np.array([-6e4, 6e4], np.float16), 0) == np.inf
    for function in (softmax_vjp, log_softmax_vjp):
        assert function(half, half).dtype == np.float16
        assert function(half, half.astype(np.float32)).dtype == np.float32
        assert function(half, whole).dtype == np.float64


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([[1, 2, 0]], ml_dtypes.bfloat16)
    loss, grad = cross_entropy_and_grad(x, [1])
    assert loss.dtype == grad.dtype == ml_dtypes.bfloat16
    assert loss == ml_dtypes.bfloat16(cross_entropy(x.astype(float), [1]))


def test_one_slice_gives_scalars():
    x = np.array([1.0, 2.0])
    for reduction in ("none", "mean", "sum"):
        assert isinstance(cross_entropy(x, 1, reduction=reduction), np.float64)
        assert isinstance(cross_entropy(x, x, reduction=reduction), np.float64)


@pytest.mark.parametrize("dtype", FLOATS)
def test_columns_too_long_for_the_caches(dtype):
    x = np.random.default_rng(29).normal(0, 5, (7003, 310)).astype(dtype)
    labels = np.arange(310) * 22
    loss, grad = cross_entropy_and_grad(x, labels, axis=0, reduction="none")
    rows = np.ascontiguousarray(x.T)
    expected, slope = cross_entropy_and_grad(rows, labels, reduction="none")
    close = {"rtol": 4 * np.finfo(dtype).eps}
    np.testing.assert_allclose(loss, expected, **close)
    np.testing.assert_allclose(grad, slope.T, **close)
    only = cross_entropy(x, labels, axis=0, reduction="none")
    np.testing.assert_allclose(only, expected, **close)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(300, 5000), (120_000, 13)])
def test_where_large_pages_begin_nothing_is_lost(shape, smoothing):
    # The gradient spans two pages at least, whose ends are touched early.
    rng = np.random.default_rng(10)
    x = rng.normal(scale=4, size=shape).astype(np.float32)
    labels = rng.integers(0, shape[1], shape[0])
    labels[rng.random(shape[0]) < 0.3] = -1
    options = {"reduction": "sum", "ignore_index": -1, "label_smoothing": smoothing}
    _, grad = cross_entropy_and_grad(x, labels, **options)
    parts = [
        cross_entropy_and_grad(*part, **options)[1]
        for part in zip(np.array_split(x, 7), np.array_split(labels, 7), strict=True)
    ]
    np.testing.assert_array_equal(grad, np.vstack(parts))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1, 1), (17, 1), (1000, 1), (40000, 1), (3, 1, 50)])
def test_the_only_class_is_no_surprise(dtype, shape):
    x = np.full(shape, 7.0, dtype)
    labels = np.zeros((shape[0], *shape[2:]), int)
    for smoothing in (0.0, 0.25):
        loss, grad = cross_entropy_and_grad(
            x, labels, axis=1, label_smoothing=smoothing
        )
        assert loss == 0
        assert grad.shape == shape
        assert not grad.any()


def test_empty():
    for reduction, shape in (("none", (0,)), ("mean", ()), ("sum", ())):
        for labels in ([], np.zeros((0, 3))):
            loss, grad = cross_entropy_and_grad(
                np.zeros((0, 3)), labels, reduction=reduction
            )
            assert loss.shape == shape
            assert not loss.any()
            assert grad.shape == (0, 3)
    assert cross_entropy(np.zeros((2, 0)), np.zeros((2, 0)), reduction="sum") == 0
    with pytest.raises(ValueError, match="no classes"):
        cross_entropy(np.zeros((2, 0)), [0, 0])
    assert cross_entropy(np.zeros((2, 0)), [5, 5], ignore_index=5) == 0


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0, 1], [2, 3]], r"labels\[1, 1\] = 3; allowed are 0 to 2"),
        ([[0, -1], [2, 7]], r"labels\[0, 1\] = -1"),
        ([[0, -5], [2, 9]], r"labels\[1, 1\] = 9.*ignore_index=-5"),
        (np.full((2, 2), 2**64 - 1, np.uint64), "= 18446744073709551615"),
    ],
)
def test_a_label_out_of_range_is_named(function, labels, message):
    x = np.zeros((2, 2, 3))
    ignored = -5 if "ignore" in message else None
    with pytest.raises(ValueError, match=message):
        function(x, labels, ignore_index=ignored)


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize(
    ("error", "message", "labels", "options"),
    [
        (ValueError, r"\(3,\).*int64.*\(2,\)", [0, 1, 2], {}),
        (ValueError, r"\(2, 3\).*one-hot", [[1, 0, 0], [0, 1, 0]], {}),
        (ValueError, r"\(2,\).*float64.*\(2, 3\)", [0.0, 1.0], {}),
        (TypeError, "bool.*allowed are integers", [True, False], {}),
        (TypeError, "complex128.*allowed are integers", [1j, 2j], {}),
        (TypeError, "allowed are integers", ["a", "b"], {}),
        (TypeError, "masked labels", np.ma.array([0, 1], mask=[0, 1]), {}),
        (ValueError, "reduction='avg'.*'none', 'mean'", [0, 1], {"reduction": "avg"}),
        (ValueError, "label_smoothing=1.5", [0, 1], {"label_smoothing": 1.5}),
        (ValueError, "label_smoothing=nan", [0, 1], {"label_smoothing": math.nan}),
        (TypeError, "label_smoothing='0'", [0, 1], {"label_smoothing": "0"}),
        (ValueError, "reduction=ndarray", [0, 1], {"reduction": np.array(["sum"] * 2)}),
        (TypeError, "label_smoothing=ndarray", [0, 1], {"label_smoothing": np.ones(2)}),
        (ValueError, r"weight\[1\] = inf", [0, 1], {"weight": [1, math.inf, 1]}),
        (TypeError, "got weight of dtype", [0, 1], {"weight": "abc"}),
        (TypeError, "label_smoothing=None", [0, 1], {"label_smoothing": None}),
        (ValueError, r"weight of shape \(2,\).*\(3,\)", [0, 1], {"weight": [1, 2]}),
        (TypeError, "complex", [0, 1], {"weight": [1j, 2, 3]}),
        (TypeError, "ignore_index=1.5", [0, 1], {"ignore_index": 1.5}),
        (TypeError, "ignore_index=True", [0, 1], {"ignore_index": True}),
        (ValueError, "integer labels only", np.ones((2, 3)), {"ignore_index": -100}),
        (TypeError, "axis=None", [0, 1], {"axis": None}),
        (TypeError, r"axis=\(0, 1\)", [0, 1], {"axis": (0, 1)}),
        (TypeError, "axis=True; allowed is one int, the", [0, 1], {"axis": True}),
        (TypeError, "axis=1.5; allowed is one int, the", [0, 1], {"axis": 1.5}),
        (AxisError, "out of bounds", [0, 1], {"axis": 2}),
    ],
)
def test_wrong_arguments_are_refused(function, error, message, labels, options):
    with pytest.raises(error, match=message):
        function(np.zeros((2, 3)), labels, **options)


@pytest.mark.parametrize("function", BOTH)
def test_wrong_logits_are_refused(function):
    with pytest.raises(AxisError):
        function(1.0, 0)
    with pytest.raises(TypeError, match="got logits of dtype complex"):
        function([1j, 2], 0)
    with pytest.raises(TypeError, match=r"masked array as logits.*pass its data$"):
        function(np.ma.array([1.0, 2.0], mask=[0, 1]), 0)


def test_an_ignored_label_may_be_any_int():
    x = np.zeros((2, 3))
    assert cross_entropy(x, [0, 1], ignore_index=1) == cross_entropy(x[0], 0)
    assert cross_entropy(x, [0, 1], ignore_index=10**30) == cross_entropy(x, [0, 1])
    assert cross_entropy(x, [0, -1], ignore_index=np.int8(-1)) == np.log(3)


@pytest.mark.parametrize("width", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_only_the_label_to_ignore_is_ignored(width):
    # An index that labels cannot have must not become one that they can.
    x, limits = np.array([[0.0, 1.0], [2.0, 0.0]]), np.iinfo(width)
    ends = {
        e + d for n in (7, 8, 16, 32, 63, 64) for e in (-(2**n), 2**n) for d in (-1, 0)
    }
    for label in {limits.min, limits.max, 2, -1} - {0}:
        if not limits.min <= label <= limits.max:
            continue
        y = np.array([0, label], width)
        for ignored in {*ends, label, -1, 10**30, -(10**30)}:
            if ignored == label:
                assert cross_entropy(x, y, ignore_index=ignored) == cross_entropy(
                    x[0], 0
                )
                continue
            wanted = f"= {label}; allowed are 0 to 1, and ignore_index={ignored}$"
            with pytest.raises(ValueError, match=wanted):
                cross_entropy(x, y, ignore_index=ignored, label_smoothing=0.1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1, 7), (40, 7), (3, 300)])
def test_gradients_of_huge_and_tiny_weights_keep_their_digits(dtype, shape):
    x = np.random.default_rng(23).normal(size=shape).astype(dtype)
    labels = np.zeros(len(x), int)
    _, plain = cross_entropy_and_grad(x.astype(np.float64), labels, reduction="sum")
    most = np.finfo(dtype).maxexp
    for weight in (2.0 ** (most - 2), 2.0 ** (most // 2), 2.0 ** (8 - most)):
        _, grad = cross_entropy_and_grad(
            x, labels, weight=np.full(shape[1], weight, dtype), reduction="sum"
        )
        np.testing.assert_allclose(
            grad,
            plain * weight,
            rtol=4 * np.finfo(dtype).eps,
            atol=2 * np.finfo(dtype).smallest_subnormal,
        )


@pytest.mark.parametrize("dtype", FLOATS)
def test_serial_and_parallel_give_the_same_bits(dtype, monkeypatch):
    rng = np.random.default_rng(19)
    for shape, axis in (((300, 500), 1), ((20000, 10), 1), ((3, 400, 90), 1)):
        x = rng.normal(0, 5, shape).astype(dtype)
        n = shape[axis]
        labels = rng.integers(0, n, shape[:axis] + shape[axis + 1 :])
        weight = rng.uniform(0, 2, n)
        calls = [
            lambda x=x, t=labels, a=axis, w=weight: cross_entropy(x, t, a, weight=w),
            lambda x=x, t=labels, a=axis: cross_entropy_and_grad(x, t, a),
            lambda x=x, t=labels, a=axis: cross_entropy_and_grad(
                x, t, a, label_smoothing=0.1
            ),
            lambda x=x, a=axis: cross_entropy(x, abs(x), a),
            lambda x=x, a=axis: softmax_vjp(x, x, a),
            lambda x=x, a=axis: log_softmax_vjp(x, x, a),
        ]
        for call in calls:
            parallel = call()
            with monkeypatch.context() as patch:
                patch.setattr("softmax_lib._layout.MIN_PARALLEL_SIZE", x.size + 1)
                serial = call()
            for a, b in zip(
                np.atleast_1d(*parallel) if isinstance(parallel, tuple) else [parallel],
                np.atleast_1d(*serial) if isinstance(serial, tuple) else [serial],
                strict=True,
            ):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2), None])
def test_vjps_agree_with_their_definition(dtype, axis):
    rng = np.random.default_rng(20)
    x = rng.normal(0, 3, (3, 4, 5)).astype(dtype)
    g = rng.normal(0, 1, (3, 4, 5)).astype(dtype)
    p, logp = softmax(x, axis), log_softmax(x, axis)
    back, log_back = softmax_vjp(p, g, axis), log_softmax_vjp(logp, g, axis)
    assert back.dtype == log_back.dtype == dtype
    number = np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])
    many, given = number(p), number(g)
    total = (many * given).sum(axis=axis, keepdims=True)
    parts = many * given, many * total
    expected = parts[0] - parts[1]
    eps = float(np.finfo(dtype).eps)
    scale = abs(parts[0]) + abs(parts[1])
    assert (abs(number(back) - expected) <= eps * scale).all()
    shares = np.vectorize(mpmath.exp, otypes=[object])(number(logp))
    sent = shares * given.sum(axis=axis, keepdims=True)
    assert (
        abs(number(log_back) - (given - sent)) <= eps * (abs(given) + abs(sent))
    ).all()


def test_vjps_are_the_slope_of_a_step():
    rng = np.random.default_rng(21)
    x, g = rng.normal(0, 2, 7), rng.normal(0, 1, 7)
    step = mpmath.mpf(10) ** -16
    for function, back in (
        (exact.softmax, softmax_vjp(softmax(x), g)),
        (exact.log_softmax, log_softmax_vjp(log_softmax(x), g)),
    ):
        for k in range(7):

            def at(by, function=function, k=k):
                point = [mpmath.mpf(float(v)) for v in x]
                point[k] += by
                total = mpmath.fsum(mpmath.exp(v) for v in point)
                values = [mpmath.exp(v) / total for v in point]
                if function is exact.log_softmax:
                    values = [mpmath.log(v) for v in values]
                return mpmath.fsum(a * float(b) for a, b in zip(values, g, strict=True))

            slope = (at(step) - at(-step)) / (2 * step)
            np.testing.assert_allclose(back[k], float(slope), rtol=1e-13, atol=1e-15)


@given(hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-30, 30)))
def test_the_jacobians_are_those_of_finite_differences(x):
    n = len(x)
    p, logp = (np.tile(function(x), (n, 1)) for function in (softmax, log_softmax))
    step = mpmath.mpf(10) ** -16
    for function, rows in (
        (exact.softmax, softmax_vjp(p, np.eye(n))),
        (exact.log_softmax, log_softmax_vjp(logp, np.eye(n))),
    ):
        point = [mpmath.mpf(float(v)) for v in x]
        for k in range(n):
            ahead, behind = point.copy(), point.copy()
            ahead[k] += step
            behind[k] -= step
            slope = (in_digits(function, ahead) - in_digits(function, behind)) / step
            np.testing.assert_allclose(
                rows[:, k], (slope / 2).astype(float), rtol=1e-13, atol=2e-16
            )


def in_digits(function, point):
    """Return softmax or log-softmax of numbers of mpmath."""
    total = mpmath.fsum(mpmath.exp(v) for v in point)
    shares = np.array([mpmath.exp(v) / total for v in point])
    if function is exact.softmax:
        return shares
    return np.array([mpmath.log(v) for v in shares])


@pytest.mark.parametrize("n", [3, 40])
def test_what_comes_to_a_share_of_zero_goes_nowhere(n):
    p, g = np.zeros(n), np.ones(n)
    p[:2] = 0.5
    g[0] = 3.0
    g[2:] = np.nan
    assert softmax_vjp(p, g)[:2].tolist() == [0.5, -0.5]
    assert not softmax_vjp(p, g)[2:].any()
    g[2:] = 7.0
    with np.errstate(divide="ignore"):
        logp = np.log(p)
    assert log_softmax_vjp(logp, g)[2:].tolist() == [7.0] * (n - 2)


@pytest.mark.parametrize("function", [softmax_vjp, log_softmax_vjp])
def test_vjps_take_any_shape_and_refuse_what_does_not_fit(function):
    assert isinstance(function(np.float32(1), np.float32(2)), np.float32)
    assert function(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)
    a = np.random.default_rng(22).normal(size=(4, 6))
    expected = function(a, a)
    np.testing.assert_array_equal(function(np.asfortranarray(a), a.tolist()), expected)
    np.testing.assert_array_equal(function(a.T, a.T, 0).T, expected)
    with pytest.raises(ValueError, match=r"\(4, 6\) and g of shape \(6,\)"):
        function(a, a[0])
    with pytest.raises(TypeError, match="masked array as g"):
        function(a, np.ma.array(a))
    with pytest.raises(TypeError, match="got g of dtype complex"):
        function(a, a * 1j)
    with pytest.raises(AxisError):
        function(a, a, 2)
