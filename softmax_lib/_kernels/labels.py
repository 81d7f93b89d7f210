"""What the labels of all rows are together, and the sum of the rows' losses."""

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.lanes import (
    exact_sum_of,
    filled,
    load,
    load_first,
    memory,
    single,
    sum_of,
    width,
)
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import reciprocal


@kernel
def first_bad_and_count(labels, n, ignored, ignores):
    """Return where the first label outside 0, ..., n - 1 is, and how many count.

    A label equal to `ignored` neither is bad nor counts, if `ignores`. The place is
    -1 where no label is bad.
    """
    bad, left_out = 0, 0
    for y in labels:
        out = (ignores != 0) & (y == ignored)
        left_out += out
        bad += ((y < 0) | (y >= n)) & (not out)
    if bad:
        for i, y in enumerate(labels):
            if (y < 0 or y >= n) and not (ignores and y == ignored):
                return i, 0
    return -1, labels.size - left_out


@kernel
def weight_of(labels, weight, ignored):
    """Return the sum of the weights of the labels that count, in two parts."""
    high, lost = 0.0, 0.0
    for y in labels:
        if y != ignored:
            high, error = two_sum(high, float(weight[y]))
            lost += error
    return high, lost


@kernel
def mean_of(losses, divisor, lost_divisor):
    """Return the sum of the losses over the divisor; 0 over 0."""
    if divisor == 0.0:
        return 0.0
    source = memory(losses)
    w = width(source)
    n = losses.size
    whole = n - n % w
    high, lost = filled(source, 0.0), filled(source, 0.0)
    for i in range(0, whole, w):
        high, error = two_sum(high, load(source, i))
        lost = lost + error
    if whole < n:
        high, error = two_sum(high, load_first(source, whole, n - whole, 0.0))
        lost = lost + error
    total, rest = exact_sum_of(high, high)
    rest += sum_of(lost)
    # Infinite losses leave NaN among the errors.
    total = total + rest if rest == rest else total
    return total / (divisor + lost_divisor)


@formula
def inverse(divisor, lost):
    """Return 1 / divisor in two parts; of 0, when no row counts, 0."""
    if divisor == 0.0:
        return single(0.0), single(0.0)
    return reciprocal((single(divisor), single(lost)))
