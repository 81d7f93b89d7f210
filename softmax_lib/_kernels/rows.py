"""One slice at a time: the reductions and softmaxes of a one-dimensional row.

Everything is computed in float64. Two things cost accuracy in the plain shifted
formula, and both are cured here: the difference x - max keeps its rounding
error (exp would turn it into a relative one), and sums are compensated.
"""

import numpy as np

from softmax_lib._jit import kernel
from softmax_lib._kernels.compensated import two_sum


@kernel
def index_of_maximum(x):
    """Return the position of the largest entry, of the first NaN if there is one."""
    best = 0
    for i in range(x.size):
        if x[i] > x[best] or x[i] != x[i]:
            best = i
            if x[i] != x[i]:
                break
    return best


@kernel
def shifted_exp(a, b):
    """Return exp(a - b), the rounding error of the difference carried along."""
    d, e = two_sum(np.float64(a), -np.float64(b))
    y = np.exp(d)
    return y + y * e


@kernel
def sum_of_others(x, best):
    """Return the sum of exp(x_j - x_best) over all j but best, compensated."""
    total, lost = 0.0, 0.0
    for j in range(x.size):
        if j != best:
            total, e = two_sum(total, shifted_exp(x[j], x[best]))
            lost += e
    return total + lost


@kernel
def softmax_row(x, out):
    """exp(x_i - m) / sum_j exp(x_j - m), with m the maximum of x."""
    if x.size == 0:
        return
    best = index_of_maximum(x)
    top = x[best]
    total = 1.0 + sum_of_others(x, best) if np.isfinite(top) else np.nan
    for i in range(x.size):
        out[i] = shifted_exp(x[i], top) / total


@kernel
def log_softmax_row(x, out):
    """(x_i - m) - log1p(sum of exp(x_j - m) over all j but the winner)."""
    if x.size == 0:
        return
    best = index_of_maximum(x)
    top = x[best]
    tail = np.log1p(sum_of_others(x, best)) if np.isfinite(top) else np.nan
    for i in range(x.size):
        d, e = two_sum(np.float64(x[i]), -np.float64(top))
        out[i] = d - tail if np.isinf(d) else (d - tail) + e


@kernel
def logsumexp_row(x):
    """M + log1p(sum of exp(x_j - m) over all j but the winner), m the maximum."""
    if x.size == 0:
        return -np.inf
    best = index_of_maximum(x)
    top = np.float64(x[best])
    if not np.isfinite(top):
        return top
    return top + np.log1p(sum_of_others(x, best))
