"""The layout of a few long rows, each split into chunks for several threads.

Every chunk does one step before any does the next: maximum, terms, result. A few
numbers for each chunk pass from one step to the next.
"""

import numpy as np
from numba import prange

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels.accumulator import zero_total
from softmax_lib._kernels.double_double import dd_add, one_lane_dd
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.row_loops import (
    BLOCK_LENGTH,
    row_map,
    row_max,
    row_params,
    sum_exp,
)
from softmax_lib._kernels.rows import row_statistic, store_row_value


@inlined
def chunk_start(x, n, chunk, chunks):
    """Return where a chunk begins: where a block does, so that the bits are equal."""
    if chunk == chunks:
        return n
    return n * chunk // chunks // BLOCK_LENGTH(x) * BLOCK_LENGTH(x)


@inlined
def chunk_range(x, start, n, chunk, chunks):
    """Return the first number of a chunk of the row at start, and its length."""
    first = chunk_start(x, n, chunk, chunks)
    return start + first, chunk_start(x, n, chunk + 1, chunks) - first


def split_rows_loop(op):
    """Return the loop of an operation over rows of n numbers, each in chunks."""
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = row_map(apply) if is_map else None
    statistic = row_statistic(op)

    @outlined
    def chunk_max(x, start, n, chunk, chunks):
        source = read(v.data_pointer(x))
        first, size = chunk_range(source, start, n, chunk, chunks)
        return float(row_max(source, first, size))

    @outlined
    def chunk_sum_exp(x, out, start, n, chunk, chunks, extreme):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        first, size = chunk_range(source, start, n, chunk, chunks)
        top, _, _, params = row_params(source, extreme)
        terms = target if stores_terms else None
        if stores_terms:
            touch_pages(source, target, first, size, first + size)
        total, _ = sum_exp(source, terms, first, size, top, params, 0, None)
        return v.lane0(total.hi), v.lane0(total.lo)

    @outlined
    def row_statistic_of(x, start, n, extreme, highs, lows):
        source = read(v.data_pointer(x))
        total = zero_total()
        for chunk in range(highs.size):
            total = dd_add(total, one_lane_dd(highs[chunk], lows[chunk]))
        top, _, params, _ = row_params(source, extreme)
        total = statistic(source, start, n, top, params, total)
        return v.lane0(total.hi), v.lane0(total.lo)

    @inlined
    def row_stats(source, extreme, high, low):
        top, finite, params, _ = row_params(source, extreme)
        return finish(top, finite, params, one_lane_dd(high, low))

    @outlined
    def write_chunk(x, out, start, n, chunk, chunks, extreme, high, low):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        first, size = chunk_range(source, start, n, chunk, chunks)
        stats = v.splat_fields(source, row_stats(source, extreme, high, low))
        if stores_terms:
            write(target, target, first, size, stats, None, 0)
        else:
            touch_pages(source, target, first, size, first + size)
            write(source, target, first, size, stats, None, 0)

    @outlined
    def store_value(x, out, start, n, extreme, high, low):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        value = row_stats(source, extreme, high, low)
        store_row_value(source, target, start, n, start // n, extreme, value)

    def split_rows(x, out, n, rows, chunks):
        tops, highs, lows = np.empty(chunks), np.empty(chunks), np.empty(chunks)
        for start in range(0, rows * n, n):
            for chunk in prange(chunks):
                tops[chunk] = chunk_max(x, start, n, chunk, chunks)
            extreme = tops.max()
            for chunk in prange(chunks):
                highs[chunk], lows[chunk] = chunk_sum_exp(
                    x, out, start, n, chunk, chunks, extreme
                )
            high, low = row_statistic_of(x, start, n, extreme, highs, lows)
            if is_map:
                for chunk in prange(chunks):
                    write_chunk(x, out, start, n, chunk, chunks, extreme, high, low)
            else:
                store_value(x, out, start, n, extreme, high, low)

    return split_rows
