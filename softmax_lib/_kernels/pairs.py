r"""Pairs of float64 with a relative error near 2^-104, and their exponential and log.

Unlike `double_double`, whose numbers are totals, these are used for whole formulas.
Everything is lane by lane, and uses only what IEEE 754 defines, so that all bits are
the same on every processor: fused operations are exact ones, or there are none.

Below, w is u^2 = 2^-106. Sums of pairs have relative errors of 3 w, products of 7 w (5
w if fused), quotients of 15 w (Joldes, Muller and Popescu, 2017).

**The exponential** of a pair x with |x| < 2800: n ln 2 is taken from x in three parts.
n is below 2^12, and the first two parts have 41 bits, so that n times them is exact.
What is left, r, is exact for n = 0, and else has an error below 2^-94: the low part of
x, up to 2^-42, is added to others in float64. It is below 0.35, and e^r is 1 + r Q(r),
by Horner's rule: powers of r from the 13th on in float64, which gives 2^-52 of the
result with an error of a few u, so 2^-102; lower ones in pairs. The steps add less than
40 w.

**The logarithm** is Newton's: of y, near log(1 + t), it makes y + log(1 + g) with
:math:`g = (1 + t) e^{-y} - 1`, below 2^-45. Here 1 + t is never formed, nor is
:math:`e^{-y}`: g is a sum of t, of expm1(-y) and of their product, each at most 2 |t|,
so that even for a small t its error is below 2^-94 |t|. The series of log(1 + g) is cut
behind its second power.
"""

import math
from collections import namedtuple
from fractions import Fraction

from softmax_lib import _vector as v
from softmax_lib._jit import inlined

PAIR_UNIT = 2.0**-106

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693147180559663
LN2_MIDDLE = 2.8235290563035586e-13
LN2_LOW = -4.00865610552017e-26

# Adding and subtracting 1.5 * 2^52 rounds to an integer.
MAGIC = 1.5 * 2.0**52

# 1 / k! in two parts.
DEGREE = 22
FIRST_FLOAT = 13
_FACTORIALS = [Fraction(1, math.factorial(k)) for k in range(DEGREE + 1)]
INVERSE_HIGH = tuple(float(q) for q in _FACTORIALS)
INVERSE_LOW = tuple(float(q - Fraction(float(q))) for q in _FACTORIALS)

# The number hi + lo. In a result of this module |lo| is at most half a unit in the
# last place of hi.
Pair = namedtuple("Pair", ["hi", "lo"])

# e^x = 2^n (1 + g), with g as a pair.
Exponential = namedtuple("Exponential", ["n", "g"])


@inlined
def two_sum(a, b):
    """Return a + b exactly, as a pair: Knuth's TwoSum."""
    s = a + b
    t = s - a
    return Pair(s, (a - (s - t)) + (b - t))


@inlined
def quick_two_sum(a, b):
    """Return a + b exactly, as a pair, for |a| >= |b|: Dekker's FastTwoSum."""
    s = a + b
    return Pair(s, b - (s - a))


@inlined
def add(a, b):
    """Return a + b."""
    s, t = two_sum(a.hi, b.hi), two_sum(a.lo, b.lo)
    c = quick_two_sum(s.hi, s.lo + t.hi)
    return quick_two_sum(c.hi, c.lo + t.lo)


@inlined
def two_product(a, b):
    """Return a * b exactly, as a pair."""
    p = a * b
    return Pair(p, v.exact_fma(a, b, 0.0 - p))


@inlined
def multiply(a, b):
    """Return a * b."""
    p = two_product(a.hi, b.hi)
    return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi))


@inlined
def divide(a, b):
    """Return a / b."""
    q = a.hi / b.hi
    p = two_product(q, b.hi)
    rest = (a.hi - p.hi) - p.lo + (a.lo - q * b.lo)
    return quick_two_sum(q, rest / b.hi)


@inlined
def scale(a, power):
    """Return a times a power of two."""
    return Pair(a.hi * power, a.lo * power)


@inlined
def power_of_two(n):
    """Return 2^n for integers -1022 <= n <= 1023 in float64 lanes."""
    # Adding 1.5 * 2^52 leaves an integer in the lowest bits.
    return v.from_bits(v.to_bits(n + (MAGIC + 1023.0)) << 52)


@inlined
def nearest_power(x):
    """Return the n for which 2^n is near e^x."""
    return (x * LOG2_E + MAGIC) - MAGIC


@inlined
def exponential(x):
    """Return e^x for a pair x."""
    n = nearest_power(x.hi)
    a = two_sum(x.hi, n * -LN2_HIGH)
    b = two_sum(a.hi, n * -LN2_MIDDLE)
    # Close to a multiple of ln 2, the second may be the larger one.
    r = two_sum(b.hi, (a.lo + b.lo) + (x.lo - n * LN2_LOW))
    tail = 0.0 * r.hi + INVERSE_HIGH[DEGREE]
    for k in range(DEGREE - 1, FIRST_FLOAT - 1, -1):
        tail = v.exact_fma(tail, r.hi, INVERSE_HIGH[k])
    q = Pair(tail, 0.0 * r.hi)
    for k in range(FIRST_FLOAT - 1, 0, -1):
        # 1 / k! + q r. It is the larger one, and what the sum loses stays in the low
        # part, which may be twice as large as that of other pairs.
        p = two_product(q.hi, r.hi)
        low = p.lo + (q.hi * r.lo + q.lo * r.hi)
        s = quick_two_sum(INVERSE_HIGH[k], p.hi)
        q = Pair(s.hi, s.lo + (INVERSE_LOW[k] + low))
    return Exponential(n, multiply(q, r))


@inlined
def one_plus(g):
    """Return 1 + g."""
    s = two_sum(0.0 * g.hi + 1.0, g.hi)
    return quick_two_sum(s.hi, s.lo + g.lo)


@inlined
def refine_log(t, y):
    """Return log(1 + t), of which y is an approximation, for |t| not below 2^-400."""
    e = exponential(Pair(0.0 - y, 0.0 * y))
    power = power_of_two(e.n)
    # (1 + t) 2^n - 1, and with that (1 + t) e^-y - 1.
    ones = Pair(power - 1.0, 0.0 * power)
    a = add(scale(t, power), ones)
    g = add(a, multiply(e.g, add(a, Pair(0.0 * power + 1.0, 0.0 * power))))
    less = Pair(-0.5 * (g.hi * g.hi), 0.0 * g.hi)
    return add(Pair(y, 0.0 * y), add(g, less))


@inlined
def log_near_one(t):
    """Return log(1 + t) for a pair t, with 1 + t between the roots of 1/2 and 2."""
    s = t.hi / (2.0 + t.hi)
    z = s * s
    # The series of 2 artanh(s), to 2^-50 of it.
    series = 0.0 * z + 2.0 / 19.0
    for k in range(17, 2, -2):
        series = series * z + 2.0 / k
    tiny = v.fabs(t.hi) < 2.0**-300
    safe = Pair(v.select(tiny, 2.0**-300, t.hi), v.select(tiny, 0.0, t.lo))
    log = refine_log(safe, 2.0 * s + s * (z * series))
    # Log(1 + t) is t there.
    return Pair(v.select(tiny, t.hi, log.hi), v.select(tiny, t.lo, log.lo))
