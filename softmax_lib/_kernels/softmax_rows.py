"""Softmax of every row."""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import (
    LIFT,
    UNIT,
    anchor,
    term,
)
from softmax_lib._kernels.lanes import (
    filled,
    first_of,
    fma,
    kept_apart,
    largest_of,
    load,
    load_first,
    memory,
    put,
    select,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.rows import (
    ahead_of,
    largest,
    lead,
    nothing,
    own_term,
    reference,
    terms,
)
from softmax_lib._kernels.total import (
    across,
    added,
    empty_sum,
    product,
    reciprocal,
)


@kernel
def softmax_rows(x, out, n, first, last):
    """exp(x_i) / sum_j exp(x_j), in rows first, ..., last - 1 of n numbers each."""
    source, target = memory(x), memory(out)
    begin, end = first * n, last * n
    if n <= width(source):
        for start in range(begin, end, n):
            narrow_row(source, target, start, n)
    else:
        wide_rows(source, target, begin, end, n)


@formula
def share(t, quotient):
    """Return t / total, rounded once; of the winner's term what was found for it."""
    main, more, own, own_share = quotient
    lifted = fma(t, main, t * more)
    return select(t == own, own_share, lifted * (1.0 / LIFT(t)))


@formula
def factors(x, q, q_low, r, own):
    """Return what `share` needs to know, for terms times q + q_low, r being 1 / total.

    The total has the rounding errors of its terms put right. The winner's term has
    not, and as the greatest of the total would be seen to differ: 1 / 1 would not be
    1. So its share, and that of its equals, is the quotient of both put right. To the
    others' total comes what both lack: of a sure winner that is nearly all.
    """
    main = first_of(q)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(q_low - q * (r * own[2]))
    return (
        filled(x, main) * (LIFT(x) / UNIT(x)),
        filled(x, more) * (LIFT(x) / UNIT(x)),
        filled(x, first_of(own[0])) * UNIT(x),
        filled(x, first_of(product(own[0], own[1], q, q_low))),
    )


@routine
def fill(out, start, n, value):
    """Write value to out[start : start + n]."""
    for i in range(start, start + n):
        put(out, i, value)


@formula
def narrow_row(x, out, start, n):
    """Do a row that fits in one vector, which never leaves the registers."""
    v = load_first(x, start, n, -math.inf)
    top = largest_of(v)
    if math.isfinite(top):
        about = reference(x, top, anchor(filled(x, top)))
        power, more = term(v, about)
        total = across(added(empty_sum(x), power, more))
        r, r_low = reciprocal(total)
        quotient = factors(x, r, r_low, r, own_term(x, top, about))
        store_first(out, start, n, share(power + more, quotient))
    else:
        fill(out, start, n, math.nan)


@formula
def wide_rows(x, out, begin, end, n):
    """Write the terms to out, sum them, and scale them in place.

    The maximum of the next row is found between the two: its loads need not wait for
    this row's quotient, nor the first share for that maximum.
    """
    following = largest(x, begin, n)
    for start in range(begin, end, n):
        top = following
        about = reference(x, top, anchor(filled(x, top)))
        own = own_term(x, top, about)
        total = nothing()
        if math.isfinite(top):
            ahead = ahead_of(x, start, n, end)
            total = terms(x, out, start, n, about, top, ahead)
        if start + n < end:
            following = largest(x, start + n, n)
        if math.isfinite(top):
            r, r_low = reciprocal(total)
            to_shares(out, start, n, factors(x, r, r_low, r, own))
        else:
            fill(out, start, n, math.nan)


@routine
def to_shares(out, start, n, quotient):
    """Turn the terms in out into shares.

    Both ends are whole vectors, that overlap the others: they are read before those
    are written.
    """
    kept_apart()
    w = width(out)
    if n < w:
        t = load_first(out, start, n, 0.0)
        store_first(out, start, n, share(t, quotient))
    else:
        last = start + n - w
        left, right = load(out, start), load(out, last)
        for i in range(start + lead(out, start, n), last, w):
            store(out, i, share(load(out, i), quotient))
        store(out, start, share(left, quotient))
        store(out, last, share(right, quotient))
