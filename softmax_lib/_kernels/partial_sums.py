"""What a running total keeps of a slice, and how scores and totals are added to it.

That is the maximum and how many scores are equal to it, and the exact sum of the terms
below, whose place is that of the largest of them. All of it depends on the set of the
scores alone: not on their order, nor on how they came in. The maximum stays outside of
the sum, since the logarithm of a sure winner's share is made of the others.
"""

import math
from collections import namedtuple

import numpy as np

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import exact_sum
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels.double_double import (
    dd_mul,
    dd_mul_float,
    dd_reciprocal,
    dd_scale,
    one_lane_dd,
    two_sum,
)
from softmax_lib._kernels.exact_sum import GRID_BITS, NO_DIGITS, ExactSum
from softmax_lib._kernels.far_scores import (
    LIMIT,
    NEAR,
    STEP,
    term_of,
    terms_up_to_step,
)
from softmax_lib._kernels.row_loops import holds_nan, row_max

# The place of an empty sum. Its power of two is still an integer.
NO_PLACE = -(1 << 57)

# Terms with a power of two so far below the coarsest grid have no digits.
LEAST_STEPS = -110

# Sums times this power of two are 0.
LEAST_POWER = -1600

# The numbers of a sum in memory.
SUM_FIELDS = 6

# What is kept of slices: arrays with a number, or SUM_FIELDS of them, for each.
Fields = namedtuple("Fields", ["top", "ties", "place", "sums"])

# The same of one slice: numbers, and an `ExactSum` in one lane.
Partial = namedtuple("Partial", ["top", "ties", "place", "sums"])


# --- memory ----------------------------------------------------------------------


@inlined
def load_partial(fields, i):
    """Return what is kept of slice i."""
    s = fields.sums
    sums = ExactSum(
        one_lane_dd(s[i, 0], s[i, 1]),
        one_lane_dd(s[i, 2], s[i, 3]),
        one_lane_dd(s[i, 4], s[i, 5]),
    )
    return Partial(np.float64(fields.top[i]), fields.ties[i], fields.place[i], sums)


@inlined
def store_partial(fields, i, partial):
    """Keep it, in the form that depends on the scores alone."""
    sums = exact_sum.normalised(partial.sums)
    fields.top[i], fields.ties[i] = partial.top, partial.ties
    fields.place[i] = partial.place
    for k, part in enumerate((sums.coarse, sums.middle, sums.fine)):
        fields.sums[i, 2 * k] = v.lane0(part.hi)
        fields.sums[i, 2 * k + 1] = v.lane0(part.lo)


@inlined
def without_sum(top):
    """Return what is kept of one score of NaN or infinity."""
    return Partial(top, 0, NO_PLACE, exact_sum.zero_exact_sum())


# --- places ----------------------------------------------------------------------


@outlined
def place_of(x, score):
    """Return the place of a sum whose largest term is that of a score."""
    if not abs(score) <= LIMIT:
        return NO_PLACE
    return (term_of(x, score).n + 1) // GRID_BITS


@inlined
def at_place(partial, place):
    """Return the same at a place that is not lower."""
    steps, s = place - partial.place, partial.sums
    if steps > 0:
        zero = one_lane_dd(0.0, 0.0)
        if steps == 1:
            s = ExactSum(zero, s.coarse, s.middle)
        elif steps == 2:
            s = ExactSum(zero, zero, s.coarse)
        else:
            s = ExactSum(zero, zero, zero)
    return Partial(partial.top, partial.ties, place, s)


# --- sums ------------------------------------------------------------------------


@outlined
def digits_of(x, score, place):
    """Return the digits of one score's term."""
    total = exact_sum.zero_exact_sum()
    if not abs(score) <= LIMIT:
        return total
    term = term_of(x, score)
    g = v.one_lane(term.g)
    steps = v.one_lane(float(max(term.n - GRID_BITS * place, LEAST_STEPS)))
    running = exact_sum.add_terms(exact_sum.zero_grid_sum(g), power_of(steps), g)
    return exact_sum.add_by_lane(g, total, running)


@inlined
def power_of(steps):
    """Return 2^steps in float64, scaled as terms are."""
    magic = e.ROUNDING_MAGIC(steps) + e.TERM_SCALE_EXPONENT(steps)
    return e.exp2i(steps + magic)


@outlined
def far_block(x, start, n, top, place):
    """Do as `exact_sum.sum_block` does, for scores of up to STEP."""
    v.noinline()
    w, power = v.vector_length(x), float(GRID_BITS * place)
    like = v.to_float64(v.splat(x, 0.0))
    running = exact_sum.zero_grid_sum(like)
    for i in range(0, n, w):
        scores = v.load_head(x, start + i, min(w, n - i), -math.inf)
        scores = exact_sum.keep_below(scores, top)
        term = terms_up_to_step(scores)
        # That of -inf is NaN.
        steps = v.select(scores == -math.inf, LEAST_STEPS, term.n - power)
        g = v.select(scores == -math.inf, 0.0, term.g)
        steps = v.maximum(like + LEAST_STEPS, steps)
        running = exact_sum.add_terms(running, power_of(steps), g)
    total = exact_sum.add_by_lane(like, exact_sum.zero_exact_sums(x), running)
    return exact_sum.reduce_lanes(total)


