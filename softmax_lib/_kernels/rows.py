"""What every function of a row needs first: its maximum and the sum of its terms."""

import math

from softmax_lib._jit import formula, routine
from softmax_lib._kernels.exponential import (
    DEPTH,
    REACH,
    UNIT,
    begun_term,
    ended_term,
    exact_term,
    term,
    unit_rounder,
    unshifted_term,
)
from softmax_lib._kernels.lanes import (
    BYTES,
    common_bits,
    constant,
    filled,
    first_of,
    kept_apart,
    larger,
    largest_of,
    load,
    load_first,
    load_last,
    number,
    prefetch,
    select,
    single,
    store,
    store_first,
    store_last,
    to_bits,
    until,
    widen,
    width,
)
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    SURE,
    across,
    added,
    empty_sum,
    joined,
    log_of_quotient,
    without,
)

# Half of the smallest first-level cache in use: a block is read several times.
# In float32 it also bounds how many terms a lane takes up before it is collected.
BLOCK = constant(4096, 2048)

# Rows up to here stay in the second-level cache while they are worked on.
IN_CACHE = constant(131072, 65536)


@formula
def lead(x, start, n):
    """Return how many numbers to do before vectors of them are whole cache lines.

    Each of the others would touch two, at twice the price. A short row is done
    before that pays.
    """
    return until(x, start, BYTES) if n >= 12 * width(x) else 0


@formula
def ahead_of(x, start, n, end):
    """Return how far ahead of each number of a row to fetch another: to the next row.

    Memory would be idle while a row's terms are computed, and they wait for it when
    the next one begins.
    """
    return n if start + n < end and n <= 2 * IN_CACHE(x) else 0


@routine
def largest(x, start, n):
    """Return the maximum of x[start : start + n], blind to NaN."""
    kept_apart()
    w = width(x)
    # Four at a time: one maximum waits for the last, four keep the machine busy. To
    # look at a number twice does no harm, so both ends are done in whole vectors.
    a = b = c = d = filled(x, -math.inf)
    if n < 4 * w:
        for i in range(0, n, w):
            a = larger(load_first(x, start + i, n - i, -math.inf), a)
    else:
        a = larger(load(x, start), a)
        for i in range(lead(x, start, n), n - 4 * w, 4 * w):
            a = larger(load(x, start + i), a)
            b = larger(load(x, start + i + w), b)
            c = larger(load(x, start + i + 2 * w), c)
            d = larger(load(x, start + i + 3 * w), d)
        end = start + n
        a = larger(load(x, end - 4 * w), a)
        b = larger(load(x, end - 3 * w), b)
        c = larger(load(x, end - 2 * w), c)
        d = larger(load(x, end - w), d)
    return largest_of(larger(larger(a, b), larger(c, d)))


@routine
def holds_nan(x, start, n):
    """Return whether any of x[start : start + n] is NaN."""
    found = False
    for i in range(start, start + n):
        found |= number(x, i) != number(x, i)
    return found


def row_writer(value):
    """Return a routine that writes value(v, about) for each v of a row."""

    @routine
    def write(source, out, start, n, about, x, following):
        """Do so from a row of the source to the same row of out.

        Return the largest of x[following : following + n], which is found meanwhile,
        if there is an x. Both ends are whole vectors, that overlap the others: they are
        read before those are written.
        """
        kept_apart()
        w = width(out)
        top = filled(out, -math.inf)
        if n < w:
            v = load_first(source, start, n, 0.0)
            store_first(out, start, n, value(v, about))
            if x is not None:
                top = load_first(x, following, n, -math.inf)
        else:
            last = n - w
            left = value(load(source, start), about)
            right = value(load(source, start + last), about)
            if x is not None:
                top = larger(load(x, following), larger(load(x, following + last), top))
            for i in range(lead(out, start, n), last, w):
                if x is not None:
                    top = larger(load(x, following + i), top)
                store(out, start + i, value(load(source, start + i), about))
            store(out, start, left)
            store(out, start + last, right)
        return largest_of(top)

    return write


@formula
def reference(x, top, shift):
    """Return what `term` needs to know: shift, floor and rounder, for a maximum."""
    tops = filled(x, top) - shift
    return shift, tops - DEPTH(x), unit_rounder(tops)


@routine
def block_of_terms(x, out, start, n, about, unshifted, ahead, later):
    """Return the sum of the terms of x[start : start + n]; write them to any out.

    Also return the bits that are set in all that was written. `unshifted` says that the
    shift is 0, which saves its subtraction. What lies `ahead` is fetched meanwhile, and
    where the results go `later`, if that is given. The sum has the terms' rounding
    errors put right: equal terms have equal errors, which no average makes up for.
    """
    kept_apart()
    w = width(x)
    head = lead(x, start, n) if out is None else lead(out, start, n)
    whole = n - (n - head) % w
    running = empty_sum(x), every_bit(x)
    if head > 0:
        v = load_last(x, start + head - w, head, -math.inf)
        ready = term(v, about)
        if out is not None:
            store_last(out, start + head - w, head, ready[0] + ready[1])
        running = counted(running, ready, v)
    i = head
    if unshifted and i + w < whole:
        # Three steps of three terms in each round, none of which waits for another. No
        # processor looks far enough ahead to find as much in the rounds to come.
        ready = unshifted_term(load(x, start + i), about)
        begun = begun_term(load(x, start + i + w), about)
        i += 2 * w
        while i < whole:
            prefetch(x, start + i + ahead)
            prefetch(later, start + i)
            following = begun_term(load(x, start + i), about)
            running = taken(running, ready, out, start + i - 2 * w)
            ready = ended_term(begun)
            begun = following
            i += w
        running = taken(running, ready, out, start + i - 2 * w)
        running = taken(running, ended_term(begun), out, start + i - w)
    while i < whole:
        running = taken(running, term(load(x, start + i), about), out, start + i)
        i += w
    if whole < n:
        v = load_first(x, start + whole, n - whole, -math.inf)
        ready = term(v, about)
        if out is not None:
            store_first(out, start + whole, n - whole, ready[0] + ready[1])
        running = counted(running, ready, v)
    total, common = running
    return across(total), int(common_bits(common))


