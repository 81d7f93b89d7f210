r"""The exponential, in the form that softmax wants it: a number and a power of two.

.. math:: e^x = 2^n (1 + g), \qquad n = \operatorname{round}(x \log_2 e),
          \qquad g = e^r - 1, \qquad r = x - n \ln 2

Softmax is a quotient, so any common factor cancels. The textbook divides by exp(max),
subtracting the maximum from x. That subtraction rounds, and exp turns its error into a
relative one. Here a power of two is divided out instead: integers are subtracted from
n, which is exact and free. The 1 and the g are kept apart, since their sum rounds, and
sums of many terms can do without that rounding.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined

LOG2_E = v.constant(math.log2(math.e), math.log2(math.e))

# ln 2 in two parts (Cody and Waite). The high part has 14 (41) bits, so that n
# times it is exact, with or without fma, for |n| < 2^10 (2^12).
LN2_HIGH = v.constant(0.693115234375, 0.693147180559663)
LN2_LOW = v.constant(3.194618329871446e-05, 2.8235290563031577e-13)

# Adding 1.5 * 2^23 (2^52) rounds to an integer and leaves it in the lowest bits.
ROUNDING_MAGIC = v.constant(1.5 * 2.0**23, 1.5 * 2.0**52)
ROUNDING_MAGIC_BITS = v.constant(0x4B400000, 0x4338000000000000)
FRACTION_BITS = v.constant(23, 52)
ONE_BITS = v.constant(0x3F800000, 0x3FF0000000000000)
EXPONENT_BITS = v.constant(0x7F800000, 0x7FF0000000000000)

# ((exp(r) - 1) / r - 1) / r for |r| <= 0.3468, minimax in the relative error of
# exp(r): 2^-28.2 in float32, 2^-57.9 in float64 (benchmarks/rounding.py; certificate.py
# proves it).
EXPM1_POLY = v.polynomial(
    (0.4999999403953552, 0.1666652113199234, 0.04166826978325844,
     0.008368690498173237, 0.0013820743188261986),
    (0.5000000000000011, 0.16666666666666455, 0.04166666666652812,
     0.008333333333474587, 0.0013888888943954225, 0.00019841269540191462,
     2.4801492865132596e-05, 2.7557561872563193e-06, 2.7630313899739247e-07,
     2.5006606674624715e-08),
)  # fmt: skip

# Terms are summed 2^64 (2^512) times too large, so that none of them is subnormal. A
# subnormal share is rounded once, in the last multiplication.
TERM_SCALE = v.constant(2.0**64, 2.0**512)
TERM_SCALE_EXPONENT = v.constant(64.0 + 127.0, 512.0 + 1023.0)

# exp(-130) is negligible beside 1 in float32, exp(-1060) in float64, and both times
# TERM_SCALE are normal numbers. Lower scores are clamped to the maximum minus this.
CUTOFF = v.constant(130.0, 1060.0)

# Up to here n stays within the bounds above, the CUTOFF included.
MAX_UNSHIFTED = v.constant(500.0, 1600.0)


# The parameters of the terms of a slice, from its maximum: what is subtracted from each
# score (0 unless the maximum is huge), what lower scores are clamped to, and the number
# that rounds to n - N (see `scaled_magic`).
TermParams = namedtuple("TermParams", ["shift", "floor", "magic"])


@inlined
def choose_shift(top):
    """Return the shift for a maximum: 0, or the maximum itself if it is huge.

    Where |top| > MAX_UNSHIFTED, every score that is not negligible has the sign of top
    and lies within a factor of two of it, so that the subtraction is exact (Sterbenz).
    """
    return v.select(v.fabs(top) > MAX_UNSHIFTED(top), top, 0.0 * top)


@inlined
def term_params(top, shift):
    """Return the parameters of the terms of a slice, for its maximum."""
    shifted = top - shift
    return TermParams(shift, shifted - CUTOFF(top), scaled_magic(shifted))


@inlined
def scaled_magic(top):
    """Return the magic number that counts powers of two in units of the maximum's.

    Its lowest bits, shifted to the exponent of a floating-point number, make
    2^(n - N) TERM_SCALE, where N is the n of the maximum.
    """
    n = v.fma(top, LOG2_E(top), ROUNDING_MAGIC(top)) - ROUNDING_MAGIC(top)
    return (ROUNDING_MAGIC(top) + TERM_SCALE_EXPONENT(top)) - n


@inlined
def power_of_magic(params):
    """Return N, from the magic number that counts powers of two in units of 2^N."""
    magic = params.magic
    return (ROUNDING_MAGIC(magic) + TERM_SCALE_EXPONENT(magic)) - magic


@inlined
def reduce_argument(x, magic):
    """Return r and the magic number + n, for exp(x) = 2^n e^r."""
    rounded = v.fma(x, LOG2_E(x), magic)
    n = rounded - magic
    high = v.fma(n, -LN2_HIGH(x), x)
    return v.fma(n, -LN2_LOW(x), high), rounded


@inlined
def expm1(r):
    """Return g = e^r - 1."""
    return v.fma(EXPM1_POLY(r), r * r, r)


@inlined
def expm1_with_error(x, magic):
    """Return g, its error to 0.15 ULP of 1 + g, and the magic number + n."""
    rounded = v.fma(x, LOG2_E(x), magic)
    n = rounded - magic
    high = v.fma(n, -LN2_HIGH(x), x)
    r = v.fma(n, -LN2_LOW(x), high)
    r_error = v.fma(n, -LN2_LOW(x), high - r)
    tail, square = EXPM1_POLY(r), r * r
    g = v.fma(tail, square, r)
    return g, v.fma(tail, square, r - g) + (r_error + g * r_error), rounded


@inlined
def exp2i(rounded):
    """Return 2^n, or 2^(n - N) TERM_SCALE, from the rounded magic number."""
    return v.from_bits(v.to_bits(rounded) << FRACTION_BITS(rounded))


@inlined
def scaled_exp_reduce(score, params):
    """Begin the term of a score, where the shift is 0: return r and its power."""
    clamped = v.maximum(params.floor, score)
    r, rounded = reduce_argument(clamped, params.magic)
    return r, exp2i(rounded)


@inlined
def scaled_exp_finish(reduced):
    """Return the term that `scaled_exp_reduce` began, in two parts."""
    r, power = reduced
    return power, power * expm1(r)


@inlined
def scaled_exp(score, params):
    """Return exp(score) / 2^N TERM_SCALE in two parts: a power of two, g times it."""
    return scaled_exp_finish(scaled_exp_reduce(score - params.shift, params))


@inlined
def scaled_exp_with_error(score, params):
    """Return the two parts of `scaled_exp`, and their error."""
    clamped = v.maximum(params.floor, score - params.shift)
    g, error, rounded = expm1_with_error(clamped, params.magic)
    power = exp2i(rounded)
    return power, power * g, power * error


@inlined
def ldexp_factors(n):
    """Return two factors whose product is 2^n, for integers n in floating-point lanes.

    One factor alone would leave the range of exponents before the result does.
    """
    whole = v.to_bits(n + ROUNDING_MAGIC(n)) - ROUNDING_MAGIC_BITS(n)
    half = whole >> 1
    rest = whole - half
    one = v.from_bits((half << FRACTION_BITS(n)) + ONE_BITS(n))
    return one, v.from_bits((rest << FRACTION_BITS(n)) + ONE_BITS(n))


@inlined
def unit_ratio(a, b):
    """Return the unit of terms with the parameters a in units of those with b."""
    one, other = ldexp_factors(v.to_float64(b.magic - a.magic))
    return one * other


@inlined
def power_of_two(x):
    """Return the largest power of two that is at most |x|."""
    return v.from_bits(v.to_bits(x) & EXPONENT_BITS(x))
