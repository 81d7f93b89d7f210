"""Exact totals of slices, without their maxima: for the few that need them.

Terms are summed in units of the largest among them; totals are in units of the terms
of the maxima. Several scores may be equal to a maximum, so they are counted.
"""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import exact_sum
from softmax_lib._kernels import exponential as e
from softmax_lib._kernels.double_double import DoubleDouble
from softmax_lib._kernels.exact_sum import MAX_GRID_TERMS
from softmax_lib._kernels.row_loops import BLOCK_LENGTH
from softmax_lib._kernels.slices import slice_params
from softmax_lib._layout import BLOCK_BYTES, VECTOR_BYTES

# A vector of float64 with as many lanes as one of float32.
WIDE_BYTES = 2 * VECTOR_BYTES

# A lane done alone takes about a tenth of the time of all lanes of long slices.
MIN_ALONE, MAX_ALONE = 64, 4


@outlined
def exact_sum_below_max(x, start, n, stride, top, params):
    """Return the exact total of the terms below top, and the count of the others.

    The slice is copied block by block, and summed along vectors.
    """
    v.noinline()
    block = v.stack_alloc(x, BLOCK_BYTES)
    w, limit = v.vector_length(block), v.lane0(top)
    second, count = v.splat(block, -math.inf), v.to_float64(v.splat(block, 0.0))
    for b in range(0, n, BLOCK_LENGTH(block)):
        size = copy_block(x, start + b * stride, n - b, stride, block)
        ties = v.splat(block, 0.0)
        for i in range(0, size, w):
            scores = v.load(block, i)
            second = v.maximum(exact_sum.keep_below(scores, limit), second)
            ties = ties + exact_sum.count_ties(scores, limit)
        count = count + v.to_float64(ties)
    below = v.one_lane_of(block, max(v.reduce_max(second), limit - e.CUTOFF(block)))
    unit = below_params(below, params.shift)
    each, total = v.splat_fields(block, unit), exact_sum.zero_exact_sum()
    for b in range(0, n, BLOCK_LENGTH(block)):
        size = copy_block(x, start + b * stride, n - b, stride, block)
        found = exact_sum.sum_block(block, 0, size, limit, each)
        total = exact_sum.add_exact_sums(total, found)
    total = in_units_of(params, unit, exact_sum.exact_total(total))
    return total, v.one_lane(v.reduce_sum(count))


@inlined
def below_params(second, shift):
    """Return the parameters of terms of which that of `second` is the largest."""
    return exact_sum.grid_params(exact_sum.place_of(second - shift), shift)


@inlined
def in_units_of(params, unit, total):
    """Return a total in the units of the terms of the maxima."""
    return exact_sum.times_power_of_two(total, v.to_float64(params.magic - unit.magic))


@inlined
def copy_block(x, start, left, stride, block):
    """Copy up to a block of numbers; fill up the last vector; return the length."""
    w, size = v.vector_length(block), min(BLOCK_LENGTH(block), left)
    if stride == 1:
        for i in range(0, size, w):
            v.store(block, i, v.load_head(x, start + i, size - i, -math.inf))
    else:
        v.store(block, (size - 1) // w * w, v.splat(block, -math.inf))
        for i in range(size):
            v.store_scalar(block, i, v.load_scalar(x, start + i * stride))
    return size


@inlined
def exact_sums_below_max(x, s, top, params, uncertain):
    """Do as `exact_sum_below_max` does, at least in the lanes that are uncertain."""
    if are_few(uncertain, s.n, x):
        return sums_of_marked_lanes(x, s, top, marks_of(uncertain, x))
    return sums_of_all_lanes(x, s, top, params)


@inlined
def are_few(uncertain, n, x):
    """Return whether slices of n numbers are better summed one after the other."""
    marks = v.to_float64(marks_of(uncertain, x))
    return n >= MIN_ALONE and v.reduce_sum(marks) <= MAX_ALONE


@inlined
def marks_of(uncertain, x):
    """Return 1 where a mask holds, else 0, in the dtype of x."""
    return v.select(uncertain, v.splat(x, 1.0), 0.0)


@outlined
def sums_of_all_lanes(x, s, top, params):
    """Sum all slices side by side."""
    v.noinline()
    second, count = top - e.CUTOFF(x), v.to_float64(v.splat(x, 0.0))
    for i in range(s.n):
        scores = v.load_up_to(x, s.start + i * s.stride, s.count)
        second = v.maximum(exact_sum.keep_below(scores, top), second)
        count = count + v.to_float64(exact_sum.count_ties(scores, top))
    unit = below_params(second, params.shift)
    total = exact_sum.zero_exact_sums(x)
    for b in range(0, s.n, MAX_GRID_TERMS):
        running = exact_sum.zero_grid_sum(x)
        for i in range(b, min(b + MAX_GRID_TERMS, s.n)):
            scores = v.load_up_to(x, s.start + i * s.stride, s.count)
            scores = exact_sum.keep_below(scores, top) - unit.shift
            reduced = e.scaled_exp_reduce(scores, unit)
            running = exact_sum.add_to_grid(running, reduced)
        total = exact_sum.add_by_lane(x, total, running)
    return in_units_of(params, unit, exact_sum.exact_total(total)), count


@outlined
def sums_of_marked_lanes(x, s, top, marks):
    """Sum one slice after the other, where there is a mark."""
    v.noinline()
    w, zeros = v.vector_length(x), v.to_float64(v.splat(x, 0.0))
    marked, tops = v.stack_alloc(x, VECTOR_BYTES), v.stack_alloc(x, VECTOR_BYTES)
    highs, lows = v.stack_alloc(zeros, WIDE_BYTES), v.stack_alloc(zeros, WIDE_BYTES)
    counts = v.stack_alloc(zeros, WIDE_BYTES)
    v.store(marked, 0, marks)
    v.store(tops, 0, top)
    for lane in range(min(w, s.count)):
        if v.load_scalar(marked, lane) > 0.0:
            one = v.one_lane_of(x, v.load_scalar(tops, lane))
            how = s.start + lane, s.n, s.stride, one, slice_params(one)
            below, count = exact_sum_below_max(x, *how)
            v.store_scalar(highs, lane, v.lane0(below.hi))
            v.store_scalar(lows, lane, v.lane0(below.lo))
            v.store_scalar(counts, lane, v.lane0(count))
    (high,) = v.load_fields(highs, 0, 0, (zeros,))
    (low,) = v.load_fields(lows, 0, 0, (zeros,))
    (count,) = v.load_fields(counts, 0, 0, (zeros,))
    return DoubleDouble(high, low), count
