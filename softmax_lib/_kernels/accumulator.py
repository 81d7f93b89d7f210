"""Sums of terms: running sums in lanes, and the totals that come of them.

A running sum has the dtype of the scores. A total is float64: a `DoubleDouble` and a
bound on its error.
"""

from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_subtract_term,
    dd_zeros,
    two_sum,
)
from softmax_lib._kernels.exact_sum import CUT_OFF
from softmax_lib._kernels.exponential import TERM_SCALE, power_of_two

# After so many terms the error of a lane is folded into its total.
FOLD_INTERVAL = 8

# With u = 2^-24 (2^-53), an error is at most 1.59 u times the total of its lane, s: u
# times s, and u times the term. It is rounded once, by 1.59 u^2 s. The sum of the
# errors, at most u s after a fold, is rounded by u of itself at each addition. For m
# terms up to the next fold that makes (0.8 m + 3.4) m u^2 s.
SUM_ERROR = v.constant(0.81 * 2.0**-48, 0.81 * 2.0**-106)

# A total is rounded to a multiple of 2^-26 of its power of two in float32. In float64
# it is one of 2^-45, and another of 2^-60 for the rest. Added and subtracted again,
# these numbers times the power round to such multiples.
ROUND_HIGH = v.constant(1.5 * 2.0 ** (52 - 26), 1.5 * 2.0 ** (52 - 45))
ROUND_LOW = v.constant(0.0, 1.5 * 2.0 ** (52 - 60))

# Half of these multiples, and a 24th of them, which is added before rounding. Sums of
# few terms are short binary fractions, and often lie halfway between two multiples,
# where the least error decides; shifted by such a step they do not.
HALF_HIGH = v.constant(2.0**-27, 2.0**-46)
HALF_LOW = v.constant(0.0, 2.0**-61)
STEP_HIGH = v.constant(2.0**-26 / 24, 2.0**-45 / 24)
STEP_LOW = v.constant(0.0, 2.0**-60 / 24)


# A term that was clamped is exp(-CUTOFF) too large at most, less than this.
CLAMPED_TERM = v.constant(2.0**-187, 0.0)


# A sum in progress, lane by lane, and what rounding took from it.
RunningSum = namedtuple("RunningSum", ["total", "error"])

# The number hi + lo, which is wrong by less than the bound.
Total = namedtuple("Total", ["hi", "lo", "bound"])


@inlined
def zero_sum(unit):
    """Return the running sum of no terms, each of which is at most sqrt(2) units.

    The total starts at 1 unit, and not at 0, so that its exponent is at least that of
    any term: that makes the short TwoSum of Dekker exact.
    """
    return RunningSum(unit, 0.0 * unit)


@inlined
def accumulate(running, power, part):
    """Add a term in two parts, lane by lane.

    Since the total is not smaller, power - (s - total) is exact. One error covers both
    roundings: that of the sum of the parts, and that of their sum with the total.
    """
    s = running.total + (power + part)
    return RunningSum(s, running.error + ((power - (s - running.total)) + part))


@inlined
def fold(running):
    """Add the error to the total, and keep what that rounds (Dekker's TwoSum)."""
    s = running.total + running.error
    return RunningSum(s, running.error - (s - running.total))


@inlined
def lane_totals(running, unit, count):
    """Return the total of each lane, in units of 1: of up to `count` terms."""
    scale = 1.0 / TERM_SCALE(unit)
    hi = v.to_float64(running.total - unit) * scale
    lo = v.to_float64(running.error) * scale
    size = v.to_float64(running.total) * scale
    weight = (min(count, FOLD_INTERVAL) + 5) * (count + 1)
    return Total(hi, lo, SUM_ERROR(unit) * weight * size)


@inlined
def reduce_total(running, unit, count):
    """Return the total of all lanes, of up to `count` terms each."""
    lanes = lane_totals(running, unit, count)
    s, error = v.reduce_sum_compensated(lanes.hi, unit)
    lo, bound = v.reduce_sum(lanes.lo) + error, v.reduce_sum(lanes.bound)
    return Total(v.one_lane(s), v.one_lane(lo), v.one_lane(bound))