@formula
def every_bit(x):
    """Return lanes of integers with all bits set."""
    return to_bits(filled(x, 0.0)) - 1


@formula
def taken(running, parts, out, at):
    """Return the running sum and the common bits with a term; write it to any out."""
    total, common = running
    power, more = parts
    if out is not None:
        t = power + more
        store(out, at, t)
        common = common & to_bits(t)
    return added(total, power, more), common


@formula
def counted(running, parts, v):
    """Return the same for the term of v, whose lanes of -inf have no say in the bits.

    They lie outside the row, or have a share of 0.
    """
    total, common = running
    power, more = parts
    t = select(v > -math.inf, power + more, UNIT(v))
    return added(total, power, more), common & to_bits(t)


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
    return int(
        first_of(
            widen(
                unit_rounder(filled(x, b) - shift) - unit_rounder(filled(x, a) - shift)
            )
        )
    )


@formula
def terms(x, out, start, n, about, top, ahead, later):
    """Like `block_of_terms`, for rows of any length with a maximum of top."""
    unshifted = abs(top) <= REACH(x)
    size = min(BLOCK(x), n)
    total, common = block_of_terms(x, out, start, size, about, unshifted, ahead, later)
    for b in range(size, n, BLOCK(x)):
        size = min(BLOCK(x), n - b)
        block, bits = block_of_terms(
            x, out, start + b, size, about, unshifted, ahead, later
        )
        total = joined(total, block)
        common &= bits
    return total, common


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


@formula
def added_below(running, v, top, about):
    """Return the running sum with the exact term of v added where v is below top."""
    power, more, rest = exact_term(v, about)
    less = v < top
    total, lost = added(running, select(less, power, 0.0), select(less, more, 0.0))
    return total, lost + select(less, rest, 0.0)


@routine
def terms_below(x, start, n, top, shift):
    """Return the sum of the terms of what is less than top, in units of top's.

    They are summed in a unit of their own, that of the largest among them.
    """
    kept_apart()
    second = max(largest_below(x, start, n, top), top - DEPTH(x))
    about = reference(x, second, shift)
    w = width(x)
    whole = n - n % w
    total = nothing()
    for b in range(0, n, BLOCK(x)):
        stop = min(b + BLOCK(x), whole)
        running = empty_sum(x)
        for i in range(b, stop, w):
            running = added_below(running, load(x, start + i), top, about)
        if stop == whole and whole < n:
            v = load_first(x, start + whole, n - whole, -math.inf)
            running = added_below(running, v, top, about)
        total = joined(total, across(running))
    return rescaled(total, exponent_between(x, second, top, shift))


@routine
def online_terms(x, start, n):
    """Return the maximum and the sum of the terms, reading the row only once.

    Block by block the maximum may rise, and with it the power of two that the
    terms are counted in. The total so far is rescaled by a power of two: exactly.
    """
    kept_apart()
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
                total, _ = terms(x, None, start, n, about, top, 0, None)
                return top, total
            before = top
            top = now
            about = reference(x, top, unshifted)
            if math.isfinite(before):
                total = rescaled(total, exponent_between(x, before, top, unshifted))
        if top == -math.inf:
            if holds_nan(x, start + b, size):
                total = joined(total, (single(math.nan), single(0.0)))
        else:
            block, _ = block_of_terms(x, None, start + b, size, about, True, size, None)
            total = joined(total, block)
    return top, total


@formula
def own_term(x, top, about):
    """Return the term of the maximum in units of 1: what sums have of it, and the rest.

    What sums have of it comes in two parts.
    """
    power, more, rest = exact_term(filled(x, top), about)
    scale = 1.0 / UNIT(x)
    own, low = two_sum(
        single(first_of(widen(power)) * scale), single(first_of(widen(more)) * scale)
    )
    return own, low, single(first_of(widen(rest)) * scale)


@formula
def others_of_row(x, start, n, top, about, total, own, low):
    """Return the total less the term of the maximum."""
    others = without(total, own, low)
    if first_of(others[0] + others[1]) < SURE(x):
        others = terms_below(x, start, n, top, about[0])
    return others


@routine
def log_of_row(x, start, n, top, about, total):
    """Return log(sum_j exp(x_j - top)) in two parts, given the total of the terms.

    The winner's own term is 1 in this sum, so the logarithm is log1p of the sum of
    the others, and keeps its digits even where they are 1e-30 together.
    """
    kept_apart()
    own, low, rest = own_term(x, top, about)
    others = others_of_row(x, start, n, top, about, total, own, low)
    log, log_low = log_of_quotient(others, own, low + rest)
    return first_of(log), first_of(log_low)
