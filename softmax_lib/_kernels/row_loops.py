"""Loops over one row of an array, along its vectors."""

import math

from softmax_lib import _layout
from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels import slices
from softmax_lib._kernels.accumulator import (
    RunningSum,
    accumulate,
    reduce_total,
    zero_sum,
    zero_total,
)
from softmax_lib._kernels.double_double import dd_add, dd_scale, one_lane_dd
from softmax_lib._layout import MIN_ALIGNED_VECTORS, VECTOR_BYTES

BLOCK_LENGTH = v.length_of(_layout.BLOCK_BYTES)
IN_CACHE_LENGTH = v.length_of(_layout.IN_CACHE_BYTES)


@inlined
def peel_count(x, start, n):
    """Return how many numbers to do before the vectors of a row are whole cache lines.

    Each of the others would touch two, at twice the price.
    """
    if n >= MIN_ALIGNED_VECTORS * v.vector_length(x):
        return v.count_to_boundary(x, start, VECTOR_BYTES)
    return 0


@inlined
def prefetch_distance(x, start, n, end):
    """Return how far ahead of each number of a row to fetch another: one row.

    Memory would be idle while a row's terms are computed, and the terms of the next
    row would wait for it.
    """
    return n if start + n < end and n <= 2 * IN_CACHE_LENGTH(x) else 0


@outlined
def row_max(x, start, n):
    """Return the maximum of x[start : start + n]; it ignores NaN."""
    v.noinline()
    w = v.vector_length(x)
    # Each maximum depends on the one before, so four are computed at a time. Reading a
    # number twice does no harm, so both ends are done in whole vectors.
    a = b = c = d = v.splat(x, -math.inf)
    if n < 4 * w:
        for i in range(0, n, w):
            a = v.maximum(v.load_head(x, start + i, n - i, -math.inf), a)
    else:
        a = v.maximum(v.load(x, start), a)
        for i in range(peel_count(x, start, n), n - 4 * w, 4 * w):
            a = v.maximum(v.load(x, start + i), a)
            b = v.maximum(v.load(x, start + i + w), b)
            c = v.maximum(v.load(x, start + i + 2 * w), c)
            d = v.maximum(v.load(x, start + i + 3 * w), d)
        end = start + n
        a = v.maximum(v.load(x, end - 4 * w), a)
        b = v.maximum(v.load(x, end - 3 * w), b)
        c = v.maximum(v.load(x, end - 2 * w), c)
        d = v.maximum(v.load(x, end - w), d)
    return v.reduce_max(v.maximum(v.maximum(a, b), v.maximum(c, d)))


@outlined
def holds_nan(x, start, n):
    """Return whether any of x[start : start + n] is NaN."""
    found = False
    for i in range(start, start + n):
        found |= v.load_scalar(x, i) != v.load_scalar(x, i)
    return found


@outlined
def fill(out, start, n, value):
    """Write value to out[start : start + n]."""
    for i in range(start, start + n):
        v.store_scalar(out, i, value)


def row_map(apply):
    """Return a loop that writes apply(value, stats) for each value of a row."""

    @outlined
    def write(source, out, start, n, stats, x, next_start):
        """Read a row of source, write the same row of out.

        Meanwhile find the maximum of the row of x at next_start, unless x is None, and
        return it. The first and the last vector overlap others: they are read before
        those are written.
        """
        v.noinline()
        w = v.vector_length(out)
        top = v.splat(out, -math.inf)
        if n < w:
            value = v.load_head(source, start, n, 0.0)
            v.store_head(out, start, n, apply(value, stats))
            if x is not None:
                top = v.load_head(x, next_start, n, -math.inf)
        else:
            last = n - w
            left = apply(v.load(source, start), stats)
            right = apply(v.load(source, start + last), stats)
            if x is not None:
                top = v.maximum(v.load(x, next_start + last), top)
                top = v.maximum(v.load(x, next_start), top)
            for i in range(peel_count(out, start, n), last, w):
                if x is not None:
                    top = v.maximum(v.load(x, next_start + i), top)
                v.store(out, start + i, apply(v.load(source, start + i), stats))
            v.store(out, start, left)
            v.store(out, start + last, right)
        return v.reduce_max(top)

    return write


