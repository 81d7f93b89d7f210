"""Softmax of every row."""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import (
    UNIT,
    anchor,
    exp_parts_with_error,
    term,
    term_with_error,
)
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
    single,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.rows import (
    largest,
    online_terms,
    reference,
    terms,
)
from softmax_lib._kernels.total import (
    across,
    added_exactly,
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
def quotient_by(x, total, top, shift):
    """Return what `share` needs to know.

    The total has the rounding errors of its terms put right. The winner's term has
    not, and as the greatest of the total would be seen to differ: 1 / 1 would not be
    1. So its share, and that of its equals, is the quotient of both put right.
    """
    p, error, _ = exp_parts_with_error(filled(x, top) - shift)
    own, own_error = single(first_of(widen(p))), single(first_of(widen(error)))
    r, r_low = reciprocal(total)
    main = first_of(r)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(r_low)
    return (
        filled(x, main) * (1.0 / UNIT(x)),
        filled(x, more) * (1.0 / UNIT(x)),
        p * UNIT(x),
        filled(x, first_of(product(own, own_error, r, r_low))),
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
        shift, floor, offset = reference(x, top, anchor(filled(x, top)))
        t, error = term_with_error(v - shift, floor, offset)
        total = across(added_exactly(empty_sum(x), t, error))
        store_first(out, start, n, share(t, quotient_by(x, total, top, shift)))
    else:
        fill(out, start, n, math.nan)


@formula
def cached_row(x, out, start, n):
    """Write the terms to out, sum them, and scale them in place."""
    top = largest(x, start, n)
    if math.isfinite(top):
        shift = anchor(filled(x, top))
        total = terms(x, out, start, n, reference(x, top, shift), True)
        to_shares(out, start, n, quotient_by(x, total, top, shift))
    else:
        fill(out, start, n, math.nan)


@routine
def to_shares(out, start, n, quotient):
    """Turn the terms in out into shares."""
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
    top, total = online_terms(x, start, n, True)
    if math.isfinite(top):
        shift = anchor(filled(x, top))
        about = reference(x, top, shift)
        quotient = quotient_by(x, total, top, shift)
        write_shares(x, out, start, n, about, quotient)
    else:
        fill(out, start, n, math.nan)


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
