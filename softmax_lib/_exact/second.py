r"""The second path: exponentials and logarithms as pairs of float64.

Scores are float64 here, any of them. Below, w is u^2 = 2^-106. Sums of pairs have
relative errors of 3 w, products of 7 w (5 w if fused), quotients of 15 w (Joldes,
Muller and Popescu, 2017), and all errors are relative unless said otherwise.

**The argument** is x - m <= 0 for the largest score m, exact as a pair. From it n ln 2
is taken, in three parts: n is below 2^11, and the first two parts have 41 and 42 bits,
so that n times them is exact. What is left has an error below 2^-95: the low part of
x - m, up to 2^-44, is added to others in float64.

**The exponential** of an r of up to 0.35 is 1 + r Q(r), by Horner's rule: powers of r
from the 13th on in float64, which gives 2^-52 of the result with an error of a few u,
so 2^-102; lower ones in pairs. The steps add less than 40 w. In all the error of a term
is below 2^-94.

**A total** of k terms in a lane adds 3 k w, and the 8 lanes 24 w.

**The logarithm** is Newton's: of y, near log(1 + t), it makes y + log(1 + d) with
:math:`d = (1 + t) e^{-y} - 1`, below 2^-45. Here 1 + t is never formed, nor is
:math:`e^{-y}`: d is a sum of t, of expm1(-y) and of their product, each at most 2 t,
so that even for a small t its error is below 2^-94 t. The series of log(1 + d) is cut
behind its second power.

`ERROR` is 2^-90 and leaves a factor of 8; 4 k w is added to it for long slices.
"""

import math
from collections import namedtuple
from fractions import Fraction

from softmax_lib import _vector as v
from softmax_lib._exact.first import LN2_HIGH, LOG2_E, MAGIC, log_total
from softmax_lib._exact.rounding import Pair, power_of_two, quick_two_sum, two_sum
from softmax_lib._jit import inlined

ERROR = 2.0**-90
PAIR_UNIT = 2.0**-106

# Terms are 2^512 times too large, so that their low parts are not subnormal.
SCALE = 2.0**512

# Lower scores count as the largest one minus this. The terms lie below 2^-1154; no
# result in float64 tells numbers below 2^-1100 apart.
CUTOFF = 800.0
SLACK = SCALE * 2.0**-1100
LEAST_LOG = SCALE * 2.0**-1300

LN2_MIDDLE = 2.8235290563025246e-13
LN2_LOW = 6.331101551392676e-26

# 1 / k! in two parts.
DEGREE = 22
FIRST_FLOAT = 13
_FACTORIALS = [Fraction(1, math.factorial(k)) for k in range(DEGREE + 1)]
INVERSE_HIGH = tuple(float(q) for q in _FACTORIALS)
INVERSE_LOW = tuple(float(q - Fraction(float(q))) for q in _FACTORIALS)
_TAIL = INVERSE_HIGH[FIRST_FLOAT:]
tail_polynomial = v.polynomial(_TAIL, _TAIL)

# e^x = 2^n (1 + d), with d as a pair.
Exponential = namedtuple("Exponential", ["n", "d"])


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
def exponential(x):
    """Return e^x for a pair x."""
    n = v.fma(x.hi, LOG2_E, MAGIC) - MAGIC
    a = two_sum(x.hi, n * -LN2_HIGH)
    b = two_sum(a.hi, n * -LN2_MIDDLE)
    # Close to a multiple of ln 2, the second may be the larger one.
    r = two_sum(b.hi, (a.lo + b.lo) + (x.lo - n * LN2_LOW))
    q = Pair(tail_polynomial(r.hi), 0.0 * r.hi)
    for k in range(FIRST_FLOAT - 1, 0, -1):
        # 1 / k! + q r. It is the larger one, and what the sum loses stays in the low
        # part, which may be twice as large as that of other pairs.
        p = two_product(q.hi, r.hi)
        low = p.lo + (q.hi * r.lo + q.lo * r.hi)
        s = quick_two_sum(INVERSE_HIGH[k], p.hi)
        q = Pair(s.hi, s.lo + (INVERSE_LOW[k] + low))
    return Exponential(n, multiply(q, r))


@inlined
def gap(x, top):
    """Return x - top as a pair, exactly unless it is below the cutoff."""
    d = two_sum(x, 0.0 - top)
    far = d.hi < -CUTOFF
    return Pair(v.select(far, -CUTOFF, d.hi), v.select(far, 0.0, d.lo))


@inlined
def one_plus(d):
    """Return 1 + d."""
    s = two_sum(0.0 * d.hi + 1.0, d.hi)
    return quick_two_sum(s.hi, s.lo + d.lo)


@inlined
def log_one_plus(t):
    """Return log(1 + t) for a pair t >= 0 that is not below 2^-400."""
    y = log_total(0.0 * t.hi + 1.0, t.hi)
    e = exponential(Pair(0.0 - y, 0.0 * y))
    power = power_of_two(e.n)
    # (1 + t) 2^n - 1, and with that (1 + t) e^-y - 1.
    ones = Pair(power - 1.0, 0.0 * power)
    a = add(scale(t, power), ones)
    d = add(a, multiply(e.d, add(a, Pair(0.0 * power + 1.0, 0.0 * power))))
    less = Pair(-0.5 * (d.hi * d.hi), 0.0 * d.hi)
    return add(Pair(y, 0.0 * y), add(d, less))
