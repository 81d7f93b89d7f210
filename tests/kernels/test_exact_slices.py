"""Exact totals below the maximum, of one slice and of slices side by side."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, compiled, exact, exact_sum, unit

from softmax_lib import _vector as v
from softmax_lib._kernels.exact_slices import exact_sum_below_max, exact_sums_below_max
from softmax_lib._kernels.slices import Slices, slice_params
from softmax_lib._layout import BLOCK_BYTES, MAX_LANE_TERMS

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@compiled
def of_one(a, start, n, stride, top):
    p = v.data_pointer(a)
    one = v.one_lane_of(p, top)
    total, count = exact_sum_below_max(p, start, n, stride, one, slice_params(one))
    return v.lane0(total.hi), v.lane0(total.lo), v.lane0(count)


@compiled
def of_lanes(a, n, tops, marks, out):
    p, w = v.data_pointer(a), v.vector_length(a)
    top, s = v.load(v.data_pointer(tops), 0), Slices(0, n, w, w)
    marked = v.load(v.data_pointer(marks), 0) > 0.0
    total, count = exact_sums_below_max(p, s, top, slice_params(top), marked)
    v.store_fields(v.data_pointer(out), 0, w, (total.hi, total.lo, count))


def scores(dtype, n, top, gap, seed):
    """Return scores at least `gap` below the top, and three that are equal to it."""
    rng = np.random.default_rng(seed)
    x = (top - gap - rng.exponential(2.0, n)).astype(dtype)
    x[[0, n // 2, n - 1]] = top
    x[1] = -np.inf
    return x


def check(found, x, top):
    """Assert that a total and a count are right; terms are rounded themselves."""
    hi, lo, count = found
    assert count == (x == top).sum()
    # A maximum of 0.3, and a huge one, have terms in units of 1.
    shift = top if abs(top) > 1e3 else 0.0
    others = [exact(a) - exact(shift) for a in x[np.isfinite(x) & (x < top)]]
    true = mpmath.fsum(map(mpmath.exp, others))
    assert abs(exact_sum(hi, lo) / true - 1) < unit(dtype=x.dtype)


@each_dtype
@pytest.mark.parametrize(("top", "gap"), [(0.3, 0.1), (0.3, 25.0), (1e4, 1.0)])
def test_one_slice_of_several_blocks(dtype, top, gap):
    top = dtype(top)
    n = 2 * BLOCK_BYTES // top.itemsize + 5
    x = scores(dtype, n, top, gap, 1)
    first = of_one(x, 0, n, 1, top)
    check(first, x, top)
    apart = np.full(3 * n + 1, 7, dtype)
    apart[1::3] = x
    assert of_one(apart, 1, n, 3, top) == first
    assert of_one(x[::-1].copy(), 0, n, 1, top) == first


@each_dtype
@pytest.mark.parametrize("marked", [1, 3, 8])
def test_slices_side_by_side(dtype, marked):
    w, n = 64 // np.dtype(dtype).itemsize, MAX_LANE_TERMS + 40
    tops = np.where(np.arange(w) % 2, 0.3, 1e4).astype(dtype)
    columns = [scores(dtype, n, top, 3.0 + k, k) for k, top in enumerate(tops)]
    marks = np.zeros(w, dtype)
    marks[:marked] = 1
    out = np.zeros((3, w))
    of_lanes(np.array(columns).T.ravel(), n, tops, marks, out.ravel())
    for k in range(marked):
        check(out[:, k], columns[k], tops[k])
        assert tuple(out[:, k]) == of_one(columns[k], 0, n, 1, tops[k])
