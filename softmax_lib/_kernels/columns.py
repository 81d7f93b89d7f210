"""The layout of slices across the vectors: tiles, packed or where they are."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels import column_loops as loops
from softmax_lib._kernels import tiles
from softmax_lib._kernels.slices import Slices, log_total, max_term, slice_params
from softmax_lib._layout import MAX_PACKED_LENGTH, STACK_BYTES, needs_packing


def column_statistic(op):
    """Return what gives the statistic of slices: their totals, or the logarithms."""
    stores_terms = op.stores_terms

    @inlined
    def statistic(x, s, top, params, total):
        if stores_terms:
            return loops.column_total(x, s, top, params, total)
        largest = max_term(top, params)
        others = loops.column_others(x, s, top, params, total, largest)
        return log_total(others, largest)

    return statistic


@inlined
def store_column_values(x, s, finite, out, at, valid, values):
    """Write one number a slice; where it is not finite, the maximum or NaN."""
    if v.any_of(v.select(finite, v.splat(values, 0.0), 1.0) > 0.0):
        top = v.splat(x, -math.inf)
        for i in range(s.n):
            scores = v.load_up_to(x, s.start + i * s.stride, s.count)
            top = v.select(top == top, v.maximum(top, scores), top)
        values = v.select(finite, values, top)
    v.store_up_to(out, at, valid, values)


def columns_loop(op):
    """Return the loop of an operation over tiles first, ..., last - 1.

    The array is read as (outer, n, inner). Neighbouring slices lie slice_stride apart:
    1, or n where rows are done as columns. A result of one number a slice is written
    to an array read as (outer, inner).
    """
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = loops.column_map(apply, stores_terms) if is_map else None
    statistic = column_statistic(op)

    @inlined
    def write_terms(out, s, stats, block):
        """Turn the terms of up to a vector of slices into results.

        If vectors are not full, do that in the block: where a part of a vector has just
        been written, the processor cannot read the whole before memory has it.
        """
        w = v.vector_length(out)
        if s.count == w:
            write(out, out, s, stats)
            return
        for b in range(0, s.n, MAX_PACKED_LENGTH):
            at, size = s.start + b * s.stride, min(MAX_PACKED_LENGTH, s.n - b)
            tiles.copy_in(out, at, size, s.stride, s.count, block, w)
            write(block, block, Slices(0, size, w, w), stats)
            tiles.copy_out(block, w, out, at, size, s.stride, s.count)

    def columns(x, out, n, inner, slice_stride, tile_width, first, last):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        t = tiles.Tiling(n, inner, slice_stride, tile_width)
        block = v.stack_alloc(source, STACK_BYTES)
        w = v.vector_length(source)
        # A total may want the scores again, when the terms are written.
        packed = needs_packing(n, inner, slice_stride, x.itemsize)
        packed = packed or (stores_terms and v.same_pointer(source, target))
        block_terms, terms = None, None
        if stores_terms:
            block_terms, terms = v.stack_alloc(target, STACK_BYTES), target
        values = block_terms if stores_terms else block
        later = target if is_map else None
        for tile in range(first, last):
            start, count, row = tiles.tile_at(tile, t)
            if packed:
                if is_map:
                    tiles.touch_tile_pages(source, target, start, count, t, last)
                tiles.pack_tile(source, start, count, t, block)
                next_max = loops.column_max(block, Slices(0, n, tile_width, w))
                for lane in range(0, count, w):
                    s = Slices(lane, n, tile_width, w)
                    top, finite = (
                        next_max if stores_terms else loops.column_max(block, s)
                    )
                    params = slice_params(top)
                    ahead = tiles.next_tile(source, later, start, t, lane)
                    total = loops.column_sum_exp(block, block_terms, s, params, ahead)
                    if stores_terms and lane + w < count:
                        following = Slices(lane + w, n, tile_width, w)
                        next_max = loops.column_max(block, following)
                    total = statistic(block, s, top, params, total)
                    stats = finish(top, finite, params, total)
                    if is_map:
                        write(values, values, s, stats)
                    else:
                        at, valid = row + lane, min(w, count - lane)
                        store_column_values(block, s, finite, target, at, valid, stats)
                if is_map:
                    tiles.unpack_tile(values, target, start, count, t)
            else:
                s = Slices(start, n, inner, count)
                top, finite = loops.column_max(source, s)
                params = slice_params(top)
                ahead = tiles.next_tile(source, later, start, t, 0)
                total = loops.column_sum_exp(source, terms, s, params, ahead)
                total = statistic(source, s, top, params, total)
                stats = finish(top, finite, params, total)
                if stores_terms:
                    write_terms(target, s, stats, block)
                elif is_map:
                    write(source, target, s, stats)
                else:
                    store_column_values(source, s, finite, target, row, count, stats)

    return columns
