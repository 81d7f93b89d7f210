"""The labels of all rows together, and the sum of the rows' losses."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import kernel
from softmax_lib._kernels.double_double import (
    dd_add_float,
    dd_reduce,
    dd_zeros,
    two_sum,
)


@kernel
def validate_labels(labels, n, ignored, ignores):
    """Return the position of the first label outside 0, ..., n - 1, and the count.

    With `ignores`, a label equal to `ignored` is neither bad nor counted. The position
    is -1 if no label is bad.
    """
    bad, omitted = 0, 0
    for y in labels:
        skip = (ignores != 0) & (y == ignored)
        omitted += skip
        bad += ((y < 0) | (y >= n)) & (not skip)
    if bad:
        for i, y in enumerate(labels):
            if (y < 0 or y >= n) and not (ignores and y == ignored):
                return i, 0
    return -1, labels.size - omitted


@kernel
def label_weight_sum(labels, weight, ignored):
    """Return the sum of the weights of the labels that count, in two parts."""
    hi, lo = 0.0, 0.0
    for y in labels:
        if y != ignored:
            hi, error = two_sum(hi, float(weight[y]))
            lo += error
    # The high part is 0 only if the sum is.
    hi, lo = two_sum(hi, lo)
    return hi, lo


@kernel
def mean_loss(losses, divisor, divisor_lo):
    """Return the sum of the losses over the divisor; 0 over 0 is 0."""
    source = v.data_pointer(losses)
    w = v.vector_length(source)
    n = losses.size
    totals = dd_zeros(source)
    for i in range(0, n, w):
        totals = dd_add_float(totals, v.load_up_to(source, i, min(w, n - i)))
    hi, lo = dd_reduce(totals)
    if divisor == 0.0 and hi + lo == 0.0:
        return 0.0
    return (hi + lo) / (divisor + divisor_lo)


@kernel
def divide_by_zero(grad):
    """Divide the gradient of a sum by 0 for that of a mean; 0 over 0 is 0."""
    for i in range(grad.size):
        if grad[i] != 0.0:
            grad[i] *= math.inf
