"""Slices that do not lie along the vectors: one lane, one slice.

An array is read as (outer, n, inner). A tile is some neighbours along inner with
their whole slices; it goes down along n, each lane with a maximum, a power of two
and a total of its own. Short rows are done so as well, 16 or 8 at a time.

Where neighbours along n lie a power of two apart, caches have room for a few only. Such
a tile is first laid out anew on the stack, if it is small enough, so that each number
is read once and written once at its distant place.
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import (
    DEPTH,
    LIFT,
    UNIT,
    anchor,
    begun_term,
    ended_term,
    exact_term,
    powers_of_two,
    term,
    unit_rounder,
)
from softmax_lib._kernels.lanes import (
    BYTES,
    SCRATCH,
    any_of,
    filled,
    kept_apart,
    larger,
    load,
    load_first,
    magnitude,
    memory,
    narrowed,
    prefetch,
    scratch,
    select,
    store,
    store_first,
    turn,
    turn_back,
    widen,
    width,
)
from softmax_lib._kernels.rows import BLOCK, added_below
from softmax_lib._kernels.softmax_rows import lifted_share
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    SURE,
    added,
    by_lane,
    empty_sum,
    joined,
    log_of_quotient,
    product,
    reciprocal,
    without,
)

# Bytes of a tile that leave room for others in the first-level cache.
FIRST_LEVEL = 1 << 14


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
            lay_out(source, start, n, inner, gap, count, block, wide)
            following = largest_by_lane(block, 0, n, wide, w)
            for lane in range(0, count, w):
                top, finite = following
                about = reference_by_lane(top)
                ahead = next_tile(source, target, start, n, inner, gap, wide, lane)
                total = terms_by_lane(block, block, lane, n, wide, w, about, ahead)
                if lane + w < count:
                    following = largest_by_lane(block, lane + w, n, wide, w)
                finish_tile(block, lane, n, wide, w, top, finite, about, total)
            put_back(block, wide, target, start, n, inner, gap, count)
        else:
            top, finite = largest_by_lane(source, start, n, inner, count)
            about = reference_by_lane(top)
            ahead = next_tile(source, target, start, n, inner, gap, wide, 0)
            total = terms_by_lane(source, target, start, n, inner, count, about, ahead)
            finish_tile(target, start, n, inner, count, top, finite, about, total)


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
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                ahead = next_tile(source, target, start, n, inner, gap, wide, lane)
                log_softmax_tile(block, block, lane, n, wide, w, ahead)
            put_back(block, wide, target, start, n, inner, gap, count)
        else:
            ahead = next_tile(source, target, start, n, inner, gap, wide, 0)
            log_softmax_tile(source, target, start, n, inner, count, ahead)


@kernel
def logsumexp_columns(x, out, n, inner, gap, wide, first, last):
    """M + log(sum_j exp(x_j - m)) in tiles; out is (outer, inner)."""
    source, target = memory(x), memory(out)
    laid = laid_out(n, inner, gap, x.itemsize)
    block = scratch(source, SCRATCH)
    w = width(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        across = (inner + wide - 1) // wide
        at = tile // across * inner + tile % across * wide
        if laid:
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                ahead = next_tile(source, None, start, n, inner, gap, wide, lane)
                sums = logsumexp_tile(block, lane, n, wide, w, ahead)
                store_some(target, at + lane, min(w, count - lane), sums)
        else:
            ahead = next_tile(source, None, start, n, inner, gap, wide, 0)
            sums = logsumexp_tile(source, start, n, inner, count, ahead)
            store_some(target, at, count, sums)


def tile_width(n, inner, laid, itemsize):
    """Return how many neighbours along inner make a tile."""
    w = BYTES // itemsize
    if not laid:
        return w
    # Cache lines side by side, in squares: where slices fit in the first-level cache
    # as many as do, elsewhere as many as there is room for, since every line is one
    # of another page.
    whole = -(-(n or 1) // w) * w * BYTES
    lines = FIRST_LEVEL // whole
    if lines == 0:
        lines = SCRATCH // whole
    across = -(-inner // w)
    # Plain ifs: they are a tenth of a microsecond faster than min and max.
    if lines > 16:
        lines = 16
    if lines > across:
        lines = across
    return w * lines


def is_laid_out(n, inner, gap, itemsize):
    """Return whether tiles are laid out anew, or worked on where they are.

    Rows done as columns have to be. Others are where the power of two between their
    neighbours leaves no room for a tile and its results in the level of the caches
    that is large enough for them.
    """
    if gap != 1:
        return True
    step = inner * itemsize
    even = step & -step
    if even < BYTES:
        even = BYTES
    # Lines so far apart fall into the same set again, where there is room for eight:
    # after 4 KiB in the first level, after 64 KiB in the second.
    if n * BYTES <= FIRST_LEVEL:
        return n * even > 8 // 2 * 4096
    return n * even > 8 // 2 * 65536 and (n + BYTES // itemsize) * BYTES <= SCRATCH


laid_out = formula(is_laid_out)


@formula
def next_tile(x, out, start, n, inner, gap, wide, lane):
    """Return what to fetch: the next tile of x and this of out.

    Memory would be idle while terms are computed; see `ahead_of`.
    """
    place = start + lane * gap
    return x, place + wide * gap, out, place, inner if gap == 1 else width(x)


@formula
def tile_at(tile, n, inner, gap, wide):
    """Return where a tile starts in the flat array, and how many slices it has."""
    across = (inner + wide - 1) // wide
    column = tile % across * wide
    return tile // across * n * inner + column * gap, min(wide, inner - column)


@formula
def lay_out(x, start, n, inner, gap, count, block, wide):
    """Copy a tile to the scratch, where a slice's numbers lie `wide` apart."""
    w = width(x)
    if gap == 1:
        for i in range(n):
            at = start + i * inner
            for lane in range(0, count, w):
                v = load_some(x, at + lane, min(w, count - lane))
                store(block, i * wide + lane, v)
    else:
        for lane in range(0, count, w):
            for i in range(0, n, w):
                turn(
                    x,
                    start + lane * gap + i,
                    gap,
                    count - lane,
                    min(w, n - i),
                    block,
                    i * wide + lane,
                    wide,
                )


