"""Log_softmax and logsumexp of every row."""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import anchor
from softmax_lib._kernels.lanes import (
    filled,
    kept_apart,
    load,
    load_first,
    memory,
    put,
    store,
    store_first,
    width,
)
from softmax_lib._kernels.rows import (
    holds_nan,
    largest,
    log_of_row,
    nothing,
    online_terms,
    reference,
    terms,
)
from softmax_lib._kernels.softmax_rows import IN_CACHE
from softmax_lib._kernels.sums import two_sum


@kernel
def log_softmax_rows(x, out, n, first, last):
    """(x_i - m) - log(sum_j exp(x_j - m)), m the maximum of the row."""
    source, target = memory(x), memory(out)
    for start in range(first * n, last * n, n):
        log_softmax_row(source, target, start, n)


@formula
def log_softmax_row(x, out, start, n):
    """One row: its maximum and logarithm first, then two differences an entry."""
    top, (log_sum, _) = top_and_log(x, start, n)
    tops = filled(x, top if math.isfinite(top) else math.nan)
    write_logarithms(x, out, start, n, tops, filled(x, log_sum))


@routine
def write_logarithms(x, out, start, n, tops, logs):
    """Write (x_i - top) - log to out."""
    kept_apart()
    w = width(x)
    whole = n - n % w
    for i in range(0, whole, w):
        store(out, start + i, (load(x, start + i) - tops) - logs)
    if whole < n:
        v = load_first(x, start + whole, n - whole, 0.0)
        store_first(out, start + whole, n - whole, (v - tops) - logs)


@kernel
def logsumexp_rows(x, out, n, first, last):
    """M + log(sum_j exp(x_j - m)), m the maximum of the row; out has one per row."""
    source, target = memory(x), memory(out)
    for row in range(first, last):
        put(target, row, logsumexp_row(source, row * n, n))


@formula
def logsumexp_row(x, start, n):
    """One row."""
    top, (log_sum, log_low) = top_and_log(x, start, n)
    if math.isfinite(top):
        high, error = two_sum(top, log_sum)
        return high + (error + log_low)
    return math.nan if holds_nan(x, start, n) else top


@routine
def top_and_log(x, start, n):
    """Return m, the maximum of a row, and log(sum_j exp(x_j - m)) in two parts."""
    kept_apart()
    if n <= IN_CACHE(x):
        top = largest(x, start, n)
        about = reference(x, top, anchor(filled(x, top)))
        total = nothing()
        if math.isfinite(top):
            total = terms(x, None, start, n, about, top)
    else:
        top, total = online_terms(x, start, n)
        about = reference(x, top, anchor(filled(x, top)))
    return float(top), log_of_row(x, start, n, top, about, total)
