"""The blocks of vector-Jacobian products, whose slices may be in several of them."""

import numpy as np

from softmax_lib import losses
from softmax_lib.dask._blocks import on_one_thread, rounded
from softmax_lib.dask._sums import TwoParts, sum_of, two_product, two_sum


@on_one_thread
def whole_slices(result, g, axis, name):
    """Return a vector-Jacobian product of slices that are whole."""
    return np.asarray(getattr(losses, name)(result, g, axis))


def products_of_block(p, g=None, axis=None, keepdims=True, computing_meta=False):
    """Return the sum of shares times their gradients, in two parts."""
    if computing_meta:
        return p
    p, g = (np.asarray(a, np.float64) for a in (p, g))
    with np.errstate(all="ignore"):
        # What has no share has no part in the sum, be its gradient infinite.
        terms = (np.where(p == 0.0, 0.0, part) for part in two_product(p, g))
        return sum_of(TwoParts(*terms), axis)


def softmax_vjp(p, g, sums, dtype):
    """Return p_k (g_k - sum_j p_j g_j) of a block."""
    p, g = (np.asarray(a, np.float64) for a in (p, g))
    with np.errstate(all="ignore"):
        difference, error = two_sum(g, -sums.hi)
        low = np.where(np.isfinite(sums.lo), error - sums.lo, 0.0)
        return rounded(np.where(p == 0.0, 0.0, p * difference + p * low), dtype)


def log_softmax_vjp(logp, g, sums, dtype):
    """Return g_k - exp(logp_k) sum_j g_j of a block."""
    share, g = np.exp(logp, dtype=np.float64), np.asarray(g, np.float64)
    with np.errstate(all="ignore"):
        product, error = two_product(share, sums.hi)
        back = (g - product) - (error + share * sums.lo)
        return rounded(np.where(share == 0.0, g, back), dtype)
