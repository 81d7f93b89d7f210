"""The sum that keeps what rounding would throw away."""

from softmax_lib._jit import formula


@formula
def two_sum(a, b):
    """Return fl(a + b) and the error, which together are a + b exactly.

    Knuth, The Art of Computer Programming 2, section 4.2.2.
    """
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)
