"""From a vector to one number, in the documented order of operations."""

import math

import numpy as np
import pytest
from harness import DTYPES, assert_same, bits_dtype, compiled, special_numbers, width

from softmax_lib import _vector as v

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@compiled
def reductions(a, out):
    p, to = v.data_pointer(a), v.data_pointer(out)
    x = v.load(p, 0)
    v.store_scalar(to, 0, v.reduce_max(x))
    v.store_scalar(to, 1, v.reduce_sum(x))
    v.store_scalar(to, 2, v.lane0(x))
    one = v.one_lane_of(p, a[3])
    v.store_scalar(to, 3, v.reduce_max(one))
    v.store_scalar(to, 4, v.reduce_sum(one))
    v.store_scalar(to, 5, v.lane0(one))
    wide = v.to_float64(x)
    return v.reduce_max(wide), v.reduce_sum(wide), v.lane0(wide)


def halved(lanes, combine):
    """Return the combination of the halves of an array, down to one number."""
    while lanes.size > 1:
        lanes = combine(*lanes.reshape(2, -1))
    return lanes[0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each_dtype
def test_max_sum_and_lane0(dtype):
    rng = np.random.default_rng(2)
    special = special_numbers(dtype)
    for round_ in range(200):
        a = rng.normal(scale=10.0 ** (round_ % 7), size=width(dtype)).astype(dtype)
        if round_ > 100:
            a[rng.integers(0, a.size, 3)] = rng.choice(special, 3)
        out = np.empty(6, dtype)
        wide = reductions(a, out)
        largest = halved(a, lambda x, y: np.where(x > y, x, y))
        assert_same(out, np.array([largest, halved(a, np.add), a[0], *[a[3]] * 3]))
        expected = [largest, halved(a.astype(float), np.add), a[0]]
        assert_same(np.array(wide), np.array(expected, float))
        if not np.isnan(a).any():
            assert out[0] == a.max()


@compiled
def bit_reductions(a):
    bits = v.to_bits(v.load(v.data_pointer(a), 0))
    one = v.to_bits(v.one_lane_of(v.data_pointer(a), a[1]))
    return v.reduce_and(bits), v.lane0(bits), v.reduce_and(one), v.lane0(one)


@each_dtype
def test_and_of_bits(dtype):
    kind = bits_dtype(dtype)
    common = 0b1011 << (np.iinfo(kind).bits - 9)
    for missing in (0, 1, 2 << (np.iinfo(kind).bits - 9)):
        for lane in range(width(dtype)):
            bits = np.full(width(dtype), common | 1 | (lane << 1), kind)
            bits[lane] &= ~missing
            common_bits = np.bitwise_and.reduce(bits)
            expected = common_bits, bits[0], bits[1], bits[1]
            assert bit_reductions(bits.view(dtype)) == expected


@compiled
def any_positive(a):
    p = v.data_pointer(a)
    x = v.load(p, 0)
    found = v.any_of(x > 0.0), v.any_of(v.to_float64(x) > 0.0)
    return found, v.any_of(v.one_lane_of(p, a[0]) > 0.0)


@each_dtype
def test_any_of(dtype):
    a = np.full(width(dtype), -1, dtype)
    a[1], a[2] = np.nan, -np.inf
    assert any_positive(a) == ((False, False), False)
    for lane in range(a.size):
        one = a.copy()
        one[lane] = 1
        assert any_positive(one) == ((True, True), lane == 0)
    assert any_positive(np.ones_like(a)) == ((True, True), True)


@compiled
def compensated(a, wide):
    """Return the sum of 8 or 16 float64 lanes, that come from the dtype of a."""
    origin = v.splat(v.data_pointer(a), 0.0)
    like = (v.to_float64(origin),)
    lanes = v.load_fields(v.data_pointer(wide), 0, 0, like)
    return v.reduce_sum_compensated(lanes[0], origin)


def error_of_sum(hi, lo, lanes):
    """Return the exact error of hi + lo, in units of the sum of magnitudes."""
    return abs(math.fsum([*lanes, -hi, -lo])) / math.fsum(abs(lanes))


def test_compensated_sum_of_float64():
    like = np.empty(8)
    rng = np.random.default_rng(4)
    worst = 0.0
    for round_ in range(1000):
        lanes = rng.normal(size=8) * 2.0 ** rng.integers(-(round_ % 200), 30, 8)
        if round_ % 3 == 0:
            # Nearly all of it cancels, in other lanes than it is halved into.
            lanes[rng.permutation(8)[:4]] = -lanes[rng.permutation(8)[:4]]
        hi, lo = compensated(like, lanes)
        assert hi == halved(lanes, np.add)
        worst = max(worst, error_of_sum(hi, lo, lanes))
    # Sums of errors are rounded, and nothing else: 2^-53 times a few times 2^-53.
    assert worst < 2.0**-103


def test_compensated_sum_keeps_what_rounding_took():
    lanes = np.array([1e16, 1.0, 3.0, 1e-10, 2.0, 2.0**-40, 0.1, -3.0])
    hi, lo = compensated(np.empty(8), lanes)
    assert error_of_sum(hi, lo, lanes) < 2.0**-103
    assert error_of_sum(hi, 0.0, lanes) > 2.0**-60


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_compensated_sum_of_no_numbers():
    for special, sum_ in (((np.inf,), np.inf), ((np.nan,), np.nan)):
        lanes = np.array([1.0, *special, *[2.0] * 6])
        np.testing.assert_equal(compensated(np.empty(8), lanes)[0], sum_)
    lanes[:2] = np.inf, -np.inf
    assert np.isnan(compensated(np.empty(8), lanes)[0])


def test_compensated_sum_of_lanes_from_float32_is_exact():
    like = np.empty(16, np.float32)
    rng = np.random.default_rng(5)
    for _ in range(300):
        # Terms of a running sum differ by far less than 2^25 in their exponents.
        lanes = rng.normal(size=16) * 2.0 ** rng.integers(0, 20, 16)
        lanes = lanes.astype(np.float32).astype(float)
        lanes[abs(lanes) < 2.0**-3] = 0.5
        hi, lo = compensated(like, lanes)
        assert lo == 0 and hi == math.fsum(lanes) == sum(lanes)
