"""Softmax, log-softmax and log-sum-exp of slices that do not lie along the vectors.

An array is read as (outer, n, inner) and gone through in `tiles`; what is done in each
vector of one is in `by_lane`. Some tiles are laid out anew, others are worked on where
they are. For slices that are too long for the caches there is `tall`.
"""

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.by_lane import (
    largest_by_lane,
    load_some,
    log_sum_exp_by_lane,
    logarithm_by_lane,
    logs_by_lane,
    quotient_by_lane,
    reference_by_lane,
    store_some,
    terms_by_lane,
    to_shares_by_lane,
)
from softmax_lib._kernels.lanes import SCRATCH, memory, scratch, width
from softmax_lib._kernels.tiles import (
    LONGEST,
    copy_in,
    copy_out,
    enter_tile,
    laid_out,
    lay_out,
    next_tile,
    put_back,
    row_at,
    tile_at,
)


@kernel
def softmax_columns(x, out, n, inner, gap, wide, first, last):
    """exp(x_i) / sum_j exp(x_j) in tiles first, ..., last - 1.

    Neighbours along inner lie gap apart: 1, or n where rows are done as columns;
    a tile has at most `wide` of them (see `tile_width`).
    """
    source, target = memory(x), memory(out)
    laid = laid_out(n, inner, gap, x.itemsize)
    block = scratch(source, SCRATCH)
    w = width(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        if laid:
            enter_tile(source, target, start, count, inner, gap, wide, last)
            lay_out(source, start, n, inner, gap, count, block, wide)
            following = largest_by_lane(block, 0, n, wide, w)
            for lane in range(0, count, w):
                top, finite = following
                about = reference_by_lane(top)
                ahead = next_tile(source, target, start, n, inner, gap, wide, lane)
                total = terms_by_lane(block, block, lane, n, wide, w, about, ahead)
                if lane + w < count:
                    following = largest_by_lane(block, lane + w, n, wide, w)
                quotient = quotient_by_lane(top, finite, about, total)
                to_shares_by_lane(block, lane, n, wide, w, quotient)
            put_back(block, wide, target, start, n, inner, gap, count)
        else:
            top, finite = largest_by_lane(source, start, n, inner, count)
            about = reference_by_lane(top)
            ahead = next_tile(source, target, start, n, inner, gap, wide, 0)
            total = terms_by_lane(source, target, start, n, inner, count, about, ahead)
            quotient = quotient_by_lane(top, finite, about, total)
            to_shares(target, start, n, inner, count, quotient, block)


@kernel
def log_softmax_columns(x, out, n, inner, gap, wide, first, last):
    """(x_i - m) - log(sum_j exp(x_j - m)) in tiles; see `softmax_columns`."""
    source, target = memory(x), memory(out)
    laid = laid_out(n, inner, gap, x.itemsize)
    block = scratch(source, SCRATCH)
    w = width(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        if laid:
            enter_tile(source, target, start, count, inner, gap, wide, last)
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                ahead = next_tile(source, target, start, n, inner, gap, wide, lane)
                write_logarithms(block, block, lane, n, wide, w, ahead)
            put_back(block, wide, target, start, n, inner, gap, count)
        else:
            ahead = next_tile(source, target, start, n, inner, gap, wide, 0)
            write_logarithms(source, target, start, n, inner, count, ahead)


@kernel
def logsumexp_columns(x, out, n, inner, gap, wide, first, last):
    """M + log(sum_j exp(x_j - m)) in tiles; out is (outer, inner)."""
    source, target = memory(x), memory(out)
    laid = laid_out(n, inner, gap, x.itemsize)
    block = scratch(source, SCRATCH)
    w = width(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        row = row_at(tile, inner, wide)
        if laid:
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                ahead = next_tile(source, None, start, n, inner, gap, wide, lane)
                value = value_of_vector(block, lane, n, wide, w, ahead)
                store_some(target, row + lane, min(w, count - lane), value)
        else:
            ahead = next_tile(source, None, start, n, inner, gap, wide, 0)
            value = value_of_vector(source, start, n, inner, count, ahead)
            store_some(target, row, count, value)


@formula
def to_shares(out, start, n, inner, count, quotient, block):
    """Turn the terms of up to a vector of slices into shares.

    If the vectors are not full, that is done in the block: where a part of one has just
    been written, a processor waits until memory has it before it reads the whole.
    """
    w = width(out)
    if count == w:
        to_shares_by_lane(out, start, n, inner, count, quotient)
    else:
        for b in range(0, n, LONGEST):
            at, size = start + b * inner, min(LONGEST, n - b)
            copy_in(out, at, size, inner, count, block, w)
            to_shares_by_lane(block, 0, size, w, w, quotient)
            copy_out(block, w, out, at, size, inner, count)


@formula
def write_logarithms(source, target, start, n, inner, count, ahead):
    """Write the log-softmax of up to a vector of slices."""
    top, finite = largest_by_lane(source, start, n, inner, count)
    about = reference_by_lane(top)
    total = terms_by_lane(source, None, start, n, inner, count, about, ahead)
    logs = logs_by_lane(source, start, n, inner, count, top, finite, total)
    for i in range(n):
        at = start + i * inner
        v = load_some(source, at, count)
        store_some(target, at, count, logarithm_by_lane(v, top, logs))


@formula
def value_of_vector(source, start, n, inner, count, ahead):
    """Return the log-sum-exp of up to a vector of slices."""
    top, finite = largest_by_lane(source, start, n, inner, count)
    about = reference_by_lane(top)
    total = terms_by_lane(source, None, start, n, inner, count, about, ahead)
    return log_sum_exp_by_lane(source, start, n, inner, count, top, finite, total)
