"""Numbers in two parts: a rounded value, and what rounding took from it.

The parts are float64 vectors of any length; a plain pair of numbers is made of vectors
of one lane.
"""

from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined

# The number hi + lo, with lo far below hi.
DoubleDouble = namedtuple("DoubleDouble", ["hi", "lo"])


@inlined
def two_sum(a, b):
    """Return fl(a + b) and the error, which together are a + b exactly.

    Knuth, The Art of Computer Programming 2, section 4.2.2.
    """
    s = a + b
    t = s - a
    return DoubleDouble(s, (a - (s - t)) + (b - t))


@inlined
def dd_add(a, b):
    """Return a + b."""
    hi, error = two_sum(a.hi, b.hi)
    return DoubleDouble(hi, a.lo + b.lo + error)


@inlined
def dd_add_float(a, b):
    """Return a + b for a plain b."""
    hi, error = two_sum(a.hi, b)
    return DoubleDouble(hi, a.lo + error)


@inlined
def dd_add_product(total, a, b):
    """Return total + a * b for plain a and b; 0 * inf is 0."""
    product = v.select(a == 0.0, 0.0, a * b)
    product_error = v.select(a == 0.0, 0.0, v.exact_fma(a, b, 0.0 - product))
    hi, error = two_sum(total.hi, product)
    return DoubleDouble(hi, total.lo + (error + product_error))


@inlined
def dd_mul(a, b):
    """Return a * b."""
    hi = a.hi * b.hi
    error = v.exact_fma(a.hi, b.hi, 0.0 - hi)
    return DoubleDouble(hi, error + (a.hi * b.lo + a.lo * b.hi))


@inlined
def dd_mul_rounded(a, b):
    """Return a * b as one number."""
    product = dd_mul(a, b)
    return product.hi + product.lo


@inlined
def dd_mul_float(a, b):
    """Return a * b for a plain b."""
    hi = a.hi * b
    return DoubleDouble(hi, v.exact_fma(a.hi, b, 0.0 - hi) + a.lo * b)


@inlined
def dd_scale(a, power):
    """Return a times a power of two, or divided by one, exactly."""
    return DoubleDouble(a.hi * power, a.lo * power)


@inlined
def dd_reciprocal(a):
    """Return 1 / a."""
    s = a.hi + a.lo
    left = a.lo - (s - a.hi)
    r = 1.0 / s
    return DoubleDouble(r, 0.0 - r * (v.exact_fma(r, s, -1.0) + r * left))


@inlined
def dd_subtract_term(total, term):
    """Return total - term, where term is one of the terms of the total."""
    hi, error = two_sum(total.hi, 0.0 - term.hi)
    return DoubleDouble(hi, error + (total.lo - term.lo))


@inlined
def dd_select(mask, a, b):
    """Return a where mask holds, else b."""
    return DoubleDouble(v.select(mask, a.hi, b.hi), v.select(mask, a.lo, b.lo))


@inlined
def one_lane_dd(hi, lo):
    """Return two plain numbers as vectors of one lane."""
    return DoubleDouble(v.one_lane(hi), v.one_lane(lo))


@inlined
def dd_zeros(x):
    """Return 0 in each lane of a vector of the dtype of x."""
    zeros = v.to_float64(v.splat(x, 0.0))
    return DoubleDouble(zeros, zeros)


@inlined
def dd_reduce(a):
    """Return the sum of all lanes, as two plain numbers."""
    hi, error = v.reduce_sum_compensated(a.hi, a.hi)
    lo = error + v.reduce_sum(a.lo)
    # An infinite sum has NaN for its error.
    return hi, lo if lo == lo else 0.0
