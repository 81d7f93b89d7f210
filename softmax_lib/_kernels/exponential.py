r"""The exponential, in the form that softmax wants it: a number and a power of two.

.. math:: e^x = 2^n (1 + d), \qquad n = \operatorname{round}(x \log_2 e),
          \qquad d = e^r - 1, \qquad r = x - n \ln 2

Softmax is a quotient, so any common factor may go. The textbook drops exp(max)
by subtracting the maximum from x, a subtraction that rounds, and exp makes a
relative error of it. Here a power of two is dropped instead, by subtracting
integers from n, which is exact and free. The 1 and the d are kept apart, for
their sum rounds, and sums of many terms can do without that.
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
EXPONENT_BITS = constant(0x7F800000, 0x7FF0000000000000)

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
UNIT = constant(2.0**64, 2.0**512)
UNIT_EXPONENT = constant(64.0 + 127.0, 512.0 + 1023.0)

# Shares are so much too large before that: the low part of the quotient times a term
# would else be subnormal for the smallest of them. There are none in rows whose terms
# are all 2 at least, which have this highest bit of the exponent.
LIFT = constant(2.0**32, 2.0**64)
LARGE_BIT = constant(1 << 30, 1 << 62)

# exp(-130) is nothing beside 1 in float32, exp(-1060) in float64, and both still
# have a normal representation with the UNIT. What lies lower is put here.
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
def reduced(x, rounder):
    """Return r and the rounder + n, for exp(x) = 2^n e^r = 2^n (1 + d)."""
    rounded = fma(x, LOG2_E(x), rounder)
    n = rounded - rounder
    high = fma(n, -LN2_HIGH(x), x)
    return fma(n, -LN2_LOW(x), high), rounded


@formula
def expm1(r):
    """Return d = e^r - 1."""
    return fma(TAIL(r), r * r, r)


@formula
def exact_expm1_parts(x, rounder):
    """Return d, what it lacks (to a tenth of the ULP of 1 + d), and the rounder + n."""
    rounded = fma(x, LOG2_E(x), rounder)
    n = rounded - rounder
    high = fma(n, -LN2_HIGH(x), x)
    r = fma(n, -LN2_LOW(x), high)
    r_error = fma(n, -LN2_LOW(x), high - r)
    tail, square = TAIL(r), r * r
    d = fma(tail, square, r)
    return d, fma(tail, square, r - d) + (r_error + d * r_error), rounded


@formula
def unit_rounder(top):
    """Return the rounder that counts powers of two in units of the maximum's.

    What it rounds to, its lowest bits shifted to where a floating-point number has
    its exponent, is 2^(n - N) UNIT, N being the n of the maximum.
    """
    n = fma(top, LOG2_E(top), ROUNDER(top)) - ROUNDER(top)
    return (ROUNDER(top) + UNIT_EXPONENT(top)) - n


@formula
def power_of(rounded):
    """Return 2^(n - N) UNIT."""
    return from_bits(to_bits(rounded) << FRACTION_BITS(rounded))


@formula
def begun_term(v, about):
    """Return what `ended_term` needs for the term of v, where the shift is 0."""
    _, floor, rounder = about
    r, rounded = reduced(larger(floor, v), rounder)
    return r, power_of(rounded)


@formula
def ended_term(begun):
    """Return the term that was begun, in two parts."""
    r, power = begun
    return power, power * expm1(r)


@formula
def unshifted_term(v, about):
    """Return `term` where the shift is 0."""
    return ended_term(begun_term(v, about))


@formula
def term(v, about):
    """Return exp(v) / 2^N UNIT in two parts: a power of two, and that times d.

    `about` has the shift, the floor and the rounder, for a maximum.
    """
    return unshifted_term(v - about[0], about)


@formula
def exact_term(v, about):
    """Return the two parts of `term`, and what they lack."""
    shift, floor, rounder = about
    d, error, rounded = exact_expm1_parts(larger(floor, v - shift), rounder)
    power = power_of(rounded)
    return power, power * d, power * error


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
