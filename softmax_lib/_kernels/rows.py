"""What every function of a row needs first: its maximum and the sum of its terms."""

import math

from softmax_lib._jit import formula, routine
from softmax_lib._kernels.exponential import (
    DEPTH,
    REACH,
    exact_exp_parts,
    exact_term,
    exp_parts,
    term,
    term_with_error,
    unit_bits,
)
from softmax_lib._kernels.lanes import (
    constant,
    filled,
    first_of,
    larger,
    largest_of,
    load,
    load_first,
    number,
    select,
    single,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.total import (
    SURE,
    across,
    added,
    added_exactly,
    empty_sum,
    joined,
    log_of_quotient,
    without,
)

# Half of the smallest first-level cache in use: a block is read several times.
# In float32 it also bounds how many terms a lane takes up before it is collected.
BLOCK = constant(4096, 2048)


@routine
def largest(x, start, n):
    """Return the maximum of x[start : start + n], blind to NaN."""
    w = width(x)
    whole = n - n % w
    # Four at a time: one maximum waits for the last, four keep the machine busy.
    a = b = c = d = filled(x, -math.inf)
    i = 0
    while i + 4 * w <= n:
        a = larger(load(x, start + i), a)
        b = larger(load(x, start + i + w), b)
        c = larger(load(x, start + i + 2 * w), c)
        d = larger(load(x, start + i + 3 * w), d)
        i += 4 * w
    while i < whole:
        a = larger(load(x, start + i), a)
        i += w
    if whole < n:
        b = larger(load_first(x, start + whole, n - whole, -math.inf), b)
    return largest_of(larger(larger(a, b), larger(c, d)))


@routine
def holds_nan(x, start, n):
    """Return whether any of x[start : start + n] is NaN."""
    found = False
    for i in range(start, start + n):
        found |= number(x, i) != number(x, i)
    return found


@formula
def reference(x, top, shift):
    """Return what `term` needs to know: shift, floor and offset, for a maximum."""
    tops = filled(x, top) - shift
    _, rounded = exp_parts(tops)
    return shift, tops - DEPTH(x), unit_bits(rounded)


@routine
def block_of_terms(x, out, start, n, about, careful):
    """Return the sum of the terms of x[start : start + n]; write them to any out.

    With `careful`, which is None or True, the sum has the terms' rounding errors
    put right. Equal terms have equal errors, which no average makes up for.
    """
    shift, floor, offset = about
    w = width(x)
    whole = n - n % w
    running = empty_sum(x)
    for i in range(0, whole, w):
        v = load(x, start + i) - shift
        if careful is not None:
            t, error = term_with_error(v, floor, offset)
            running = added_exactly(running, t, error)
        else:
            t = term(v, floor, offset)
            running = added(running, t)
        if out is not None:
            store(out, start + i, t)
    if whole < n:
        v = load_first(x, start + whole, n - whole, -math.inf) - shift
        t, error = term_with_error(v, floor, offset)
        if careful is not None:
            running = added_exactly(running, t, error)
        else:
            running = added(running, t)
        if out is not None:
            store_first(out, start + whole, n - whole, t)
    return across(running)


@formula
def nothing():
    """Return the total of no terms."""
    return single(0.0), single(0.0)


@formula
def rescaled(total, steps):
    """Return a total times 2^steps."""
    scale = math.ldexp(1.0, steps)
    return total[0] * scale, total[1] * scale


@formula
def exponent_between(x, a, b, shift):
    """Return the n of a less the n of b."""
    _, na = exp_parts(filled(x, a) - shift)
    _, nb = exp_parts(filled(x, b) - shift)
    return int(first_of(widen(na - nb)))


@formula
def terms(x, out, start, n, about, careful):
    """Like `block_of_terms`, for rows of any length."""
    total = nothing()
    for b in range(0, n, BLOCK(x)):
        size = min(BLOCK(x), n - b)
        total = joined(total, block_of_terms(x, out, start + b, size, about, careful))
    return total


@routine
def largest_below(x, start, n, top):
    """Return the largest of x[start : start + n] that is less than top."""
    w = width(x)
    whole = n - n % w
    second = filled(x, -math.inf)
    for i in range(0, whole, w):
        v = load(x, start + i)
        second = larger(select(v < top, v, -math.inf), second)
    if whole < n:
        v = load_first(x, start + whole, n - whole, -math.inf)
        second = larger(select(v < top, v, -math.inf), second)
    return largest_of(second)


@routine
def terms_below(x, start, n, top, shift):
    """Return the sum of the terms of what is less than top, in units of top's.

    They are summed in a unit of their own, that of the largest among them.
    """
    second = max(largest_below(x, start, n, top), top - DEPTH(x))
    shift, floor, offset = reference(x, second, shift)
    w = width(x)
    whole = n - n % w
    total = nothing()
    for b in range(0, n, BLOCK(x)):
        stop = min(b + BLOCK(x), whole)
        running = empty_sum(x)
        for i in range(b, stop, w):
            v = load(x, start + i)
            t, low = exact_term(v - shift, floor, offset)
            less = v < top
            running = added_exactly(
                running, select(less, t, 0.0), select(less, low, 0.0)
            )
        if stop == whole and whole < n:
            v = load_first(x, start + whole, n - whole, -math.inf)
            t, low = exact_term(v - shift, floor, offset)
            less = v < top
            running = added_exactly(
                running, select(less, t, 0.0), select(less, low, 0.0)
            )
        total = joined(total, across(running))
    return rescaled(total, exponent_between(x, second, top, shift))


@routine
def online_terms(x, start, n, careful):
    """Return the maximum and the sum of the terms, reading the row only once.

    Block by block the maximum may rise, and with it the power of two that the
    terms are counted in. The total so far is rescaled by a power of two: exactly.
    """
    top = -math.inf
    unshifted = filled(x, 0.0)
    total = nothing()
    about = reference(x, 0.0, unshifted)
    for b in range(0, n, BLOCK(x)):
        size = min(BLOCK(x), n - b)
        now = largest(x, start + b, size)
        if now > top:
            if abs(now) > REACH(x):
                # Needs its maximum subtracted beforehand: know that one first.
                top = largest(x, start, n)
                if not math.isfinite(top):
                    return top, total
                about = reference(x, top, filled(x, top))
                return top, terms(x, None, start, n, about, careful)
            before = top
            top = now
            about = reference(x, top, unshifted)
            if math.isfinite(before):
                total = rescaled(total, exponent_between(x, before, top, unshifted))
        if top == -math.inf:
            if holds_nan(x, start + b, size):
                total = joined(total, (single(math.nan), single(0.0)))
        else:
            total = joined(
                total, block_of_terms(x, None, start + b, size, about, careful)
            )
    return top, total


@formula
def own_term(x, top, shift):
    """Return the term of the maximum itself, in two parts, in units of 1."""
    p, e, _ = exact_exp_parts(filled(x, top) - shift)
    return single(first_of(widen(p))), single(first_of(widen(e)))


@routine
def log_of_row(x, start, n, top, shift, total):
    """Return log(sum_j exp(x_j - top)) in two parts, given the total of the terms.

    The winner's own term is 1 in this sum, so the logarithm is log1p of the sum of
    the others, and keeps its digits even where they are 1e-30 together.
    """
    own, own_low = own_term(x, top, shift)
    others = without(total, own)
    if first_of(others[0] + others[1]) < SURE(x):
        others = terms_below(x, start, n, top, shift)
    log, log_low = log_of_quotient(others, own, own_low)
    return first_of(log), first_of(log_low)
