"""Sums of the terms of one row, in blocks, with and without its maximum."""

import math

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
from softmax_lib._kernels.row_loops import (
    BLOCK_LENGTH,
    IN_CACHE_LENGTH,
    Row,
    holds_nan,
    peel_count,
    row_max,
    row_params,
)


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
    running = zero_sum(x), v.to_bits(v.splat(x, 0.0)) - 1
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
        reduced = e.scaled_exp_reduce(v.load(x, start + i), params)
        ready = e.scaled_exp_finish(reduced)
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
def sum_exp(x, out, row, top, params, out_prefetch):
    """Do as `sum_exp_block` does, for rows of any length with a maximum of top.

    Meanwhile fetch the next row, unless it is too long: memory would be idle while
    terms are computed, and the terms of that row would wait for it.
    """
    start, n, end = row
    unshifted = abs(v.lane0(top)) <= e.MAX_UNSHIFTED(x)
    distance = n if start + n < end and n <= 2 * IN_CACHE_LENGTH(x) else 0
    how = params, unshifted, distance, out_prefetch
    size = min(BLOCK_LENGTH(x), n)
    total, common = sum_exp_block(x, out, start, size, *how)
    for b in range(size, n, BLOCK_LENGTH(x)):
        size = min(BLOCK_LENGTH(x), n - b)
        block, bits = sum_exp_block(x, out, start + b, size, *how)
        total = dd_add(total, block)
        common &= bits
    return total, common


@inlined
def change_unit(total, a, b, shift):
    """Return a total in units of the maximum a in units of the maximum b, exactly."""
    steps = e.scaled_magic(b - shift) - e.scaled_magic(a - shift)
    return dd_scale(total, math.ldexp(1.0, int(v.lane0(v.to_float64(steps)))))


@outlined
def online_sum_exp(x, row):
    """Return the maximum and the total of the terms, reading the row only once.

    From block to block the maximum may rise, and with it the power of two in which the
    terms are counted. The total so far is multiplied by a power of two: exactly.
    """
    v.noinline()
    start, n, _ = row
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
                    alone = Row(start, n, start + n)
                    total, _ = sum_exp(x, None, alone, one, params, None)
                return top, total
            after = v.one_lane_of(x, now)
            if math.isfinite(top):
                total = change_unit(total, v.one_lane_of(x, top), after, none)
            params = v.splat_fields(x, e.term_params(after, none))
            top = now
        if top == -math.inf:
            if holds_nan(x, start + b, size):
                total = dd_add(total, one_lane_dd(math.nan, 0.0))
        else:
            block, _ = sum_exp_block(x, None, start + b, size, params, True, size, None)
            total = dd_add(total, block)
    return top, total


@inlined
def accumulate_below(running, scores, top, params):
    """Add the terms of the scores that are less than top, with their errors."""
    power, part, error = e.scaled_exp_with_error(scores, params)
    less = scores < top
    power, part = v.select(less, power, 0.0), v.select(less, part, 0.0)
    terms = accumulate(running, power, part)
    return RunningSum(terms.total, terms.error + v.select(less, error, 0.0))


@outlined
def sum_exp_below_max(x, row, top, shift):
    """Return the total of the terms of scores below top, in units of top's term.

    They are summed in units of the largest among them.
    """
    v.noinline()
    start, n, _ = row
    w = v.vector_length(x)
    second = v.splat(x, -math.inf)
    for i in range(0, n, w):
        scores = v.load_head(x, start + i, min(w, n - i), -math.inf)
        second = v.maximum(v.select(scores < top, scores, -math.inf), second)
    below = v.one_lane_of(x, max(v.reduce_max(second), top - e.CUTOFF(x)))
    params = v.splat_fields(x, e.term_params(below, shift))
    total = zero_total()
    for b in range(0, n, BLOCK_LENGTH(x)):
        running = zero_sum(x)
        for i in range(b, min(b + BLOCK_LENGTH(x), n), w):
            scores = v.load_head(x, start + i, min(w, n - i), -math.inf)
            running = accumulate_below(running, scores, top, params)
        total = dd_add(total, reduce_total(running))
    return change_unit(total, below, v.one_lane_of(x, top), shift)


@inlined
def sum_exp_without_max(x, row, top, params, total, largest):
    """Return the total without the term of the maximum."""
    others, inexact = slices.total_without_max(top, total, largest)
    if v.any_of(inexact):
        others = sum_exp_below_max(x, row, v.lane0(top), params.shift)
    return others


@outlined
def row_log_total(x, row, top, params, total):
    """Return log(sum_j exp(x_j - top)) of a row in two parts."""
    v.noinline()
    largest = slices.max_term(top, params)
    others = sum_exp_without_max(x, row, top, params, total, largest)
    return slices.log_total(others, largest)
