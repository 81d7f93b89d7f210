"""Weighted losses against exact arithmetic: ordinary, extreme and negative weights."""

import itertools

import mpmath
import numpy as np
import pytest
from numba import njit

from softmax_lib import cross_entropy, cross_entropy_and_grad

FLOATS = [np.float32, np.float64]
REDUCTIONS = ["none", "sum", "mean"]
WEIGHTS = ["usual", "wide", "extreme", "tiny", "huge"]
SCORES = ["usual", "sure", "surest", "far"]

# Nothing cancels below, unless weights of both signs do.
BITS = 300

# ULP; of class indices, and of probabilities or smoothed labels.
BOUNDS = {"indices": (1.8, 3.0), "shares": (5.0, 5.0)}


def number(a):
    """Return an array of exact numbers."""
    return np.vectorize(lambda x: mpmath.mpf(float(x)), otypes=[object])(a)


def coefficients(labels, n, weight, smoothing):
    """Return c_k for each row, as exact numbers."""
    t = number(np.eye(n)[labels] if labels.ndim == 1 else labels)
    s = mpmath.mpf(smoothing)
    return number(weight) * ((1 - s) * t + s / n)


def each_exact(x, c):
    """Return the losses of rows, their gradients, and what these are differences of.

    For one class with a coefficient that is the gradient itself.
    """
    losses, grads, loss_sizes, sizes = [], [], [], []
    for row, own in zip(number(x), c, strict=True):
        terms = np.array([mpmath.exp(v - max(row)) for v in row])
        total, at = sum(terms), int(np.argmax(row))
        others = sum(terms[:at]) + sum(terms[at + 1 :])
        gaps = max(row) - row + mpmath.log1p(others)
        rest = total - terms
        rest[at] = others
        losses.append(sum(own * gaps))
        loss_sizes.append(sum(abs(own) * gaps))
        every = np.array([sum(own[:k]) + sum(own[k + 1 :]) for k in range(len(own))])
        grads.append((every * terms - own * rest) / total)
        if np.count_nonzero(own) == 1:
            sizes.append(abs(grads[-1]))
        else:
            sizes.append(sum(abs(own)) * terms / total + abs(own))
    return map(np.array, (losses, grads, loss_sizes, sizes))


def expected(x, labels, weight, smoothing, reduction):
    """Return the loss, the gradient, and what both are sums or differences of."""
    c = coefficients(labels, x.shape[1], weight, smoothing)
    losses, grads, loss_sizes, sizes = each_exact(x, c)
    if reduction == "none":
        return losses, grads, loss_sizes, sizes
    divisor = mpmath.mpf(1)
    if reduction == "mean":
        by_label = labels.ndim == 1
        divisor = number(weight)[labels].sum() if by_label else mpmath.mpf(len(x))
    size = sum(loss_sizes) / abs(divisor)
    return sum(losses) / divisor, grads / divisor, size, sizes / abs(divisor)


def ulps(found, answer, size):
    """Return the largest error, in units in the last place of `size`."""
    found = np.ravel(found)
    worst = 0.0
    for a, b, c in zip(found, np.ravel(answer), np.ravel(size), strict=True):
        limit = float(np.finfo(found.dtype).max)
        if abs(b) > limit:
            assert a == np.copysign(np.inf, float(mpmath.sign(b))), (a, b)
            continue
        unit = np.spacing(found.dtype.type(min(abs(c), limit * (1 - 2**-20))))
        worst = max(worst, float(abs(mpmath.mpf(float(a)) - b) / float(unit)))
    return worst


def weights(rng, dtype, n, kind):
    """Return weights of classes."""
    most = np.finfo(dtype).maxexp
    w = {
        "usual": lambda: rng.uniform(0.01, 100, n),
        "wide": lambda: 2.0 ** rng.uniform(-most / 3, most / 3, n),
        "extreme": lambda: 2.0 ** rng.uniform(-most - 20, most - 1, n),
        "tiny": lambda: 2.0 ** rng.uniform(-most - 20, -most + 4, n),
        "huge": lambda: 2.0 ** rng.uniform(most - 4, most - 0.001, n),
    }[kind]()
    with np.errstate(all="ignore"):
        return w.astype(dtype)


