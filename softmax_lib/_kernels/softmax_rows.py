"""Softmax of every row."""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import UNIT, anchor, term
from softmax_lib._kernels.lanes import (
    constant,
    filled,
    first_of,
    fma,
    largest_of,
    load,
    load_first,
    memory,
    put,
    select,
    store,
    store_first,
    sum_of,
    widen,
    width,
)
from softmax_lib._kernels.rows import (
    count_equal,
    largest,
    online_terms,
    own_term,
    reference,
    terms,
)
from softmax_lib._kernels.total import (
    FEW,
    across,
    added,
    empty_sum,
    product,
    reciprocal,
)

# Rows up to here stay in the second-level cache while they are worked on.
IN_CACHE = constant(131072, 65536)


@kernel
def softmax_rows(x, out, n, first, last):
    """exp(x_i) / sum_j exp(x_j), in rows first, ..., last - 1 of n numbers each."""
    source, target = memory(x), memory(out)
    for start in range(first * n, last * n, n):
        if n <= width(source):
            narrow_row(source, target, start, n)
        elif n <= IN_CACHE(source):
            cached_row(source, target, start, n)
        else:
            long_row(source, target, start, n)


@formula
def share(t, quotient):
    """Return t / total, rounded once; of the winner's term what was found for it."""
    main, more, own, own_share = quotient
    return select(t == own, own_share, fma(t, main, t * more))


@formula
def in_lanes(x, r, r_low):
    """Return a reciprocal in two parts of the type of x, for terms of UNIT."""
    main = first_of(r)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(r_low)
    return filled(x, main) * (1.0 / UNIT(x)), filled(x, more) * (1.0 / UNIT(x))


@formula
def plain_quotient(x, total):
    """Return what `share` needs to know where no winner stands out."""
    r, r_low = reciprocal(total)
    main, more = in_lanes(x, r, r_low)
    return main, more, filled(x, math.nan), filled(x, math.nan)


@formula
def quotient_with_winners(x, total, own, winners):
    """Return what `share` needs to know where few terms make up the total.

    The rounding error of the winner's term would be in every quotient by the total.
    So it is put right, as many times as there are winners: in the total, and in the
    winners' own share.
    """
    high, lost = total
    p, error = own
    r, r_low = reciprocal((high, lost + error * winners))
    main, more = in_lanes(x, r, r_low)
    own_share = filled(x, first_of(product(p, error, r, r_low)))
    return main, more, filled(x, first_of(p) * UNIT(x)), own_share


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
        shift, floor, offset = reference(x, top, anchor(filled(x, top)))
        t = term(v - shift, floor, offset)
        total = across(added(empty_sum(x), t))
        own = own_term(x, top, shift)
        winners = float(sum_of(select(v == top, filled(x, 1.0), 0.0)))
        quotient = quotient_with_winners(x, total, own, winners)
        store_first(out, start, n, share(t, quotient))
    else:
        fill(out, start, n, math.nan)


@formula
def cached_row(x, out, start, n):
    """Write the terms to out, sum them, and scale them in place."""
    top = largest(x, start, n)
    if not math.isfinite(top):
        fill(out, start, n, math.nan)
        return
    shift = anchor(filled(x, top))
    total = terms(x, out, start, n, reference(x, top, shift))
    if first_of(total[0]) < FEW:
        to_few_shares(out, start, n, total, own_term(x, top, shift))
    else:
        to_shares(out, start, n, total)


@routine
def to_shares(out, start, n, total):
    """Turn the terms in out into shares."""
    main, more, _, _ = plain_quotient(out, total)
    w = width(out)
    whole = n - n % w
    for i in range(0, whole, w):
        t = load(out, start + i)
        store(out, start + i, fma(t, main, t * more))
    if whole < n:
        t = load_first(out, start + whole, n - whole, 0.0)
        store_first(out, start + whole, n - whole, fma(t, main, t * more))


@routine
def to_few_shares(out, start, n, total, own):
    """Turn the terms in out into shares, where few of them make up the total."""
    winners = float(count_equal(out, start, n, first_of(own[0]) * UNIT(out)))
    quotient = quotient_with_winners(out, total, own, winners)
    w = width(out)
    whole = n - n % w
    for i in range(0, whole, w):
        store(out, start + i, share(load(out, start + i), quotient))
    if whole < n:
        t = load_first(out, start + whole, n - whole, 0.0)
        store_first(out, start + whole, n - whole, share(t, quotient))


@formula
def long_row(x, out, start, n):
    """Compute the terms twice: that is cheaper than to write and read them."""
    top, total = online_terms(x, start, n)
    if not math.isfinite(top):
        fill(out, start, n, math.nan)
        return
    about = reference(x, top, anchor(filled(x, top)))
    quotient = plain_quotient(x, total)
    if first_of(total[0]) < FEW:
        own = own_term(x, top, about[0])
        winners = float(count_equal(x, start, n, top))
        quotient = quotient_with_winners(x, total, own, winners)
    write_shares(x, out, start, n, about, quotient)


@routine
def write_shares(x, out, start, n, about, quotient):
    """Write the shares of x to out, computing the terms once more."""
    shift, floor, offset = about
    w = width(x)
    whole = n - n % w
    for i in range(0, whole, w):
        t = term(load(x, start + i) - shift, floor, offset)
        store(out, start + i, share(t, quotient))
    if whole < n:
        v = load_first(x, start + whole, n - whole, -math.inf)
        t = term(v - shift, floor, offset)
        store_first(out, start + whole, n - whole, share(t, quotient))