@outlined
def farthest_block(x, start, n, top, place):
    """Do as `exact_sum.sum_block` does, for any scores, one after the other."""
    total = exact_sum.zero_exact_sum()
    for i in range(start, start + n):
        score = np.float64(v.load_scalar(x, i))
        if score != score:
            nan = one_lane_dd(math.nan, 0.0)
            return ExactSum(nan, nan, nan)
        if score != top and score > -math.inf:
            total = exact_sum.add_exact_sums(total, digits_of(x, score, place))
    return total


@inlined
def sum_of_block(x, start, n, top, largest, place):
    """Return the sum of the terms of scores other than top, unless that is None.

    None of them is above `largest`.
    """
    # Lower scores have no digits at this place.
    lowest = float(GRID_BITS * place) * math.log(2) - NO_DIGITS
    if largest <= NEAR(x) and abs(lowest) <= NEAR(x):
        at, shift = v.one_lane_of(x, float(place)), v.one_lane_of(x, 0.0)
        params = v.splat_fields(x, exact_sum.grid_params(at, shift))
        return exact_sum.sum_block(x, start, n, top, params)
    skipped = math.inf if top is None else top
    if largest <= STEP and abs(lowest) <= STEP:
        return far_block(x, start, n, skipped, place)
    return farthest_block(x, start, n, skipped, place)


@outlined
def second_and_ties(x, start, n, top):
    """Return the largest score that is not top, and how many are equal to top."""
    w = v.vector_length(x)
    second, ties = v.splat(x, -math.inf), v.splat(x, 0.0)
    for i in range(0, n, w):
        scores = v.load_head(x, start + i, min(w, n - i), -math.inf)
        second = v.maximum(exact_sum.keep_below(scores, top), second)
        ties = ties + exact_sum.count_ties(scores, top)
    return np.float64(v.reduce_max(second)), int(v.reduce_sum(ties))


# --- scores and totals are added -------------------------------------------------


@outlined
def add_block(x, start, n, partial):
    """Return what is kept once the scores of up to a block are taken in."""
    top = np.float64(row_max(x, start, n))
    if math.isnan(partial.top):
        return partial
    if partial.top == math.inf or not abs(top) < math.inf:
        # Other scores than these show a NaN in their sum.
        if holds_nan(x, start, n):
            return without_sum(math.nan)
        if max(partial.top, top) == math.inf:
            return without_sum(math.inf)
        return partial
    partial = with_top(x, partial, top)
    if top < partial.top:
        partial = at_place(partial, max(partial.place, place_of(x, top)))
        found = sum_of_block(x, start, n, None, top, partial.place)
    else:
        second, ties = second_and_ties(x, start, n, top)
        place = NO_PLACE if second == -math.inf else place_of(x, second)
        partial = at_place(partial, max(partial.place, place))
        found = sum_of_block(x, start, n, top, second, partial.place)
        partial = Partial(top, partial.ties + ties, partial.place, partial.sums)
    return with_sum(partial, found)


@inlined
def with_sum(partial, sums):
    """Add a sum that is at the place of the other one."""
    sums = exact_sum.add_exact_sums(partial.sums, sums)
    if v.lane0(sums.coarse.hi) != v.lane0(sums.coarse.hi):
        return without_sum(math.nan)
    if partial.top > LIMIT:
        # Nothing counts beside such a maximum.
        sums = exact_sum.zero_exact_sum()
        return Partial(partial.top, partial.ties, NO_PLACE, sums)
    return Partial(partial.top, partial.ties, partial.place, sums)


@outlined
def with_top(x, partial, top):
    """Return the same with a maximum of at least top; equal scores become terms."""
    old, ties = partial.top, partial.ties
    if not top > old:
        return partial
    if old > -math.inf:
        partial = at_place(partial, max(partial.place, place_of(x, old)))
        digits = exact_sum.normalised(digits_of(x, old, partial.place))
        count = v.one_lane(float(ties))
        digits = ExactSum(
            dd_mul_float(digits.coarse, count),
            dd_mul_float(digits.middle, count),
            dd_mul_float(digits.fine, count),
        )
        partial = with_sum(partial, digits)
    return Partial(top, 0, partial.place, partial.sums)


@inlined
def merged(x, a, b):
    """Return what is kept of two slices together."""
    if math.isnan(a.top) or math.isnan(b.top):
        return without_sum(math.nan)
    top = max(a.top, b.top)
    if top == math.inf:
        return without_sum(math.inf)
    a, b = with_top(x, a, top), with_top(x, b, top)
    place = max(a.place, b.place)
    a, b = at_place(a, place), at_place(b, place)
    return with_sum(Partial(top, a.ties + b.ties, place, a.sums), b.sums)


# --- results ---------------------------------------------------------------------


@inlined
def sum_below_max(top, partial, params):
    """Return the sum of the terms below the maximum, in units as `slices` has them."""
    sums = exact_sum.exact_total(partial.sums)
    if abs(partial.top) > LIMIT or partial.place == NO_PLACE:
        return dd_scale(sums, 0.0)
    power = GRID_BITS * partial.place
    if abs(partial.top) <= e.MAX_UNSHIFTED(top):
        return times_power(sums, power - int(v.lane0(e.power_of_magic(params))))
    # The maximum is subtracted from the scores there, so its term is 1.
    term = term_of(top, partial.top)
    largest = two_sum(v.one_lane(1.0), v.one_lane(term.g))
    return dd_mul(times_power(sums, power - term.n), dd_reciprocal(largest))


@inlined
def times_power(sums, n):
    """Return a sum times 2^n, for an integer n."""
    n = v.one_lane(float(max(n, LEAST_POWER)))
    return exact_sum.times_power_of_two(sums, n)
