"""Every function along an axis that is not the last: one lane, one slice.

An array is read as (outer, n, inner). A tile is as many neighbours along inner as
a vector has lanes; it goes down along n, each lane with a maximum, a power of two
and a total of its own, and nothing is ever transposed.
"""

import math

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.exponential import (
    DEPTH,
    UNIT,
    anchor,
    exact_exp_parts,
    exact_term,
    exp_parts,
    powers_of_two,
    term,
    unit_bits,
)
from softmax_lib._kernels.lanes import (
    any_of,
    filled,
    fma,
    larger,
    load,
    load_first,
    magnitude,
    memory,
    narrowed,
    select,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.rows import BLOCK
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    HEAVY,
    SURE,
    added,
    added_exactly,
    by_lane,
    empty_sum,
    joined,
    log_of_quotient,
    product,
    reciprocal,
    without,
)


@kernel
def softmax_columns(x, out, n, inner, first, last):
    """exp(x_i) / sum_j exp(x_j) in tiles first, ..., last - 1."""
    source, target = memory(x), memory(out)
    for tile in range(first, last):
        start, count = tile_at(source, tile, n, inner)
        top, finite = largest_by_lane(source, start, n, inner, count)
        about = reference_by_lane(top)
        total = terms_by_lane(source, target, start, n, inner, count, about)
        own, own_low, _ = exact_exp_parts(top - about[0])
        own_t = own * UNIT(source)
        winners = filled(source, 0.0)
        heavy = widen(own) > HEAVY * total[0]
        if any_of(heavy):
            winners = count_by_lane(target, start, n, inner, count, own_t)
            winners = select(heavy, winners, 0.0)
        high, lost = total
        r, r_low = reciprocal((high, lost + widen(own_low) * widen(winners)))
        main = narrowed(source, r)
        more = narrowed(source, (r - widen(main)) + r_low)
        own_share = narrowed(source, product(widen(own), widen(own_low), r, r_low))
        # No term equals the one of a lane whose winner has no share of its own.
        own_t = select(winners > 0.0, own_t, math.nan)
        unit = select(finite, filled(source, 1.0 / UNIT(source)), math.nan)
        main, more = main * unit, more * unit
        for i in range(n):
            at = start + i * inner
            t = load_some(target, at, count)
            shares = select(t == own_t, own_share, fma(t, main, t * more))
            store_some(target, at, count, shares)


@kernel
def log_softmax_columns(x, out, n, inner, first, last):
    """(x_i - m) - log(sum_j exp(x_j - m)) in tiles first, ..., last - 1."""
    source, target = memory(x), memory(out)
    for tile in range(first, last):
        start, count = tile_at(source, tile, n, inner)
        top, finite = largest_by_lane(source, start, n, inner, count)
        log, _ = log_by_lane(source, start, n, inner, count, top)
        logs = select(finite, narrowed(source, log), math.nan)
        for i in range(n):
            at = start + i * inner
            store_some(target, at, count, (load_some(source, at, count) - top) - logs)


@kernel
def logsumexp_columns(x, out, n, inner, first, last):
    """M + log(sum_j exp(x_j - m)) in tiles; out is (outer, inner)."""
    source, target = memory(x), memory(out)
    for tile in range(first, last):
        start, count = tile_at(source, tile, n, inner)
        top, finite = largest_by_lane(source, start, n, inner, count)
        log, low = log_by_lane(source, start, n, inner, count, top)
        high, error = two_sum(widen(top), log)
        value = narrowed(source, high + (error + low))
        infinite = extreme_by_lane(source, start, n, inner, count)
        at = start // (n * inner) * inner + start % inner
        store_some(target, at, count, select(finite, value, infinite))


@formula
def tile_at(x, tile, n, inner):
    """Return where a tile starts in the flat array, and how many lanes it has."""
    across = (inner + width(x) - 1) // width(x)
    column = tile % across * width(x)
    return tile // across * n * inner + column, min(width(x), inner - column)


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
    """Return what `term` needs to know: shift, floor and offset."""
    return about_by_lane(top, anchor(top))


@formula
def about_by_lane(top, shift):
    """Return what `term` needs to know, for a shift that is known."""
    _, rounded = exp_parts(top - shift)
    return shift, top - shift - DEPTH(top), unit_bits(rounded)


@formula
def terms_by_lane(x, out, start, n, inner, count, about):
    """Return the total of each lane; write the terms to out, if given."""
    shift, floor, offset = about
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        for i in range(b, min(b + BLOCK(x), n)):
            at = start + i * inner
            t = term(load_some(x, at, count) - shift, floor, offset)
            if out is not None:
                store_some(out, at, count, t)
            running = added(running, t)
        total = joined(total, by_lane(running))
    return total


@formula
def count_by_lane(x, start, n, inner, count, value):
    """Return how many numbers of each lane equal its value, 2^24 at most."""
    counts = filled(x, 0.0)
    for i in range(n):
        same = load_some(x, start + i * inner, count) == value
        counts = counts + select(same, filled(x, 1.0), 0.0)
    return counts


@formula
def terms_below_by_lane(x, start, n, inner, count, top, shift):
    """Return the total of what is less than each lane's top; see `terms_below`."""
    second = top - DEPTH(x)
    for i in range(n):
        v = load_some(x, start + i * inner, count)
        second = larger(select(v < top, v, -math.inf), second)
    tops = top - shift
    shift, floor, offset = about_by_lane(second, shift)
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        for i in range(b, min(b + BLOCK(x), n)):
            v = load_some(x, start + i * inner, count)
            t, low = exact_term(v - shift, floor, offset)
            less = v < top
            running = added_exactly(
                running, select(less, t, 0.0), select(less, low, 0.0)
            )
        total = joined(total, by_lane(running))
    _, ours = exp_parts(second - shift)
    _, theirs = exp_parts(tops)
    one, other = powers_of_two(widen(ours - theirs))
    return total[0] * one * other, total[1] * one * other


@formula
def log_by_lane(x, start, n, inner, count, top):
    """Return log(sum_j exp(x_j - top)) of each lane in two parts; see `log_of_row`."""
    about = reference_by_lane(top)
    total = terms_by_lane(x, None, start, n, inner, count, about)
    p, e, _ = exact_exp_parts(top - about[0])
    own, own_low = widen(p), widen(e)
    high, lost = without(total, own)
    sure = high + lost < SURE(x)
    if any_of(sure):
        below = terms_below_by_lane(x, start, n, inner, count, top, about[0])
        high = select(sure, below[0], high)
        lost = select(sure, below[1], lost)
    return log_of_quotient((high, lost), own, own_low)
