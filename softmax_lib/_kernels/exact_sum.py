"""Sums of terms without any rounding, in any order: on grids of fixed points.

The grids are absolute: multiples of 2^(48 k) for integers k, where 48 is `GRID_BITS`.
A sum has three neighbouring grids. The k of the coarsest is the sum's *place*, the same
for all sums with a largest term of a similar size. A term is rounded to a multiple of
the coarsest grid, the rest to one of the next, and the rest of that to one of the
finest. These three multiples are its *digits*, and the term in the sum is the term
rounded to a multiple of the finest grid.

When a larger term needs a higher place, the sums of digits move to it, and those below
its finest grid are dropped. What remains is as if that term had been the first. For a
place is so high that its terms are below half a unit of the next coarser grid, so that
they have the digit 0 there; and what is taken from a term for a digit is a multiple of
all finer grids, and an even one, so that each rest is rounded as the term itself is,
halfway cases too. So a sum depends on its terms alone, and not on their order.

Digits are added as integers, in units of their grid: a term has at most 2^47 of them.
Longer sums have two parts in float64.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add,
    dd_scale,
    dd_zeros,
    one_lane_dd,
    two_sum,
)
from softmax_lib._kernels.exponential import (
    LOG2_E,
    ROUNDING_MAGIC,
    TERM_SCALE_EXPONENT,
    TermParams,
    expm1,
    ldexp_factors,
    scaled_exp_reduce,
)

GRID_BITS = 48

# So many terms are added up in one lane: with one more they stay below 2^63 units.
MAX_GRID_TERMS = 1 << 15

# Added to a term, which is TERM_SCALE times too large, these round it to a multiple of
# each grid, and leave that, as an integer, in the lowest bits.
COARSE = v.constant(1.5 * 2.0 ** (52 + 64), 1.5 * 2.0 ** (52 + 512))
MIDDLE = v.constant(1.5 * 2.0 ** (4 + 64), 1.5 * 2.0 ** (4 + 512))
FINE = v.constant(1.5 * 2.0 ** (-44 + 64), 1.5 * 2.0 ** (-44 + 512))

# The sum of the two parts of a term has 53 bits in float32: others are cut off as well.
KEEPS_ALL = v.constant(0.0, 1.0)

# What the grids cut off a term, in units of the largest, is less than this.
CUT_OFF = 2.0**-94

# Terms so much below the unit of the coarsest grid have no digits.
NO_DIGITS = 75.0


# The sums of the digits of up to MAX_GRID_TERMS terms, lane by lane, plus the bits of
# what rounded each of them; how many there are; and a number that is NaN if a term is.
GridSum = namedtuple("GridSum", ["coarse", "middle", "fine", "count", "check"])

# The sums of any number of digits, each in two parts.
ExactSum = namedtuple("ExactSum", ["coarse", "middle", "fine"])


@inlined
def keep_below(scores, top):
    """Return the scores below top, and -inf in the place of others; NaN stays."""
    return v.select(scores == top, -math.inf, scores)


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


# --- grids -----------------------------------------------------------------------


@inlined
def place_of(score):
    """Return the place of a sum whose largest term is that of a score."""
    n = v.fma(score, LOG2_E(score), ROUNDING_MAGIC(score)) - ROUNDING_MAGIC(score)
    # The quotient (n + 1) / 48, rounded down.
    place = (n - (0.5 * GRID_BITS - 1.5)) * (1.0 / GRID_BITS)
    return (place + ROUNDING_MAGIC(n)) - ROUNDING_MAGIC(n)


@inlined
def grid_params(place, shift):
    """Return the parameters of terms in units of the coarsest grid."""
    n = GRID_BITS * place
    floor = n * (1.0 / LOG2_E(n)) - NO_DIGITS
    magic = (ROUNDING_MAGIC(n) + TERM_SCALE_EXPONENT(n)) - n
    return TermParams(shift, floor, magic)


# --- sums in lanes ---------------------------------------------------------------


@inlined
def zero_grid_sum(x):
    """Return the sum of no terms, lane by lane."""
    zeros, _ = dd_zeros(x)
    none = v.to_bits(zeros)
    return GridSum(none, none, none, 0, v.splat(x, 0.0))


@inlined
def add_to_grid(running, reduced):
    """Add the terms that `scaled_exp_reduce` began, lane by lane."""
    r, power = reduced
    return add_terms(running, power, expm1(r))


@inlined
def add_terms(running, power, g):
    """Add terms power (1 + g), lane by lane."""
    high, low = v.to_float64(power), v.to_float64(g)
    # Nothing is rounded but the sum, which includes both parts.
    term = v.fma(high, low, high)
    coarse = term + COARSE(g)
    rest = term - (coarse - COARSE(g))
    middle = rest + MIDDLE(g)
    fine = (rest - (middle - MIDDLE(g))) + FINE(g)
    coarse, middle = v.to_bits(coarse), v.to_bits(middle)
    fine, count = v.to_bits(fine), running.count + 1
    if KEEPS_ALL(g) > 0.0:
        # What the sum of the parts lost has digits of its own. The first of them is 0.
        lost = v.fma(high, low, high - term)
        lost_middle = lost + MIDDLE(g)
        lost_fine = (lost - (lost_middle - MIDDLE(g))) + FINE(g)
        middle = middle + (v.to_bits(lost_middle) - bits_of(MIDDLE(g), high))
        fine = fine + (v.to_bits(lost_fine) - bits_of(FINE(g), high))
    return GridSum(
        running.coarse + coarse,
        running.middle + middle,
        running.fine + fine,
        count,
        v.fma(g, 0.0, running.check),
    )


@inlined
def bits_of(number, like):
    """Return the bits of a number of float64 in each lane."""
    return v.to_bits(v.splat(like, number))


# --- sums of any length ----------------------------------------------------------


@inlined
def zero_exact_sum():
    """Return the sum of no terms, in one lane."""
    zero = one_lane_dd(0.0, 0.0)
    return ExactSum(zero, zero, zero)


@inlined
def zero_exact_sums(x):
    """Return the sum of no terms in each lane."""
    return ExactSum(dd_zeros(x), dd_zeros(x), dd_zeros(x))


@inlined
def add_by_lane(x, total, running):
    """Add a sum to a total, lane by lane."""
    spoilt = v.to_float64(running.check)
    count, like = running.count, total.coarse.hi
    coarse = as_floats(running.coarse - bits_of(COARSE(x), like) * count)
    middle = as_floats(running.middle - bits_of(MIDDLE(x), like) * count)
    fine = as_floats(running.fine - bits_of(FINE(x), like) * count)
    return ExactSum(
        dd_add(total.coarse, DoubleDouble(coarse.hi + spoilt, coarse.lo)),
        dd_add(total.middle, middle),
        dd_add(total.fine, fine),
    )


@inlined
def as_floats(integers):
    """Return integers in two parts of 32 bits."""
    high, low = integers >> 32, integers & 0xFFFFFFFF
    return DoubleDouble(small_as_float(high) * 2.0**32, small_as_float(low))


@inlined
def small_as_float(integers):
    """Return integers below 2^51 as float64."""
    magic = v.from_bits(integers - integers)
    bits = integers + bits_of(ROUNDING_MAGIC(magic), magic)
    return v.from_bits(bits) - ROUNDING_MAGIC(magic)


@inlined
def add_exact_sums(a, b):
    """Return a + b, both at the same place."""
    return ExactSum(
        dd_add(a.coarse, b.coarse), dd_add(a.middle, b.middle), dd_add(a.fine, b.fine)
    )


@inlined
def normalised(total):
    """Return a sum in those two parts that depend on nothing but the sum."""
    return ExactSum(
        two_sum(total.coarse.hi, total.coarse.lo),
        two_sum(total.middle.hi, total.middle.lo),
        two_sum(total.fine.hi, total.fine.lo),
    )


@inlined
def reduce_lanes(total):
    """Return the sum of all lanes, in one lane."""
    return ExactSum(_reduce(total.coarse), _reduce(total.middle), _reduce(total.fine))


@inlined
def _reduce(a):
    hi, lo = v.reduce_sum_compensated(a.hi, a.hi)
    return one_lane_dd(hi, lo + v.reduce_sum(a.lo))


@outlined
def sum_block(x, start, n, top, params):
    """Return the sum of the terms of x[start : start + n], in one lane.

    With a top, scores that are equal to it are left out.
    """
    v.noinline()
    w = v.vector_length(x)
    whole, total = n - n % w, zero_exact_sums(x)
    for b in range(0, whole, MAX_GRID_TERMS * w):
        running, end = zero_grid_sum(x), min(b + MAX_GRID_TERMS * w, whole)
        # Software-pipelined, as `row_sums.sum_exp_block` is.
        scores = below(v.load(x, start + b), top)
        ready = scaled_exp_reduce(scores - params.shift, params)
        for i in range(b + w, end, w):
            scores = below(v.load(x, start + i), top)
            following = scaled_exp_reduce(scores - params.shift, params)
            running = add_to_grid(running, ready)
            ready = following
        running = add_to_grid(running, ready)
        total = add_by_lane(x, total, running)
    if whole < n:
        scores = below(v.load_head(x, start + whole, n - whole, -math.inf), top)
        ready = scaled_exp_reduce(scores - params.shift, params)
        running = add_to_grid(zero_grid_sum(x), ready)
        total = add_by_lane(x, total, running)
    return reduce_lanes(total)


@inlined
def exact_total(total):
    """Return a sum in units of the coarsest grid."""
    coarse, middle, fine = normalised(total)
    scale = 2.0**-GRID_BITS
    hi, error = two_sum(coarse.hi, middle.hi * scale)
    hi, less = two_sum(hi, fine.hi * (scale * scale))
    low = (fine.lo * scale + middle.lo) * scale + coarse.lo
    return DoubleDouble(hi, (error + less) + low)


@inlined
def times_power_of_two(total, n):
    """Return a sum times 2^n, which by itself may be too small for a number."""
    one, other = ldexp_factors(n)
    return dd_scale(dd_scale(total, one), other)
