"""Log_softmax and logsumexp of every row."""

import math

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.exponential import anchor
from softmax_lib._kernels.lanes import filled, memory, put
from softmax_lib._kernels.pages import enter_pages
from softmax_lib._kernels.rows import (
    BLOCK,
    IN_CACHE,
    ahead_of,
    holds_nan,
    largest,
    log_of_row,
    nothing,
    online_terms,
    reference,
    row_writer,
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
            known = subtrahends(source, top, log)
            enter_pages(source, target, start, n, end)
            write_logarithms(source, target, start, n, known, None, 0)


@formula
def cached_rows(x, out, begin, end, n):
    """Write row by row, and find the maximum of the next one meanwhile."""
    following = largest(x, begin, n)
    for start in range(begin, end, n):
        enter_pages(x, out, start, n, end)
        top = following
        about, total = cached_sum(x, start, n, top, ahead_of(x, start, n, end), out)
        log, _ = log_of_row(x, start, n, top, about, total)
        known = subtrahends(x, top, log)
        if start + n < end and n <= BLOCK(x):
            following = write_logarithms(x, out, start, n, known, x, start + n)
        else:
            # Three long rows at a time would crowd each other out of the cache.
            if start + n < end:
                following = largest(x, start + n, n)
            write_logarithms(x, out, start, n, known, None, 0)


@formula
def cached_sum(x, start, n, top, ahead, later):
    """Return what `term` needs to know, and the total of the terms."""
    about = reference(x, top, anchor(filled(x, top)))
    if math.isfinite(top):
        total, _ = terms(x, None, start, n, about, top, ahead, later)
        return about, total
    return about, nothing()


@formula
def long_sum(x, start, n):
    """Return the maximum and the same as `cached_sum`, reading the row only once."""
    top, total = online_terms(x, start, n)
    return top, reference(x, top, anchor(filled(x, top))), total


@formula
def logarithm(v, known):
    """Return (v - top) - log."""
    tops, logs = known
    return (v - tops) - logs


write_logarithms = row_writer(logarithm)


@formula
def subtrahends(x, top, log):
    """Return what `logarithm` needs to know: NaN where top is no finite number."""
    return filled(x, top if math.isfinite(top) else math.nan), filled(x, log)


@kernel
def logsumexp_rows(x, out, n, first, last):
    """M + log(sum_j exp(x_j - m)), m the maximum of the row; out has one per row."""
    source, target = memory(x), memory(out)
    for row in range(first, last):
        start = row * n
        if n <= IN_CACHE(source):
            top = largest(source, start, n)
            ahead = ahead_of(source, start, n, last * n)
            about, total = cached_sum(source, start, n, top, ahead, None)
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
