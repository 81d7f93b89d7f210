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
    IN_CACHE,
    ahead_of,
    holds_nan,
    largest,
    lead,
    log_of_row,
    nothing,
    online_terms,
    reference,
    terms,
)
from softmax_lib._kernels.sums import two_sum


@kernel
def log_softmax_rows(x, out, n, first, last):
    """(x_i - m) - log(sum_j exp(x_j - m)), m the maximum of the row."""
    source, target = memory(x), memory(out)
    begin, end = first * n, last * n
    if n <= IN_CACHE(source):
        cached_rows(source, target, begin, end, n)
    else:
        for start in range(begin, end, n):
            top, about, total = long_sum(source, start, n)
            log, _ = log_of_row(source, start, n, top, about, total)
            write_logarithms(source, target, start, n, top, log)


@formula
def cached_rows(x, out, begin, end, n):
    """Find the maximum of the next row while this row's logarithm is on its way."""
    following = largest(x, begin, n)
    for start in range(begin, end, n):
        top = following
        about, total = cached_sum(x, start, n, top, ahead_of(x, start, n, end))
        log, _ = log_of_row(x, start, n, top, about, total)
        if start + n < end:
            following = largest(x, start + n, n)
        write_logarithms(x, out, start, n, top, log)


@formula
def cached_sum(x, start, n, top, ahead):
    """Return what `term` needs to know, and the total of the terms."""
    about = reference(x, top, anchor(filled(x, top)))
    if math.isfinite(top):
        return about, terms(x, None, start, n, about, top, ahead)
    return about, nothing()


@formula
def long_sum(x, start, n):
    """Return the maximum and the same as `cached_sum`, reading the row only once."""
    top, total = online_terms(x, start, n)
    return top, reference(x, top, anchor(filled(x, top))), total


@routine
def write_logarithms(x, out, start, n, top, log):
    """Write (x_i - top) - log to out, NaN where top is no finite number.

    Both ends are whole vectors, as in `to_shares`.
    """
    kept_apart()
    w = width(x)
    tops, logs = filled(x, top if math.isfinite(top) else math.nan), filled(x, log)
    if n < w:
        v = load_first(x, start, n, 0.0)
        store_first(out, start, n, (v - tops) - logs)
    else:
        last = start + n - w
        left, right = load(x, start), load(x, last)
        for i in range(start + lead(out, start, n), last, w):
            store(out, i, (load(x, i) - tops) - logs)
        store(out, start, (left - tops) - logs)
        store(out, last, (right - tops) - logs)


@kernel
def logsumexp_rows(x, out, n, first, last):
    """M + log(sum_j exp(x_j - m)), m the maximum of the row; out has one per row."""
    source, target = memory(x), memory(out)
    for row in range(first, last):
        start = row * n
        if n <= IN_CACHE(source):
            top = largest(source, start, n)
            ahead = ahead_of(source, start, n, last * n)
            about, total = cached_sum(source, start, n, top, ahead)
        else:
            top, about, total = long_sum(source, start, n)
        put(target, row, value_of_row(source, start, n, top, about, total))


@formula
def value_of_row(x, start, n, top, about, total):
    """Return the log-sum-exp, given the total of the terms."""
    if math.isfinite(top):
        log, low = log_of_row(x, start, n, top, about, total)
        high, error = two_sum(float(top), log)
        return high + (error + low)
    return math.nan if holds_nan(x, start, n) else float(top)
