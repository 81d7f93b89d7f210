"""log(1 + t) in two parts, against 50 digits."""

import mpmath
import numpy as np
import pytest
from formulas import DTYPES, Formula, exact, exact_sum, unit

from softmax_lib._kernels.double_double import DoubleDouble
from softmax_lib._kernels.logarithm import log1p, log1p_quotient

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@Formula
def logarithms(t, low, _, __):
    return log1p(t, low)


def arguments(dtype):
    rng = np.random.default_rng(2)
    spread = 2.0 ** rng.uniform(-100, 60, 500)
    special = [0.0, 1e-30, 2.0**-53, 2.0**-24, 1.0, 0.41421356, 0.41421357, 3.0, 1e9]
    steps = [2.0**k - 1 for k in range(1, 20)]
    return np.concatenate([spread, rng.uniform(0, 4, 500), special, steps]).astype(
        dtype
    )


@each_dtype
def test_log1p(dtype):
    t = arguments(dtype)
    for low in (np.zeros_like(t), (t * dtype(unit(dtype) * 0.8)).astype(dtype)):
        hi, lo = logarithms(t, low)
        worst, of_large, rounded = 0.0, 0.0, 0.0
        for k in range(t.size):
            true = mpmath.log1p(exact_sum(t[k], low[k]))
            if true == 0:
                assert hi[k] == lo[k] == 0
                continue
            both = exact_sum(hi[k], lo[k])
            error = float(abs(both - true) / true)
            worst = max(worst, error)
            of_large = max(of_large, error) if t[k] > 1e-3 else of_large
            rounded = max(rounded, float(abs(exact(hi[k]) - true) / true))
        # The low part adds digits, except where t is about as small as the unit.
        assert worst < 1.2 * unit(dtype)
        assert of_large < 0.5 * unit(dtype)
        assert rounded < 1.6 * unit(dtype)


@each_dtype
def test_log1p_of_no_number(dtype):
    t = np.array([np.nan] * 16, dtype)
    hi, lo = logarithms(t, np.zeros_like(t))
    assert np.isnan(hi + lo).all()


@Formula
def quotients(a, a_lo, b, b_lo):
    return log1p_quotient(DoubleDouble(a, a_lo), DoubleDouble(b, b_lo))


def test_log1p_quotient():
    rng = np.random.default_rng(3)
    a = 2.0 ** rng.uniform(-200, 40, 800)
    b = rng.uniform(0.7, 1.5, 800)
    a_lo, b_lo = (x * 2.0**-54 * rng.uniform(-1, 1, 800) for x in (a, b))
    hi, lo = quotients(a, a_lo, b, b_lo)
    worst = 0.0
    for k in range(a.size):
        quotient = exact_sum(a[k], a_lo[k]) / exact_sum(b[k], b_lo[k])
        true = mpmath.log1p(quotient)
        worst = max(worst, float(abs(exact_sum(hi[k], lo[k]) - true) / true))
    assert worst < 1.2 * 2.0**-53
