"""Sums of terms lose almost nothing, in lanes and in total."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, compiled, exact, exact_sum, unit

from softmax_lib import _vector as v
from softmax_lib._kernels import accumulator as acc
from softmax_lib._layout import BLOCK_BYTES, VECTOR_BYTES

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
SCALE = {np.float32: 2.0**64, np.float64: 2.0**512}
# Terms that one lane adds up before a total is made of it.
IN_ONE_LANE = BLOCK_BYTES // VECTOR_BYTES


def parts(dtype, count, seed):
    """Return terms as they are added: a power of two, and d times that."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-60, 1, count).astype(float)
    steps[seed % 3 :: 3] = 0
    power = (SCALE[dtype] * 2.0**steps).astype(dtype)
    return power, (power * rng.uniform(-0.29, 0.41, count)).astype(dtype)


@compiled
def running(power, part):
    p, q = v.data_pointer(power), v.data_pointer(part)
    total = acc.zero_sum(p)
    for i in range(0, power.size, v.vector_length(p)):
        total = acc.accumulate(total, v.load(p, i), v.load(q, i))
    return total


@compiled
def total_of(power, part):
    """Return the total of all lanes."""
    total = acc.reduce_total(running(power, part))
    return v.lane0(total.hi), v.lane0(total.lo)


@compiled
def totals_of_lanes(power, part, out, step):
    """Write the total of each lane, and return the sum of these."""
    total = acc.lane_totals(running(power, part))
    v.store_fields(v.data_pointer(out), 0, step, total)
    more = acc.add_to_totals(total, total.hi)
    v.store_fields(v.data_pointer(out), 2 * step, step, more)
    return acc.reduce_totals(total)


@compiled
def total_of_one_lane(power, part):
    p, q = v.data_pointer(power), v.data_pointer(part)
    total = acc.zero_sum(v.one_lane_of(p, 0.0))
    for i in range(power.size):
        x, y = v.one_lane_of(p, power[i]), v.one_lane_of(q, part[i])
        total = acc.accumulate(total, x, y)
    total = acc.lane_totals(total)
    return v.lane0(total.hi), v.lane0(total.lo)


def is_exact(total, true, dtype, count, lanes=1):
    """Return whether a total of count terms a lane has lost almost nothing.

    Each rounding error is at most a unit of the running sum, which begins at 2, and
    is itself added with a rounding error.
    """
    limit = unit(dtype) ** 2 * (1 + count / 4) * (true + 2 * lanes)
    return abs(exact_sum(*total) - true) <= limit


@each_dtype
def test_totals(dtype):
    lanes = 64 // np.dtype(dtype).itemsize
    for seed in range(30):
        count = 1 + seed * (IN_ONE_LANE - 1) // 29
        power, part = parts(dtype, count * lanes, seed)
        true = exact_sum(*power, *part) / SCALE[dtype]
        out = np.empty((4, lanes))
        summed = totals_of_lanes(power, part, out.ravel(), lanes)
        assert is_exact(total_of(power, part), true, dtype, count, lanes)
        assert is_exact(summed, true, dtype, count, lanes)
        for lane in range(lanes):
            terms = power[lane::lanes].copy(), part[lane::lanes].copy()
            true = exact_sum(*terms[0], *terms[1]) / SCALE[dtype]
            assert is_exact(out[:2, lane], true, dtype, count)
            twice = exact_sum(*out[:2, lane], out[0, lane])
            assert abs(exact_sum(*out[2:, lane]) - twice) <= 2.0**-104 * twice
            alone = total_of_one_lane(*terms)
            np.testing.assert_array_equal(alone, out[:2, lane])


@each_dtype
def test_equal_terms_with_equal_errors(dtype):
    lanes = 64 // np.dtype(dtype).itemsize
    power = np.full(lanes * IN_ONE_LANE, SCALE[dtype], dtype)
    for d in (0.1, 0.41, -0.29):
        true = power.size * (1 + mpmath.mpf(float(dtype(d))))
        total = total_of(power, power * dtype(d))
        assert is_exact(total, true, dtype, IN_ONE_LANE, lanes)


@compiled
def of_nothing(a, out):
    p = v.data_pointer(a)
    v.store_fields(v.data_pointer(out), 0, 16, acc.zero_totals(p))
    none, total = acc.reduce_total(acc.zero_sum(p)), acc.zero_total()
    return v.lane0(none.hi), v.lane0(none.lo), v.lane0(total.hi), v.lane0(total.lo)


@each_dtype
def test_no_terms(dtype):
    out = np.full(32, 5.0)
    assert of_nothing(np.empty(1, dtype), out) == (0, 0, 0, 0)
    lanes = 64 // np.dtype(dtype).itemsize
    used = np.isin(np.arange(32) % 16, np.arange(lanes))
    np.testing.assert_array_equal(out, np.where(used, 0, 5))


@compiled
def products(a, b):
    """Return the sum of the products of 8 pairs of numbers at a time."""
    totals = acc.zero_totals(v.data_pointer(a))
    for i in range(0, a.size, v.vector_length(a)):
        x, y = v.load(v.data_pointer(a), i), v.load(v.data_pointer(b), i)
        totals = acc.add_product(totals, x, y)
    return acc.reduce_totals(totals)


def test_products_are_added_with_their_errors():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 256)) * 2.0 ** rng.integers(-30, 30, (2, 256))
    terms = [exact(x) * exact(y) for x, y in zip(a, b, strict=True)]
    size = mpmath.fsum(map(abs, terms))
    hi, lo = products(a, b)
    assert abs(exact_sum(hi, lo) - mpmath.fsum(terms)) < 2.0**-96 * size
    assert abs(exact(hi) - mpmath.fsum(terms)) > 2.0**-60 * size


def test_zero_times_infinity_adds_nothing():
    a, b = np.zeros(16), np.full(16, np.inf)
    a[1::2] = -0.0
    a[7], b[7] = 3.0, 5.0
    assert products(a, b) == (15, 0)
    a[2], b[2] = 1.0, np.inf
    assert products(a, b) == (np.inf, 0)


@compiled
def sum_totals(hi, lo):
    p, q = v.data_pointer(hi), v.data_pointer(lo)
    return acc.reduce_totals(acc.DoubleDouble(v.load(p, 0), v.load(q, 0)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinite_totals_have_no_error():
    hi, lo = np.ones(8), np.full(8, 2.0**-60)
    assert sum_totals(hi, lo) == (8, 2.0**-57)
    hi[3] = np.inf
    assert sum_totals(hi, lo) == (np.inf, 0)
    hi[3] = np.nan
    assert np.isnan(sum_totals(hi, lo)[0])
