r"""Numbers with an exponent of their own, which neither overflow nor become subnormal.

A loss may be below :math:`2^{-2000}` and count again once it is multiplied by its
weight. Such numbers are a pair, whose high part is in [1/2, 1) or 0, and an exponent;
the pair consists of vectors of one lane. Relative errors are those of `pairs`, below
2^-90. This arithmetic is slow, and used where float64 is not wide enough.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import pairs
from softmax_lib._kernels.pairs import LN2_HIGH, LN2_LOW, LN2_MIDDLE, Pair

# Terms of scores further below the maximum do not count, whatever their weight: they
# are below 2^-4000, and a weight over a sum of weights is below 2^2099.
REACH = 2800.0

# The exponent of 0.
LEAST = -(1 << 20)

# A number this many powers of two below another one does not count beside it.
NEGLIGIBLE = 300

# The sum of two scores beyond this may overflow; a quarter of it does not.
HUGE = 2.0**1000

# The number pair * 2^exponent.
Wide = namedtuple("Wide", ["pair", "exponent"])


@inlined
def normalised(pair, exponent):
    """Return pair * 2^exponent with a high part in [1/2, 1)."""
    hi = v.lane0(pair.hi)
    if hi == 0.0:
        return Wide(pair, LEAST)
    mantissa, power = math.frexp(hi)
    lo = math.ldexp(v.lane0(pair.lo), -power)
    return Wide(Pair(v.one_lane(mantissa), v.one_lane(lo)), exponent + power)


@inlined
def from_parts(hi, lo):
    """Return hi + lo, for plain finite numbers with a sum that does not overflow."""
    return normalised(pairs.two_sum(v.one_lane(hi), v.one_lane(lo)), 0)


@inlined
def from_float(x):
    """Return a plain number."""
    return normalised(Pair(v.one_lane(x), v.one_lane(0.0)), 0)


@inlined
def to_float(a):
    """Return a number rounded to float64, infinite if it is too large for that."""
    return math.ldexp(v.lane0(a.pair.hi), a.exponent)


@inlined
def is_zero(a):
    """Return whether a number is 0."""
    return v.lane0(a.pair.hi) == 0.0


@outlined
def add(a, b):
    """Return a + b."""
    if a.exponent < b.exponent:
        a, b = b, a
    gap = b.exponent - a.exponent
    if gap < -NEGLIGIBLE:
        return a
    scaled = pairs.scale(b.pair, math.ldexp(1.0, gap))
    return normalised(pairs.add(a.pair, scaled), a.exponent)


@outlined
def multiply(a, b):
    """Return a * b."""
    return normalised(pairs.multiply(a.pair, b.pair), a.exponent + b.exponent)


@outlined
def divide(a, b):
    """Return a / b, for a b other than 0."""
    return normalised(pairs.divide(a.pair, b.pair), a.exponent - b.exponent)


@inlined
def negative(a):
    """Return -a."""
    return Wide(Pair(0.0 - a.pair.hi, 0.0 - a.pair.lo), a.exponent)


@inlined
def subtract(a, b):
    """Return a - b."""
    return add(a, negative(b))


@outlined
def exp_difference(x, top):
    """Return e^(x - top), for a plain x of at most top."""
    if not x - top > -REACH:
        return from_float(0.0)
    e = pairs.exponential(pairs.two_sum(v.one_lane(x), v.one_lane(0.0 - top)))
    return normalised(pairs.one_plus(e.g), int(v.lane0(e.n)))


@outlined
def difference(top, x):
    """Return top - x, for plain numbers."""
    if max(abs(top), abs(x)) > HUGE:
        quarter = from_parts(0.25 * top, -0.25 * x)
        return Wide(quarter.pair, quarter.exponent + 2)
    return from_parts(top, 0.0 - x)


@outlined
def log1p(a):
    """Return log(1 + a) for a >= 0."""
    if a.exponent < -NEGLIGIBLE:
        return a
    n, t = 0, Wide(a.pair, a.exponent)
    if a.exponent >= -1:
        total = add(from_float(1.0), a)
        n = total.exponent - (v.lane0(total.pair.hi) < math.sqrt(0.5))
        t = subtract(Wide(total.pair, total.exponent - n), from_float(1.0))
    power = math.ldexp(1.0, max(t.exponent, -2 * NEGLIGIBLE))
    log = pairs.log_near_one(pairs.scale(t.pair, power))
    steps = v.one_lane(float(n))
    low = pairs.quick_two_sum(steps * LN2_MIDDLE, steps * LN2_LOW)
    high = Pair(steps * LN2_HIGH, v.one_lane(0.0))
    return normalised(pairs.add(pairs.add(high, low), log), 0)
