"""The formulas of one slice, for vectors of any number of lanes: one lane, one slice.

A row is a vector of one lane; columns fill the lanes of a vector.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.accumulator import round_sum, round_total, subtract_term
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add,
    dd_mul_float,
    dd_mul_rounded,
    two_sum,
)
from softmax_lib._kernels.exponential import (
    TERM_SCALE,
    choose_shift,
    scaled_exp_with_error,
    term_params,
)
from softmax_lib._kernels.logarithm import log1p_quotient

# Shares are this much too large before the last multiplication: the low part of the
# quotient times a term would otherwise be subnormal for the smallest shares. Slices
# whose terms are all at least 2 do without: such terms have the highest bit of the
# exponent.
SHARE_SCALE = v.constant(2.0**32, 2.0**64)
TOP_EXPONENT_BIT = v.constant(1 << 30, 1 << 62)


# The term of the maximum, in units of 1: hi + lo in the total, and the rest.
MaxTerm = namedtuple("MaxTerm", ["hi", "lo", "rest"])


# What turns the terms of a slice into shares: (term * hi + term * lo) * down, but the
# share of the maximum is given. Without a scale to take off, down is None.
ShareScale = namedtuple("ShareScale", ["hi", "lo", "max_term", "max_share", "down"])

# What is subtracted from the scores of a slice: their maximum, then the logarithm.
LogOffset = namedtuple("LogOffset", ["top", "log"])


@inlined
def finite_max(extreme):
    """Return the maxima, 0 where they are not finite, and where they are finite."""
    finite = v.fabs(extreme) < math.inf
    return v.select(finite, extreme, 0.0), finite


@inlined
def slice_params(top):
    """Return the parameters of the terms of a slice with a maximum of top."""
    return term_params(top, choose_shift(top))


@inlined
def max_term(top, params):
    """Return the term of the maximum."""
    power, part, error = scaled_exp_with_error(top, params)
    scale = 1.0 / TERM_SCALE(top)
    hi, lo = two_sum(v.to_float64(power) * scale, v.to_float64(part) * scale)
    return MaxTerm(hi, lo, v.to_float64(error) * scale)


@inlined
def total_without_max(top, total, largest, n):
    """Return the rounded total without the maximum, and where it is uncertain."""
    return round_total(top, subtract_term(total, largest), n)


@inlined
def others_of(top, below, largest, ties):
    """Return the same from the exact total below the maximum, and the count of that."""
    others = dd_add(below, dd_mul_float(largest, ties - 1.0))
    return round_sum(top, others.hi, others.lo)[0]


@inlined
def total_of(top, below, largest, ties):
    """Return the rounded total, from the same."""
    total = dd_add(below, dd_mul_float(largest, ties))
    return round_sum(top, total.hi, total.lo)[0]


@inlined
def log_total(others, largest):
    """Return log(sum_j exp(x_j - top)) in two parts.

    The maximum's term is 1 in this sum, so the logarithm is log1p of the sum of the
    others, and keeps its digits even where that sum is 1e-30.
    """
    return log1p_quotient(others, DoubleDouble(largest.hi, largest.lo + largest.rest))


@inlined
def share_scale(top, finite, largest, q, r, unit):
    """Return what turns terms into shares, for terms times q * unit.

    The unit is a power of two, and r is 1 / total. The total includes the rounding
    errors of its terms. The stored terms do not, and for the largest one that would be
    visible: 1 / 1 would not be 1. So the share of the maximum, and of its equals, is
    the quotient of the corrected numbers. The rest of the maximum's term, which the
    total lacks too, is added to the total of the others: beside a sure winner it is
    nearly all of that.
    """
    hi = v.to_dtype_of(top, q.hi)
    rounding = q.hi - v.to_float64(hi)
    lo = v.to_dtype_of(top, rounding + (q.lo - q.hi * (r * largest.rest)))
    scale = v.splat(top, SHARE_SCALE(top) / TERM_SCALE(top))
    lift = v.select(finite, scale, math.nan)
    max_share = v.to_dtype_of(top, dd_mul_rounded(largest, q) * unit)
    return ShareScale(
        hi * lift,
        lo * lift,
        v.to_dtype_of(top, largest.hi) * TERM_SCALE(top),
        v.select(finite, max_share, math.nan),
        v.to_dtype_of(top, unit * (1.0 / SHARE_SCALE(top))),
    )


@inlined
def without_down(scale):
    """Return the same scale, for terms of which none is small."""
    hi, lo = scale.hi * scale.down, scale.lo * scale.down
    return ShareScale(hi, lo, scale.max_term, scale.max_share, None)


@inlined
def share(term, scale):
    """Return term / total, rounded once; that of the maximum is given."""
    value = v.fma(term, scale.hi, term * scale.lo)
    return v.select(term == scale.max_term, scale.max_share, _times(value, scale.down))


@inlined
def _times(value, factor):
    if factor is None:
        return value
    return value * factor


@inlined
def minus_log_total(score, offset):
    """Return (score - top) - log."""
    return (score - offset.top) - offset.log
