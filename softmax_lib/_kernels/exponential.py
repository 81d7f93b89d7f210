r"""The exponential, in the form that softmax wants it: a number and a power of two.

.. math:: e^x = 2^n p, \qquad n = \operatorname{round}(x \log_2 e),
          \qquad p = e^r, \qquad r = x - n \ln 2

Softmax is a quotient, so any common factor may go. The textbook drops exp(max)
by subtracting the maximum from x, a subtraction that rounds, and exp makes a
relative error of it. Here a power of two is dropped instead, by subtracting
integers from n, which is exact and free.
"""

import math

from softmax_lib._jit import formula
from softmax_lib._kernels.lanes import (
    constant,
    fma,
    from_bits,
    larger,
    magnitude,
    polynomial,
    select,
    to_bits,
)

LOG2_E = constant(math.log2(math.e), math.log2(math.e))

# ln 2 in two parts (Cody and Waite). The high part has 14 (41) bits, so that n
# times it is exact, with or without fma, for |n| < 2^10 (2^12).
LN2_HIGH = constant(0.693115234375, 0.693147180559663)
LN2_LOW = constant(3.194618329871446e-05, 2.8235290563031577e-13)

# Adding 1.5 * 2^23 (2^52) rounds to an integer and leaves it in the lowest bits.
ROUNDER = constant(1.5 * 2.0**23, 1.5 * 2.0**52)
ROUNDER_BITS = constant(0x4B400000, 0x4338000000000000)
FRACTION_BITS = constant(23, 52)
ONE_BITS = constant(0x3F800000, 0x3FF0000000000000)

# ((exp(r) - 1) / r - 1) / r for |r| <= 0.3468, minimax in the relative error of
# exp(r): 2^-28.2 in float32, 2^-57.9 in float64 (benchmarks/coefficients.py).
TAIL = polynomial(
    (
        0.4999999342781862,
        0.1666652031347988,
        0.04166839135102616,
        0.00836875571036419,
        0.0013814546964211674,
    ),
    (
        0.50000000000000106842,
        0.16666666666666411251,
        0.04166666666652956488,
        0.0083333333334951102751,
        0.0013888888943809543436,
        0.00019841269505576905138,
        2.4801492892443768826e-05,
        2.7557586886321903715e-06,
        2.7630328478971994633e-07,
        2.5000024623886921618e-08,
    ),
)

# Terms are kept 2^64 (2^512) too large while they are summed, so that none of them
# is subnormal: what is has its only rounding in the last multiplication.
EXTRA = constant(64, 512)
UNIT = constant(2.0**64, 2.0**512)

# exp(-130) is nothing beside 1 in float32, exp(-1060) in float64, and both still
# have a normal representation with the 2^EXTRA. What lies lower is put here.
DEPTH = constant(130.0, 1060.0)

# Up to here n stays within the bounds above, the DEPTH included.
REACH = constant(500.0, 1600.0)


@formula
def anchor(top):
    """Return what to subtract from x beforehand: nothing, or a huge maximum.

    Where |top| > REACH, whatever matters beside it has its sign and lies within a
    factor of two, and there the subtraction is exact (Sterbenz).
    """
    return select(magnitude(top) > REACH(top), top, 0.0 * top)


@formula
def exp_parts(x):
    """Return p and the rounder + n, for exp(x) = 2^n p."""
    rounded = fma(x, LOG2_E(x), ROUNDER(x))
    n = rounded - ROUNDER(x)
    r = fma(n, -LN2_LOW(x), fma(n, -LN2_HIGH(x), x))
    return fma(fma(TAIL(r), r, 1.0), r, 1.0), rounded


@formula
def exp_parts_with_error(x):
    """Return p as in `exp_parts`, its last rounding error, and the rounder + n."""
    rounded = fma(x, LOG2_E(x), ROUNDER(x))
    n = rounded - ROUNDER(x)
    r = fma(n, -LN2_LOW(x), fma(n, -LN2_HIGH(x), x))
    q = fma(TAIL(r), r, 1.0)
    p = fma(q, r, 1.0)
    return p, fma(q, r, 1.0 - p), rounded


@formula
def exact_exp_parts(x):
    """Return p as in `exp_parts`, its error to a tenth of its ULP, and rounder + n."""
    rounded = fma(x, LOG2_E(x), ROUNDER(x))
    n = rounded - ROUNDER(x)
    high = fma(n, -LN2_HIGH(x), x)
    r = fma(n, -LN2_LOW(x), high)
    r_error = fma(n, -LN2_LOW(x), high - r)
    tail = TAIL(r)
    q = fma(tail, r, 1.0)
    q_error = fma(tail, r, 1.0 - q)
    p = fma(q, r, 1.0)
    p_error = fma(q, r, 1.0 - p)
    return p, p_error + (r * q_error + p * r_error), rounded


@formula
def exponent_bits(rounded):
    """Return n, shifted to where a floating-point number has its exponent."""
    return to_bits(rounded) << FRACTION_BITS(rounded)


@formula
def unit_bits(rounded):
    """Return the offset for `term` that makes 2^EXTRA of the power 2^n."""
    one = ONE_BITS(rounded) + (EXTRA(rounded) << FRACTION_BITS(rounded))
    return one - exponent_bits(rounded)


@formula
def term(x, floor, offset):
    """Return exp(x) 2^EXTRA / 2^N, with the N that offset was made for.

    The power is multiplied by: added to the exponent of p, it would hide a NaN.
    """
    p, rounded = exp_parts(larger(floor, x))
    return p * from_bits(exponent_bits(rounded) + offset)


@formula
def term_with_error(x, floor, offset):
    """Return `term` and its last rounding error."""
    p, error, rounded = exp_parts_with_error(larger(floor, x))
    scale = from_bits(exponent_bits(rounded) + offset)
    return p * scale, error * scale


@formula
def exact_term(x, floor, offset):
    """Return `term` in two parts."""
    p, error, rounded = exact_exp_parts(larger(floor, x))
    scale = from_bits(exponent_bits(rounded) + offset)
    return p * scale, error * scale


@formula
def powers_of_two(n):
    """Return two factors whose product is 2^n, for n that are integers in lanes.

    One factor alone would leave the range of exponents before the result does.
    """
    whole = to_bits(n + ROUNDER(n)) - ROUNDER_BITS(n)
    half = whole >> 1
    rest = whole - half
    one = from_bits((half << FRACTION_BITS(n)) + ONE_BITS(n))
    return one, from_bits((rest << FRACTION_BITS(n)) + ONE_BITS(n))
