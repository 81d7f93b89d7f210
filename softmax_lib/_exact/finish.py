"""The last rounding of the second path: a pair times a power of two, to a dtype."""

from softmax_lib import _vector as v
from softmax_lib._exact.rounding import signed_sticky_sum, sticky_sum
from softmax_lib._jit import inlined
from softmax_lib._kernels.pairs import power_of_two, two_sum


@inlined
def to_float64(results, hi, lo, n):
    """Return (hi + lo) 2^n >= 0, rounded once.

    For hi below 2 and n from -1155 to 0, or n = 0. Where the result is subnormal, it is
    rounded as a multiple of its unit by adding 2^52 units, and scaled exactly. What is
    left then may be next to half a unit, on one side, and stays there.
    """
    least = power_of_two(-1022.0 - n)
    big = v.select(hi < least, least, 0.0 * n)
    s = two_sum(big, hi)
    r = (s.hi + signed_sticky_sum(s.lo, lo)) - big
    half = v.select(n < -600.0, -600.0, 0.0 * n)
    return r * power_of_two(half) * power_of_two(n - half)


@inlined
def to_float32(results, hi, lo, n):
    """Return (hi + lo) 2^n >= 0 rounded to float32 once.

    What is subnormal in float64 is 0 in float32.
    """
    half = v.select(n < -600.0, -600.0, 0.0 * n)
    whole = sticky_sum(hi, lo) * power_of_two(half) * power_of_two(n - half)
    return v.to_dtype_of(results, whole)
