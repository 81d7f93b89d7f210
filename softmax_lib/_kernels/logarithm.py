r"""The logarithm of 1 + t for t >= 0, lane by lane.

.. math:: \log(1 + t) = k \ln 2 + \log(1 + f), \qquad
          \log(1 + f) = 2 \operatorname{artanh} \frac{f}{2 + f}

with 1 + f between the square roots of 1/2 and 2, as in FreeBSD's ``log1p``.
"""

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.double_double import two_sum
from softmax_lib._kernels.exponential import (
    FRACTION_BITS,
    LN2_HIGH,
    LN2_LOW,
    ONE_BITS,
    ROUNDING_MAGIC,
)

SQRT_HALF_BITS = v.constant(0x3F3504F3, 0x3FE6A09E667F3BCD)

# (2 artanh(s) - 2 s) / s^3 as a polynomial in s^2, for 1 + f as above. Relative
# to the result: 2^-35.5 in float32, 2^-59.5 in float64 (benchmarks/rounding.py;
# certificate.py proves it).
ATANH_POLY = v.polynomial(
    (0.6666666865348816, 0.3999975323677063, 0.28570032119750977, 0.23020246624946594),
    (0.6666666666666734, 0.3999999999941706, 0.28571428741888955,
     0.22222198622008643, 0.18183561888849797, 0.15314110711608792,
     0.14795367070697485),
)  # fmt: skip


@inlined
def log1p(t, low):
    """Return log(1 + t + low) in two parts, for t >= 0 and low far below t."""
    u = 1.0 + t
    back = u - 1.0
    dropped = (1.0 - (u - back)) + (t - back) + low
    k = (v.to_bits(u) - SQRT_HALF_BITS(u)) >> FRACTION_BITS(u)
    steps = k << FRACTION_BITS(u)
    f = v.from_bits(v.to_bits(u) - steps) - 1.0
    shrunk = v.from_bits(ONE_BITS(u) - steps)
    magic = v.splat(u, ROUNDING_MAGIC(u))
    n = v.from_bits(k + v.to_bits(magic)) - ROUNDING_MAGIC(u)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    tail = v.fma(n, LN2_LOW(u), dropped * shrunk / (1.0 + f))
    series = v.fma(s, v.fma(z, ATANH_POLY(z), half), tail)
    high, error = two_sum(n * LN2_HIGH(u), f)
    return two_sum(high, error + (series - half))


@inlined
def log1p_quotient(a, b):
    """Return log(1 + a / b) in two parts, for numbers a and b in two parts."""
    r = 1.0 / b.hi
    r_low = 0.0 - r * (v.exact_fma(r, b.hi, -1.0) + r * b.lo)
    q = a.hi * r
    q_low = v.exact_fma(a.hi, r, 0.0 - q) + a.hi * r_low + a.lo * r
    s = q + q_low
    return log1p(s, q_low - (s - q))
