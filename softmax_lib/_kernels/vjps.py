r"""Vector-Jacobian products of softmax and log-softmax, from their results.

.. math:: p_k \Bigl(g_k - \sum_j p_j g_j\Bigr), \qquad
          g_k - e^{\ell_k} \sum_j g_j
"""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import kernel
from softmax_lib._kernels.double_double import (
    dd_add_float,
    dd_add_product,
    dd_reduce,
    dd_zeros,
    two_sum,
)
from softmax_lib._kernels.elementwise import exp_of_minus


@kernel
def softmax_vjp_rows(p, g, out, n, first, last):
    """p_k (g_k - sum_j p_j g_j); out may be p or g."""
    shares, given, target = v.data_pointer(p), v.data_pointer(g), v.data_pointer(out)
    w = v.vector_length(shares)
    for start in range(first * n, last * n, n):
        totals = dd_zeros(shares)
        for i in range(0, n, w):
            count = min(w, n - i)
            share = v.to_float64(v.load_up_to(shares, start + i, count))
            slope = v.to_float64(v.load_up_to(given, start + i, count))
            totals = dd_add_product(totals, share, slope)
        hi, lo = dd_reduce(totals)
        for i in range(0, n, w):
            count = min(w, n - i)
            share = v.to_float64(v.load_up_to(shares, start + i, count))
            slope = v.to_float64(v.load_up_to(given, start + i, count))
            d, error = two_sum(slope, 0.0 - hi)
            # Where the sum is infinite, the error is NaN.
            low = v.select(error == error, error - lo, 0.0)
            back = v.fma(share, d, share * low)
            back = v.select(share == 0.0, 0.0, back)
            v.store_up_to(target, start + i, count, v.to_dtype_of(shares, back))


@kernel
def log_softmax_vjp_rows(logp, g, out, n, first, last):
    """g_k - exp(logp_k) sum_j g_j; out may be logp or g."""
    logs, given, target = v.data_pointer(logp), v.data_pointer(g), v.data_pointer(out)
    w = v.vector_length(logs)
    for start in range(first * n, last * n, n):
        totals = dd_zeros(given)
        for i in range(0, n, w):
            slope = v.to_float64(v.load_up_to(given, start + i, min(w, n - i)))
            totals = dd_add_float(totals, slope)
        hi, lo = dd_reduce(totals)
        for i in range(0, n, w):
            count = min(w, n - i)
            log = v.load_up_to(logs, start + i, count)
            p, error, one, other = exp_of_minus(0.0 - log)
            share = v.to_float64(p) + v.to_float64(error)
            share = share * v.to_float64(one) * v.to_float64(other)
            slope = v.to_float64(v.load_up_to(given, start + i, count))
            back = v.exact_fma(0.0 - share, hi, slope) - share * lo
            back = v.select(v.to_float64(log) == -math.inf, slope, back)
            v.store_up_to(target, start + i, count, v.to_dtype_of(logs, back))
