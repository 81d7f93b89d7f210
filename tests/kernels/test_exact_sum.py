"""Exact sums do not depend on the order of their terms, and lose next to nothing."""

import math

import numpy as np
import pytest
from formulas import DTYPES, compiled, exact, exact_sum

from softmax_lib import _vector as v
from softmax_lib._kernels import exact_sum as ex
from softmax_lib._kernels.exponential import TERM_SCALE, scaled_exp, scaled_exp_reduce

BLOCK = 4096

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@compiled
def params_of(p, top):
    """Return the parameters of sums with a largest term of that of top."""
    one = v.one_lane_of(p, top)
    return v.splat_fields(p, ex.grid_params(ex.place_of(one), v.one_lane_of(p, 0.0)))


@compiled
def sum_of_blocks(a, top, block):
    """Return the exact sum of the terms of all numbers, in two parts."""
    p = v.data_pointer(a)
    params, total = params_of(p, top), ex.zero_exact_sum()
    for b in range(0, a.size, block):
        size = min(block, a.size - b)
        total = ex.add_exact_sums(total, ex.sum_block(p, b, size, None, params))
    found = ex.exact_total(total)
    return v.lane0(found.hi), v.lane0(found.lo)


@compiled
def sums_by_lane(a, top, out, step):
    """Write the exact sum of each lane."""
    p = v.data_pointer(a)
    w, params = v.vector_length(p), params_of(p, top)
    total = ex.zero_exact_sums(p)
    for b in range(0, a.size, BLOCK):
        running = ex.zero_grid_sum(p)
        for i in range(b, min(b + BLOCK, a.size), w):
            reduced = scaled_exp_reduce(v.load(p, i), params)
            running = ex.add_to_grid(running, reduced)
        total = ex.add_by_lane(p, total, running)
    v.store_fields(v.data_pointer(out), 0, step, ex.exact_total(total))


@compiled
def terms_of(a, top, out):
    """Write the two parts of each term."""
    p, q = v.data_pointer(a), v.data_pointer(out)
    params = params_of(p, top)
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
    found = sum_of_blocks(x, top, BLOCK)
    rng = np.random.default_rng(size)
    for _ in range(5):
        assert sum_of_blocks(rng.permutation(x), top, size) == found
    parts = np.empty((2, size))
    terms_of(x, top, parts.ravel())
    true = exact_sum(*parts[0], *parts[1])
    assert abs(exact_sum(*found) - true) <= size * exact(ex.CUT_OFF)
    lanes = np.empty((2, 64 // x.itemsize))
    sums_by_lane(x, top, lanes.ravel(), lanes.shape[1])
    assert abs(exact_sum(*lanes.ravel()) - true) <= size * exact(ex.CUT_OFF)


@each_dtype
def test_terms_of_minus_infinity_are_nothing(dtype):
    x, top = scores(dtype, 512, 3), dtype(0.3)
    more = np.concatenate([x, np.full(4096, -np.inf, dtype)])
    assert sum_of_blocks(more, top, BLOCK) == sum_of_blocks(x, top, BLOCK)


@each_dtype
def test_lanes_full_of_the_largest_terms(dtype):
    # Just below 46.5 times ln 2: the next power of two has the next place.
    top = np.nextafter(dtype(46.4999 * np.log(2)), dtype(0))
    x = np.full(ex.MAX_GRID_TERMS * 64 // np.dtype(dtype).itemsize, top)
    parts = np.empty((2, x.size))
    terms_of(x, top, parts.ravel())
    largest = exact_sum(*parts[:, 0])
    assert largest > 1.414 * 2.0**46
    error = abs(exact_sum(*sum_of_blocks(x, top, x.size)) - x.size * largest)
    assert error <= x.size * exact(ex.CUT_OFF) * largest


@each_dtype
def test_places(dtype):
    scores = (np.arange(-600, 600) * math.log(2)).astype(dtype)
    scores = scores[abs(scores) < 600]
    places = np.array([place(scores[k : k + 1]) for k in range(scores.size)])
    powers = np.rint(scores / math.log(2)).astype(int)
    np.testing.assert_array_equal(places, (powers + 1) // ex.GRID_BITS)


@compiled
def place(a):
    p = v.data_pointer(a)
    return v.lane0(ex.place_of(v.one_lane_of(p, a[0])))
