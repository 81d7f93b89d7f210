r"""Log-sum-exp with a signed factor for each term: rows of float64, by pairs.

With :math:`b_j = m_j 2^{e_j}` and :math:`e^{x_j - s} = 2^{n_j} (1 + g_j)` the sum is

.. math:: \sum_j b_j e^{x_j} = e^s 2^E (A + G), \qquad
          A = \sum_j m_j 2^{e_j + n_j - E}, \qquad G = \sum_j m_j 2^{e_j + n_j - E} g_j

where s and E are those of the largest term, up to a factor of four: nothing overflows.
The 1 and the g are kept apart, so that what is equal or close to s loses nothing. With
:math:`A + G = \pm 2^k (1 + t)` the result is :math:`s + (E + k) \ln 2 + \log(1 + t)`.

**Errors.** Let C be :math:`\sum_j |b_j| e^{x_j} / |\sum_j b_j e^{x_j}|`, w = 2^-106,
and n the length of the row. x - s is exact as a pair. The error of 1 + g is below
2^-93, and below 2^-97 |g| where nothing is subtracted from x - s (see `pairs`). Adding
the n / 8 terms of a lane adds 3 w each, and adding the lanes 24 w: G has an error below
(2^-92 + n w) of the sum of its terms' sizes. A has three parts: what it loses is added
up, and is 0 for ordinary rows. log(1 + t) has a relative error below 2^-93, the last
three additions 3 w each. In all the result is rounded from a number with an error below
C (2^-90 + n w), absolute, plus 2^-103 of itself. (n w is below 2^-81 for n < 2^25.)

**Certainty.** Where all factors have one sign, C is 1. Where signs are mixed, the error
is bounded along with the sum. Unless the bound is below 2^-57 of the result, the row is
`UNCERTAIN`, and left to decimal arithmetic; so are rows whose total may be 0, and those
that lack a term which may matter where all others cancel. So results with mixed signs
are within 1 ULP, whatever cancels.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel, outlined
from softmax_lib._kernels.pairs import (
    LN2_HIGH,
    LN2_LOW,
    LN2_MIDDLE,
    MAGIC,
    PAIR_UNIT,
    Pair,
    add,
    exponential,
    log_near_one,
    nearest_power,
    power_of_two,
    quick_two_sum,
    scale,
    two_product,
    two_sum,
)

# The sign of a row that pairs cannot decide.
UNCERTAIN = 2.0

# float64 in a vector.
LANES = 8
SCRATCH_BYTES = 64 * 6

# Scores are at most so far below the largest one. Those further away have terms below
# 2^-1900 of the largest, whatever the factors, which may differ by 2^2098.
REACH = 2800.0

# Terms are 2^900 times too large, so that their low parts are not subnormal. Those
# below 2^-1800 of the largest one are left out.
SCALE = 900.0
LEAST_POWER = -1800.0
LEFT_OUT = 2.0**-890

SMALL = 2.0**-1000
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD

# Whether there are factors above and below 0; whether all is finite; the largest score.
Scan = namedtuple("Scan", ["positive", "negative", "finite", "top"])

# The score s and the exponent of the factor of the largest term.
Largest = namedtuple("Largest", ["score", "exponent"])

# A in three parts, and G; what A has lost; the sum of the sizes of the terms of G; how
# many terms were left out.
Sums = namedtuple("Sums", ["a", "lost", "g", "sizes", "left_out"])

Triple = namedtuple("Triple", ["hi", "mid", "lo"])

Factor = namedtuple("Factor", ["mantissa", "exponent"])


@kernel
def signed_logsumexp_rows(x, b, out, signs, n):
    """log|sum_j b_j exp(x_j)| of each row of n numbers, and the sign of the sum."""
    scores, factors = v.data_pointer(x), v.data_pointer(b)
    scratch = v.stack_alloc(scores, SCRATCH_BYTES)
    for row in range(out.size):
        out[row], signs[row] = signed_row(scores, factors, row * n, n, scratch)


@outlined
def signed_row(scores, factors, start, n, scratch):
    """Return the logarithm of a row and its sign."""
    scan = scan_row(scores, factors, start, n)
    if not scan.finite:
        return infinite_row(scores, factors, start, n)
    if not (scan.positive or scan.negative):
        return -math.inf, 0.0
    largest = largest_term(scores, factors, start, n, scan.top, scratch)
    sums = sum_row(scores, factors, start, n, largest, scratch)
    mixed = scan.positive and scan.negative
    error = sums.sizes * (2.0**-92 + PAIR_UNIT * float(n))
    error += sums.lost + sums.left_out * LEFT_OUT
    rest = Pair(sums.a.mid, sums.a.lo)
    total = add(add(Pair(sums.a.hi, 0.0), rest), sums.g)
    if mixed and abs(total.hi) <= 4.0 * error:
        certain = total.hi == 0.0 and error == 0.0
        return -math.inf, 0.0 if certain else UNCERTAIN
    sign = 1.0 if total.hi > 0.0 else -1.0
    value, error = log_of_sums(
        v.one_lane(largest.score),
        v.one_lane(largest.exponent - SCALE),
        v.one_lane(sign * sums.a.hi),
        Pair(v.one_lane(sign * rest.hi), v.one_lane(sign * rest.lo)),
        Pair(v.one_lane(sign * sums.g.hi), v.one_lane(sign * sums.g.lo)),
        v.one_lane(error),
    )
    value, error = v.lane0(value), v.lane0(error)
    if mixed and not error < 2.0**-57 * abs(value):
        return value, UNCERTAIN
    return value, sign


@inlined
def load(scores, factors, i, count):
    """Load scores and factors; those beyond count have a factor of 0.

    So has a score of -inf, unless its factor is not finite.
    """
    if count == LANES:
        x, b = v.load(scores, i), v.load(factors, i)
    else:
        x = v.load_head(scores, i, count, 0.0)
        b = v.load_head(factors, i, count, 0.0)
    return x, v.select(x == -math.inf, 0.0 * b, b)


@inlined
def scan_row(scores, factors, start, n):
    """Return what decides how a row is done."""
    zeros = v.splat(scores, 0.0)
    top, spoiled, most, least = zeros - math.inf, zeros, zeros, zeros
    for i in range(0, n, LANES):
        x, b = load(scores, factors, start + i, min(LANES, n - i))
        none = b == 0.0
        # NaN where one of them is not finite.
        spoiled = spoiled + v.select(none, 0.0, (x - x) + (b - b))
        top = v.maximum(v.select(none, -math.inf, x), top)
        most, least = v.maximum(b, most), v.maximum(0.0 - b, least)
    return Scan(
        v.reduce_max(most) > 0.0,
        v.reduce_max(least) > 0.0,
        v.reduce_sum(spoiled) == 0.0,
        v.reduce_max(top),
    )


@outlined
def infinite_row(scores, factors, start, n):
    """Return the logarithm and the sign of a row that is not finite."""
    positive, negative = False, False
    for i in range(start, start + n):
        x, b = v.load_scalar(scores, i), v.load_scalar(factors, i)
        if b == 0.0 or (x == -math.inf and math.isfinite(b)):
            continue
        if math.isnan(x) or math.isnan(b) or x == -math.inf:
            return math.nan, math.nan
        if math.isinf(x) or math.isinf(b):
            positive |= b > 0.0
            negative |= b < 0.0
    if positive and negative:
        return math.nan, math.nan
    return math.inf, 1.0 if positive else -1.0


@inlined
def split_factor(b):
    """Return m and e for b = m 2^e, with 1 <= |m| < 2; m is 0 where b is."""
    small = v.fabs(b) < SMALL
    normal = v.select(small, b * 2.0**100, b)
    k = (v.to_bits(v.fabs(normal)) >> 52) - 1023
    m = v.from_bits(v.to_bits(normal) - (k << 52))
    e = v.from_bits(k + v.to_bits(0.0 * m + MAGIC)) - MAGIC
    return Factor(v.select(b == 0.0, 0.0, m), e - v.select(small, 100.0, 0.0 * m))


@inlined
def largest_term(scores, factors, start, n, top, scratch):
    """Return the largest term, by powers of two; of several the largest score."""
    zeros = v.splat(scores, 0.0)
    most, at, exponent = zeros - math.inf, zeros - math.inf, zeros
    for i in range(0, n, LANES):
        x, b = load(scores, factors, start + i, min(LANES, n - i))
        none = b == 0.0
        e = split_factor(b).exponent
        power = e + nearest_power(v.maximum(-REACH, v.select(none, -REACH, x - top)))
        power = v.select(none, -math.inf, power)
        tie = v.select(power == most, v.select(x > at, 1.0, zeros), zeros)
        better = v.select(power > most, 1.0, tie) > 0.0
        most = v.select(better, power, most)
        at, exponent = v.select(better, x, at), v.select(better, e, exponent)
    v.store(scratch, 0, most)
    v.store(scratch, LANES, at)
    v.store(scratch, 2 * LANES, exponent)
    best = 0
    for k in range(1, LANES):
        power, other = v.load_scalar(scratch, k), v.load_scalar(scratch, best)
        further = v.load_scalar(scratch, LANES + k)
        tie = power == other and further > v.load_scalar(scratch, LANES + best)
        if power > other or tie:
            best = k
    return Largest(
        v.load_scalar(scratch, LANES + best), v.load_scalar(scratch, 2 * LANES + best)
    )


@inlined
def sum_row(scores, factors, start, n, largest, scratch):
    """Return the sums of a row, 2^SCALE times too large."""
    zeros = v.splat(scores, 0.0)
    a, g = Triple(zeros, zeros, zeros), Pair(zeros, zeros)
    lost, sizes, left_out = zeros, zeros, zeros
    for i in range(0, n, LANES):
        x, b = load(scores, factors, start + i, min(LANES, n - i))
        none = b == 0.0
        gap = two_sum(v.select(none, largest.score, x), 0.0 - largest.score)
        far = gap.hi < -REACH
        gap = Pair(v.select(far, -REACH, gap.hi), v.select(far, 0.0, gap.lo))
        e, factor = exponential(gap), split_factor(b)
        power = factor.exponent + e.n - largest.exponent
        out = power < LEAST_POWER
        left_out = left_out + v.select(none, 0.0, v.select(out, 1.0, zeros))
        unit = power_of_two(v.maximum(LEAST_POWER, power) + SCALE)
        term = v.select(out, 0.0, factor.mantissa * unit)
        a, error = add_to(a, term)
        lost = lost + v.fabs(error)
        part = two_product(e.g.hi, term)
        g = add(g, Pair(part.hi, part.lo + e.g.lo * term))
        exact = v.select(e.n == 0.0, v.fabs(e.g.hi), zeros + 1.0)
        sizes = sizes + v.fabs(term) * exact
    return sum_lanes(Sums(a, lost, g, sizes, left_out), scratch)


@inlined
def add_to(a, x):
    """Return a + x as three parts, and the error."""
    high = two_sum(a.hi, x)
    middle = two_sum(a.mid, high.lo)
    low = two_sum(a.lo, middle.lo)
    return Triple(high.hi, middle.hi, low.hi), low.lo


@inlined
def sum_lanes(sums, scratch):
    """Return the sums of all lanes as plain numbers."""
    v.store(scratch, 0, sums.a.hi)
    v.store(scratch, LANES, sums.a.mid)
    v.store(scratch, 2 * LANES, sums.a.lo)
    v.store(scratch, 3 * LANES, sums.g.hi)
    v.store(scratch, 4 * LANES, sums.g.lo)
    a, g = Triple(0.0, 0.0, 0.0), Pair(0.0, 0.0)
    lost = v.reduce_sum(sums.lost)
    for k in range(3 * LANES):
        a, error = add_to(a, v.load_scalar(scratch, k))
        lost += abs(error)
    for k in range(3 * LANES, 4 * LANES):
        part = Pair(v.load_scalar(scratch, k), v.load_scalar(scratch, LANES + k))
        g = add(g, part)
    high = two_sum(a.hi, a.mid)
    low = two_sum(high.lo, a.lo)
    a = Triple(high.hi, low.hi, low.lo)
    return Sums(a, lost, g, v.reduce_sum(sums.sizes), v.reduce_sum(sums.left_out))


@inlined
def log_of_sums(score, exponent, a, rest, g, error):
    """Return s + log(2^exponent (a + rest + g)), and the error it may have.

    `error` is that of the sum, which is above 0. What a has above a power of two is
    taken first, so that what is added to it keeps its digits; and scaled last, so that
    a subnormal t is rounded once.
    """
    total = add(add(Pair(a, 0.0 * a), rest), g)
    k = (v.to_bits(total.hi) - SQRT_HALF_BITS) >> 52
    power = v.from_bits(k + v.to_bits(0.0 * score + MAGIC)) - MAGIC
    unit = power_of_two(0.0 - power)
    most = add(two_sum(a, 0.0 - power_of_two(power)), rest)
    t = scale(add(most, g), unit)
    log = log_near_one(t)
    n = exponent + power
    whole = two_sum(score, n * LN2_HIGH)
    whole = add(whole, quick_two_sum(n * LN2_MIDDLE, n * LN2_LOW))
    value = add(whole, log)
    errors = unit * (2.0 * error + 2.0**-103 * v.fabs(most.hi))
    errors = errors + 2.0**-90 * v.fabs(t.hi)
    return value.hi, errors + 2.0**-103 * (v.fabs(whole.hi) + v.fabs(value.hi))