@formula
def put_back(block, wide, out, start, n, inner, gap, count):
    """Copy a tile from the scratch to where it belongs."""
    w = width(out)
    if gap == 1:
        for i in range(n):
            at = start + i * inner
            for lane in range(0, count, w):
                v = load(block, i * wide + lane)
                store_some(out, at + lane, min(w, count - lane), v)
    else:
        for lane in range(0, count, w):
            for i in range(0, n, w):
                turn_back(
                    block,
                    i * wide + lane,
                    wide,
                    out,
                    start + lane * gap + i,
                    gap,
                    count - lane,
                    min(w, n - i),
                )


@formula
def finish_tile(out, start, n, inner, count, top, finite, about, total):
    """Turn the terms of up to a vector of slices into shares."""
    r, r_low = reciprocal(total)
    own, unit = own_by_lane(top, about), filled(r, 1.0)
    quotient = factors_by_lane(top, finite, own, r, r_low, r, unit)
    to_shares_by_lane(out, start, n, inner, count, quotient)


@formula
def factors_by_lane(top, finite, own, q, q_low, r, unit):
    """Return what `lifted_share` needs, see `factors`, of each lane."""
    main = narrowed(top, q)
    more = narrowed(top, (q - widen(main)) + (q_low - q * (r * own[2])))
    lift = select(finite, filled(top, LIFT(top) / UNIT(top)), math.nan)
    own_share = narrowed(top, product(own[0], own[1], q, q_low) * unit)
    return (
        main * lift,
        more * lift,
        narrowed(top, own[0]) * UNIT(top),
        select(finite, own_share, math.nan),
        narrowed(top, unit * (1.0 / LIFT(top))),
    )


@routine
def to_shares_by_lane(out, start, n, inner, count, quotient):
    """Turn the terms in out into shares."""
    kept_apart()
    for i in range(n):
        at = start + i * inner
        t = load_some(out, at, count)
        store_some(out, at, count, lifted_share(t, quotient))


@formula
def log_softmax_tile(source, target, start, n, inner, count, ahead):
    """Write the log-softmax of up to a vector of slices."""
    top, finite = largest_by_lane(source, start, n, inner, count)
    log, _ = log_by_lane(source, start, n, inner, count, top, ahead)
    logs = select(finite, narrowed(source, log), math.nan)
    for i in range(n):
        at = start + i * inner
        store_some(target, at, count, (load_some(source, at, count) - top) - logs)


@formula
def logsumexp_tile(source, start, n, inner, count, ahead):
    """Return the log-sum-exp of up to a vector of slices."""
    top, finite = largest_by_lane(source, start, n, inner, count)
    log, low = log_by_lane(source, start, n, inner, count, top, ahead)
    high, error = two_sum(widen(top), log)
    value = narrowed(source, high + (error + low))
    if any_of(select(finite, filled(value, 0.0), 1.0) > 0.0):
        extreme = extreme_by_lane(source, start, n, inner, count)
        value = select(finite, value, extreme)
    return value


