"""The exponential in two parts, against 50 digits."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, Formula, exact, exact_sum, unit

from softmax_lib import _vector as v
from softmax_lib._kernels import exponential as e

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
SCALE = {np.float32: 2.0**64, np.float64: 2.0**512}
CUTOFF = {np.float32: 130.0, np.float64: 1060.0}
MAX_UNSHIFTED = {np.float32: 500.0, np.float64: 1600.0}


@Formula
def terms(score, top, _, __):
    params = e.term_params(top, e.choose_shift(top))
    power, part = e.scaled_exp(score, params)
    corrected = e.scaled_exp_with_error(score, params)
    return power, part, *corrected, params.shift


def scores_and_tops(dtype):
    """Return scores in the whole range below tops: small ones, and huge ones."""
    rng = np.random.default_rng(12)
    cutoff, limit = CUTOFF[dtype], MAX_UNSHIFTED[dtype]
    small = np.array([0.0, 0.3, -1.0, 88.7, -limit, limit, limit / 2])
    huge = np.array([limit + 1, -limit - 1, 1e4, -3e5, 1e30, -1e30])
    tops = np.repeat(np.concatenate([small, huge]), 80).astype(dtype)
    below = rng.uniform(0, cutoff, tops.size)
    below[::3] *= rng.uniform(0, 1e-3, below[::3].size)
    below[::10] = 0
    scores = (tops - below.astype(dtype)).astype(dtype)
    keep = tops - scores <= cutoff
    return scores[keep], tops[keep]


def error_in_ulp(computed, true, dtype):
    """Return the error in units in the last place of the true number."""
    place = mpmath.floor(mpmath.log(abs(true), 2)) + 1
    return float(abs(computed - true) / mpmath.ldexp(unit(dtype) * 2, int(place) - 1))


@each_dtype
def test_scaled_exp(dtype):
    scores, tops = scores_and_tops(dtype)
    power, part, power2, part2, error, shift = terms(scores, tops)
    np.testing.assert_array_equal(power, power2)
    assert (np.frexp(power)[0] == 0.5).all()
    assert (abs(part) <= power * 0.42).all()
    huge = abs(tops) > MAX_UNSHIFTED[dtype]
    np.testing.assert_array_equal(shift, np.where(huge, tops, 0))
    worst, corrected = 0.0, 0.0
    for k in range(scores.size):
        # The term of the maximum is 1 times a power of two, and e^r.
        shifted = exact(tops[k]) - exact(shift[k])
        steps = mpmath.nint(shifted * exact(np.log2(np.e)))
        true = mpmath.exp(exact_sum(scores[k], -shift[k])) / mpmath.ldexp(1, int(steps))
        true *= SCALE[dtype]
        sum_ = exact_sum(power[k], part[k])
        worst = max(worst, error_in_ulp(sum_, true, dtype))
        sum_ = exact_sum(power2[k], part2[k], error[k])
        corrected = max(corrected, error_in_ulp(sum_, true, dtype))
    assert worst < 0.6
    assert corrected < 0.15


@each_dtype
def test_lower_scores_are_clamped(dtype):
    tops = np.array([0.0, 3.0, -20.0, 1e6, -1e6], dtype)
    floor = terms((tops - CUTOFF[dtype]).astype(dtype), tops)
    for lower in (-np.inf, np.finfo(dtype).min, -1e7):
        below = terms(np.full_like(tops, lower), tops)
        np.testing.assert_array_equal(below[:2], floor[:2])
    negligible = floor[0] + floor[1]
    assert (negligible < SCALE[dtype] * unit(dtype) ** 2).all()
    assert (negligible >= np.finfo(dtype).tiny).all()


@each_dtype
def test_nan_stays(dtype):
    tops = np.zeros(16, dtype)
    power, part = terms(np.full(16, np.nan, dtype), tops)[:2]
    assert np.isnan(power + part).all()


@Formula
def near_zero(r, _, __, ___):
    return (e.expm1(r),)


@each_dtype
def test_expm1(dtype):
    r = np.linspace(-0.3468, 0.3468, 2001).astype(dtype)
    r = np.append(r, np.array([0, 1e-10, -1e-10, 1e-30], dtype))
    worst = 0.0
    for number, d in zip(r, near_zero(r)[0], strict=True):
        true = mpmath.exp(exact(number))
        worst = max(worst, float(abs(1 + exact(d) - true) / true))
        assert abs(exact(d) - (true - 1)) <= 3 * unit(dtype) * abs(true - 1)
    # The polynomial, and the rounding of d, which is at most 0.42.
    assert worst < 0.5 * unit(dtype)


@Formula
def reduced(x, _, __, ___):
    magic = v.splat(x, e.ROUNDING_MAGIC(x))
    r, rounded = e.reduce_argument(x, magic)
    d, error, again = e.expm1_with_error(x, magic)
    return r, rounded - magic, d, error, again - magic


@each_dtype
def test_reduce_argument_and_expm1_with_error(dtype):
    limit = MAX_UNSHIFTED[dtype] * 0.4
    x = np.random.default_rng(4).uniform(-limit, limit, 600).astype(dtype)
    r, n, d, error, same = reduced(x)
    np.testing.assert_array_equal(n, same)
    np.testing.assert_array_equal(n, np.round(n))
    assert (abs(r) <= 0.3468).all()
    with mpmath.workdps(50):
        for k in range(x.size):
            true_r = exact(x[k]) - int(n[k]) * mpmath.log(2)
            assert abs(exact(r[k]) - true_r) <= 1.1 * unit(dtype) * max(
                abs(true_r), 2.0**-3
            )
            true = mpmath.exp(true_r) - 1
            # The ULP of 1 + d is the unit, or twice that.
            ulp = unit(dtype) * (1 if true < 0 else 2)
            assert abs(exact_sum(d[k], error[k]) - true) <= 0.15 * ulp


@Formula
def powers(n, _, __, ___):
    return e.ldexp_factors(n)


@each_dtype
def test_ldexp_factors(dtype):
    info = np.finfo(dtype)
    n = np.arange(2 * info.minexp + 4, 2 * info.maxexp - 4).astype(dtype)
    one, other = powers(n)
    for k in range(n.size):
        assert exact(one[k]) * exact(other[k]) == mpmath.ldexp(1, int(n[k]))