@inlined
def zero_total():
    """Return the total of no terms."""
    return Total(v.one_lane(0.0), v.one_lane(0.0), v.one_lane(0.0))


@inlined
def zero_totals(x):
    """Return the total of no terms in each lane of a vector of the dtype of x."""
    zeros, _ = dd_zeros(x)
    return Total(zeros, zeros, zeros)


@inlined
def add_totals(a, b):
    """Return a + b."""
    hi, error = two_sum(a.hi, b.hi)
    lo = a.lo + b.lo + error
    return Total(hi, lo, a.bound + b.bound + 2.0**-52 * v.fabs(lo))


@inlined
def scale_total(total, power):
    """Return a total times a power of two."""
    return Total(total.hi * power, total.lo * power, total.bound * power)


@inlined
def subtract_term(total, term):
    """Return total - term, where term is one of the terms of the total."""
    hi, lo = dd_subtract_term(total, term)
    return Total(hi, lo, total.bound + 2.0**-52 * v.fabs(lo))


@inlined
def select_total(mask, a, b):
    """Return a where mask holds, else b."""
    hi, lo = v.select(mask, a.hi, b.hi), v.select(mask, a.lo, b.lo)
    return Total(hi, lo, v.select(mask, a.bound, b.bound))


@inlined
def unit_above(x, most):
    """Return a unit, of the dtype of x, for terms of which none is above `most`."""
    return 2.0 * power_of_two(v.to_dtype_of(x, most)) * TERM_SCALE(x)


@inlined
def with_clamped(x, total, n):
    """Return a total with a bound that covers n terms of scores that were clamped."""
    return Total(total.hi, total.lo, total.bound + n * CLAMPED_TERM(x))


@inlined
def round_total(x, total, n):
    """Return a total of n terms rounded to fewer bits, and where they are uncertain.

    Where they are not, a sum of the same terms in any other order is rounded to the
    same bits, and an exact one too, although its grid cuts something off.
    """
    rounded, rest, power = round_sum(x, total.hi, total.lo)
    bound = total_bound(total, n)
    # Below the power of two multiples are half as far apart.
    closer = (total.hi + total.lo) - bound < power
    half = HALF_HIGH(x) * v.select(closer, 0.5 * power, power)
    excess = v.fabs(rest + STEP_HIGH(x) * power) - half
    if ROUND_LOW(x) > 0.0:
        rest = (rest - rounded.lo) + STEP_LOW(x) * power
        excess = v.maximum(excess, v.fabs(rest) - HALF_LOW(x) * power)
    return as_one_pair(x, rounded), excess + bound >= 0.0


@inlined
def as_one_pair(x, rounded):
    """Return the pair of parts that a rounded sum always has.

    Where it lies between two multiples of the coarse grid, either may be its high part.
    """
    if ROUND_LOW(x) > 0.0:
        s = rounded.hi + rounded.lo
        return DoubleDouble(s, rounded.lo - (s - rounded.hi))
    return rounded


@inlined
def total_bound(total, n):
    """Return how far a total of n terms may be from any other sum of them."""
    return total.bound + n * CUT_OFF * (total.hi + total.lo)


@inlined
def round_sum(x, hi, lo):
    """Return hi + lo rounded to the bits of a total, the rest of its high part, 2^e."""
    s = hi + lo
    power = power_of_two(s)
    magic = ROUND_HIGH(x) * power
    high = ((s + STEP_HIGH(x) * power) + magic) - magic
    rest = (hi - high) + lo
    low = v.splat(rest, 0.0)
    if ROUND_LOW(x) > 0.0:
        magic = ROUND_LOW(x) * power_of_two(high)
        low = ((rest + STEP_LOW(x) * power_of_two(high)) + magic) - magic
    return DoubleDouble(high, low), rest, power
