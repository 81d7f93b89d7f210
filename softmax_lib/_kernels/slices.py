"""The formulas of one slice, for vectors of any number of lanes: one lane, one slice.

A row is a vector of one lane; columns fill the lanes of a vector.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.accumulator import (
    Total,
    as_one_pair,
    round_sum,
    round_total,
    total_bound,
)
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add,
    dd_mul,
    dd_mul_float,
    dd_reciprocal,
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


# A vector of slices: n numbers each, `stride` apart, in `count` lanes.
Slices = namedtuple("Slices", ["start", "n", "stride", "count"])

# The term of the maximum, in units of 1: hi + lo in the total, and the rest.
MaxTerm = namedtuple("MaxTerm", ["hi", "lo", "rest"])


# A total, and the share of the maximum in it.
RoundedTotal = namedtuple("RoundedTotal", ["hi", "lo", "max_share"])

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
def others_of(top, below, largest, ties):
    """Return the rounded total without the maximum, from the exact one below it.

    `ties` scores are equal to the maximum.
    """
    others = dd_add(below, dd_mul_float(largest, ties - 1.0))
    return as_one_pair(top, round_sum(top, others.hi, others.lo)[0])


@inlined
def total_and_share(top, total, largest, n):
    """Return the rounded total, with the share of the maximum, and where uncertain."""
    rounded, uncertain = round_total(top, total, n)
    share, least = max_shares(top, rounded, total, largest, n)
    uncertain = v.select(uncertain, 1.0 + 0.0 * share, share - least) > 0.0
    return RoundedTotal(rounded.hi, rounded.lo, share), uncertain


@inlined
def total_and_share_of(top, below, largest, ties):
    """Return the same from the exact total below the maximum; see `others_of`."""
    hi, lo = dd_add(below, dd_mul_float(largest, ties))
    rounded = as_one_pair(top, round_sum(top, hi, lo)[0])
    share, _ = max_shares(top, rounded, Total(hi, lo, 0.0 * hi), largest, 0)
    return RoundedTotal(rounded.hi, rounded.lo, share)


@inlined
def max_shares(top, rounded, total, largest, n):
    """Return the most and the least that the share of the maximum may be, rounded.

    It is computed from the total as it was: n equal scores have shares of 1 / n.
    """
    r = dd_reciprocal(rounded)
    hi, lo = dd_mul(largest, r)
    rest = (total.hi - rounded.hi) + (total.lo - rounded.lo)
    lo = lo - hi * (rest * r.hi)
    spread = hi * (total_bound(total, n) * r.hi)
    most, least = hi + (lo + spread), hi + (lo - spread)
    return v.to_dtype_of(top, most), v.to_dtype_of(top, least)


@inlined
def log_total(others, largest):
    """Return log(sum_j exp(x_j - top)) in two parts.

    The maximum's term is 1 in this sum, so the logarithm is log1p of the sum of the
    others, and keeps its digits even where that sum is 1e-30.
    """
    return log1p_quotient(others, DoubleDouble(largest.hi, largest.lo + largest.rest))


@inlined
def share_scale(top, finite, largest, max_share, q, r, unit):
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
