"""Loops over the slices that lie across a vector: one lane, one slice."""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import accumulator, slices
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels.double_double import DoubleDouble, dd_add, dd_select
from softmax_lib._kernels.row_loops import BLOCK_LENGTH
from softmax_lib._kernels.row_sums import accumulate_below

# A vector of slices: n numbers each, `stride` apart, in `count` lanes.
Slices = namedtuple("Slices", ["start", "n", "stride", "count"])

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
def column_sum_exp(x, out, s, params, ahead):
    """Return the total of each lane; write the terms to out, unless it is None."""
    v.noinline()
    stride, count = s.stride, s.count
    totals = accumulator.zero_totals(x)
    for b in range(0, s.n, BLOCK_LENGTH(x)):
        running = accumulator.zero_sum(x)
        at, size = s.start + b * stride, min(BLOCK_LENGTH(x), s.n - b)
        # Software-pipelined, three deep, as `sum_exp_block` is.
        ready = e.scaled_exp(v.load_up_to(x, at, count), params)
        if size > 1:
            scores = v.load_up_to(x, at + stride, count)
            reduced = e.scaled_exp_reduce(scores - params.shift, params)
            for i in range(b + 2, b + size):
                v.prefetch(ahead.x, ahead.x_at + i * ahead.step)
                v.prefetch(ahead.out, ahead.out_at + i * ahead.step)
                scores = v.load_up_to(x, at + 2 * stride, count)
                following = e.scaled_exp_reduce(scores - params.shift, params)
                running = accumulate_store_up_to(running, ready, out, at, count)
                ready = e.scaled_exp_finish(reduced)
                reduced = following
                at += stride
            running = accumulate_store_up_to(running, ready, out, at, count)
            ready = e.scaled_exp_finish(reduced)
            at += stride
        running = accumulate_store_up_to(running, ready, out, at, count)
        totals = dd_add(totals, accumulator.lane_totals(running))
    return totals


@inlined
def accumulate_store_up_to(running, parts, out, at, count):
    """Add a term to the running sum; write it to out, unless it is None."""
    power, part = parts
    if out is not None:
        v.store_up_to(out, at, count, power + part)
    return accumulator.accumulate(running, power, part)


@outlined
def column_sum_exp_below_max(x, s, top, shift):
    """Return the total of the scores below each lane's top, in units of top's term."""
    v.noinline()
    second = top - e.CUTOFF(x)
    for i in range(s.n):
        scores = v.load_up_to(x, s.start + i * s.stride, s.count)
        second = v.maximum(v.select(scores < top, scores, -math.inf), second)
    below = e.term_params(second, shift)
    totals = accumulator.zero_totals(x)
    for b in range(0, s.n, BLOCK_LENGTH(x)):
        running = accumulator.zero_sum(x)
        for i in range(b, min(b + BLOCK_LENGTH(x), s.n)):
            scores = v.load_up_to(x, s.start + i * s.stride, s.count)
            running = accumulate_below(running, scores, top, below)
        totals = dd_add(totals, accumulator.lane_totals(running))
    # The magic number is lower the higher N is.
    steps = e.term_params(top, shift).magic - below.magic
    one, other = e.ldexp_factors(v.to_float64(steps))
    return DoubleDouble(totals.hi * one * other, totals.lo * one * other)


@inlined
def column_sum_exp_without_max(x, s, top, params, total, largest):
    """Return the total of each lane without the term of its maximum."""
    others, inexact = slices.total_without_max(top, total, largest)
    if v.any_of(inexact):
        below = column_sum_exp_below_max(x, s, top, params.shift)
        others = dd_select(inexact, below, others)
    return others


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
