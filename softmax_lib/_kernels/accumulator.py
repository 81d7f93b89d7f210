"""Sums of terms: running sums in lanes, and the totals that come of them.

A running sum has the dtype of the scores. A total is a `DoubleDouble` of float64.
"""

from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.double_double import DoubleDouble, one_lane_dd, two_sum
from softmax_lib._kernels.exponential import TERM_SCALE

# Where the winner has all but this of the total, its rounding hides the sum of the
# others, which is then computed again without it.
CANCELLATION_LIMIT = v.constant(2.0**-14, 2.0**-41)


# A sum in progress, lane by lane, and what rounding took from it.
RunningSum = namedtuple("RunningSum", ["total", "error"])


@inlined
def zero_sum(x):
    """Return the running sum of no terms, in lanes of the dtype of x.

    The total starts at 2 units, and not at 0, so that it is larger than any term
    (at most sqrt(2) units): that makes the short TwoSum of Dekker exact.
    """
    return RunningSum(v.splat(x, 2.0 * TERM_SCALE(x)), v.splat(x, 0.0))


@inlined
def accumulate(running, power, part):
    """Add a term in two parts, lane by lane.

    Since the total is larger, power - (s - total) is exact. One error covers both
    roundings: that of the sum of the parts, and that of their sum with the total.
    """
    s = running.total + (power + part)
    return RunningSum(s, running.error + ((power - (s - running.total)) + part))


@inlined
def lane_totals(running):
    """Return a running sum as a total of each lane, in units of 1."""
    scale = 1.0 / TERM_SCALE(running.total)
    terms = running.total - 2.0 * TERM_SCALE(running.total)
    hi, lo = v.to_float64(terms), v.to_float64(running.error)
    return DoubleDouble(hi * scale, lo * scale)


@inlined
def reduce_total(running):
    """Return a running sum as one total of all lanes, in units of 1."""
    totals = lane_totals(running)
    s, error = v.reduce_sum_compensated(totals.hi, running.total)
    return one_lane_dd(s, v.reduce_sum(totals.lo) + error)


@inlined
def zero_total():
    """Return the total of no terms."""
    return one_lane_dd(0.0, 0.0)


@inlined
def zero_totals(x):
    """Return the total of no terms in each lane of a vector of the dtype of x."""
    zeros = v.to_float64(v.splat(x, 0.0))
    return DoubleDouble(zeros, zeros)


@inlined
def add_to_totals(totals, value):
    """Add a number to a total, lane by lane, and keep the rounding error."""
    hi, error = two_sum(totals.hi, value)
    return DoubleDouble(hi, totals.lo + error)


@inlined
def add_product(totals, a, b):
    """Add a * b to a total, lane by lane, with its rounding error; 0 * inf is 0."""
    product = v.select(a == 0.0, 0.0, a * b)
    product_error = v.select(a == 0.0, 0.0, v.exact_fma(a, b, 0.0 - product))
    hi, error = two_sum(totals.hi, product)
    return DoubleDouble(hi, totals.lo + (error + product_error))


@inlined
def reduce_totals(totals):
    """Return the sum of the totals of all lanes, as two plain numbers."""
    hi, error = v.reduce_sum_compensated(totals.hi, totals.hi)
    lo = error + v.reduce_sum(totals.lo)
    # An infinite sum has NaN for its error.
    return hi, lo if lo == lo else 0.0
