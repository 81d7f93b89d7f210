"""The layout of columns too long for the caches: three passes over a tile, in blocks.

The first pass finds the maxima, the second the totals, the third writes the results. A
block of rows is copied to the stack, where one vector of it after the other is worked
on. The statistics of each slice are kept in between, at the lane of the slice.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import outlined
from softmax_lib._kernels.accumulator import add_totals, zero_totals
from softmax_lib._kernels.column_loops import (
    Prefetch,
    column_map,
    column_sum_exp,
)
from softmax_lib._kernels.columns import column_statistic, store_column_values
from softmax_lib._kernels.slices import Slices, finite_max, slice_params
from softmax_lib._kernels.tiles import Tiling, copy_in, copy_out, tile_at
from softmax_lib._layout import BLOCK_ROWS, MAX_TILE_LINES, VECTOR_BYTES

LINE_BYTES = MAX_TILE_LINES * VECTOR_BYTES
# A total has three parts, each two vectors of float64 for one of float32.
TOTALS_BYTES = 6 * LINE_BYTES
# Stats have up to five fields.
STATS_BYTES = 5 * LINE_BYTES
BLOCK_BYTES = BLOCK_ROWS * LINE_BYTES


# Pointers to the maxima of a tile's slices, and to their totals.
Kept = namedtuple("Kept", ["tops", "totals"])


@outlined
def accumulate_stats(x, start, t, count, block, kept):
    """Find the maxima and the totals of the slices of a tile."""
    v.noinline()
    w = v.vector_length(x)
    for lane in range(0, count, w):
        v.store(kept.tops, lane, v.splat(x, -math.inf))
        v.store_fields(kept.totals, lane, t.tile_width, zero_totals(x))
    for i in range(t.n):
        at = start + i * t.inner
        for lane in range(0, count, w):
            v.prefetch(x, at + BLOCK_ROWS * t.inner + lane)
            scores = v.load_up_to(x, at + lane, min(w, count - lane))
            v.store(kept.tops, lane, v.maximum(scores, v.load(kept.tops, lane)))
    for b in range(0, t.n, BLOCK_ROWS):
        at, size = start + b * t.inner, min(BLOCK_ROWS, t.n - b)
        copy_in(x, at, size, t.inner, count, block, t.tile_width)
        for lane in range(0, count, w):
            top, _ = finite_max(v.load(kept.tops, lane))
            so_far = v.load_fields(kept.totals, lane, t.tile_width, zero_totals(x))
            ahead = Prefetch(x, at + BLOCK_ROWS * t.inner + lane, None, 0, t.inner)
            s = Slices(lane, size, t.tile_width, w)
            more = column_sum_exp(block, None, s, slice_params(top), ahead)
            total = add_totals(so_far, more)
            v.store_fields(kept.totals, lane, t.tile_width, total)


def blocked_columns_loop(op):
    """Return the loop of an operation over tiles of long columns, in blocks of rows."""
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = column_map(apply, True) if is_map else None
    statistic = column_statistic(op)

    def blocked_columns(x, out, n, inner, slice_stride, tile_width, first, last):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        t = Tiling(n, inner, slice_stride, tile_width)
        w, distance = v.vector_length(source), BLOCK_ROWS * inner
        block = v.stack_alloc(source, BLOCK_BYTES)
        stats_kept = v.stack_alloc(source, STATS_BYTES)
        totals = v.stack_alloc(zero_totals(source).hi, TOTALS_BYTES)
        kept = Kept(v.stack_alloc(source, LINE_BYTES), totals)
        for tile in range(first, last):
            start, count, row = tile_at(tile, t)
            accumulate_stats(source, start, t, count, block, kept)
            for lane in range(0, count, w):
                valid, at = min(w, count - lane), row + lane
                s = Slices(start + lane, n, inner, valid)
                top, finite = finite_max(v.load(kept.tops, lane))
                params = slice_params(top)
                like = zero_totals(source)
                total = v.load_fields(kept.totals, lane, tile_width, like)
                total = statistic(source, s, top, params, total)
                stats = finish(top, finite, params, total)
                if is_map:
                    v.store_fields(stats_kept, lane, tile_width, stats)
                else:
                    store_column_values(source, s, finite, target, at, valid, stats)
            if stores_terms:
                for b in range(0, n, BLOCK_ROWS):
                    at, size = start + b * inner, min(BLOCK_ROWS, n - b)
                    copy_in(source, at, size, inner, count, block, tile_width)
                    for lane in range(0, count, w):
                        top, _ = finite_max(v.load(kept.tops, lane))
                        x_at, out_at = at + distance + lane, at + lane
                        ahead = Prefetch(source, x_at, target, out_at, inner)
                        s = Slices(lane, size, tile_width, w)
                        column_sum_exp(block, block, s, slice_params(top), ahead)
                        stats = v.load_fields(stats_kept, lane, tile_width, stats)
                        write(block, block, s, stats)
                    copy_out(block, tile_width, target, at, size, inner, count)
            elif is_map:
                for i in range(n):
                    for lane in range(0, count, w):
                        at, valid = start + i * inner + lane, min(w, count - lane)
                        v.prefetch(source, at + distance)
                        v.prefetch(target, at + distance)
                        stats = v.load_fields(stats_kept, lane, tile_width, stats)
                        result = apply(v.load_up_to(source, at, valid), stats)
                        v.store_up_to(target, at, valid, result)

    return blocked_columns
