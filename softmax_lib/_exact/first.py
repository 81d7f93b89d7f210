r"""The first path: terms and logarithms in float64, with bounds on their errors.

Below, u is 2^-53, and all errors are relative unless said otherwise. No bound needs
fused operations: they round less.

**A term** is :math:`2^{n-N} (1 + g)`, an exponential divided by a power of two near the
largest one. Here x is a score in float32, widened; if the largest score exceeds 500,
it is subtracted from all others first. Both that and the first step of

.. math:: r = (x - n L_1) - n L_2, \qquad L_1 + L_2 = \ln 2

are exact for all scores that are within 499 of the largest: with n below 2^11, and 41
bits in L_1, each of these numbers is a multiple of 2^-44 and has at most 53 bits. So
the error of r is u/4, the rounding of a number below 1/2. Then :math:`g = r + r^2 P(r)`
with |g| < 0.42 adds u/4 for its rounding, 0.35 u for that of the second term, and 0.05
u since P is a polynomial. At most 1.1 u in all, absolute; 1 + g rounds by another u if
it is above 1, by u/2 if it is above 0.7. That makes an error of at most **2.2 u**.
Scores further away than 499 have terms below 2^-719, and a bound of their own below.

**A sum** in one lane keeps the roundings of its additions in a second number. For k
terms its error is that of the terms, and u + (k u)^2 for the rest.

**A share** is a term (2.2 u) times the reciprocal (u, and u for the product) of a total
(3.2 u and u for adding lanes): 7.4 u. `SHARE_ERROR` is twice as much, and that leaves
room for the roundings of the test itself. Adding (k u)^2 makes it hold for any length.

**The logarithm of a total**, relative to the largest score, is
:math:`L = \log(c + t)`. The c entries that equal the largest score are counted, and t
is the sum of the others, divided by the term of the largest: 2.2 + 3.2 + 1 + 1 = 7.4 u.
The logarithm makes that at most 7.4 u / ln 2 = 10.7 u if c is 2 or more, and no more
than before if c is 1. The evaluation of `log_total` adds less than 4 u. `LOG_ERROR` is
24 u. The terms below 2^-719, which may be wrong altogether, shift L by less than
`LOG_SLACK`.
"""

from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.pairs import two_sum

UNIT = 2.0**-53
SHARE_ERROR = 16 * UNIT
LOG_ERROR = 24 * UNIT
# There are fewer than 2^60 entries.
LOG_SLACK = 2.0**-650
# Any positive number below half the smallest subnormal float32, which no rounding of
# scores can tell from another.
LEAST_LOG = 2.0**-900

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693147180559663
LN2_LOW = 2.8235290563031577e-13
MAGIC = 1.5 * 2.0**52

# Lower scores count as the largest one minus this.
CUTOFF = 600.0
MAX_UNSHIFTED = 500.0

# The polynomials of `_kernels.exponential` and `_kernels.logarithm`. They stand here
# again since the bounds above depend on them.
_EXP = (
    0.50000000000000106842, 0.16666666666666411251, 0.04166666666652956488,
    0.0083333333334951102751, 0.0013888888943809543436, 0.00019841269505576905138,
    2.4801492892443768826e-05, 2.7557586886321903715e-06, 2.7630328478971994633e-07,
    2.5000024623886921618e-08,
)  # fmt: skip
_ATANH = (
    0.66666666666667349, 0.39999999999411114, 0.28571428743259299,
    0.22222198476224613, 0.18183569732552245, 0.15313903309495021,
    0.14797508217555147,
)  # fmt: skip
exp_polynomial = v.polynomial(_EXP, _EXP)
atanh_polynomial = v.polynomial(_ATANH, _ATANH)

# What is subtracted from scores, the least score then, and the number that rounds
# x log2(e) to n - N + 1023.
Params = namedtuple("Params", ["shift", "floor", "magic"])


@inlined
def params_of(top):
    """Return the parameters of slices with the given largest scores."""
    shift = v.select(v.fabs(top) > MAX_UNSHIFTED, top, 0.0)
    shifted = top - shift
    n = v.fma(shifted, LOG2_E, MAGIC) - MAGIC
    return Params(shift, shifted - CUTOFF, (MAGIC + 1023.0) - n)


@inlined
def term(x, params):
    """Return exp(x) / 2^N."""
    y = v.maximum(params.floor, x - params.shift)
    rounded = v.fma(y, LOG2_E, params.magic)
    n = rounded - params.magic
    r = v.fma(n, -LN2_LOW, v.fma(n, -LN2_HIGH, y))
    g = v.fma(exp_polynomial(r), r * r, r)
    return v.from_bits(v.to_bits(rounded) << 52) * (1.0 + g)


@inlined
def share_error(lines):
    """Return the bound for shares, where each lane has so many terms."""
    return SHARE_ERROR + (lines * UNIT) * (lines * UNIT)


@inlined
def log_error(lines):
    """Return the bound for logarithms, where each lane has so many terms."""
    return LOG_ERROR + (lines * UNIT) * (lines * UNIT)


@inlined
def log_total(c, t):
    """Return log(c + t) for an integer c >= 1 and t >= 0.

    The first log1p of FreeBSD: c + t = 2^k (1 + f) with 1 + f between the square roots
    of 1/2 and 2, and what the sum loses is added to the logarithm.
    """
    u, lost = two_sum(c, t)
    k = (v.to_bits(u) - 0x3FE6A09E667F3BCD) >> 52
    f = v.from_bits(v.to_bits(u) - (k << 52)) - 1.0
    n = v.from_bits(k + v.to_bits(v.splat(u, MAGIC))) - MAGIC
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    tail = v.fma(n, LN2_LOW, lost / u)
    series = v.fma(s, v.fma(z, atanh_polynomial(z), half), tail)
    return n * LN2_HIGH + (f - (half - series))


@inlined
def log_bounds(c, t, params, top, lines):
    """Return two numbers between which log(c + t / W) lies.

    W is the term of the largest score. Where c is 1 and t is 0, both are 0.
    """
    log = log_total(c, t / term(top, params))
    error = log_error(lines)
    low = v.maximum(LEAST_LOG, (log - log * error) - LOG_SLACK)
    high = (log + log * error) + LOG_SLACK
    alone = log == 0.0
    return v.select(alone, 0.0 * log, low), v.select(alone, 0.0 * log, high)


@inlined
def share_bounds(t, recip, error):
    """Return two numbers between which t * recip lies."""
    share = t * recip
    return v.fma(share, 0.0 - error, share), v.fma(share, error, share)
