"""The result of a slice depends on the numbers of that slice alone, to the last bit.

Not on the slices beside it, its place among them, the axis it lies along, alignment,
threads, `out=`, or entries of -inf that are appended. Inputs are drawn anew in every
run; the seed is part of a failure's message.
"""

import time

import numba
import numpy as np
import pytest
from numba import njit

import softmax_lib as sl

SEED = time.time_ns() % 2**32
DTYPES = [np.float32, np.float64]

# On both sides of the thresholds of `_layout`, and between them.
SHAPES = [
    (60, 1), (40, 2), (40, 3), (5, 7), (50, 10), (33, 17), (50, 100), (30, 160),
    (30, 161), (20, 1000), (5, 4096), (5, 4097), (18, 5000), (17, 20_000), (3, 140_000),
]  # fmt: skip


def draw(rows, n, dtype, seed):
    """Return rows with ties, spreads and winners of all kinds."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([0.0, 0.01, 0.3, 1.0, 5.0, 40.0], (rows, 1))
    offset = rng.choice([0.0, 3.0, -400.0, 1e5], (rows, 1))
    x = offset + spread * rng.normal(size=(rows, n))
    x[np.arange(rows), rng.integers(0, n, rows)] += rng.uniform(0, 40, rows)
    x[:: rows // 3 + 1, n // 2] = -np.inf
    return x.astype(dtype)


def same(a, b):
    return np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def in_place(function, x, axis):
    copy = x.copy()
    assert function(copy, axis, out=copy) is copy
    return copy


compiled = {
    "softmax": njit(lambda x: sl.softmax(x)),
    "log_softmax": njit(lambda x: sl.log_softmax(x)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_arrays(name, shape, dtype):
    x, function = draw(*shape, dtype, SEED), getattr(sl, name)
    rows, n = shape
    result = function(x)
    turned = np.ascontiguousarray(x.T)
    moved = np.empty(x.size + 5, dtype)[5:].reshape(shape)
    moved[...] = x
    longer = np.concatenate([x, np.full((rows, 45), -np.inf, dtype)], axis=1)
    shuffled = np.random.default_rng(SEED).permutation(rows)
    middle = np.repeat(x[:, :, None], 3, axis=2)
    others = {
        "alone": function(x[1]),
        "few": function(x[:3]),
        "shuffled": function(x[shuffled])[np.argsort(shuffled)],
        "axis 0": function(turned, 0).T,
        "middle": function(middle, 1)[:, :, 1],
        "moved": function(moved),
        "strided": function(middle[:, :, 2]),
        "padded": function(longer)[:, :n],
        "in place": in_place(function, x, -1),
        "in place, axis 0": in_place(function, turned, 0).T,
    }
    for how, other in others.items():
        expected = {"alone": result[1], "few": result[:3]}.get(how, result)
        assert same(other, expected), f"{how}, seed {SEED}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [5, 40, 200])
def test_sure_winners(n, dtype):
    """Totals without the winner are small differences of large numbers."""
    rng = np.random.default_rng(SEED)
    digits = -np.log(np.finfo(dtype).eps)
    x = rng.normal(size=(3000, n))
    x[:, n // 2] += np.log(n) + rng.uniform(0.6, 1.4, 3000) * digits
    x = x.astype(dtype)
    across = sl.log_softmax(np.ascontiguousarray(x.T), 0).T
    alone = np.array([sl.log_softmax(row) for row in x])
    assert same(alone, across), f"seed {SEED}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_numbers(shape, dtype):
    x = draw(*shape, dtype, SEED)
    rows, n = shape
    labels = np.random.default_rng(SEED).integers(0, n, rows)
    # A label of -inf, or a shift of everything, is not what this is about.
    labels[np.isinf(x[np.arange(rows), labels])] = 0
    longer = np.concatenate([x, np.full((rows, 45), -np.inf, dtype)], axis=1)
    value, axis = sl.logsumexp(x), sl.logsumexp(np.ascontiguousarray(x.T), 0)
    assert same(value, axis) and same(value, sl.logsumexp(longer)), f"seed {SEED}"
    assert same(value[:2], sl.logsumexp(x[:2])), f"seed {SEED}"
    losses, grad = sl.cross_entropy_and_grad(x, labels, reduction="none")
    turned = np.ascontiguousarray(x.T)
    for other, slope in (
        sl.cross_entropy_and_grad(turned, labels, 0, reduction="none"),
        sl.cross_entropy_and_grad(longer, labels, reduction="none"),
    ):
        slope = slope.T if slope.shape != longer.shape else slope[:, :n]
        assert same(losses, other) and same(grad, slope), f"seed {SEED}"
    alone = sl.cross_entropy_and_grad(x[:1], labels[:1], reduction="none")
    assert same(alone[0], losses[:1]) and same(alone[1], grad[:1]), f"seed {SEED}"
    assert same(sl.cross_entropy(x, labels, reduction="none"), losses), f"seed {SEED}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 40_000), (3, 100_001), (2, 300_000), (900, 70)])
def test_threads(shape, dtype):
    x, before = draw(*shape, dtype, SEED), numba.get_num_threads()
    found = []
    try:
        for threads in sorted({1, min(2, before), before}):
            numba.set_num_threads(threads)
            for function in (sl.softmax, sl.log_softmax):
                found.append(
                    (function.__name__, function(x), in_place(function, x, -1))
                )
            found.append(("logsumexp", *[sl.logsumexp(x)] * 2))
    finally:
        numba.set_num_threads(before)
    first = {name: result for name, result, _ in reversed(found)}
    for name, result, other in found:
        assert same(result, first[name]) and same(other, result), f"{name}, seed {SEED}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(compiled))
def test_compiled_callers(name, dtype):
    for shape in SHAPES[::3]:
        x = draw(*shape, dtype, SEED)
        assert same(compiled[name](x), getattr(sl, name)(x)), f"seed {SEED}"
