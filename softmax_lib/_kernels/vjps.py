r"""What softmax and log-softmax pass back, from their results and a gradient.

.. math:: p_k \Bigl(g_k - \sum_j p_j g_j\Bigr), \qquad
          g_k - e^{\ell_k} \sum_j g_j
"""

import math

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.by_lane import load_some, store_some
from softmax_lib._kernels.elementwise import exp_of_minus
from softmax_lib._kernels.lanes import (
    exact_fma,
    filled,
    fma,
    memory,
    narrowed,
    select,
    widen,
    width,
)
from softmax_lib._kernels.soft_losses import gathered
from softmax_lib._kernels.sums import two_sum


@kernel
def softmax_vjp_rows(p, g, out, n, first, last):
    """p_k (g_k - sum_j p_j g_j); out may be p or g."""
    shares, given, target = memory(p), memory(g), memory(out)
    w = width(shares)
    for start in range(first * n, last * n, n):
        high, low = weighted_sum(shares, given, start, n)
        for i in range(0, n, w):
            count = min(w, n - i)
            share = widen(load_some(shares, start + i, count))
            d, error = two_sum(widen(load_some(given, start + i, count)), 0.0 - high)
            # Where the sum is infinite, the error is NaN.
            v = fma(share, d, share * select(error == error, error - low, 0.0))
            v = select(share == 0.0, 0.0, v)
            store_some(target, start + i, count, narrowed(shares, v))


@kernel
def log_softmax_vjp_rows(logp, g, out, n, first, last):
    """g_k - exp(logp_k) sum_j g_j; out may be logp or g."""
    logs, given, target = memory(logp), memory(g), memory(out)
    w = width(logs)
    for start in range(first * n, last * n, n):
        high, low = plain_sum(given, start, n)
        for i in range(0, n, w):
            count = min(w, n - i)
            log = load_some(logs, start + i, count)
            p, error, one, other = exp_of_minus(0.0 - log)
            share = (widen(p) + widen(error)) * widen(one) * widen(other)
            v = widen(load_some(given, start + i, count))
            back = (exact_fma(0.0 - share, high, v)) - share * low
            back = select(widen(log) == -math.inf, v, back)
            store_some(target, start + i, count, narrowed(logs, back))


@formula
def weighted_sum(p, g, start, n):
    """Return sum_j p_j g_j in two parts; nothing comes from where p is 0."""
    w = width(p)
    total, lost = widen(filled(p, 0.0)), widen(filled(p, 0.0))
    for i in range(0, n, w):
        count = min(w, n - i)
        a = widen(load_some(p, start + i, count))
        b = widen(load_some(g, start + i, count))
        product = select(a == 0.0, 0.0, a * b)
        product_lost = select(a == 0.0, 0.0, exact_fma(a, b, 0.0 - product))
        total, error = two_sum(total, product)
        lost = lost + (error + product_lost)
    return gathered((total, lost))


@formula
def plain_sum(g, start, n):
    """Return sum_j g_j in two parts."""
    w = width(g)
    total, lost = widen(filled(g, 0.0)), widen(filled(g, 0.0))
    for i in range(0, n, w):
        v = widen(load_some(g, start + i, min(w, n - i)))
        total, error = two_sum(total, v)
        lost = lost + error
    return gathered((total, lost))
