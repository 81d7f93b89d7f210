"""Tiles whose slices are too long for the caches: three times down, in blocks of rows.

The first time finds the maxima, the second the totals, the third writes the results. A
block is laid out anew, to be at hand while one vector of it after the other is worked
on. What is known of each slice is noted in between, at the lane where it lies.
"""

import math

from softmax_lib._jit import formula, routine
from softmax_lib._kernels.by_lane import (
    load_some,
    log_by_lane,
    log_sum_exp_by_lane,
    logarithm_by_lane,
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
    narrowed,
    prefetch,
    scratch,
    select,
    store,
    widen,
    width,
)
from softmax_lib._kernels.tiles import LINES, lay_out, put_back
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


@routine
def softmax_tall(x, out, start, n, inner, count, wide):
    """Write the softmax of `count` slices, side by side from start on."""
    kept_apart()
    w = width(x)
    block, known = scratch(x, BLOCK), scratch(x, FIVE_NOTES)
    tops, highs, losts = scratch(x, NOTES), wide_notes(x), wide_notes(x)
    find_tops(x, start, n, inner, count, tops)
    find_totals(x, start, n, inner, count, wide, block, tops, highs, losts)
    for lane in range(0, count, w):
        top, finite = top_at(tops, lane)
        total = total_at(highs, losts, lane, top)
        quotient = quotient_by_lane(top, finite, reference_by_lane(top), total)
        note(known, wide, lane, quotient)
    for b in range(0, n, ROWS):
        at, size = start + b * inner, min(ROWS, n - b)
        lay_out(x, at, size, inner, 1, count, block, wide)
        for lane in range(0, count, w):
            top, _ = top_at(tops, lane)
            about = reference_by_lane(top)
            ahead = x, at + ROWS * inner + lane, out, at + lane, inner
            terms_by_lane(block, block, lane, size, wide, w, about, ahead)
            quotient = noted(known, wide, lane)
            to_shares_by_lane(block, lane, size, wide, w, quotient)
        put_back(block, wide, out, at, size, inner, 1, count)


@routine
def log_softmax_tall(x, out, start, n, inner, count, wide):
    """Write the log-softmax of `count` slices, side by side from start on."""
    kept_apart()
    w = width(x)
    block, logs = scratch(x, BLOCK), scratch(x, NOTES)
    tops, highs, losts = scratch(x, NOTES), wide_notes(x), wide_notes(x)
    find_tops(x, start, n, inner, count, tops)
    find_totals(x, start, n, inner, count, wide, block, tops, highs, losts)
    for lane in range(0, count, w):
        top, finite = top_at(tops, lane)
        total = total_at(highs, losts, lane, top)
        some = min(w, count - lane)
        log, _ = log_by_lane(x, start + lane, n, inner, some, top, total)
        store(logs, lane, select(finite, narrowed(top, log), math.nan))
    for i in range(n):
        at = start + i * inner
        for lane in range(0, count, w):
            prefetch(x, at + ROWS * inner + lane)
            prefetch(out, at + ROWS * inner + lane)
            some = min(w, count - lane)
            v = load_some(x, at + lane, some)
            top, _ = top_at(tops, lane)
            value = logarithm_by_lane(v, top, load(logs, lane))
            store_some(out, at + lane, some, value)


@routine
def logsumexp_tall(x, out, row, start, n, inner, count, wide):
    """Write the log-sum-exp of `count` slices to out[row] and on."""
    kept_apart()
    w = width(x)
    block = scratch(x, BLOCK)
    tops, highs, losts = scratch(x, NOTES), wide_notes(x), wide_notes(x)
    find_tops(x, start, n, inner, count, tops)
    find_totals(x, start, n, inner, count, wide, block, tops, highs, losts)
    for lane in range(0, count, w):
        top, finite = top_at(tops, lane)
        total = total_at(highs, losts, lane, top)
        some = min(w, count - lane)
        value = log_sum_exp_by_lane(x, start + lane, n, inner, some, top, finite, total)
        store_some(out, row + lane, some, value)


@formula
def find_tops(x, start, n, inner, count, tops):
    """Note the maxima."""
    w = width(x)
    for lane in range(0, count, w):
        store(tops, lane, filled(x, -math.inf))
    for i in range(n):
        at = start + i * inner
        for lane in range(0, count, w):
            prefetch(x, at + ROWS * inner + lane)
            v = load_some(x, at + lane, min(w, count - lane))
            store(tops, lane, larger(v, load(tops, lane)))


@formula
def find_totals(x, start, n, inner, count, wide, block, tops, highs, losts):
    """Note the totals of the terms."""
    w = width(x)
    for lane in range(0, count, w):
        note_total(highs, losts, lane, nothing_by_lane(x))
    for b in range(0, n, ROWS):
        at, size = start + b * inner, min(ROWS, n - b)
        lay_out(x, at, size, inner, 1, count, block, wide)
        for lane in range(0, count, w):
            top, _ = top_at(tops, lane)
            about = reference_by_lane(top)
            ahead = x, at + ROWS * inner + lane, None, 0, inner
            more = terms_by_lane(block, None, lane, size, wide, w, about, ahead)
            total = joined(total_at(highs, losts, lane, top), more)
            note_total(highs, losts, lane, total)


@formula
def top_at(tops, lane):
    """Return the maxima that are noted, and where they are finite; else they are 0."""
    top = load(tops, lane)
    finite = magnitude(top) < math.inf
    return select(finite, top, 0.0), finite


@formula
def wide_notes(x):
    """Return room for a vector of float64 for each vector of x."""
    return scratch(widen(filled(x, 0.0)), WIDE_NOTES)


@formula
def nothing_by_lane(x):
    """Return the totals of no terms."""
    none = widen(filled(x, 0.0))
    return none, none


@formula
def note_total(highs, losts, lane, total):
    """Note the totals."""
    store(highs, lane, total[0])
    store(losts, lane, total[1])


@formula
def total_at(highs, losts, lane, like):
    """Return the totals that are noted, of as many lanes as like has."""
    kind = widen(like)
    return load_like(highs, lane, kind), load_like(losts, lane, kind)


@formula
def note(known, wide, lane, quotient):
    """Note the five vectors of a quotient."""
    main, more, own, own_share, down = quotient
    store(known, lane, main)
    store(known, lane + wide, more)
    store(known, lane + 2 * wide, own)
    store(known, lane + 3 * wide, own_share)
    store(known, lane + 4 * wide, down)


@formula
def noted(known, wide, lane):
    """Return the five vectors of a quotient."""
    return (
        load(known, lane),
        load(known, lane + wide),
        load(known, lane + 2 * wide),
        load(known, lane + 3 * wide),
        load(known, lane + 4 * wide),
    )
