"""Arithmetic of numbers in two parts, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from formulas import Formula, compiled

from softmax_lib import _vector as v
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add,
    dd_add_float,
    dd_add_product,
    dd_mul,
    dd_mul_float,
    dd_mul_rounded,
    dd_reciprocal,
    dd_reduce,
    dd_scale,
    dd_select,
    dd_subtract_term,
    dd_zeros,
    one_lane_dd,
    two_sum,
)


def numbers(size=800, positive=False, seed=1):
    """Return two arrays: numbers of many magnitudes, and low parts far below."""
    rng = np.random.default_rng(seed)
    hi = rng.normal(size=size) * 2.0 ** rng.integers(-60, 60, size)
    hi = abs(hi) if positive else hi
    return hi, np.spacing(hi) / 2 * rng.uniform(-1, 1, size)


def fractions(*parts):
    """Return the sums of parts, number by number, as fractions."""
    return [sum(map(Fraction, numbers)) for numbers in zip(*parts, strict=True)]


def worst_error(computed, exact, sizes=None):
    """Return the largest error, relative to sizes or to the exact numbers."""
    sizes = exact if sizes is None else sizes
    terms = zip(computed, exact, sizes, strict=True)
    return float(max(abs(c - e) / abs(s) for c, e, s in terms))


@Formula
def sums_of_two(a, b, _, __):
    return two_sum(a, b)


def test_two_sum_is_exact():
    a, b = numbers()[0], numbers(seed=2)[0]
    a[:3], b[:3] = (1e308, 1.0, 0.0), (-1e308, -(2.0**-80), 5e-324)
    s, error = sums_of_two(a, b)
    np.testing.assert_array_equal(s, a + b)
    assert fractions(s, error) == fractions(a, b)
    assert (error != 0).any()


def test_two_sum_of_float32_is_exact():
    a, b = (numbers(seed=seed)[0].astype(np.float32) for seed in (3, 4))
    s, error = sums_of_two(a, b)
    np.testing.assert_array_equal(s, a + b)
    wide = [part.astype(float) for part in (s, error, a, b)]
    assert fractions(*wide[:2]) == fractions(*wide[2:])


@Formula
def arithmetic(a, a_lo, b, b_lo):
    x, y = DoubleDouble(a, a_lo), DoubleDouble(b, b_lo)
    added, product = dd_add(x, y), dd_mul(x, y)
    by_float = dd_mul_float(x, b)
    sums, products = (added.hi, added.lo), (product.hi, product.lo)
    rounded = dd_mul_rounded(x, y)
    return sums + products + (by_float.hi, by_float.lo) + (rounded,)


def test_add_and_multiply():
    a, a_lo = numbers()
    b, b_lo = numbers(seed=5)
    x, y, plain = fractions(a, a_lo), fractions(b, b_lo), fractions(b)
    result = arithmetic(a, a_lo, b, b_lo)
    total, product, by_float = (fractions(*result[k : k + 2]) for k in (0, 2, 4))
    magnitudes = [abs(i) + abs(j) for i, j in zip(x, y, strict=True)]
    exact = [i + j for i, j in zip(x, y, strict=True)]
    assert worst_error(total, exact, magnitudes) < 2.0**-104
    exact = [i * j for i, j in zip(x, y, strict=True)]
    assert worst_error(product, exact) < 2.0**-102
    assert worst_error(fractions(result[6]), exact) < 2.0**-52.99
    exact = [i * j for i, j in zip(x, plain, strict=True)]
    assert worst_error(by_float, exact) < 2.0**-103


@Formula
def reciprocals(a, a_lo, _, __):
    return dd_reciprocal(DoubleDouble(a, a_lo))


def test_reciprocal():
    a, a_lo = numbers()
    # The parts need not be normalised: a low part may be as large as 2^-40.
    for low in (a_lo, a * 2.0**-40):
        computed = fractions(*reciprocals(a, low))
        exact = [1 / x for x in fractions(a, low)]
        assert worst_error(computed, exact) < 2.0**-76
    computed = fractions(*reciprocals(a, a_lo))
    assert worst_error(computed, [1 / x for x in fractions(a, a_lo)]) < 2.0**-102


@Formula
def scaled_and_chosen(a, a_lo, b, b_lo):
    x, y = DoubleDouble(a, a_lo), DoubleDouble(b, b_lo)
    larger, small = dd_select(a > b, x, y), dd_scale(x, 2.0**-70)
    return small.hi, small.lo, larger.hi, larger.lo


def test_scale_and_select():
    a, a_lo = numbers()
    b, b_lo = numbers(seed=6)
    a[0] = np.nan
    result = scaled_and_chosen(a, a_lo, b, b_lo)
    np.testing.assert_array_equal(result[:2], np.ldexp([a, a_lo], -70))
    np.testing.assert_array_equal(result[2], np.where(a > b, a, b))
    np.testing.assert_array_equal(result[3], np.where(a > b, a_lo, b_lo))


@Formula
def others(total, total_lo, term, term_lo):
    return dd_subtract_term(DoubleDouble(total, total_lo), DoubleDouble(term, term_lo))


def test_subtract_term():
    term, term_lo = numbers(positive=True)
    rest = term * 2.0 ** np.random.default_rng(8).uniform(-70, 10, term.size)
    total = term + rest
    total_lo = rest - (total - term)
    exact = [
        t - u
        for t, u in zip(
            fractions(total, total_lo), fractions(term, term_lo), strict=True
        )
    ]
    computed = fractions(*others(total, total_lo, term, term_lo))
    assert worst_error(computed, exact, fractions(total)) < 2.0**-104


@compiled
def parts_of(hi, lo):
    parts = one_lane_dd(hi, lo)
    return v.lane0(parts.hi), v.lane0(parts.lo)


def test_one_lane_dd():
    for hi, lo in ((0.1, -0.0), (-0.0, np.inf), (3, np.float32(0.1))):
        np.testing.assert_array_equal(parts_of(hi, lo), (hi, lo))
        assert np.signbit(parts_of(hi, lo)[1]) == np.signbit(lo)


@compiled
def products(a, b):
    """Return the sum of the products of 8 pairs of numbers at a time."""
    total = dd_zeros(v.data_pointer(a))
    for i in range(0, a.size, v.vector_length(a)):
        x, y = v.load(v.data_pointer(a), i), v.load(v.data_pointer(b), i)
        total = dd_add_product(total, x, y)
    return dd_reduce(total)


def test_products_are_added_with_their_errors():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 256)) * 2.0 ** rng.integers(-30, 30, (2, 256))
    terms = [Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)]
    true, size = sum(terms), sum(map(abs, terms))
    hi, lo = products(a, b)
    assert abs(Fraction(hi) + Fraction(lo) - true) < Fraction(2) ** -96 * size
    assert abs(Fraction(hi) - true) > Fraction(2) ** -60 * size


def test_zero_times_infinity_adds_nothing():
    a, b = np.zeros(16), np.full(16, np.inf)
    a[1::2] = -0.0
    a[7], b[7] = 3.0, 5.0
    assert products(a, b) == (15, 0)
    a[2], b[2] = 1.0, np.inf
    assert products(a, b) == (np.inf, 0)


@compiled
def sum_of(a):
    """Return the sum of numbers, 8 at a time."""
    total = dd_zeros(v.data_pointer(a))
    for i in range(0, a.size, v.vector_length(a)):
        total = dd_add_float(total, v.load(v.data_pointer(a), i))
    return dd_reduce(total)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_sums_keep_what_is_rounded_and_infinite_ones_have_no_error():
    a = np.random.default_rng(3).normal(size=64) * 2.0 ** np.arange(-32, 32)
    hi, lo = sum_of(a)
    true = sum(map(Fraction, a))
    assert abs(Fraction(hi) + Fraction(lo) - true) < Fraction(2) ** -60
    a[9] = np.inf
    assert sum_of(a) == (np.inf, 0)
