"""Sums of long rows: at the ends of blocks, and where the maximum rises on the way."""

import mpmath
import numba
import numpy as np
import pytest

import softmax_lib as sl
from helpers import exact
from softmax_lib._layout import BLOCK_BYTES, IN_CACHE_BYTES

DTYPES = (np.float32, np.float64)


@pytest.fixture(autouse=True)
def one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("more", [-1, 0, 1, 3, 15, 16, 17])
def test_a_sure_winner_near_the_end_of_a_block(dtype, blocks, more):
    # The total of the others is summed without the winner: each of them once.
    n = blocks * BLOCK_BYTES // np.dtype(dtype).itemsize + more
    x = np.random.default_rng(n).normal(size=n).astype(dtype)
    x[5] = 30 if dtype == np.float32 else 60
    winner = np.s_[5:6]
    expected = exact.log_softmax(x)[winner]
    assert exact.ulps(sl.log_softmax(x)[winner], expected).max() <= 2
    loss = sl.cross_entropy(x[None], [5], reduction="none")
    assert exact.ulps(loss, [-expected[0]]).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("low", [-600.0, -2000.0, -1e6])
def test_a_long_row_that_begins_far_below_its_maximum(dtype, low):
    # Read once, and the first block alone would need its maximum subtracted.
    n = IN_CACHE_BYTES // np.dtype(dtype).itemsize + 5000
    x = np.full(n, low, dtype)
    x[n // 2 :] = np.random.default_rng(7).normal(size=n - n // 2) + 5
    wide = x.astype(np.longdouble)
    top = wide.max()
    others = np.log(np.exp(wide - top).sum())
    assert abs(sl.logsumexp(x) - (top + others)) <= 2 * np.spacing(sl.logsumexp(x))
    logs = sl.log_softmax(x)
    assert (abs(logs - (wide - top - others)) <= 2 * np.spacing(abs(logs))).all()


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize(
    ("dtype", "gap", "crowd"),
    [
        (np.float32, 20, 100_000), (np.float32, 16, 3_000), (np.float32, 18, 1_000_000),
        (np.float32, 11, 40), (np.float64, 35, 20_000), (np.float64, 40, 1_000_000),
        (np.float64, 37, 300), (np.float64, 30, 100),
    ],
)  # fmt: skip
def test_a_winner_above_a_crowd(dtype, gap, crowd, axis):
    # All others are rounded, and added, with the same error.
    for top in (0, gap, 5, 1.3):
        row = np.full(crowd + 1, top - gap, dtype)
        row[1] = top
        away = mpmath.mpf(float(row[1])) - mpmath.mpf(float(row[0]))
        others = crowd * mpmath.exp(-away)
        total = mpmath.log1p(others)
        x = row[None] if axis else row[:, None].repeat(3, axis=1)
        pick = (lambda a: a[0]) if axis else (lambda a: a[:, 1])
        logs, shares = pick(sl.log_softmax(x, axis)), pick(sl.softmax(x, axis))
        losses, grad = sl.cross_entropy_and_grad(
            x, np.ones(len(x) if axis else 3, int), axis, reduction="none"
        )
        at_label = -others / (1 + others)
        expected = [-total, total, 1 / (1 + others), at_label]
        computed = [logs[1], losses[0], shares[1], pick(grad)[1]]
        for got, true in zip(computed, expected, strict=True):
            error = abs(mpmath.mpf(float(got)) - true)
            assert error <= 1.5 * float(np.spacing(abs(dtype(float(true)))))
        value = float(np.ravel(sl.logsumexp(x, axis))[0])
        true = float(row[1]) + total
        assert abs(value - true) <= float(np.spacing(abs(dtype(float(true)))))
