"""Sums of terms that lose nothing: running totals, and what they dropped.

A total is two float64 lanes, (high, lost): the sum of the terms as far as it was
rounded, and what that rounding dropped.
"""

from softmax_lib._jit import formula
from softmax_lib._kernels.exponential import UNIT
from softmax_lib._kernels.lanes import (
    constant,
    exact_fma,
    exact_sum_of,
    filled,
    single,
    sum_of,
    widen,
)
from softmax_lib._kernels.logarithm import log1p
from softmax_lib._kernels.sums import two_sum

# Where the winner has more than all but this of the total, its own rounding drowns
# the others: they are then summed again without it.
SURE = constant(2.0**-14, 2.0**-41)


@formula
def empty_sum(x):
    """Return (total, lost) of no terms, in lanes of the type of x.

    The total starts at 2 units, and not at 0, so that it is larger than any term
    (at most sqrt(2) units): that makes the short TwoSum of Dekker exact.
    """
    return filled(x, 2.0 * UNIT(x)), filled(x, 0.0)


@formula
def added(running, power, more):
    """Return the running sum with a term in two parts added, lane by lane.

    That the total is larger makes power - (s - total) exact, with what the sum of
    the parts and the sum with the total dropped: one rounding stands for both.
    """
    total, lost = running
    s = total + (power + more)
    return s, lost + ((power - (s - total)) + more)


@formula
def by_lane(running):
    """Return a running sum as a total of each lane, in units of 1."""
    total, lost = running
    scale = 1.0 / UNIT(total)
    return widen(total - 2.0 * UNIT(total)) * scale, widen(lost) * scale


@formula
def across(running):
    """Return a running sum as one total of all lanes, in units of 1."""
    high, lost = by_lane(running)
    s, error = exact_sum_of(high, running[0])
    return single(s), single(sum_of(lost) + error)


@formula
def joined(one, other):
    """Return the sum of two totals."""
    high, error = two_sum(one[0], other[0])
    return high, one[1] + other[1] + error


@formula
def reciprocal(total):
    """Return 1 / total in two parts."""
    high, lost = total
    s = high + lost
    left = lost - (s - high)
    r = 1.0 / s
    return r, 0.0 - r * (exact_fma(r, s, -1.0) + r * left)


@formula
def product(a, a_low, b, b_low):
    """Return (a + a_low) * (b + b_low), rounded."""
    high = a * b
    return high + (exact_fma(a, b, 0.0 - high) + (a * b_low + a_low * b))


@formula
def without(total, own, own_low):
    """Return a total less one of its terms, which is own + own_low."""
    high, error = two_sum(total[0], 0.0 - own)
    return high, error + (total[1] - own_low)


@formula
def log_of_quotient(others, own, own_low):
    """Return log(1 + others / (own + own_low)) in two parts, others being a total."""
    high, rest = others
    r = 1.0 / own
    r_low = 0.0 - r * (exact_fma(r, own, -1.0) + r * own_low)
    q = high * r
    q_low = exact_fma(high, r, 0.0 - q) + high * r_low + rest * r
    s = q + q_low
    return log1p(s, q_low - (s - q))
