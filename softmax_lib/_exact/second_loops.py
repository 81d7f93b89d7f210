"""The second path, slice by slice: rows of float64, 8 numbers at a time.

Results that are still not certain become NaN. All bits of the others follow from the
mathematics, whatever the order of the sums.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._exact import second as p
from softmax_lib._exact.rounding import signed_sticky_sum
from softmax_lib._jit import inlined
from softmax_lib._kernels import pairs
from softmax_lib._kernels.pairs import Pair, power_of_two, two_sum

# float64 in a vector.
LANES = 8
SCRATCH_BYTES = 16 * LANES

# The largest score of a row; how many entries equal it; the terms of the others, times
# SCALE; the bound for what is computed from them.
Total = namedtuple("Total", ["top", "winners", "others", "error"])


@inlined
def load(scores, i, count):
    """Load a vector of scores, or its first count; the others are -inf."""
    if count == LANES:
        return v.load(scores, i)
    return v.load_head(scores, i, count, -math.inf)


@inlined
def sum_lanes(scratch, total):
    """Return the sum of the lanes of a pair."""
    v.store(scratch, 0, total.hi)
    v.store(scratch, LANES, total.lo)
    result = Pair(v.load_scalar(scratch, 0), v.load_scalar(scratch, LANES))
    for k in range(1, LANES):
        lane = Pair(v.load_scalar(scratch, k), v.load_scalar(scratch, LANES + k))
        result = pairs.add(result, lane)
    return Pair(v.splat(scratch, result.hi), v.splat(scratch, result.lo))


@inlined
def row_total(scores, start, n, scratch):
    """Return the total of a row; its terms are NaN where the row is not finite."""
    top = v.splat(scores, -math.inf)
    for i in range(0, n, LANES):
        top = v.maximum(load(scores, start + i, min(LANES, n - i)), top)
    top = v.splat(scores, v.reduce_max(top))
    zeros = v.splat(scores, 0.0)
    others, winners = Pair(zeros, zeros), zeros
    for i in range(0, n, LANES):
        x = load(scores, start + i, min(LANES, n - i))
        e = pairs.exponential(p.gap(x, top))
        term = pairs.scale(pairs.one_plus(e.g), power_of_two(e.n + 512.0))
        winner = x == top
        winners = winners + v.select(winner, 1.0, zeros)
        left_out = v.select(winner, 1.0, v.select(x == -math.inf, 1.0, zeros)) > 0.0
        hi, lo = v.select(left_out, 0.0, term.hi), v.select(left_out, 0.0, term.lo)
        others = pairs.add(others, Pair(hi, lo))
    # Infinite scores, one or all, leave no trace in the sum.
    lost = v.select(v.fabs(top) == math.inf, math.nan, zeros)
    others = sum_lanes(scratch, others)
    error = p.ERROR + 4.0 * pairs.PAIR_UNIT * float(n)
    winners = v.splat(scores, v.reduce_sum(winners))
    return Total(top, winners, Pair(others.hi + lost, others.lo), error)


@inlined
def denominator(total):
    """Return the sum of the terms, relative to the largest, as a pair."""
    others = pairs.scale(total.others, 1.0 / p.SCALE)
    s = two_sum(total.winners, others.hi)
    return pairs.quick_two_sum(s.hi, s.lo + others.lo)


@inlined
def scaled_log(total):
    """Return SCALE L for L = log(winners + others), as a pair."""
    others = pairs.scale(total.others, 1.0 / p.SCALE)
    s = two_sum(total.winners - 1.0, others.hi)
    log = p.log_one_plus(pairs.quick_two_sum(s.hi, s.lo + others.lo))
    # Log(1 + t) is t here.
    tiny = s.hi < 2.0**-300
    scaled = pairs.scale(log, p.SCALE)
    hi = v.select(tiny, total.others.hi, scaled.hi)
    return Pair(hi, v.select(tiny, total.others.lo, scaled.lo))


@inlined
def decided(low, high):
    """Return the result that both bounds round to, NaN where they differ."""
    return v.select(low == high, low, math.nan)


def share_of(finish):
    """Return the share of a term 2^n a in a total b."""

    @inlined
    def share(results, a, b, n, error):
        q = pairs.divide(a, b)
        slack = error * q.hi
        low = finish(results, q.hi, q.lo - slack, n)
        return decided(low, finish(results, q.hi, q.lo + slack, n))

    return share


def log_share_of(finish):
    """Return minus (top - x) + L, for SCALE L as a pair.

    Three cases. Of the largest score, where top - x is 0, L may be subnormal, and is
    rounded from its scaled form. A large L is added as a pair. Beside an L below 2^-60
    of it, top - x may be a midpoint or next to one, so L is added with its side
    preserved. There L may count as 2^-1000 where it is less: top - x exceeds 690 then,
    and differs from any midpoint by 2^-100 at least, or not at all.
    """

    @inlined
    def log_share(results, top, x, log, error):
        d = two_sum(top, 0.0 - x)
        infinite = d.hi == math.inf
        d = Pair(v.select(infinite, 1.0, d.hi), v.select(infinite, 0.0, d.lo))
        zeros = 0.0 * d.hi
        slack = error * log.hi + v.select(log.hi == 0.0, 0.0, zeros + p.SLACK)
        winner_low = finish(results, log.hi, log.lo - slack, zeros - 512.0)
        winner_high = finish(results, log.hi, log.lo + slack, zeros - 512.0)
        plain = pairs.scale(log, 1.0 / p.SCALE)
        s = two_sum(d.hi, plain.hi)
        rest, slack = s.lo + (d.lo + plain.lo), error * s.hi
        low = finish(results, s.hi, rest - slack, zeros)
        high = finish(results, s.hi, rest + slack, zeros)
        beside = plain.hi < 2.0**-60 * d.hi
        below = v.maximum(2.0**-1000, plain.hi * (1.0 - 2.0**-50))
        above = plain.hi * (1.0 + 2.0**-50) + 2.0**-1000
        beside_low = finish(results, d.hi, signed_sticky_sum(d.lo, below), zeros)
        beside_high = finish(results, d.hi, signed_sticky_sum(d.lo, above), zeros)
        low, high = (
            v.select(beside, beside_low, low),
            v.select(beside, beside_high, high),
        )
        winner = x == top
        value = v.select(winner, decided(winner_low, winner_high), decided(low, high))
        value = -1.0 * v.select(infinite, math.inf, value)
        # An exact 0 is +0; what rounds to 0 is negative.
        value = v.select(winner, v.select(log.hi == 0.0, 0.0, value), value)
        return v.select(log.hi == log.hi, value, math.nan)

    return log_share


def log_sum_of(finish):
    """Return top + L, for SCALE L as a pair."""

    @inlined
    def log_sum(results, top, log, error):
        zeros = 0.0 * log.hi
        exact = log.hi == 0.0
        slack = error * log.hi + v.select(exact, 0.0, zeros + p.SLACK)
        low = finish(results, log.hi, log.lo - slack, zeros - 512.0)
        high = finish(results, log.hi, log.lo + slack, zeros - 512.0)
        of_log = decided(low, high)
        plain = pairs.scale(log, 1.0 / p.SCALE)
        s = two_sum(top, plain.hi)
        rest = s.lo + plain.lo
        sign = v.select(s.hi < 0.0, -1.0, zeros + 1.0)
        size, rest = sign * s.hi, sign * rest
        # L is rounded to multiples of the least float64.
        slack = error * (size + plain.hi) + v.select(exact, 0.0, zeros + 2.0**-1070)
        low = finish(results, size, rest - slack, zeros)
        high = finish(results, size, rest + slack, zeros)
        value = decided(low, high)
        value = v.select(s.hi < 0.0, -1.0 * value, value)
        # Where terms cancel, the sign may not be certain.
        certain = v.select(size + (rest - slack) > 0.0, 1.0, zeros)
        value = v.select(v.select(exact, 1.0, certain) > 0.0, value, math.nan)
        value = v.select(top == 0.0, of_log, value)
        return v.select(log.hi == log.hi, value, math.nan)

    return log_sum
