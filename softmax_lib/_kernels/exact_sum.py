"""Sums of terms without any rounding, in any order: on a grid of fixed points.

A term is cut into a multiple of 2^-44 and one of 2^-90, in units of the largest term.
The MAX_LANE_TERMS terms of a lane, and one more, are less than 2^9, and in multiples
of 2^-44 that takes 53 bits; their rests are less than 2^-36, in multiples of 2^-89. So
float64 adds them exactly, and the order does not matter.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add,
    dd_add_float,
    dd_zeros,
    one_lane_dd,
    two_sum,
)
from softmax_lib._kernels.exponential import TERM_SCALE, scaled_exp

# Added and subtracted again, these round a term, which is TERM_SCALE times too large,
# to a multiple of 2^-44, or of 2^-90.
COARSE = v.constant(1.5 * 2.0 ** (52 - 44 + 64), 1.5 * 2.0 ** (52 - 44 + 512))
FINE = v.constant(1.5 * 2.0 ** (52 - 90 + 64), 1.5 * 2.0 ** (52 - 90 + 512))

# The sum of the two parts of a term has 53 bits in float32: others are cut off as well.
KEEPS_ALL = v.constant(0.0, 1.0)

# What the grid cuts off a term, in units of the largest, is less than this.
CUT_OFF = 2.0**-90


# The multiples of both grids that were added up in lanes.
GridSum = namedtuple("GridSum", ["coarse", "fine"])

# The same, from any number of terms. Both parts are exact.
ExactSum = namedtuple("ExactSum", ["coarse", "fine"])


@inlined
def keep_below(scores, top):
    """Return the scores that are less than top, and -inf in the place of others."""
    return v.select(scores < top, scores, -math.inf)


@inlined
def below(scores, limit):
    """Return the scores, but -inf for those that are not below any limit."""
    if limit is not None:
        return keep_below(scores, limit)
    return scores


@inlined
def count_ties(scores, top):
    """Return 1 where a score is equal to top, else 0."""
    return v.select(scores == top, v.splat(scores, 1.0), 0.0)


@inlined
def zero_grid_sum(x):
    """Return the sum of no terms, lane by lane."""
    zeros, _ = dd_zeros(x)
    return GridSum(zeros, zeros)


@inlined
def add_to_grid(running, scores, params):
    """Add the terms of scores, lane by lane; that of -inf is cut to 0."""
    power, part = scaled_exp(scores, params)
    high, low = v.to_float64(power), v.to_float64(part)
    term = high + low
    coarse = (term + COARSE(power)) - COARSE(power)
    rest = term - coarse
    if KEEPS_ALL(power) > 0.0:
        rest = rest + (low - (term - high))
    fine = (rest + FINE(power)) - FINE(power)
    return GridSum(running.coarse + coarse, running.fine + fine)


@inlined
def zero_exact_sum():
    """Return the exact sum of no terms, in one lane."""
    return ExactSum(one_lane_dd(0.0, 0.0), one_lane_dd(0.0, 0.0))


@inlined
def zero_exact_sums(x):
    """Return the exact sum of no terms in each lane."""
    return ExactSum(dd_zeros(x), dd_zeros(x))


@inlined
def add_lanes(total, running):
    """Add all lanes of a sum to a total in one lane."""
    coarse = v.reduce_sum_compensated(running.coarse, running.coarse)
    fine = v.reduce_sum_compensated(running.fine, running.fine)
    return ExactSum(
        dd_add(total.coarse, one_lane_dd(coarse[0], coarse[1])),
        dd_add(total.fine, one_lane_dd(fine[0], fine[1])),
    )


@inlined
def add_by_lane(total, running):
    """Add a sum to a total, lane by lane."""
    coarse = dd_add_float(total.coarse, running.coarse)
    return ExactSum(coarse, dd_add_float(total.fine, running.fine))


@inlined
def exact_total(x, total):
    """Return an exact sum in units of the largest term, for terms of the dtype of x."""
    coarse = two_sum(total.coarse.hi, total.coarse.lo)
    fine = two_sum(total.fine.hi, total.fine.lo)
    hi, error = two_sum(coarse.hi, fine.hi)
    scale = 1.0 / TERM_SCALE(x)
    return DoubleDouble(hi * scale, (error + (coarse.lo + fine.lo)) * scale)
