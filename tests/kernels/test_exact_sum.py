"""Exact sums do not depend on the order of their terms, and lose next to nothing."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, compiled, exact, exact_sum

from softmax_lib import _vector as v
from softmax_lib._kernels import exact_sum as ex
from softmax_lib._kernels.exponential import TERM_SCALE, scaled_exp
from softmax_lib._kernels.slices import slice_params
from softmax_lib._layout import MAX_LANE_TERMS

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@compiled
def sum_of_lanes(a, top):
    """Return the exact sum of the terms of all numbers, in two parts."""
    p = v.data_pointer(a)
    w = v.vector_length(p)
    params = v.splat_fields(p, slice_params(v.one_lane_of(p, top)))
    total = ex.zero_exact_sum()
    for b in range(0, a.size, MAX_LANE_TERMS * w):
        running = ex.zero_grid_sum(p)
        for i in range(b, min(b + MAX_LANE_TERMS * w, a.size), w):
            running = ex.add_to_grid(running, v.load(p, i), params)
        total = ex.add_lanes(total, running)
    found = ex.exact_total(p, total)
    return v.lane0(found.hi), v.lane0(found.lo)


@compiled
def sums_by_lane(a, top, out, step):
    """Write the exact sum of each lane."""
    p = v.data_pointer(a)
    w = v.vector_length(p)
    params = v.splat_fields(p, slice_params(v.one_lane_of(p, top)))
    total = ex.zero_exact_sums(p)
    for b in range(0, a.size, MAX_LANE_TERMS * w):
        running = ex.zero_grid_sum(p)
        for i in range(b, min(b + MAX_LANE_TERMS * w, a.size), w):
            running = ex.add_to_grid(running, v.load(p, i), params)
        total = ex.add_by_lane(total, running)
    v.store_fields(v.data_pointer(out), 0, step, ex.exact_total(p, total))


@compiled
def terms_of(a, top, out):
    """Write the two parts of each term."""
    p, q = v.data_pointer(a), v.data_pointer(out)
    params = v.splat_fields(p, slice_params(v.one_lane_of(p, top)))
    for i in range(0, a.size, v.vector_length(p)):
        power, part = scaled_exp(v.load(p, i), params)
        scale = 1.0 / TERM_SCALE(p)
        v.store(q, i, v.to_float64(power) * scale)
        v.store(q, a.size + i, v.to_float64(part) * scale)


def scores(dtype, size, seed):
    """Return scores in groups far apart, none above 0.3, and some of -inf."""
    rng = np.random.default_rng(seed)
    groups = rng.choice([0.0, -5.0, -18.0, -40.0, -90.0], size)
    x = 0.3 - groups.max() + groups - rng.exponential(1.0, size)
    x[rng.integers(0, size, size // 9)] = -np.inf
    x[0] = 0.3
    return x.astype(dtype)


@each_dtype
@pytest.mark.parametrize("size", [16, 4096, 4096 * 5, 96 * 1024])
def test_the_order_does_not_matter_and_hardly_anything_is_cut_off(dtype, size):
    x, top = scores(dtype, size, size), dtype(0.3)
    found = sum_of_lanes(x, top)
    for seed in range(5):
        assert sum_of_lanes(np.random.default_rng(seed).permutation(x), top) == found
    parts = np.empty((2, size))
    terms_of(x, top, parts.ravel())
    true = exact_sum(*parts[0], *parts[1])
    assert abs(exact_sum(*found) - true) <= size * exact(ex.CUT_OFF)
    lanes = np.empty((2, 64 // x.itemsize))
    sums_by_lane(x, top, lanes.ravel(), lanes.shape[1])
    assert abs(exact_sum(*lanes.ravel()) - true) <= size * exact(ex.CUT_OFF)


@each_dtype
def test_terms_of_minus_infinity_are_nothing(dtype):
    x = scores(dtype, 512, 3)
    more = np.concatenate([x, np.full(4096, -np.inf, dtype)])
    assert sum_of_lanes(more, dtype(0.3)) == sum_of_lanes(x, dtype(0.3))


@each_dtype
def test_a_lane_full_of_the_largest_terms(dtype):
    # Just below half of ln 2: a term of almost sqrt(2).
    top = np.nextafter(dtype(np.log(2) / 2), dtype(0))
    x = np.full(MAX_LANE_TERMS * 64 // np.dtype(dtype).itemsize, top)
    parts = np.empty((2, x.size))
    terms_of(x, top, parts.ravel())
    assert parts[:, 0].sum() > 1.414
    true = x.size * exact_sum(*parts[:, 0])
    assert abs(exact_sum(*sum_of_lanes(x, top)) - true) <= x.size * exact(ex.CUT_OFF)
    assert mpmath.mp.dps >= 50
