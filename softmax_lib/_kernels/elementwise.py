"""The sigmoid and its logarithm."""

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels.exponential import (
    CUTOFF,
    ROUNDING_MAGIC,
    expm1_with_error,
    ldexp_factors,
)
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.logarithm import log1p
from softmax_lib._layout import PAGE_INTERVAL


@inlined
def exp_of_minus(size):
    """Return p, its error and two powers of two: exp(-size) = p * one * other."""
    x = v.maximum(-CUTOFF(size), 0.0 - size)
    d, error, rounded = expm1_with_error(x, v.splat(x, ROUNDING_MAGIC(x)))
    p = 1.0 + d
    one, other = ldexp_factors(rounded - ROUNDING_MAGIC(x))
    return p, (d - (p - 1.0)) + error, one, other


@inlined
def sigmoid(x):
    """1 / (1 + e) for x >= 0 and e / (1 + e) for x < 0, with e = exp(-|x|)."""
    p, p_low, half, other = exp_of_minus(v.fabs(x))
    e = p * half * other
    e_low = p_low * half * other
    below = 1.0 + e
    left = (e - (below - 1.0)) + e_low
    # The quotient of two sums of two parts, by one division and its remainder.
    negative = x < 0.0
    above = v.select(negative, p, 1.0)
    above_low = v.select(negative, p_low, 0.0 * p)
    r = 1.0 / below
    q = above * r
    remainder = v.exact_fma(0.0 - q, below, above) + (above_low - q * left)
    share = q + remainder * r
    return share * v.select(negative, half, 1.0) * v.select(negative, other, 1.0)


@inlined
def log_sigmoid(x):
    """min(x, 0) - log(1 + exp(-|x|))."""
    p, p_low, half, other = exp_of_minus(v.fabs(x))
    log, low = log1p(p * half * other, p_low * half * other)
    return (v.select(x < 0.0, x, 0.0) - log) - low


def elementwise_kernel(value):
    """Return the kernel that writes value(x) for each entry of rows of n numbers."""

    def entries(x, out, n, first, last):
        source, target = v.data_pointer(x), v.data_pointer(out)
        w, end = v.vector_length(source), last * n
        for start in range(first * n, end, PAGE_INTERVAL):
            stop = min(start + PAGE_INTERVAL, end)
            touch_pages(source, target, start, stop - start, end)
            whole = stop - (stop - start) % w
            for i in range(start, whole, w):
                v.store(target, i, value(v.load(source, i)))
            if whole < stop:
                rest = v.load_head(source, whole, stop - whole, 0.0)
                v.store_head(target, whole, stop - whole, value(rest))

    return kernel(renamed(entries, __name__, f"{value.__name__}_entries"))


sigmoid_entries = elementwise_kernel(sigmoid)
log_sigmoid_entries = elementwise_kernel(log_sigmoid)
