"""Softmax of every row."""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import (
    LARGE_BIT,
    LIFT,
    UNIT,
    anchor,
    term,
)
from softmax_lib._kernels.lanes import (
    filled,
    first_of,
    fma,
    largest_of,
    load_first,
    memory,
    put,
    select,
    single,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.pages import enter_pages
from softmax_lib._kernels.rows import (
    ahead_of,
    largest,
    own_term,
    reference,
    row_writer,
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
    main, more, own, own_share, _ = quotient
    return select(t == own, own_share, fma(t, main, t * more))


@formula
def lifted_share(t, quotient):
    """Return the same, for a quotient that is lifted."""
    main, more, own, own_share, down = quotient
    return select(t == own, own_share, fma(t, main, t * more) * down)


write_shares = row_writer(share)
write_lifted_shares = row_writer(lifted_share)


@formula
def unlifted(quotient):
    """Return what `share` needs to know, of what `lifted_share` does."""
    main, more, own, own_share, down = quotient
    return main * down, more * down, own, own_share, down


@formula
def factors(x, q, q_low, r, own, unit):
    """Return what `lifted_share` needs, for terms times (q + q_low) * unit.

    The unit is a power of two, and r is 1 / total. The total has the rounding errors of
    its terms put right. The winner's term has not, and as the greatest of the total
    would be seen to differ: 1 / 1 would not be 1. So its share, and that of its equals,
    is the quotient of both put right. To the others' total comes what both lack: of a
    sure winner that is nearly all.
    """
    main = first_of(q)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(q_low - q * (r * own[2]))
    return (
        filled(x, main) * (LIFT(x) / UNIT(x)),
        filled(x, more) * (LIFT(x) / UNIT(x)),
        filled(x, first_of(own[0])) * UNIT(x),
        filled(x, first_of(product(own[0], own[1], q, q_low) * unit)),
        filled(x, first_of(unit) * (1.0 / LIFT(x))),
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
        own = own_term(x, top, about)
        quotient = factors(x, r, r_low, r, own, single(1.0))
        store_first(out, start, n, lifted_share(power + more, quotient))
    else:
        fill(out, start, n, math.nan)


@formula
def wide_rows(x, out, begin, end, n):
    """Write the terms to out, sum them, and scale them in place.

    The maximum of the next row is found while this one is scaled.
    """
    following = largest(x, begin, n)
    for start in range(begin, end, n):
        enter_pages(x, out, start, n, end)
        top = following
        if math.isfinite(top):
            about = reference(x, top, anchor(filled(x, top)))
            ahead = ahead_of(x, start, n, end)
            total, common = terms(x, out, start, n, about, top, ahead, None)
            own = own_term(x, top, about)
            r, r_low = reciprocal(total)
            quotient = factors(x, r, r_low, r, own, single(1.0))
            if start + n < end and common & LARGE_BIT(x):
                quotient = unlifted(quotient)
                following = write_shares(out, out, start, n, quotient, x, start + n)
                continue
            write_lifted_shares(out, out, start, n, quotient, None, 0)
        else:
            fill(out, start, n, math.nan)
        if start + n < end:
            following = largest(x, start + n, n)
