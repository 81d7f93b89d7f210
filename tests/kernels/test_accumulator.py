"""Sums of terms lose almost nothing, in lanes and in total."""

import numpy as np
import pytest
from formulas import DTYPES, compiled, exact_sum, unit

from softmax_lib import _vector as v
from softmax_lib._kernels import accumulator as acc
from softmax_lib._kernels.double_double import DoubleDouble
from softmax_lib._kernels.exact_sum import CUT_OFF
from softmax_lib._layout import MAX_LANE_TERMS

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
SCALE = {np.float32: 2.0**64, np.float64: 2.0**512}


def parts(dtype, count, seed):
    """Return terms as they are added: a power of two, and d times that."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-60, 1, count).astype(float)
    steps[seed % 3 :: 3] = 0
    power = (SCALE[dtype] * 2.0**steps).astype(dtype)
    return power, (power * rng.uniform(-0.29, 0.41, count)).astype(dtype)


@compiled
def running(power, part, unit):
    p, q = v.data_pointer(power), v.data_pointer(part)
    total, w = acc.zero_sum(unit), v.vector_length(p)
    for i in range(0, power.size, w):
        total = acc.accumulate(total, v.load(p, i), v.load(q, i))
        if (i // w + 1) % acc.FOLD_INTERVAL == 0:
            total = acc.fold(total)
    return total


@compiled
def total_of(power, part, unit):
    """Return the total of all lanes, and its bound."""
    p, count = v.data_pointer(power), power.size // v.vector_length(power)
    unit = v.splat(v.load(p, 0), unit)
    total = acc.reduce_total(running(power, part, unit), unit, count)
    return v.lane0(total.hi), v.lane0(total.lo), v.lane0(total.bound)


@compiled
def totals_of_lanes(power, part, unit, out, step):
    """Write the total of each lane, and its bound."""
    p, count = v.data_pointer(power), power.size // v.vector_length(power)
    unit = v.splat(v.load(p, 0), unit)
    total = acc.lane_totals(running(power, part, unit), unit, count)
    v.store_fields(v.data_pointer(out), 0, step, total)
    more = acc.add_totals(total, total)
    v.store_fields(v.data_pointer(out), 3 * step, step, more)


def check(total, true, most=None):
    """Assert that a total is as exact as it says; return its error over its bound."""
    hi, lo, bound = total
    error = abs(exact_sum(hi, lo) - true)
    assert error <= bound
    if most is not None:
        assert bound <= most
    return float(error / bound)


@each_dtype
@pytest.mark.parametrize("steps", [0, -20])
def test_totals_are_as_exact_as_they_say(dtype, steps):
    lanes, scale = 64 // np.dtype(dtype).itemsize, 2.0**steps
    for seed in range(30):
        count = 1 + seed * (MAX_LANE_TERMS - 1) // 29
        power, part = (scale * a for a in parts(dtype, count * lanes, seed))
        own = SCALE[dtype] * scale
        true = exact_sum(*power, *part) / SCALE[dtype]
        out = np.empty((6, lanes))
        totals_of_lanes(power, part, own, out.ravel(), lanes)
        most = unit(dtype) ** 2 * 11 * (count + 1) * (true + lanes * scale)
        check(total_of(power, part, own), true, most)
        for lane in range(lanes):
            terms = power[lane::lanes].copy(), part[lane::lanes].copy()
            true = exact_sum(*terms[0], *terms[1]) / SCALE[dtype]
            check(out[:3, lane], true)
            check(out[3:, lane], 2 * true)


@each_dtype
@pytest.mark.parametrize("first", [1.0, 1.4])
def test_equal_terms_with_equal_errors(dtype, first):
    # A sure winner above a crowd: each term is rounded, and added, with the same error.
    lanes = 64 // np.dtype(dtype).itemsize
    digits = np.finfo(dtype).nmant
    worst = 0.0
    for steps in (0, 4, digits - 2, digits, digits + 1, digits + 5, 2 * digits):
        for d in (0.1, 0.41, -0.29, 1 / 3, 0.0999):
            power = np.full(lanes * MAX_LANE_TERMS, SCALE[dtype] * 2.0**-steps, dtype)
            part = power * dtype(d)
            power[0], part[0] = SCALE[dtype], dtype(first - 1) * dtype(SCALE[dtype])
            true = exact_sum(*power, *part) / SCALE[dtype]
            total = total_of(power, part, SCALE[dtype])
            worst = max(worst, check(total, true))
    # The bound is not idle.
    assert worst > 0.02


@compiled
def of_nothing(a, out):
    p = v.data_pointer(a)
    v.store_fields(v.data_pointer(out), 0, 16, acc.zero_totals(p))
    unit = v.splat(v.load(p, 0), acc.TERM_SCALE(p))
    none, total = acc.reduce_total(acc.zero_sum(unit), unit, 0), acc.zero_total()
    sums = v.lane0(none.hi), v.lane0(none.lo), v.lane0(none.bound)
    return sums, (v.lane0(total.hi), v.lane0(total.lo), v.lane0(total.bound))


@each_dtype
def test_no_terms(dtype):
    out = np.full(48, 5.0)
    none, zero = of_nothing(np.zeros(16, dtype), out)
    assert none[:2] == (0, 0) and none[2] < 1e-10 and zero == (0, 0, 0)
    lanes = 64 // np.dtype(dtype).itemsize
    used = np.isin(np.arange(48) % 16, np.arange(lanes))
    np.testing.assert_array_equal(out, np.where(used, 0, 5))


@compiled
def rounded(his, los, bounds, x, n, out):
    """Write the rounded totals, and 1 where they are uncertain."""
    p, q, r = v.data_pointer(his), v.data_pointer(los), v.data_pointer(bounds)
    like, to = v.one_lane_of(v.data_pointer(x), 0.0), v.data_pointer(out)
    for i in range(his.size):
        hi, lo = v.one_lane_of(p, his[i]), v.one_lane_of(q, los[i])
        total = acc.Total(hi, lo, v.one_lane_of(r, bounds[i]))
        found, uncertain = acc.round_total(like, total, n)
        v.store_fields(to, i, his.size, found)
        v.store_scalar(to, 2 * his.size + i, 1.0 if v.any_of(uncertain) else 0.0)


def round_all(his, los, bounds, dtype, n=1):
    out = np.empty((3, his.size))
    rounded(his, los, bounds, np.zeros(1, dtype), n, out.ravel())
    return out


@each_dtype
def test_certain_totals_are_rounded_alike_from_anywhere_within_their_bounds(dtype):
    rng, size = np.random.default_rng(12), 20000
    digits = {np.float32: 26, np.float64: 60}[dtype]
    his = 2.0 ** rng.uniform(-3, 20, size)
    his[::7] = 2.0 ** rng.integers(-3, 20, his[::7].size)
    los = his * 2.0**-53 * rng.uniform(-1, 1, size)
    bounds = his * 2.0 ** -(digits + rng.uniform(1, 12, size))
    high, low, uncertain = round_all(his, los, bounds, dtype)
    assert 0.02 < uncertain.mean() < 0.9
    gap = 2.0 ** (np.floor(np.log2(his)) - digits)
    off = (high - his) + (low - los)
    assert (abs(off) <= 0.55 * gap).all()
    for share in (-0.999, -0.5, 0.5, 0.999):
        moved = los + share * bounds
        again = round_all(his, moved, 0 * bounds, dtype)
        certain = uncertain == 0
        np.testing.assert_array_equal(again[0][certain], high[certain])
        np.testing.assert_array_equal(again[1][certain], low[certain])


def test_a_total_of_two_parts_has_one_pair():
    # Near the middle between two coarse multiples either might become the high part,
    # and which one might depend on how the sum of both parts is rounded.
    rng, size = np.random.default_rng(15), 3000
    middle = 1 + 2.0**-45 * (rng.integers(0, 2**25, size) + 0.5)
    his = middle - 2.0**-45 / 24 + 2.0**-52 * rng.integers(-2, 3, size)
    nearly, zeros = np.full(size, 2.0**-53), np.zeros(size)
    one = round_all(his, nearly - 2.0**-100, zeros, np.float64)
    other = round_all(his, nearly + 2.0**-100, zeros, np.float64)
    np.testing.assert_array_equal(one[:2], other[:2])


@each_dtype
def test_totals_of_few_bits_are_certain(dtype):
    # They lie in the middle between two multiples, which a step before rounding avoids.
    digits = {np.float32: 26, np.float64: 60}[dtype]
    his = 1.0 + np.arange(1000) / 1024
    for k in range(1, 8):
        los = np.full(his.size, 2.0 ** -(digits + k))
        bounds = np.full(his.size, 2.0 ** -(digits + 10))
        assert not round_all(his, los, bounds, dtype)[2].any()


@each_dtype
def test_nan_is_certain_and_stays(dtype):
    nan = np.full(3, np.nan)
    high, _, uncertain = round_all(nan, nan, nan, dtype)
    assert np.isnan(high).all() and not uncertain.any()


@compiled
def combined(a, b, out):
    """Write the sum of two totals, the first without a term, and the first scaled."""
    to = v.data_pointer(out)
    one = acc.Total(v.one_lane(a[0]), v.one_lane(a[1]), v.one_lane(a[2]))
    other = acc.Total(v.one_lane(b[0]), v.one_lane(b[1]), v.one_lane(b[2]))
    v.store_fields(to, 0, 1, acc.add_totals(one, other))
    v.store_fields(to, 3, 1, acc.subtract_term(one, DoubleDouble(other.hi, other.lo)))
    v.store_fields(to, 6, 1, acc.scale_total(one, 0.25))


def test_totals_are_combined_with_their_bounds():
    rng, out = np.random.default_rng(13), np.empty((3, 3))
    for _ in range(300):
        a, b = rng.uniform(0.7, 2000, (2, 3))
        for total in (a, b):
            total[1:] *= 2.0**-53 * rng.uniform(-1, 1), 2.0 ** -rng.integers(60, 100)
        combined(a, b, out.ravel())
        added, less, scaled = out
        slack = exact_sum(2.0**-100 * (a[0] + b[0]))
        true = exact_sum(*a[:2], *b[:2])
        assert abs(exact_sum(*added[:2]) - true) <= slack
        assert a[2] + b[2] <= added[2] <= 1.001 * (a[2] + b[2]) + slack
        true = exact_sum(*a[:2], *-b[:2])
        assert abs(exact_sum(*less[:2]) - true) <= slack
        assert a[2] <= less[2] <= 1.001 * a[2] + slack
        np.testing.assert_array_equal(scaled, a / 4)


@each_dtype
def test_what_an_exact_sum_cuts_off_makes_totals_uncertain(dtype):
    # Each of n terms may lose CUT_OFF of the largest.
    digits = {np.float32: 26, np.float64: 60}[dtype]
    his = 2.0 ** np.random.default_rng(14).uniform(0, 5, 1000)
    zeros = np.zeros(his.size)
    few, many = 2.0 ** (-digits - 20) / CUT_OFF, 2.0**-digits / CUT_OFF
    assert round_all(his, zeros, zeros, dtype, few)[2].mean() < 0.01
    assert round_all(his, zeros, zeros, dtype, many)[2].all()