def logits(rng, dtype, shape, labels, kind):
    """Return logits."""
    x = rng.normal(0, 3, shape)
    depth = {"usual": 0, "sure": 90 if dtype == np.float32 else 700, "surest": 1500}
    if kind == "far":
        x *= np.finfo(dtype).max / 16
    else:
        x[np.arange(len(x)), labels] += depth[kind] * rng.random(len(x))
    with np.errstate(all="ignore"):
        return np.nan_to_num(x.astype(dtype))


@njit
def inside_mean(x, y, axis, w, s):
    return cross_entropy_and_grad(x, y, axis, weight=w, label_smoothing=s)


@njit
def inside_sum(x, y, axis, w, s):
    return cross_entropy_and_grad(
        x, y, axis, reduction="sum", weight=w, label_smoothing=s
    )


@njit
def inside_none(x, y, axis, w, s):
    return cross_entropy_and_grad(
        x, y, axis, reduction="none", weight=w, label_smoothing=s
    )


INSIDE = {"mean": inside_mean, "sum": inside_sum, "none": inside_none}


def check(dtype, kind, scores, targets, reduction, signed=False, seed=0):
    """Compare losses and gradients of a few rows with exact ones."""
    rng = np.random.default_rng(seed)
    n, rows = (2, 5, 9)[seed % 3], 4
    y = rng.integers(0, n, rows)
    x = logits(rng, dtype, (rows, n), y, scores)
    w = weights(rng, dtype, n, kind)
    if signed:
        w *= rng.choice([-1, 1], n)
    smoothing = 0.1 if targets == "smoothed" else 0.0
    given = y
    if targets == "shares":
        given = rng.dirichlet(np.ones(n), rows).astype(dtype)
    elif targets == "one-hot":
        given = np.eye(n, dtype=dtype)[y] * dtype(1000)
    options = {"weight": w, "label_smoothing": smoothing, "reduction": reduction}
    with mpmath.workprec(BITS):
        answer, slope, *sizes = expected(x, given, w, smoothing, reduction)
        loss, grad = cross_entropy_and_grad(x, given, **options)
        errors = ulps(loss, answer, sizes[0]), ulps(grad, slope, sizes[1])
    np.testing.assert_array_equal(loss, cross_entropy(x, given, **options))
    across = np.ascontiguousarray(x.T)
    turned = np.ascontiguousarray(given.T)
    results = cross_entropy_and_grad(across, turned, 0, **options)
    np.testing.assert_array_equal(results[0], loss)
    np.testing.assert_array_equal(results[1].T, grad)
    for a, b in zip(
        INSIDE[reduction](x, given, 1, w, smoothing), (loss, grad), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(a, dtype), b)
    return errors


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("targets", ["indices", "smoothed", "shares", "one-hot"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_losses_are_accurate(dtype, targets, reduction):
    bounds = BOUNDS["indices" if targets == "indices" else "shares"]
    kinds = itertools.product(WEIGHTS, SCORES, (False, True))
    for seed, (kind, scores, signed) in enumerate(kinds):
        errors = check(dtype, kind, scores, targets, reduction, signed, seed)
        assert errors[0] <= bounds[0], (kind, scores, signed)
        assert errors[1] <= bounds[1], (kind, scores, signed)


@pytest.mark.parametrize(
    ("x", "label", "weight", "expected"),
    [
        ([0.0, -712.0], 0, 1000.0, 6.0579946419989171e-307),
        ([0.0, -712.0], 0, 10.0, 6.0579946419989171e-309),
        ([744.0, 0.0], 0, 1000.0, 7.673e-321),
        ([744.0, 0.0], 0, 1e300, 7.67194470417998e-24),
        ([1400.0, 0.0], 0, 1e308, 9.721322154756662e-301),
        ([1.7e308, -1.7e308], 1, 0.1, 3.4e307),
        ([1.7e308, -1.7e308], 1, 10.0, np.inf),
        ([0.0, -np.inf], 1, 5e-324, np.inf),
        ([0.0, -np.inf], 1, -5e-324, -np.inf),
        ([0.0, -np.inf], 0, 1e308, 0.0),
        ([0.0, np.nan], 0, 1e308, np.nan),
    ],
)
def test_what_is_scaled_was_not_rounded_before(x, label, weight, expected):
    hot = np.zeros((1, 2))
    hot[0, label] = 1.0
    for reduction in ("none", "sum"):
        options = {"weight": [weight] * 2, "reduction": reduction}
        for given in ([label], hot, hot * weight):
            if given is not hot and not isinstance(given, list):
                options.pop("weight")
            loss = np.ravel(cross_entropy([x], given, **options))[0]
            np.testing.assert_allclose(loss, expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1.0, 1e308, 1.7e308, -1.0, -1e308])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_common_factor_of_all_weights_leaves_the_mean(scale, smoothing):
    x = np.random.default_rng(5).normal(size=(6, 3))
    y = np.array([0, 1, 2, 0, 1, 2])
    options = {"label_smoothing": smoothing}
    loss, grad = cross_entropy_and_grad(x, y, **options)
    same, slope = cross_entropy_and_grad(x, y, weight=[scale] * 3, **options)
    np.testing.assert_allclose(same, loss, rtol=1e-15)
    np.testing.assert_allclose(slope, grad, rtol=2e-15)


def test_the_range_of_sums_and_means_without_weights():
    far = np.array([[1.7e308, -1.7e308], [0.0, 0.0]])
    assert cross_entropy(far, [1, 1]) == 1.7e308
    assert cross_entropy(far, [1, 1], reduction="sum") == np.inf
    rows, one = np.zeros((1000, 2)), mpmath.exp(-745.5)
    rows[:, 1] = -745.5
    y = np.zeros(1000, int)
    assert cross_entropy(rows, y, reduction="sum") == float(1000 * one)
    assert cross_entropy(rows, y) == 0
    _, grad = cross_entropy_and_grad(rows[:1], [[1000.0, 0.0]])
    assert grad.tolist() == [[-float(1000 * one), float(1000 * one)]]


def test_the_result_of_a_slice_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    x[::4] *= 300
    weight = np.array([1e305, 3.0, 1e-305])
    options = {"weight": weight, "reduction": "none"}
    losses, grad = cross_entropy_and_grad(x, y, **options)
    for k in range(40):
        loss, slope = cross_entropy_and_grad(x[k], y[k], **options)
        assert loss == losses[k]
        np.testing.assert_array_equal(slope, grad[k])


# --- negative weights ------------------------------------------------------------


def test_negative_weights_are_linear():
    # The values follow from the formula that torch documents.
    x, y = np.array([[1.0, 2.0], [2.0, 3.0], [0.5, 0.0]]), np.array([0, 1, 1])
    weight = np.array([1.0, -3.0])
    plain = cross_entropy(x, y, reduction="none")
    each = plain * weight[y]
    none, grad = cross_entropy_and_grad(x, y, weight=weight, reduction="none")
    np.testing.assert_allclose(none, each, rtol=1e-15)
    _, slope = cross_entropy_and_grad(x, y, reduction="none")
    np.testing.assert_allclose(grad, slope * weight[y][:, None], rtol=1e-15)
    total = cross_entropy(x, y, weight=weight, reduction="sum")
    np.testing.assert_allclose(total, each.sum(), rtol=1e-15)
    mean, grad = cross_entropy_and_grad(x, y, weight=weight)
    np.testing.assert_allclose(mean, each.sum() / -5.0, rtol=1e-15)
    np.testing.assert_allclose(grad, slope * weight[y][:, None] / -5.0, rtol=1e-15)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_weights_that_add_up_to_zero(smoothing):
    x, y = np.array([[1.0, 2.0], [2.0, 3.0]]), np.array([0, 1])
    for w in ([1.0, -1.0], [1e308, -1e308], [0.1, -0.1]):
        options = {"weight": np.array(w), "label_smoothing": smoothing}
        both, total = (
            cross_entropy_and_grad(x, y, reduction=r, **options)
            for r in ("mean", "sum")
        )
        for a, b in zip(both, total, strict=True):
            np.testing.assert_array_equal(a, np.copysign(np.inf, b))
        inside = inside_mean(x, y, 1, options["weight"], smoothing)
        for a, b in zip(inside, both, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", FLOATS)
def test_weights_that_are_not_finite_are_refused(dtype):
    x, y = np.zeros((2, 3), dtype), np.array([0, 1])
    for bad in (np.nan, np.inf, -np.inf, 1e300):
        if dtype == np.float64 and bad == 1e300:
            continue
        for function in (cross_entropy, cross_entropy_and_grad):
            with pytest.raises(ValueError, match=r"weight\[1\] = .*; allowed are fin"):
                function(x, y, weight=[1.0, bad, 1.0])
        with pytest.raises(ValueError, match="a weight that is not finite"):
            inside_mean(x, y, 1, np.array([1.0, bad, 1.0]), 0.0)
