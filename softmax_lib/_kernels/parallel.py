"""The serial kernels on all threads: each part is a run of rows, tiles or entries.

Drivers only. What they call is the serial kernel, so that both give the same bits.
"""

import numpy as np
from numba import prange

from softmax_lib._jit import parallel_kernel
from softmax_lib._kernels import (
    columns,
    elementwise,
    log_rows,
    pieces,
    softmax_rows,
    tall,
)


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
def softmax_in_pieces(x, out, n, rows, parts):
    """`softmax_rows` of a few long rows, each in parts."""
    tops, highs, losts = np.empty(parts), np.empty(parts), np.empty(parts)
    for start in range(0, rows * n, n):
        for part in prange(parts):
            tops[part] = pieces.top_of_piece(x, start, n, part, parts)
        top = tops.max()
        for part in prange(parts):
            highs[part], losts[part] = pieces.terms_of_piece(
                x, out, start, n, part, parts, top
            )
        high, lost = pieces.total_of_pieces(highs, losts)
        for part in prange(parts):
            pieces.shares_of_piece(out, start, n, part, parts, top, high, lost)


@parallel_kernel
def log_softmax_in_pieces(x, out, n, rows, parts):
    """`log_softmax_rows` of a few long rows, each in parts."""
    tops, highs, losts = np.empty(parts), np.empty(parts), np.empty(parts)
    none = np.empty(0, x.dtype)
    for start in range(0, rows * n, n):
        for part in prange(parts):
            tops[part] = pieces.top_of_piece(x, start, n, part, parts)
        top = tops.max()
        for part in prange(parts):
            highs[part], losts[part] = pieces.terms_of_piece(
                x, none, start, n, part, parts, top
            )
        high, lost = pieces.total_of_pieces(highs, losts)
        log, _ = pieces.log_of_pieces(x, start, n, top, high, lost)
        for part in prange(parts):
            pieces.logarithms_of_piece(x, out, start, n, part, parts, top, log)


@parallel_kernel
def logsumexp_in_pieces(x, out, n, rows, parts):
    """`logsumexp_rows` of a few long rows, each in parts."""
    tops, highs, losts = np.empty(parts), np.empty(parts), np.empty(parts)
    none = np.empty(0, x.dtype)
    for row in range(rows):
        start = row * n
        for part in prange(parts):
            tops[part] = pieces.top_of_piece(x, start, n, part, parts)
        top = tops.max()
        for part in prange(parts):
            highs[part], losts[part] = pieces.terms_of_piece(
                x, none, start, n, part, parts, top
            )
        high, lost = pieces.total_of_pieces(highs, losts)
        _, out[row] = pieces.log_of_pieces(x, start, n, top, high, lost)


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
def softmax_in_tall(x, out, n, inner, wide, tiles, parts):
    """`softmax_tall` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        tall.softmax_tall(x, out, n, inner, wide, first, last)


@parallel_kernel
def log_softmax_in_tall(x, out, n, inner, wide, tiles, parts):
    """`log_softmax_tall` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        tall.log_softmax_tall(x, out, n, inner, wide, first, last)


@parallel_kernel
def logsumexp_in_tall(x, out, n, inner, wide, tiles, parts):
    """`logsumexp_tall` in parts."""
    for part in prange(parts):
        first, last = tiles * part // parts, tiles * (part + 1) // parts
        tall.logsumexp_tall(x, out, n, inner, wide, first, last)


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
