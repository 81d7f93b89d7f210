"""The layout of a few long rows, each split into chunks for several threads.

Every chunk does one step before any does the next: maximum, terms, result. A few
numbers for each chunk pass from one step to the next.
"""

import numpy as np
from numba import prange

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import row_loops as loops
from softmax_lib._kernels import row_sums
from softmax_lib._kernels.accumulator import zero_total
from softmax_lib._kernels.double_double import dd_add, one_lane_dd
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.rows import row_statistic, store_row_value


@inlined
def chunk_of(x, start, n, chunk, chunks):
    """Return a chunk of a row. Chunks begin where blocks do, for the same bits.

    The number of the chunk comes unsigned from `prange`.
    """
    chunk, block = np.int64(chunk), loops.BLOCK_LENGTH(x)
    first = n * chunk // chunks // block * block
    last = n if chunk + 1 == chunks else n * (chunk + 1) // chunks // block * block
    return loops.Row(start + first, last - first, start + last)


def split_rows_loop(op):
    """Return the loop of an operation over rows of n numbers, each in chunks."""
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = loops.row_map(apply) if is_map else None
    statistic = row_statistic(op)

    @outlined
    def chunk_max(x, chunk):
        return float(loops.row_max(read(v.data_pointer(x)), chunk.start, chunk.n))

    @outlined
    def chunk_sum_exp(x, out, chunk, extreme):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        top, _, _, params = loops.row_params(source, extreme)
        terms = target if stores_terms else None
        if stores_terms:
            touch_pages(source, target, chunk.start, chunk.n, chunk.end)
        total, _ = row_sums.sum_exp(source, terms, chunk, top, params, None)
        return v.lane0(total.hi), v.lane0(total.lo)

    @outlined
    def statistic_of(x, row, extreme, highs, lows):
        source = read(v.data_pointer(x))
        total = zero_total()
        for chunk in range(highs.size):
            total = dd_add(total, one_lane_dd(highs[chunk], lows[chunk]))
        top, _, params, _ = loops.row_params(source, extreme)
        total = statistic(source, row, top, params, total)
        return v.lane0(total.hi), v.lane0(total.lo)

    @outlined
    def write_part(x, out, part, extreme, high, low):
        """Write a chunk, or the one number of a row."""
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        top, finite, params, _ = loops.row_params(source, extreme)
        stats = finish(top, finite, params, one_lane_dd(high, low))
        if not is_map:
            store_row_value(source, target, part, extreme, stats)
        else:
            if not stores_terms:
                touch_pages(source, target, part.start, part.n, part.end)
            values = target if stores_terms else source
            write(values, target, part, v.splat_fields(source, stats), None)

    def split_rows(x, out, n, rows, chunks):
        tops, highs, lows = np.empty(chunks), np.empty(chunks), np.empty(chunks)
        for start in range(0, rows * n, n):
            row = loops.Row(start, n, start + n)
            for k in prange(chunks):
                tops[k] = chunk_max(x, chunk_of(x, start, n, k, chunks))
            extreme = tops.max()
            for k in prange(chunks):
                chunk = chunk_of(x, start, n, k, chunks)
                highs[k], lows[k] = chunk_sum_exp(x, out, chunk, extreme)
            high, low = statistic_of(x, row, extreme, highs, lows)
            if is_map:
                for k in prange(chunks):
                    chunk = chunk_of(x, start, n, k, chunks)
                    write_part(x, out, chunk, extreme, high, low)
            else:
                write_part(x, out, row, extreme, high, low)

    return split_rows