@inlined
def row_params(x, extreme):
    """Return the maximum in one lane, whether it is finite, and the terms' parameters.

    The parameters are in one lane, and in whole vectors.
    """
    top, finite = slices.finite_max(v.one_lane_of(x, extreme))
    params = slices.slice_params(top)
    return top, finite, params, v.splat_fields(x, params)


@outlined
def sum_exp_block(x, out, start, n, params, unshifted, distance, out_prefetch):
    """Return the total of the terms of x[start : start + n]; write them to out.

    Without an out nothing is written. Also return the bits that all terms have in
    common. `unshifted` says that the shift is 0, which saves its subtraction. Meanwhile
    scores `distance` numbers ahead are fetched, and the row of out_prefetch. The total
    includes the rounding errors of the terms: equal terms have equal errors, which do
    not average out.
    """
    v.noinline()
    w = v.vector_length(x)
    head = peel_count(x, start, n) if out is None else peel_count(out, start, n)
    whole = n - (n - head) % w
    running = zero_sum(x), all_ones(x)
    if head > 0:
        scores = v.load_tail(x, start + head - w, head, -math.inf)
        ready = e.scaled_exp(scores, params)
        if out is not None:
            v.store_tail(out, start + head - w, head, ready[0] + ready[1])
        running = accumulate_masked(running, ready, scores)
    i = head
    if unshifted and i + w < whole:
        # Software-pipelined, three deep: no processor looks far enough ahead to overlap
        # the rounds of so long a chain by itself.
        ready = e.scaled_exp_unshifted(v.load(x, start + i), params)
        reduced = e.scaled_exp_reduce(v.load(x, start + i + w), params)
        i += 2 * w
        while i < whole:
            v.prefetch(x, start + i + distance)
            v.prefetch(out_prefetch, start + i)
            following = e.scaled_exp_reduce(v.load(x, start + i), params)
            running = accumulate_store(running, ready, out, start + i - 2 * w)
            ready = e.scaled_exp_finish(reduced)
            reduced = following
            i += w
        running = accumulate_store(running, ready, out, start + i - 2 * w)
        ready = e.scaled_exp_finish(reduced)
        running = accumulate_store(running, ready, out, start + i - w)
    while i < whole:
        ready = e.scaled_exp(v.load(x, start + i), params)
        running = accumulate_store(running, ready, out, start + i)
        i += w
    if whole < n:
        scores = v.load_head(x, start + whole, n - whole, -math.inf)
        ready = e.scaled_exp(scores, params)
        if out is not None:
            v.store_head(out, start + whole, n - whole, ready[0] + ready[1])
        running = accumulate_masked(running, ready, scores)
    terms, common = running
    return reduce_total(terms), int(v.reduce_and(common))


@inlined
def all_ones(x):
    """Return a vector of integers with all bits set."""
    return v.to_bits(v.splat(x, 0.0)) - 1


@inlined
def accumulate_store(running, parts, out, at):
    """Add a term to the running sum and the common bits; write it to out."""
    terms, common = running
    power, part = parts
    if out is not None:
        term = power + part
        v.store(out, at, term)
        common = common & v.to_bits(term)
    return accumulate(terms, power, part), common


@inlined
def accumulate_masked(running, parts, scores):
    """Add a term; lanes of -inf do not count in the common bits.

    They lie outside the row, or have a share of 0.
    """
    terms, common = running
    power, part = parts
    term = v.select(scores > -math.inf, power + part, e.TERM_SCALE(scores))
    return accumulate(terms, power, part), common & v.to_bits(term)


@inlined
def sum_exp(x, out, start, n, top, params, distance, out_prefetch):
    """Do as `sum_exp_block` does, for rows of any length with a maximum of top."""
    unshifted = abs(v.lane0(top)) <= e.MAX_UNSHIFTED(x)
    size = min(BLOCK_LENGTH(x), n)
    total, common = sum_exp_block(
        x, out, start, size, params, unshifted, distance, out_prefetch
    )
    for b in range(size, n, BLOCK_LENGTH(x)):
        size = min(BLOCK_LENGTH(x), n - b)
        block, bits = sum_exp_block(
            x, out, start + b, size, params, unshifted, distance, out_prefetch
        )
        total = dd_add(total, block)
        common &= bits
    return total, common


@inlined
def scale_by_exponent(total, steps):
    """Return a total times 2^steps."""
    return dd_scale(total, math.ldexp(1.0, steps))


