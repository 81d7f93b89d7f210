"""The formulas of a slice, for one lane and for all lanes of a vector."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, compiled, exact, exact_sum, unit

from softmax_lib import _vector as v
from softmax_lib._kernels import slices
from softmax_lib._kernels.accumulator import Total
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_mul_rounded,
    dd_reciprocal,
)
from softmax_lib._kernels.exponential import scaled_exp

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
SCALE = {np.float32: 2.0**64, np.float64: 2.0**512}


def width(dtype):
    return 64 // np.dtype(dtype).itemsize


@compiled
def find_max(a, out):
    p, to, w = v.data_pointer(a), v.data_pointer(out), v.vector_length(a)
    for i in range(0, a.size, w):
        top, finite = slices.finite_max(v.load(p, i))
        v.store(to, i, top)
        v.store(to, a.size + i, v.select(finite, v.splat(top, 1.0), 0.0))


@each_dtype
def test_finite_max(dtype):
    a = np.zeros(16, dtype)
    a[:7] = -np.inf, np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).min, -0.0, 3
    out = np.empty((2, 16), dtype)
    find_max(a, out.ravel())
    np.testing.assert_array_equal(out[1], np.isfinite(a))
    np.testing.assert_array_equal(out[0], np.where(np.isfinite(a), a, 0))


@compiled
def largest_term(top):
    largest = slices.max_term(top, slices.slice_params(top))
    return largest.hi, largest.lo, largest.rest


@compiled
def largest_terms(a, out, alone):
    p, w = v.data_pointer(a), v.vector_length(a)
    for i in range(0, a.size, w):
        found = largest_term(v.load(p, i))
        v.store_fields(v.data_pointer(out), i, a.size, found)
    for i in range(a.size):
        found = largest_term(v.one_lane_of(p, a[i]))
        v.store_fields(v.data_pointer(alone), i, a.size, found)


@each_dtype
def test_term_of_the_maximum(dtype):
    tops = np.random.default_rng(1).uniform(-400, 400, 160).astype(dtype)
    tops[:4] = 0, 1e6, -1e6, 0.25
    out, alone = np.empty((2, 3, tops.size))
    largest_terms(tops, out.ravel(), alone.ravel())
    np.testing.assert_array_equal(out, alone)
    for top, (hi, lo, rest) in zip(tops, out.T, strict=True):
        shifted = mpmath.mpf(0) if abs(top) > 1e5 else exact(top)
        true = mpmath.exp(
            shifted - mpmath.nint(shifted / mpmath.log(2)) * mpmath.log(2)
        )
        assert hi == hi + lo
        assert abs(exact_sum(hi, lo, rest) - true) < 0.3 * unit(dtype)
        assert abs(rest) < 1.1 * unit(dtype)


@compiled
def from_below(tops, terms, sums_below, ties, out):
    """Write the total without the maximum, and the total, from that below it."""
    p, q, r = v.data_pointer(terms), v.data_pointer(sums_below), v.data_pointer(ties)
    to, zero = v.data_pointer(out), v.one_lane(0.0)
    for i in range(tops.size):
        top = v.one_lane_of(v.data_pointer(tops), tops[i])
        largest = slices.MaxTerm(v.one_lane(v.load_scalar(p, i)), zero, zero)
        below = DoubleDouble(v.one_lane(v.load_scalar(q, i)), zero)
        count = v.one_lane(v.load_scalar(r, i))
        others = slices.others_of(top, below, largest, count)
        v.store_fields(to, i, tops.size, others)
        total = slices.total_and_share_of(top, below, largest, count)
        found = total.hi, total.lo, v.to_float64(total.max_share)
        v.store_fields(to, 2 * tops.size + i, tops.size, found)


@each_dtype
def test_totals_from_what_lies_below_the_maximum(dtype):
    rng = np.random.default_rng(4)
    terms, sums_below = rng.uniform(0.71, 1.41, 200), 2.0 ** rng.uniform(-80, 20, 200)
    ties = rng.integers(1, 4, 200).astype(float)
    sums_below[:3] = 0
    out = np.empty((5, 200))
    from_below(np.zeros(200, dtype), terms, sums_below, ties, out.ravel())
    digits = {np.float32: 26, np.float64: 60}[dtype]
    for k in range(200):
        for got, count in ((out[:2, k], ties[k] - 1), (out[2:4, k], ties[k])):
            true = exact(sums_below[k]) + exact(terms[k]) * int(count)
            assert abs(exact_sum(*got) - true) <= 0.55 * 2.0**-digits * true
        # The last is the total with the maximum.
        assert abs(exact(out[4, k]) * true / exact(terms[k]) - 1) <= 1.01 * unit(dtype)


@compiled
def with_bounds(tops, totals, terms, out):
    """Write totals with the share of the maximum, and 1 where they are uncertain."""
    p, to, n = v.data_pointer(tops), v.data_pointer(out), tops.size
    for i in range(n):
        hi, lo, bound = totals[0, i], totals[1, i], totals[2, i]
        total = Total(v.one_lane(hi), v.one_lane(lo), v.one_lane(bound))
        zero = v.one_lane(0.0)
        largest = slices.MaxTerm(v.one_lane(terms[i]), zero, zero)
        top = v.one_lane_of(p, tops[i])
        found, uncertain = slices.total_and_share(top, total, largest, 1)
        parts = found.hi, found.lo, v.to_float64(found.max_share)
        v.store_fields(to, i, n, parts)
        v.store_scalar(to, 3 * n + i, 1.0 if v.any_of(uncertain) else 0.0)


@each_dtype
def test_a_certain_share_is_the_same_from_anywhere_within_the_bounds(dtype):
    rng, size = np.random.default_rng(6), 20_000
    digits = {np.float32: 26, np.float64: 60}[dtype]
    terms, tops = rng.uniform(0.71, 1.41, size), np.zeros(size, dtype)
    his = terms + 2.0 ** rng.uniform(-3, 8, size)
    los = his * 2.0**-53 * rng.uniform(-1, 1, size)
    totals = np.array([his, los, his * 2.0 ** -(digits + 3)])
    first = np.empty((4, size))
    with_bounds(tops, totals, terms, first.ravel())
    certain = first[3] == 0
    assert 0.3 < certain.mean() < 0.9
    for part in (-0.99, -0.5, 0.5, 0.99):
        moved, again = totals.copy(), np.empty((4, size))
        moved[1] += part * totals[2]
        moved[2] = 0
        with_bounds(tops, moved, terms, again.ravel())
        np.testing.assert_array_equal(again[2, certain], first[2, certain])


@compiled
def share_of(top, score, hi, lo, unit):
    """Return the share of a score, of the maximum and of no finite slice."""
    top, finite = slices.finite_max(top)
    params = slices.slice_params(top)
    r = dd_reciprocal(DoubleDouble(hi, lo))
    largest = slices.max_term(top, params)
    own = v.to_dtype_of(top, dd_mul_rounded(largest, r) * unit)
    scale = slices.share_scale(top, finite, largest, own, r, r.hi, unit)
    power, part = scaled_exp(score, params)
    share, own = slices.share(power + part, scale), slices.share(scale.max_term, scale)
    of_large = slices.share(power + part, slices.without_down(scale))
    return share, of_large, own, scale.max_share


@compiled
def shares(tops, scores, his, los, out, alone):
    p, q, w = v.data_pointer(tops), v.data_pointer(scores), v.vector_length(tops)
    high, low, step = v.data_pointer(his), v.data_pointer(los), tops.size
    for i in range(0, tops.size, w):
        top, score = v.load(p, i), v.load(q, i)
        wide = v.to_float64(top)
        (hi,) = v.load_fields(high, i, 0, (wide,))
        (lo,) = v.load_fields(low, i, 0, (wide,))
        found = share_of(top, score, hi, lo, v.splat(wide, 1.0))
        v.store_fields(v.data_pointer(out), i, step, found)
    for i in range(tops.size):
        top, score = v.one_lane_of(p, tops[i]), v.one_lane_of(q, scores[i])
        hi, lo, unit = v.one_lane(his[i]), v.one_lane(los[i]), v.one_lane(1.0)
        found = share_of(top, score, hi, lo, unit)
        v.store_fields(v.data_pointer(alone), i, step, found)


def slices_of_three(dtype, size, lowest):
    """Return maxima, scores, and exact totals of the two and a third term."""
    rng = np.random.default_rng(5)
    tops = rng.uniform(-40, 40, size).astype(dtype)
    scores = tops - rng.uniform(0, lowest, size).astype(dtype)
    thirds = tops - rng.uniform(0, 3, size).astype(dtype)
    totals = []
    for three in zip(tops, scores, thirds, strict=True):
        top = exact(three[0])
        n = mpmath.nint(top / mpmath.log(2)) * mpmath.log(2)
        totals.append(mpmath.fsum(mpmath.exp(exact(x) - n) for x in three))
    hi = np.array([float(total) for total in totals])
    lo = [float(total - exact(h)) for total, h in zip(totals, hi, strict=True)]
    return tops, scores, thirds, hi, np.array(lo)


@each_dtype
def test_shares(dtype):
    lowest = 40 if dtype is np.float32 else 300
    tops, scores, thirds, hi, lo = slices_of_three(dtype, 320, lowest)
    out, alone = np.zeros((2, 4, tops.size), dtype)
    shares(tops, scores, hi, lo, out.ravel(), alone.ravel())
    np.testing.assert_array_equal(out, alone)
    np.testing.assert_array_equal(out[2], out[3])
    for k in range(tops.size):
        three = [
            mpmath.exp(exact(x[k]) - exact(tops[k])) for x in (tops, scores, thirds)
        ]
        total = mpmath.fsum(three)
        for share in out[:2, k]:
            assert abs(exact(share) / (three[1] / total) - 1) < 3 * unit(dtype)
        # That of the maximum is rounded once, from a quotient known to more digits.
        assert abs(exact(out[2, k]) / (1 / total) - 1) < 1.1 * unit(dtype)


@each_dtype
def test_shares_of_sure_winners_and_of_no_finite_slice(dtype):
    tops = np.zeros(16, dtype)
    tops[:4] = np.inf, -np.inf, np.nan, 5.5
    out, alone = np.zeros((2, 4, 16), dtype)
    top = exact(tops[3])
    total = mpmath.exp(top - mpmath.nint(top / mpmath.log(2)) * mpmath.log(2))
    hi = np.ones(16)
    hi[3] = float(total)
    lo = np.zeros(16)
    lo[3] = float(total - exact(hi[3]))
    shares(tops, tops, hi, lo, out.ravel(), alone.ravel())
    np.testing.assert_array_equal(out, alone)
    assert np.isnan(out[:, :3]).all()
    np.testing.assert_array_equal(out[:, 3:], 1)


@compiled
def subtract(score, top, log, out, alone):
    p, q, r = v.data_pointer(score), v.data_pointer(top), v.data_pointer(log)
    for i in range(0, score.size, v.vector_length(p)):
        offset = slices.LogOffset(v.load(q, i), v.load(r, i))
        v.store(v.data_pointer(out), i, slices.minus_log_total(v.load(p, i), offset))
    for i in range(score.size):
        one = v.one_lane_of(q, top[i])
        offset = slices.LogOffset(one, v.one_lane_of(r, log[i]))
        result = slices.minus_log_total(v.one_lane_of(p, score[i]), offset)
        v.store(v.data_pointer(alone), i, result)


@each_dtype
def test_minus_log_total(dtype):
    rng = np.random.default_rng(8)
    top = (1e5 * rng.normal(size=64)).astype(dtype)
    score = top - rng.uniform(0, 3, 64).astype(dtype)
    log = rng.uniform(0, 5, 64).astype(dtype)
    log[:2] = np.nan, np.inf
    out, alone = np.empty((2, 64), dtype)
    subtract(score, top, log, out, alone)
    np.testing.assert_array_equal(out, (score - top) - log)
    np.testing.assert_array_equal(alone, out)


@compiled
def logarithms(total_hi, total_lo, term_hi, term_lo, rest, out):
    """Write log(1 + others / term), of one lane after the other."""
    for i in range(total_hi.size):
        others = DoubleDouble(v.one_lane(total_hi[i]), v.one_lane(total_lo[i]))
        term = v.one_lane(term_hi[i]), v.one_lane(term_lo[i]), v.one_lane(rest[i])
        found = slices.log_total(others, slices.MaxTerm(term[0], term[1], term[2]))
        v.store_fields(v.data_pointer(out), i, total_hi.size, found)


# In float32 the term of the maximum has a larger error, which counts.
@pytest.mark.parametrize(
    ("size", "most"), [(2.0**-54, 1.2 * 2.0**-53), (2.0**-25, 2.0**-46)]
)
def test_log_total(size, most):
    rng = np.random.default_rng(9)
    others, terms = 2.0 ** rng.uniform(-90, 20, 200), rng.uniform(0.7, 1.42, 200)
    rest = rng.uniform(-1, 1, 200) * size
    low = others * 2.0**-55
    out = np.empty((2, 200))
    logarithms(others, low, terms, rest / 4, rest, out.ravel())
    for k in range(200):
        term = exact_sum(terms[k], rest[k] / 4, rest[k])
        true = mpmath.log1p(exact_sum(others[k], low[k]) / term)
        assert abs(exact_sum(*out[:, k]) / true - 1) < most
