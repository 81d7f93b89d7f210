"""Sums of two numbers, rounded so that the result can be trusted.

Everything is lane by lane, and uses only what IEEE 754 defines.
"""

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.pairs import two_sum


@inlined
def sticky_sum(a, b):
    """Return a + b >= 0 rounded to odd.

    Where a + b is no float64, the result is the neighbour whose last bit is 1. It lies
    on the same side of every number of 52 bits as a + b does, midpoints of float32
    among them. So rounding it to float32 is rounding a + b: with plain sums the second
    rounding may not know that the first has moved a number onto a midpoint (Boldo and
    Melquiond, 2008).
    """
    total = two_sum(a, b)
    bits = v.to_bits(total.hi)
    to_odd = 1 - (bits & 1)
    none = bits - bits
    up = v.select(total.lo > 0.0, to_odd, none)
    down = v.select(total.lo < 0.0, to_odd, none)
    return v.from_bits(bits + up - down)


@inlined
def signed_sticky_sum(a, b):
    """Return a + b rounded to odd, whatever its sign."""
    sign = v.select(a + b < 0.0, -1.0, 0.0 * b + 1.0)
    return sign * sticky_sum(sign * a, sign * b)
