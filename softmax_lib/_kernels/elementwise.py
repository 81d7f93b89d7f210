"""The sigmoid and its logarithm."""

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.exponential import (
    DEPTH,
    ROUNDER,
    exact_expm1_parts,
    powers_of_two,
)
from softmax_lib._kernels.lanes import (
    exact_fma,
    filled,
    larger,
    load,
    load_first,
    magnitude,
    memory,
    select,
    store,
    store_first,
    width,
)
from softmax_lib._kernels.logarithm import log1p
from softmax_lib._kernels.pages import enter_pages

# So many numbers are done before it is looked whether a page begins.
SPAN = 1 << 14


@formula
def exp_of_minus(size):
    """Return p, its error and two powers of two: exp(-size) = p * one * other."""
    x = larger(-DEPTH(size), 0.0 - size)
    d, error, rounded = exact_expm1_parts(x, filled(x, ROUNDER(x)))
    p = 1.0 + d
    one, other = powers_of_two(rounded - ROUNDER(x))
    return p, (d - (p - 1.0)) + error, one, other


@formula
def sigmoid(x):
    """1 / (1 + e) for x >= 0 and e / (1 + e) for x < 0, with e = exp(-|x|)."""
    p, p_low, half, other = exp_of_minus(magnitude(x))
    e = p * half * other
    e_low = p_low * half * other
    below = 1.0 + e
    left = (e - (below - 1.0)) + e_low
    # The quotient of two sums of two parts, by one division and its remainder.
    negative = x < 0.0
    above = select(negative, p, 1.0)
    above_low = select(negative, p_low, 0.0 * p)
    r = 1.0 / below
    q = above * r
    remainder = exact_fma(0.0 - q, below, above) + (above_low - q * left)
    share = q + remainder * r
    return share * select(negative, half, 1.0) * select(negative, other, 1.0)


@formula
def log_sigmoid(x):
    """min(x, 0) - log(1 + exp(-|x|))."""
    p, p_low, half, other = exp_of_minus(magnitude(x))
    log, low = log1p(p * half * other, p_low * half * other)
    return (select(x < 0.0, x, 0.0) - log) - low


def entry_writer(value):
    """Return a formula that writes value(v) for each v of x[first : last]."""

    @formula
    def write(x, out, first, last):
        w = width(x)
        for start in range(first, last, SPAN):
            stop = min(start + SPAN, last)
            enter_pages(x, out, start, stop - start, last)
            whole = stop - (stop - start) % w
            for i in range(start, whole, w):
                store(out, i, value(load(x, i)))
            if whole < stop:
                v = load_first(x, whole, stop - whole, 0.0)
                store_first(out, whole, stop - whole, value(v))

    return write


write_sigmoids = entry_writer(sigmoid)
write_logarithms = entry_writer(log_sigmoid)


@kernel
def sigmoid_flat(x, out, first, last):
    """1 / (1 + exp(-x)) of x[first : last]."""
    write_sigmoids(memory(x), memory(out), first, last)


@kernel
def log_sigmoid_flat(x, out, first, last):
    """-log(1 + exp(-x)) of x[first : last]."""
    write_logarithms(memory(x), memory(out), first, last)