@formula
def load_some(x, at, count):
    """Return a whole vector, or its first lanes at the end of a line."""
    if count == width(x):
        return load(x, at)
    return load_first(x, at, count, 0.0)


@formula
def store_some(x, at, count, value):
    """Write a whole vector, or its first lanes at the end of a line."""
    if count == width(x):
        store(x, at, value)
    else:
        store_first(x, at, count, value)


@formula
def largest_by_lane(x, start, n, inner, count):
    """Return the maxima, and where they are finite; elsewhere they are 0."""
    top = filled(x, -math.inf)
    for i in range(n):
        top = larger(load_some(x, start + i * inner, count), top)
    finite = magnitude(top) < math.inf
    return select(finite, top, 0.0), finite


@formula
def extreme_by_lane(x, start, n, inner, count):
    """Return the maxima, NaN where there is any NaN."""
    top = filled(x, -math.inf)
    for i in range(n):
        v = load_some(x, start + i * inner, count)
        top = select(top == top, larger(top, v), top)
    return top


@formula
def reference_by_lane(top):
    """Return what `term` needs to know: shift, floor and rounder."""
    return about_by_lane(top, anchor(top))


@formula
def about_by_lane(top, shift):
    """Return what `term` needs to know, for a shift that is known."""
    return shift, top - shift - DEPTH(top), unit_rounder(top - shift)


@routine
def terms_by_lane(x, out, start, n, inner, count, about, ahead):
    """Return the total of each lane; write the terms to out, if given.

    Meanwhile something that lies ahead is fetched.
    """
    kept_apart()
    beyond, place, later, there, step = ahead
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        at, size = start + b * inner, min(BLOCK(x), n - b)
        # Three steps of three terms in each round, as in `block_of_terms`.
        ready = term(load_some(x, at, count), about)
        if size > 1:
            begun = begun_term(load_some(x, at + inner, count) - about[0], about)
            for i in range(b + 2, b + size):
                prefetch(beyond, place + i * step)
                prefetch(later, there + i * step)
                v = load_some(x, at + 2 * inner, count)
                following = begun_term(v - about[0], about)
                running = taken_some(running, ready, out, at, count)
                ready = ended_term(begun)
                begun = following
                at += inner
            running = taken_some(running, ready, out, at, count)
            ready = ended_term(begun)
            at += inner
        running = taken_some(running, ready, out, at, count)
        total = joined(total, by_lane(running))
    return total


@formula
def taken_some(running, parts, out, at, count):
    """Return the running sum with a term; write it to any out."""
    power, more = parts
    if out is not None:
        store_some(out, at, count, power + more)
    return added(running, power, more)


@routine
def terms_below_by_lane(x, start, n, inner, count, top, about):
    """Return the total of what is less than each lane's top; see `terms_below`."""
    kept_apart()
    second = top - DEPTH(x)
    for i in range(n):
        v = load_some(x, start + i * inner, count)
        second = larger(select(v < top, v, -math.inf), second)
    below = about_by_lane(second, about[0])
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        for i in range(b, min(b + BLOCK(x), n)):
            v = load_some(x, start + i * inner, count)
            running = added_below(running, v, top, below)
        total = joined(total, by_lane(running))
    # A rounder is lower the higher its N.
    one, other = powers_of_two(widen(about[2] - below[2]))
    return total[0] * one * other, total[1] * one * other


@formula
def own_by_lane(top, about):
    """Return the term of each maximum as `own_term` does."""
    power, more, rest = exact_term(top, about)
    scale = 1.0 / UNIT(top)
    own, low = two_sum(widen(power) * scale, widen(more) * scale)
    return own, low, widen(rest) * scale


@formula
def log_by_lane(x, start, n, inner, count, top, ahead):
    """Return log(sum_j exp(x_j - top)) of each lane in two parts; see `log_of_row`."""
    about = reference_by_lane(top)
    total = terms_by_lane(x, None, start, n, inner, count, about, ahead)
    own, low, rest = own_by_lane(top, about)
    others = others_by_lane(x, start, n, inner, count, top, about, total, own, low)
    return log_of_quotient(others, own, low + rest)


@formula
def others_by_lane(x, start, n, inner, count, top, about, total, own, low):
    """Return the total of each lane less the term of its maximum."""
    high, lost = without(total, own, low)
    unsure = high + lost < SURE(x)
    if any_of(unsure):
        below = terms_below_by_lane(x, start, n, inner, count, top, about)
        high = select(unsure, below[0], high)
        lost = select(unsure, below[1], lost)
    return high, lost
