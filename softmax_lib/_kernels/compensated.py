"""Sums and differences that keep what rounding would throw away."""

from softmax_lib._jit import kernel


@kernel
def two_sum(a, b):
    """Return ``s = fl(a + b)`` and the error ``e`` with ``s + e == a + b`` exactly.

    Knuth, The Art of Computer Programming 2, section 4.2.2. Not finite: the
    error is 0, so that nothing but the sum itself speaks.
    """
    s = a + b
    t = s - a
    e = (a - (s - t)) + (b - t)
    return s, (e if e == e else 0.0)
