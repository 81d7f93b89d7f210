"""What is done lane by lane gives what NumPy gives, on whole vectors and one lane."""

import math
from fractions import Fraction

import numpy as np
import pytest
from harness import (
    DTYPES,
    FORMS,
    Lanewise,
    assert_same,
    compiled,
    pairs,
)
from numba.core.errors import TypingError

from softmax_lib import _vector as v

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_form = pytest.mark.parametrize("form", FORMS)


@Lanewise
def operators(x, y, _):
    return (
        x + y, x - y, x * y, x / y,
        x + 0.1, x - 0.1, x * 0.1, x / 0.1,
        0.1 + x, 0.1 - x, 0.1 * x, 0.1 / x,
        x * 3, 3 / x,
    )  # fmt: skip


def same_with_numpy(x, y):
    k = x.dtype.type(0.1)
    return (
        x + y, x - y, x * y, x / y,
        x + k, x - k, x * k, x / k,
        k + x, k - x, k * x, k / x,
        x * 3, 3 / x,
    )  # fmt: skip


@each_form
@each_dtype
def test_operators(dtype, form):
    x, y = pairs(dtype)
    for got, expected in zip(operators(form, x, y), same_with_numpy(x, y), strict=True):
        assert_same(got, expected)


@Lanewise
def comparisons(x, y, _):
    one, zero, number = v.splat(x, 1.0), v.splat(x, 0.0), 1.0
    return (
        v.select(x > y, one, zero),
        v.select(x < y, one, zero),
        v.select(x >= y, one, zero),
        v.select(x == y, one, zero),
        v.select(x > 1.0, one, zero),
        v.select(x < 1.0, one, zero),
        v.select(x >= 1.0, one, zero),
        v.select(x == 1.0, one, zero),
        v.select(number > x, one, zero),
        v.select(number < x, one, zero),
        v.select(number >= x, one, zero),
        v.select(number == x, one, zero),
    )


@each_form
@each_dtype
def test_comparisons(dtype, form):
    x, y = pairs(dtype)
    one = dtype(1)
    expected = [x > y, x < y, x >= y, x == y, x > one, x < one, x >= one, x == one]
    expected += [one > x, one < x, one >= x, one == x]
    got = comparisons(form, x, y)
    for result, mask in zip(got, expected, strict=True):
        assert_same(result, mask.astype(dtype))


@Lanewise
def choices(x, y, z):
    return (
        v.maximum(x, y),
        v.maximum(x, 1.0),
        v.maximum(1.0, x),
        v.select(x > y, x, y),
        v.select(x > y, x, math.nan),
        v.select(x > y, -0.0, z),
        v.fabs(x),
    )


@each_form
@each_dtype
def test_maximum_select_and_fabs(dtype, form):
    x, y = pairs(dtype)
    one, nan, zero = dtype(1), dtype(np.nan), dtype(-0.0)
    got = choices(form, x, y, y[::-1].copy())
    assert_same(got[0], np.where(x > y, x, y))
    assert_same(got[1], np.where(x > one, x, one))
    assert_same(got[2], np.where(one > x, one, x))
    assert_same(got[3], np.where(x > y, x, y))
    assert_same(got[4], np.where(x > y, x, nan))
    assert_same(got[5], np.where(x > y, zero, y[::-1]))
    assert_same(got[6], np.abs(x))
    assert not np.signbit(got[6][~np.isnan(x)]).any()


@each_form
@each_dtype
def test_nan_in_maximum_stays_from_the_second_operand_only(dtype, form):
    number, nan = np.ones(16, dtype), np.full(16, np.nan, dtype)
    assert np.isnan(choices(form, number, nan)[0]).all()
    assert_same(choices(form, nan, number)[0], number)


@Lanewise
def fused(x, y, z):
    return v.exact_fma(x, y, z), v.fma(x, y, z), v.exact_fma(x, 0.1, -1.0)


def is_nearest(number, exact):
    """Return whether no other number of the dtype is nearer to a fraction."""
    error = abs(Fraction(float(number)) - exact)
    others = [np.nextafter(number, number.dtype.type(s)) for s in (-np.inf, np.inf)]
    return all(error <= abs(Fraction(float(n)) - exact) for n in others)


@each_form
@each_dtype
def test_fma(dtype, form):
    rng = np.random.default_rng(3)
    x, y, z = rng.normal(size=(3, 128)).astype(dtype)
    # The sum is then the rounding error of the product.
    z[:64] = -(x * y)[:64]
    exact, usual, by_number = fused(form, x, y, z)
    twice = x * y + z
    assert (exact[:64] != 0).any()
    for k in range(x.size):
        a, b, c = (Fraction(float(n)) for n in (x[k], y[k], z[k]))
        assert is_nearest(exact[k], a * b + c)
        assert usual[k] in (exact[k], twice[k])
        assert is_nearest(by_number[k], a * Fraction(float(dtype(0.1))) - 1)


def test_exact_fma_is_rounded_once_on_every_processor():
    @compiled
    def one(a):
        x = v.one_lane(a)
        return v.lane0(v.exact_fma(x, x, -1.0))

    assert one(1 + 2.0**-30) == 2.0**-29 + 2.0**-60
    (code,) = one.inspect_llvm().values()
    assert "@llvm.fma." in code and "@llvm.fmuladd." not in code


@each_form
@each_dtype
def test_fma_of_special_numbers(dtype, form):
    x, y = pairs(dtype)
    got = fused(form, x, y, np.ones_like(x))[0]
    rough = x.astype(np.longdouble) * y + 1
    no_number = ~np.isfinite(x) | ~np.isfinite(y)
    assert_same(got[no_number], rough[no_number].astype(dtype))


def test_vectors_of_two_dtypes_do_not_mix():
    @compiled
    def mixed(a, b):
        return v.lane0(v.load(v.data_pointer(a), 0) + v.load(v.data_pointer(b), 0))

    with pytest.raises(TypingError):
        mixed(np.zeros(16, np.float32), np.zeros(8))
