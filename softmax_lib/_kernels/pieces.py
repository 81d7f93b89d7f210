"""Rows in pieces, for threads that would otherwise have no row of their own.

A row is gone through in steps, each of which all pieces do before the next begins:
maximum, terms, result. What passes from one to the next is a few numbers a piece.
"""

import math

from softmax_lib._jit import formula, kernel
from softmax_lib._kernels.exponential import anchor
from softmax_lib._kernels.lanes import filled, first_of, memory, single
from softmax_lib._kernels.log_rows import subtrahends, value_of_row, write_logarithms
from softmax_lib._kernels.pages import enter_pages
from softmax_lib._kernels.rows import (
    BLOCK,
    largest,
    log_of_row,
    nothing,
    own_term,
    reference,
    terms,
)
from softmax_lib._kernels.softmax_rows import factors, fill, write_lifted_shares
from softmax_lib._kernels.total import joined, reciprocal


@formula
def edge(x, n, part, parts):
    """Return where a piece begins: where blocks do, so that all gives the same bits."""
    return n if part == parts else n * part // parts // BLOCK(x) * BLOCK(x)


@formula
def about_row(x, top):
    """Return what `term` needs to know."""
    return reference(x, top, anchor(filled(x, top)))


@kernel
def top_of_piece(x, start, n, part, parts):
    """Return the maximum of a piece."""
    source = memory(x)
    first, last = edge(source, n, part, parts), edge(source, n, part + 1, parts)
    return float(largest(source, start + first, last - first))


@kernel
def terms_of_piece(x, out, start, n, part, parts, top):
    """Write the terms of a piece to out, if it has room, and return their total."""
    source, target = memory(x), memory(out)
    first, last = edge(source, n, part, parts), edge(source, n, part + 1, parts)
    about = about_row(source, top)
    total = nothing()
    if math.isfinite(top):
        begin, size = start + first, last - first
        if out.size == x.size:
            enter_pages(source, target, begin, size, begin + size)
            total, _ = terms(source, target, begin, size, about, top, 0, None)
        else:
            total, _ = terms(source, None, begin, size, about, top, 0, None)
    return first_of(total[0]), first_of(total[1])


@kernel
def total_of_pieces(highs, losts):
    """Return the total of the totals."""
    total = nothing()
    for part in range(highs.size):
        total = joined(total, (single(highs[part]), single(losts[part])))
    return first_of(total[0]), first_of(total[1])


@kernel
def shares_of_piece(out, start, n, part, parts, top, high, lost):
    """Turn the terms of a piece into shares."""
    target = memory(out)
    first, last = edge(target, n, part, parts), edge(target, n, part + 1, parts)
    if math.isfinite(top):
        own = own_term(target, top, about_row(target, top))
        r, r_low = reciprocal((single(high), single(lost)))
        quotient = factors(target, r, r_low, r, own, single(1.0))
        begin, size = start + first, last - first
        write_lifted_shares(target, target, begin, size, quotient, None, 0)
    else:
        fill(target, start + first, last - first, math.nan)


@kernel
def log_of_pieces(x, start, n, top, high, lost):
    """Return the logarithm that `subtrahends` needs, and the log-sum-exp."""
    source = memory(x)
    about = about_row(source, top)
    total = single(high), single(lost)
    log, _ = log_of_row(source, start, n, top, about, total)
    return log, value_of_row(source, start, n, top, about, total)


@kernel
def logarithms_of_piece(x, out, start, n, part, parts, top, log):
    """Write (x_i - top) - log of a piece."""
    source = memory(x)
    first, last = edge(source, n, part, parts), edge(source, n, part + 1, parts)
    begin, size, known = start + first, last - first, subtrahends(source, top, log)
    target = memory(out)
    enter_pages(source, target, begin, size, begin + size)
    write_logarithms(source, target, begin, size, known, None, 0)
