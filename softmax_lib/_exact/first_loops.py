"""The first path, slice by slice: a row along the vectors, or 16 rows as their lanes.

Both are `size` numbers from scores[at] on, and the same loops. With `across` the lanes
are parts of one slice; else each is a slice of its own, copied to a block. Results that
are not certain become NaN, which no certain one is, unless the whole slice is.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._exact import first as f
from softmax_lib._exact.rounding import signed_sticky_sum, sticky_sum
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels.pairs import Pair, two_sum

# float32 in a vector.
LANES = 16

# Longer rows compute their terms twice, and keep none: these stay in the second-level
# cache.
MAX_KEPT = 1 << 16

Kept = namedtuple("Kept", ["terms"])


@inlined
def load(scores, i, count):
    """Load a vector of scores, or its first count; the others are -inf."""
    if count == LANES:
        return v.load(scores, i)
    return v.load_head(scores, i, count, -math.inf)


@inlined
def load_float64(scores, i, count):
    """Load scores as float64."""
    return v.to_float64(load(scores, i, count))


@inlined
def store(results, i, count, value):
    """Store a vector, or its first count numbers."""
    if count == LANES:
        v.store(results, i, value)
    else:
        v.store_head(results, i, count, value)


@inlined
def decided(results, low, high):
    """Return the float32 that both bounds round to, NaN where they differ.

    Also return whether any do. Where the bounds are NaN, there is nothing to decide.
    """
    below, above = v.to_dtype_of(results, low), v.to_dtype_of(results, high)
    return v.select(below == above, below, math.nan), v.any_of(below < above)


@inlined
def distance_bounds(top, x, low, high):
    """Return two numbers between which (top - x) + L lies, for L from low to high.

    Both are on the right side of any midpoint of float32; see `sticky_sum`.
    """
    distance = two_sum(top, 0.0 - x)
    # Where the difference is no float64, it has bits below any midpoint, and what
    # rounding takes from the sum of its low part and L only has to be small.
    below, above = distance.lo + low, distance.lo + high
    below = v.fma(v.fabs(below), -4.0 * f.UNIT, below)
    above = v.fma(v.fabs(above), 4.0 * f.UNIT, above)
    return sticky_sum(distance.hi, below), sticky_sum(distance.hi, above)


@inlined
def slice_top(scores, at, size, across):
    """Return the largest score of each slice, in all its lanes.

    It is arbitrary where there are NaN; then the total of terms is NaN.
    """
    top = v.splat(scores, -math.inf)
    for i in range(0, size, LANES):
        top = v.maximum(load(scores, at + i, min(LANES, size - i)), top)
    if across:
        top = v.splat(top, v.reduce_max(top))
    return v.to_float64(top)


@inlined
def add(total, x):
    """Add a vector to a compensated sum."""
    s = two_sum(total.hi, x)
    return Pair(s.hi, total.lo + s.lo)


@inlined
def sum_of(total, across):
    """Return the sum of each slice as one number, in all its lanes."""
    if across:
        hi, error = v.reduce_sum_compensated(total.hi, total.hi)
        return v.splat(total.hi, hi + (error + v.reduce_sum(total.lo)))
    return total.hi + total.lo


@inlined
def count_lines(size):
    """Return how many vectors there are, as a float."""
    return float((size + LANES - 1) // LANES)


@inlined
def log_total_bounds(scores, at, size, across):
    """Return the largest score, and two numbers between which L lies."""
    top = slice_top(scores, at, size, across)
    params = f.params_of(top)
    zeros = 0.0 * params.magic
    total, winners = Pair(zeros, zeros), zeros
    for i in range(0, size, LANES):
        x = load_float64(scores, at + i, min(LANES, size - i))
        t = f.term(x, params)
        # A NaN is neither: its term counts.
        t = v.select(x == -math.inf, 0.0, t)
        winner = x == top
        total = add(total, v.select(winner, 0.0, t))
        winners = winners + v.select(winner, 1.0, zeros)
    t = sum_of(total, across)
    if across:
        winners = v.splat(winners, v.reduce_sum(winners))
    low, high = f.log_bounds(winners, t, params, top, count_lines(size))
    return top, low, high


def loops(across):
    """Return the loops of softmax, log-softmax and log-sum-exp.

    Each returns whether any result is not certain.
    """

    @outlined
    def softmax(scores, results, kept, at, to, size):
        """Write the shares from results[to] on."""
        v.noinline()
        params = f.params_of(slice_top(scores, at, size, across))
        zeros = 0.0 * params.magic
        total = Pair(zeros, zeros)
        keeps, terms = size <= MAX_KEPT, v.data_pointer(kept)
        for i in range(0, size, LANES):
            # What a vector holds beyond a row adds terms of exp(-600).
            t = f.term(load_float64(scores, at + i, min(LANES, size - i)), params)
            if keeps:
                v.store_fields(terms, i, 0, Kept(t))
            total = add(total, t)
        recip = 1.0 / sum_of(total, across)
        error = f.share_error(count_lines(size))
        uncertain = False
        for i in range(0, size, LANES):
            count = min(LANES, size - i)
            if keeps:
                t = v.load_fields(terms, i, 0, Kept(zeros)).terms
            else:
                t = f.term(load_float64(scores, at + i, count), params)
            low, high = f.share_bounds(t, recip, error)
            share, differs = decided(results, low, high)
            store(results, to + i, count, share)
            uncertain |= differs
        return uncertain

    @outlined
    def log_softmax(scores, results, kept, at, to, size):
        """Write the logarithms of shares from results[to] on."""
        v.noinline()
        top, low, high = log_total_bounds(scores, at, size, across)
        error = f.log_error(count_lines(size)) * 2.0 + 8.0 * f.UNIT
        uncertain = False
        for i in range(0, size, LANES):
            count = min(LANES, size - i)
            # Instead of -inf a number that is -inf in float32.
            x = v.maximum(-1e300, load_float64(scores, at + i, count))
            # Quickly first, with the error of L and two roundings more.
            rough = (top - x) + high
            log, differs = decided(results, *f.share_bounds(rough, 1.0, error))
            if differs:
                below, above = distance_bounds(top, x, low, high)
                log, differs = decided(results, below, above)
            # An exact 0 is +0; what rounds to 0 is negative.
            log = v.select(rough == 0.0, 0.0, -1.0 * log)
            store(results, to + i, count, log)
            uncertain |= differs
        return uncertain

    @outlined
    def logsumexp(scores, results, kept, at, to, size):
        """Write the log-sum-exp to results[to], or to as many numbers as lanes."""
        v.noinline()
        top, low, high = log_total_bounds(scores, at, size, across)
        below, above = signed_sticky_sum(top, low), signed_sticky_sum(top, high)
        value, differs = decided(results, below, above)
        # The sign of a 0 has to be certain, too.
        crossed = v.select(below < 0.0, above, -1.0) > 0.0
        value = v.select(crossed, math.nan, value)
        if across:
            v.store_scalar(results, to, v.lane0(value))
        else:
            v.store(results, to, value)
        return differs

    return softmax, log_softmax, logsumexp
