"""Sums of the terms of one row, in blocks, with and without its maximum."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels import slices
from softmax_lib._kernels.accumulator import (
    FOLD_INTERVAL,
    Total,
    accumulate,
    add_totals,
    fold,
    reduce_total,
    round_total,
    scale_total,
    subtract_term,
    unit_above,
    with_clamped,
    zero_sum,
    zero_total,
)
from softmax_lib._kernels.exact_slices import exact_sum_below_max
from softmax_lib._kernels.exact_sum import below
from softmax_lib._kernels.row_loops import (
    BLOCK_LENGTH,
    IN_CACHE_LENGTH,
    Row,
    block_max,
    holds_nan,
    peel_count,
    row_max,
    row_params,
)


@outlined
def sum_exp_block(x, out, start, n, limit, params, unit, unshifted, distance, ahead):
    """Return the total of the terms of x[start : start + n]; write them to out.

    None is larger than sqrt(2) units. Without an out nothing is written; with a limit
    only scores below it count. Also return the bits that all terms have in common.
    `unshifted` says that the shift is 0, which saves its subtraction. Meanwhile scores
    `distance` numbers ahead are fetched, and the row of `ahead`. The total includes the
    rounding errors of the terms: equal terms have equal errors, which do not average
    out.
    """
    v.noinline()
    w = v.vector_length(x)
    head = peel_count(x, start, n) if out is None else peel_count(out, start, n)
    whole = n - (n - head) % w
    running = zero_sum(unit), v.to_bits(v.splat(x, 0.0)) - 1
    if head > 0:
        scores = below(v.load_tail(x, start + head - w, head, -math.inf), limit)
        ready = e.scaled_exp(scores, params)
        if out is not None:
            v.store_tail(out, start + head - w, head, ready[0] + ready[1])
        running = accumulate_masked(running, ready, scores)
    i = head
    before_fold = FOLD_INTERVAL
    if unshifted and i + w < whole:
        # Software-pipelined, three deep: no processor looks far enough ahead to overlap
        # the rounds of so long a chain by itself.
        reduced = e.scaled_exp_reduce(below(v.load(x, start + i), limit), params)
        ready = e.scaled_exp_finish(reduced)
        reduced = e.scaled_exp_reduce(below(v.load(x, start + i + w), limit), params)
        i += 2 * w
        while i < whole:
            v.prefetch(x, start + i + distance)
            v.prefetch(ahead, start + i)
            following = e.scaled_exp_reduce(below(v.load(x, start + i), limit), params)
            running = accumulate_store(running, ready, out, start + i - 2 * w)
            ready = e.scaled_exp_finish(reduced)
            reduced = following
            i += w
            before_fold -= 1
            if before_fold == 0:
                running, before_fold = fold_terms(running), FOLD_INTERVAL
        running = accumulate_store(running, ready, out, start + i - 2 * w)
        ready = e.scaled_exp_finish(reduced)
        running = accumulate_store(running, ready, out, start + i - w)
    while i < whole:
        ready = e.scaled_exp(below(v.load(x, start + i), limit), params)
        running = accumulate_store(running, ready, out, start + i)
        i += w
        before_fold -= 1
        if before_fold == 0:
            running, before_fold = fold_terms(running), FOLD_INTERVAL
    if whole < n:
        scores = below(v.load_head(x, start + whole, n - whole, -math.inf), limit)
        ready = e.scaled_exp(scores, params)
        if out is not None:
            v.store_head(out, start + whole, n - whole, ready[0] + ready[1])
        running = accumulate_masked(running, ready, scores)
    terms, common = running
    return reduce_total(terms, unit, n // w + 2), int(v.reduce_and(common))


@inlined
def fold_terms(running):
    """Fold the error of the running sum, beside the common bits."""
    terms, common = running
    return fold(terms), common


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
def block_unit(x, highest, params):
    """Return the power of two of the largest term of a block."""
    unit, _ = e.scaled_exp(v.splat(x, highest), params)
    return unit


@inlined
def sum_exp(x, out, row, top, params, maxima, out_prefetch, overwrite):
    """Do as `sum_exp_block` does, for rows of any length with a maximum of top.

    Each block is summed in units of its own, by the maximum of the block. With
    `overwrite` each writes its terms to the place of the first. Meanwhile fetch the
    next row, unless it is too long: memory would be idle while terms are computed, and
    the terms of that row would wait for it.
    """
    start, n, end = row
    unshifted = abs(v.lane0(top)) <= e.MAX_UNSHIFTED(x)
    distance = n if start + n < end and n <= 2 * IN_CACHE_LENGTH(x) else 0
    how = unshifted, distance, out_prefetch
    size = min(BLOCK_LENGTH(x), n)
    highest = v.lane0(top) if n == size else block_max(x, row, 0, maxima)
    unit = block_unit(x, highest, params)
    total, common = sum_exp_block(x, out, start, size, None, params, unit, *how)
    for b in range(size, n, BLOCK_LENGTH(x)):
        size = min(BLOCK_LENGTH(x), n - b)
        unit = block_unit(x, block_max(x, row, b, maxima), params)
        to = v.shifted(out, -b if overwrite else 0)
        block, bits = sum_exp_block(x, to, start + b, size, None, params, unit, *how)
        total = add_totals(total, block)
        common &= bits
    return total, common


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
                    total, _ = sum_exp(x, None, alone, one, params, None, None, False)
                return top, total
            after = e.term_params(v.one_lane_of(x, now), none)
            if math.isfinite(top):
                before = e.term_params(v.one_lane_of(x, top), none)
                total = scale_total(total, e.unit_ratio(before, after))
            params = v.splat_fields(x, after)
            top = now
        if top == -math.inf:
            if holds_nan(x, start + b, size):
                nan = v.one_lane(math.nan)
                total = Total(nan, nan, nan)
        else:
            unit, how = block_unit(x, now, params), (True, size, None)
            block, _ = sum_exp_block(x, None, start + b, size, None, params, unit, *how)
            total = add_totals(total, block)
    return top, total


@outlined
def sum_exp_below_max(x, row, top, params, largest):
    """Return the total of the terms below top, none of which is above `largest`."""
    unit = v.splat(x, v.lane0(unit_above(params.magic, largest)))
    params, unshifted = v.splat_fields(x, params), v.lane0(params.shift) == 0.0
    total = zero_total()
    for b in range(0, row.n, BLOCK_LENGTH(x)):
        size, at = min(BLOCK_LENGTH(x), row.n - b), row.start + b
        how = params, unit, unshifted, 0, None
        block, _ = sum_exp_block(x, None, at, size, top, *how)
        total = add_totals(total, block)
    return with_clamped(x, total, row.n)


@inlined
def row_others(x, row, top, params, total, largest):
    """Return the rounded total of a row without the term of the maximum."""
    rough = subtract_term(total, largest)
    others, uncertain = round_total(top, rough, row.n)
    if v.any_of(uncertain) and v.lane0(others.hi) < 0.5:
        # There are no ties, and units of their own make the others less uncertain.
        most = rough.hi + rough.lo + rough.bound
        finer = sum_exp_below_max(x, row, v.lane0(top), params, most)
        others, uncertain = round_total(top, finer, row.n)
    if v.any_of(uncertain):
        smaller, ties = exact_sum_below_max(x, row.start, row.n, 1, top, params)
        others = slices.others_of(top, smaller, largest, ties)
    return others


@inlined
def row_total(x, row, top, params, total):
    """Return the rounded total of a row, with the share of its maximum."""
    largest = slices.max_term(top, params)
    rounded, uncertain = slices.total_and_share(top, total, largest, row.n)
    if v.any_of(uncertain):
        smaller, ties = exact_sum_below_max(x, row.start, row.n, 1, top, params)
        rounded = slices.total_and_share_of(top, smaller, largest, ties)
    return rounded


@outlined
def row_log_total(x, row, top, params, total):
    """Return log(sum_j exp(x_j - top)) of a row in two parts."""
    v.noinline()
    largest = slices.max_term(top, params)
    others = row_others(x, row, top, params, total, largest)
    return slices.log_total(others, largest)
