"""Error bounds of the kernels' polynomials, proved in interval arithmetic."""

import math

import mpmath
import numpy as np
import pytest
from formulas import DTYPES

from benchmarks import certificate
from softmax_lib._kernels import exponential

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
# Of the coefficients as they are, in the dtype.
EXPONENTIAL = {np.float32: -28.25, np.float64: -57.90}
LOGARITHM = {np.float32: -35.50, np.float64: -59.49}
LARGEST_R = 0.3468


def agree(bounds, exponent):
    """Fail unless 2^exponent is proved, and what is found is nearly as large."""
    assert math.log2(bounds.proved) <= exponent
    assert 0.998 * bounds.proved <= bounds.found <= bounds.proved


@each_dtype
def test_exponential(dtype):
    agree(certificate.exponential_error(dtype), EXPONENTIAL[dtype])


@each_dtype
def test_logarithm(dtype):
    agree(certificate.logarithm_error(dtype), LOGARITHM[dtype])


@each_dtype
def test_reduced_argument(dtype):
    r, n = certificate.reduced_argument(dtype)
    assert math.log(2) / 2 < r <= LARGEST_R
    assert n < {np.float32: 2**10, np.float64: 2**12}[dtype]


@each_dtype
def test_a_bound_is_what_points_have(dtype):
    own = certificate.polynomial(exponential, "EXPM1_POLY", dtype)
    worst = 0.0
    for r in np.linspace(-LARGEST_R, LARGEST_R, 801):
        r = mpmath.mpf(float(r))
        sum_ = 1 + r + mpmath.fsum(c * r ** (k + 2) for k, c in enumerate(own))
        worst = max(worst, float(abs(sum_ / mpmath.exp(r) - 1)))
    assert certificate.exponential_error(dtype).proved == pytest.approx(
        worst, rel=0.001
    )


@each_dtype
@pytest.mark.parametrize("place", range(3))
def test_a_wrong_coefficient_is_noticed(dtype, place, monkeypatch):
    own = certificate.polynomial(exponential, "EXPM1_POLY", dtype)
    own[place] *= 1 + 2**9 * float(np.finfo(dtype).eps)
    monkeypatch.setattr(certificate, "polynomial", lambda *_: own)
    assert math.log2(certificate.exponential_error(dtype).found) > EXPONENTIAL[dtype]