@inlined
def exponent_between(a, b, shift):
    """Return N of the maximum a less N of the maximum b."""
    return int(
        v.lane0(v.to_float64(e.scaled_magic(b - shift) - e.scaled_magic(a - shift)))
    )


@outlined
def online_sum_exp(x, start, n):
    """Return the maximum and the total of the terms, reading the row only once.

    From block to block the maximum may rise, and with it the power of two in which the
    terms are counted. The total so far is multiplied by a power of two: exactly.
    """
    v.noinline()
    top = -math.inf
    none = v.one_lane_of(x, 0.0)
    total = zero_total()
    params = v.splat_fields(x, e.term_params(none, none))
    for b in range(0, n, BLOCK_LENGTH(x)):
        size = min(BLOCK_LENGTH(x), n - b)
        now = row_max(x, start + b, size)
        if now > top:
            if abs(now) > e.MAX_UNSHIFTED(x):
                # The maximum has to be subtracted first, so find it first.
                top = row_max(x, start, n)
                if math.isfinite(top):
                    one, _, _, params = row_params(x, top)
                    total, _ = sum_exp(x, None, start, n, one, params, 0, None)
                return top, total
            before = v.one_lane_of(x, top)
            after = v.one_lane_of(x, now)
            params = v.splat_fields(x, e.term_params(after, none))
            if math.isfinite(top):
                steps = exponent_between(before, after, none)
                total = scale_by_exponent(total, steps)
            top = now
        if top == -math.inf:
            if holds_nan(x, start + b, size):
                total = dd_add(total, one_lane_dd(math.nan, 0.0))
        else:
            block, _ = sum_exp_block(x, None, start + b, size, params, True, size, None)
            total = dd_add(total, block)
    return top, total


@outlined
def row_max_below(x, start, n, top):
    """Return the largest of x[start : start + n] that is less than top."""
    w = v.vector_length(x)
    whole = n - n % w
    second = v.splat(x, -math.inf)
    for i in range(0, whole, w):
        scores = v.load(x, start + i)
        second = v.maximum(v.select(scores < top, scores, -math.inf), second)
    if whole < n:
        scores = v.load_head(x, start + whole, n - whole, -math.inf)
        second = v.maximum(v.select(scores < top, scores, -math.inf), second)
    return v.reduce_max(second)


@inlined
def accumulate_below(running, scores, top, params):
    """Add the terms of the scores that are less than top, with their errors."""
    power, part, error = e.scaled_exp_with_error(scores, params)
    less = scores < top
    power, part = v.select(less, power, 0.0), v.select(less, part, 0.0)
    terms = accumulate(running, power, part)
    return RunningSum(terms.total, terms.error + v.select(less, error, 0.0))


@outlined
def sum_exp_below_max(x, start, n, top, shift):
    """Return the total of the terms of scores below top, in units of top's term.

    They are summed in units of the largest among them.
    """
    v.noinline()
    second = max(row_max_below(x, start, n, top), top - e.CUTOFF(x))
    below = v.one_lane_of(x, second)
    params = v.splat_fields(x, e.term_params(below, shift))
    w = v.vector_length(x)
    whole = n - n % w
    total = zero_total()
    for b in range(0, n, BLOCK_LENGTH(x)):
        stop = min(b + BLOCK_LENGTH(x), whole)
        running = zero_sum(x)
        for i in range(b, stop, w):
            running = accumulate_below(running, v.load(x, start + i), top, params)
        if stop == whole and whole < n:
            scores = v.load_head(x, start + whole, n - whole, -math.inf)
            running = accumulate_below(running, scores, top, params)
        total = dd_add(total, reduce_total(running))
    steps = exponent_between(below, v.one_lane_of(x, top), shift)
    return scale_by_exponent(total, steps)


@inlined
def sum_exp_without_max(x, start, n, top, params, total, largest):
    """Return the total without the term of the maximum."""
    others, inexact = slices.total_without_max(top, total, largest)
    if v.any_of(inexact):
        others = sum_exp_below_max(x, start, n, v.lane0(top), params.shift)
    return others


@outlined
def row_log_total(x, start, n, top, params, total):
    """Return log(sum_j exp(x_j - top)) of a row in two parts."""
    v.noinline()
    largest = slices.max_term(top, params)
    others = sum_exp_without_max(x, start, n, top, params, total, largest)
    return slices.log_total(others, largest)
