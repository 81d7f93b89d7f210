"""The serial kernels on all threads: each part is a run of rows, tiles or entries.

Drivers only. What they call is the serial kernel, so that both give the same bits.
"""

from numba import prange

from softmax_lib._jit import parallel_kernel
from softmax_lib._kernels import columns, elementwise, log_rows, softmax_rows


@parallel_kernel
def softmax_in_rows(x, out, n, rows, parts):
    """`softmax_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        softmax_rows.softmax_rows(x, out, n, first, last)


@parallel_kernel
def log_softmax_in_rows(x, out, n, rows, parts):
    """`log_softmax_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        log_rows.log_softmax_rows(x, out, n, first, last)


@parallel_kernel
def logsumexp_in_rows(x, out, n, rows, parts):
    """`logsumexp_rows` in parts."""
    for part in prange(parts):
        first, last = rows * part // parts, rows * (part + 1) // parts
        log_rows.logsumexp_rows(x, out, n, first, last)


@parallel_kernel
def softmax_in_columns(x, out, n, inner, gap, wide, tiles, parts):
    """`softmax_columns` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        columns.softmax_columns(x, out, n, inner, gap, wide, first, last)


@parallel_kernel
def log_softmax_in_columns(x, out, n, inner, gap, wide, tiles, parts):
    """`log_softmax_columns` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        columns.log_softmax_columns(x, out, n, inner, gap, wide, first, last)


@parallel_kernel
def logsumexp_in_columns(x, out, n, inner, gap, wide, tiles, parts):
    """`logsumexp_columns` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        columns.logsumexp_columns(x, out, n, inner, gap, wide, first, last)


@parallel_kernel
def sigmoid_in_parts(x, out, size, parts):
    """`sigmoid_flat` in parts."""
    for part in prange(parts):
        first, last = size * part // parts, size * (part + 1) // parts
        elementwise.sigmoid_flat(x, out, first, last)


@parallel_kernel
def log_sigmoid_in_parts(x, out, size, parts):
    """`log_sigmoid_flat` in parts."""
    for part in prange(parts):
        first, last = size * part // parts, size * (part + 1) // parts
        elementwise.log_sigmoid_flat(x, out, first, last)
