"""As `columns`, for slices too long for the caches: three times down a tile, in blocks.

The first time finds the maxima, the second the totals, the third writes the results. A
block is copied, to be at hand while one vector of it after the other is worked on. What
is known of each slice is noted in between, at the lane where it lies.
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.by_lane import (
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
from softmax_lib._kernels.lanes import (
    BYTES,
    filled,
    kept_apart,
    larger,
    load,
    load_like,
    magnitude,
    memory,
    prefetch,
    scratch,
    select,
    store,
    widen,
    width,
)
from softmax_lib._kernels.tiles import (
    LINES,
    LONGEST,
    copy_in,
    copy_out,
    row_at,
    tile_at,
)
from softmax_lib._kernels.total import joined

# Rows of a block: with as many cache lines in each as a tile has at most, it leaves
# room in the first-level cache.
ROWS = 16

# Bytes of one vector of notes for each line, of two where they are widened to float64,
# of the five that a quotient has, and of a block.
NOTES = LINES * BYTES
WIDE_NOTES = 2 * NOTES
FIVE_NOTES = 5 * NOTES
BLOCK = ROWS * NOTES

# Bytes from which that pays: more than caches keep from one time down to the next; and
# how many lines there have to be.
TALL = 1 << 23
TALL_LINES = 3


def is_tall(n, inner, itemsize):
    """Return whether slices are done in blocks."""
    large = n > LONGEST and n * inner * itemsize >= TALL
    return large and inner * itemsize > (TALL_LINES - 1) * BYTES


def tall_width(inner, itemsize):
    """Return how many neighbours along inner make a tile."""
    w = BYTES // itemsize
    across = -(-inner // w)
    return w * (LINES if across > LINES else across)


@kernel
def softmax_tall(x, out, n, inner, wide, first, last):
    """exp(x_i) / sum_j exp(x_j) in tiles first, ..., last - 1 of `wide` slices each."""
    source, target = memory(x), memory(out)
    w = width(source)
    block, known = scratch(source, BLOCK), scratch(source, FIVE_NOTES)
    notes = room_for_notes(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, 1, wide)
        find_totals(source, start, n, inner, count, wide, block, notes)
        for lane in range(0, count, w):
            top, finite, total = noted(notes, lane)
            about = reference_by_lane(top)
            keep(known, wide, lane, quotient_by_lane(top, finite, about, total))
        for b in range(0, n, ROWS):
            at, size = start + b * inner, min(ROWS, n - b)
            copy_in(source, at, size, inner, count, block, wide)
            for lane in range(0, count, w):
                top, _ = top_at(notes[0], lane)
                about = reference_by_lane(top)
                ahead = source, at + ROWS * inner + lane, target, at + lane, inner
                terms_by_lane(block, block, lane, size, wide, w, about, ahead)
                to_shares_by_lane(block, lane, size, wide, w, kept(known, wide, lane))
            copy_out(block, wide, target, at, size, inner, count)


@kernel
def log_softmax_tall(x, out, n, inner, wide, first, last):
    """(x_i - m) - log(sum_j exp(x_j - m)) in tiles; see `softmax_tall`."""
    source, target = memory(x), memory(out)
    w = width(source)
    block, logs = scratch(source, BLOCK), scratch(source, NOTES)
    notes = room_for_notes(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, 1, wide)
        find_totals(source, start, n, inner, count, wide, block, notes)
        for lane in range(0, count, w):
            top, finite, total = noted(notes, lane)
            some = min(w, count - lane)
            place = start + lane
            log = logs_by_lane(source, place, n, inner, some, top, finite, total)
            store(logs, lane, log)
        for i in range(n):
            at = start + i * inner
            for lane in range(0, count, w):
                prefetch(source, at + ROWS * inner + lane)
                prefetch(target, at + ROWS * inner + lane)
                some = min(w, count - lane)
                v = load_some(source, at + lane, some)
                top, _ = top_at(notes[0], lane)
                value = logarithm_by_lane(v, top, load(logs, lane))
                store_some(target, at + lane, some, value)


@kernel
def logsumexp_tall(x, out, n, inner, wide, first, last):
    """M + log(sum_j exp(x_j - m)) in tiles; out is (outer, inner)."""
    source, target = memory(x), memory(out)
    w = width(source)
    block = scratch(source, BLOCK)
    notes = room_for_notes(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, 1, wide)
        row = row_at(tile, inner, wide)
        find_totals(source, start, n, inner, count, wide, block, notes)
        for lane in range(0, count, w):
            top, finite, total = noted(notes, lane)
            some = min(w, count - lane)
            value = log_sum_exp_by_lane(
                source, start + lane, n, inner, some, top, finite, total
            )
            store_some(target, row + lane, some, value)


@routine
def find_totals(x, start, n, inner, count, wide, block, notes):
    """Note the maxima and the totals of the terms."""
    kept_apart()
    tops, highs, losts = notes
    w = width(x)
    none = filled(x, 0.0)
    for lane in range(0, count, w):
        store(tops, lane, filled(x, -math.inf))
        store(highs, lane, widen(none))
        store(losts, lane, widen(none))
    for i in range(n):
        at = start + i * inner
        for lane in range(0, count, w):
            prefetch(x, at + ROWS * inner + lane)
            v = load_some(x, at + lane, min(w, count - lane))
            store(tops, lane, larger(v, load(tops, lane)))
    for b in range(0, n, ROWS):
        at, size = start + b * inner, min(ROWS, n - b)
        copy_in(x, at, size, inner, count, block, wide)
        for lane in range(0, count, w):
            top, _, so_far = noted(notes, lane)
            about = reference_by_lane(top)
            ahead = x, at + ROWS * inner + lane, None, 0, inner
            more = terms_by_lane(block, None, lane, size, wide, w, about, ahead)
            total = joined(so_far, more)
            store(highs, lane, total[0])
            store(losts, lane, total[1])


@formula
def room_for_notes(x):
    """Return room for the maxima, and for the two parts of the totals, in float64."""
    wide = widen(filled(x, 0.0))
    return scratch(x, NOTES), scratch(wide, WIDE_NOTES), scratch(wide, WIDE_NOTES)


@formula
def top_at(tops, lane):
    """Return the maxima that are noted, and where they are finite; else they are 0."""
    top = load(tops, lane)
    finite = magnitude(top) < math.inf
    return select(finite, top, 0.0), finite


@formula
def noted(notes, lane):
    """Return the maxima, where they are finite, and the totals."""
    tops, highs, losts = notes
    top, finite = top_at(tops, lane)
    kind = widen(top)
    return top, finite, (load_like(highs, lane, kind), load_like(losts, lane, kind))


@formula
def keep(known, wide, lane, quotient):
    """Keep the five vectors of a quotient."""
    main, more, own, own_share, down = quotient
    store(known, lane, main)
    store(known, lane + wide, more)
    store(known, lane + 2 * wide, own)
    store(known, lane + 3 * wide, own_share)
    store(known, lane + 4 * wide, down)


@formula
def kept(known, wide, lane):
    """Return the five vectors of a quotient."""
    return (
        load(known, lane),
        load(known, lane + wide),
        load(known, lane + 2 * wide),
        load(known, lane + 3 * wide),
        load(known, lane + 4 * wide),
    )
