"""Loops over the slices that lie across a vector: one lane, one slice."""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import accumulator, slices
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels.double_double import dd_select
from softmax_lib._kernels.exact_slices import are_few, exact_sums_below_max
from softmax_lib._kernels.exact_sum import below
from softmax_lib._layout import MAX_LANE_TERMS

# What to fetch while a sum is computed: lines of scores, and of results.
Prefetch = namedtuple("Prefetch", ["x", "x_at", "out", "out_at", "step"])


@inlined
def column_max(x, s):
    """Return the maxima, 0 where they are not finite, and where they are finite."""
    top = v.splat(x, -math.inf)
    for i in range(s.n):
        top = v.maximum(v.load_up_to(x, s.start + i * s.stride, s.count), top)
    return slices.finite_max(top)


@outlined
def sum_exp_lanes(x, out, s, limit, params, unit, ahead):
    """Return the total of each lane; write the terms to out, unless it is None.

    None is larger than sqrt(2) units. With a limit only scores below it count.
    """
    v.noinline()
    stride, count = s.stride, s.count
    totals = accumulator.zero_totals(x)
    for b in range(0, s.n, MAX_LANE_TERMS):
        running = accumulator.zero_sum(unit)
        at, size = s.start + b * stride, min(MAX_LANE_TERMS, s.n - b)
        # Software-pipelined, three deep, as `sum_exp_block` is.
        scores = below(v.load_up_to(x, at, count), limit)
        ready = e.scaled_exp(scores, params)
        if size > 1:
            scores = below(v.load_up_to(x, at + stride, count), limit)
            reduced = e.scaled_exp_reduce(scores - params.shift, params)
            for i in range(b + 2, b + size):
                v.prefetch(ahead.x, ahead.x_at + i * ahead.step)
                v.prefetch(ahead.out, ahead.out_at + i * ahead.step)
                scores = below(v.load_up_to(x, at + 2 * stride, count), limit)
                following = e.scaled_exp_reduce(scores - params.shift, params)
                running = accumulate_store_up_to(running, ready, out, at, count)
                ready = e.scaled_exp_finish(reduced)
                reduced = following
                at += stride
                if i % accumulator.FOLD_INTERVAL == 0:
                    running = accumulator.fold(running)
            running = accumulate_store_up_to(running, ready, out, at, count)
            ready = e.scaled_exp_finish(reduced)
            at += stride
        running = accumulate_store_up_to(running, ready, out, at, count)
        lanes = accumulator.lane_totals(running, unit, size)
        totals = lanes if b == 0 else accumulator.add_totals(totals, lanes)
    return totals


@inlined
def column_sum_exp(x, out, s, params, ahead):
    """Return the total of each lane; write the terms to out, unless it is None."""
    unit = v.splat(x, e.TERM_SCALE(x))
    return sum_exp_lanes(x, out, s, None, params, unit, ahead)


@inlined
def column_sum_below_max(x, s, top, params, most):
    """Return the total of the terms below top, none of which is above `most`."""
    unit = accumulator.unit_above(top, most)
    nothing = Prefetch(None, 0, None, 0, 0)
    total = sum_exp_lanes(x, None, s, top, params, unit, nothing)
    return accumulator.with_clamped(top, total, s.n)


@inlined
def accumulate_store_up_to(running, parts, out, at, count):
    """Add a term to the running sum; write it to out, unless it is None."""
    power, part = parts
    if out is not None:
        v.store_up_to(out, at, count, power + part)
    return accumulator.accumulate(running, power, part)


@inlined
def column_others(x, s, top, params, total, largest):
    """Return the rounded total of each lane without the term of its maximum."""
    rough = accumulator.subtract_term(total, largest)
    others, uncertain = accumulator.round_total(top, rough, s.n)
    if v.any_of(uncertain) and not are_few(uncertain, s.n, x):
        # Units of their own make the others less uncertain where there are no ties.
        most = rough.hi + rough.lo + rough.bound
        finer = column_sum_below_max(x, s, top, params, most)
        single = v.select(uncertain, others.hi, 1.0) < 0.5
        rough = accumulator.select_total(single, finer, rough)
        others, uncertain = accumulator.round_total(top, rough, s.n)
    if v.any_of(uncertain):
        smaller, ties = exact_sums_below_max(x, s, top, params, uncertain)
        exact = slices.others_of(top, smaller, largest, ties)
        others = dd_select(uncertain, exact, others)
    return others


@inlined
def column_total(x, s, top, params, total):
    """Return the rounded total of each lane, with the share of its maximum."""
    largest = slices.max_term(top, params)
    rounded, uncertain = slices.total_and_share(top, total, largest, s.n)
    if v.any_of(uncertain):
        smaller, ties = exact_sums_below_max(x, s, top, params, uncertain)
        exact = slices.total_and_share_of(top, smaller, largest, ties)
        rounded = slices.RoundedTotal(
            v.select(uncertain, exact.hi, rounded.hi),
            v.select(uncertain, exact.lo, rounded.lo),
            v.select(uncertain, exact.max_share, rounded.max_share),
        )
    return rounded


def column_map(apply, apart):
    """Return a loop that writes apply(value, stats), inlined or `apart`."""

    def write(source, out, s, stats):
        if apart:
            v.noinline()
        for i in range(s.n):
            at = s.start + i * s.stride
            value = v.load_up_to(source, at, s.count)
            v.store_up_to(out, at, s.count, apply(value, stats))

    return outlined(write) if apart else inlined(write)
