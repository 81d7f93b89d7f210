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
from softmax_lib._kernels.accumulator import Total, add_totals, zero_total
from softmax_lib._kernels.double_double import one_lane_dd
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.rows import row_statistic, store_row_value, write_row_again
from softmax_lib._kernels.slices import RoundedTotal
from softmax_lib._layout import BLOCK_BYTES


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
    write_again = write_row_again(write) if stores_terms else None
    statistic = row_statistic(op)

    @outlined
    def chunk_max(x, chunk):
        return float(loops.row_max(read(v.data_pointer(x)), chunk.start, chunk.n))

    @outlined
    def chunk_sum_exp(x, out, chunk, extreme):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        top, _, _, params = loops.row_params(source, extreme)
        if stores_terms:
            touch_pages(source, target, chunk.start, chunk.n, chunk.end)
            in_place = v.same_pointer(source, target)
            scratch = v.shifted(v.stack_alloc(target, BLOCK_BYTES), -chunk.start)
            to = scratch if in_place else target
            total, _ = row_sums.sum_exp(
                source, to, chunk, top, params, None, None, in_place
            )
        else:
            total, _ = row_sums.sum_exp(
                source, None, chunk, top, params, None, None, False
            )
        return v.lane0(total.hi), v.lane0(total.lo), v.lane0(total.bound)

    @outlined
    def statistic_of(x, row, extreme, highs, lows, bounds):
        source = read(v.data_pointer(x))
        total = zero_total()
        for k in range(highs.size):
            high, low, bound = highs[k], lows[k], bounds[k]
            chunk = Total(v.one_lane(high), v.one_lane(low), v.one_lane(bound))
            total = add_totals(total, chunk)
        top, _, params, _ = loops.row_params(source, extreme)
        total = statistic(source, row, top, params, total)
        share = v.lane0(total.max_share) if stores_terms else 0.0
        return v.lane0(total.hi), v.lane0(total.lo), float(share)

    @outlined
    def write_part(x, out, part, extreme, high, low, share):
        """Write a chunk, or the one number of a row."""
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        top, finite, params, whole = loops.row_params(source, extreme)
        value = one_lane_dd(high, low)
        if stores_terms:
            share = v.one_lane_of(source, share)
            value = RoundedTotal(value.hi, value.lo, share)
        stats = finish(top, finite, params, value)
        if not is_map:
            store_row_value(source, target, part, extreme, stats)
        else:
            stats = v.splat_fields(source, stats)
            if not stores_terms:
                touch_pages(source, target, part.start, part.n, part.end)
                write(source, target, part, stats, None, 0)
            elif v.same_pointer(source, target):
                scratch = v.stack_alloc(target, BLOCK_BYTES)
                write_again(source, target, part, top, whole, stats, scratch)
            else:
                write(target, target, part, stats, None, 0)

    def split_rows(x, out, n, rows, chunks):
        tops, highs, lows, bounds = np.empty((4, chunks))
        for start in range(0, rows * n, n):
            row = loops.Row(start, n, start + n)
            for k in prange(chunks):
                tops[k] = chunk_max(x, chunk_of(x, start, n, k, chunks))
            extreme = tops.max()
            for k in prange(chunks):
                chunk = chunk_of(x, start, n, k, chunks)
                highs[k], lows[k], bounds[k] = chunk_sum_exp(x, out, chunk, extreme)
            values = statistic_of(x, row, extreme, highs, lows, bounds)
            if is_map:
                for k in prange(chunks):
                    chunk = chunk_of(x, start, n, k, chunks)
                    write_part(x, out, chunk, extreme, *values)
            else:
                write_part(x, out, row, extreme, *values)

    return split_rows
