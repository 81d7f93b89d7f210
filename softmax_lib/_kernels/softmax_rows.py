"""Softmax of every row."""

import math

from softmax_lib._jit import formula, kernel
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
    HEAVY,
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
def is_heavy(total, own):
    """Whether one term makes up much of the total."""
    return first_of(own[0]) > HEAVY * first_of(total[0])


@formula
def quotient_of(x, total, own, winners):
    """Return what `share` needs to know.

    Where the winner's term is most of the total, the rounding error of the one
    would be in every quotient by the other. So it is put right, as many times as
    there are winners: in the total, and in the winners' own share.
    """
    high, lost = total
    p, error = own
    r, r_low = reciprocal((high, lost + error * winners))
    main = first_of(r)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(r_low)
    return (
        filled(x, main) * (1.0 / UNIT(x)),
        filled(x, more) * (1.0 / UNIT(x)),
        filled(x, first_of(p) * UNIT(x) if winners > 0 else math.nan),
        filled(x, first_of(product(p, error, r, r_low))),
    )


@formula
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
        winners = 0.0
        if is_heavy(total, own):
            winners = float(sum_of(select(v == top, filled(x, 1.0), 0.0)))
        store_first(out, start, n, share(t, quotient_of(x, total, own, winners)))
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
    own = own_term(x, top, shift)
    winners = 0.0
    if is_heavy(total, own):
        winners = float(count_equal(out, start, n, first_of(own[0]) * UNIT(x)))
    quotient = quotient_of(x, total, own, winners)
    w = width(x)
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
    shift, floor, offset = reference(x, top, anchor(filled(x, top)))
    own = own_term(x, top, shift)
    winners = 0.0
    if is_heavy(total, own):
        winners = float(count_equal(x, start, n, top))
    quotient = quotient_of(x, total, own, winners)
    w = width(x)
    whole = n - n % w
    for i in range(0, whole, w):
        t = term(load(x, start + i) - shift, floor, offset)
        store(out, start + i, share(t, quotient))
    if whole < n:
        v = load_first(x, start + whole, n - whole, -math.inf)
        t = term(v - shift, floor, offset)
        store_first(out, start + whole, n - whole, share(t, quotient))
