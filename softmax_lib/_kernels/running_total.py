"""Kernels of running totals: over rows of scores, and over the slices of totals."""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel
from softmax_lib._kernels import cross_entropy, operations, row_loops, slices
from softmax_lib._kernels import double_double as dd
from softmax_lib._kernels import partial_sums as partials
from softmax_lib._kernels.exponential import TermParams, scaled_exp
from softmax_lib._kernels.partial_sums import Fields
from softmax_lib._kernels.row_loops import Row

# The fields of `TermParams` and of `ShareScale`: what turns a score into a share.
ShareOfScore = namedtuple(
    "ShareOfScore", TermParams._fields + slices.ShareScale._fields
)


@inlined
def share_of_score(score, stats):
    """Return the share of a score in the whole."""
    shift, floor, magic, hi, lo, max_term, max_share, down = stats
    power, part = scaled_exp(score, TermParams(shift, floor, magic))
    scale = slices.ShareScale(hi, lo, max_term, max_share, down)
    return slices.share(power + part, scale)


write_shares = row_loops.row_map(share_of_score)
write_logs = row_loops.row_map(slices.minus_log_total)


@inlined
def with_params(params, scale):
    """Return the fields of both."""
    return ShareOfScore(
        params.shift, params.floor, params.magic,
        scale.hi, scale.lo, scale.max_term, scale.max_share, scale.down,
    )  # fmt: skip


@inlined
def sums_of(x, partial):
    """Return the maximum, whether it is finite, its parameters, and the sum below."""
    top, finite, params, _ = row_loops.row_params(x, partial.top)
    return top, finite, params, partials.sum_below_max(top, partial, params)


@inlined
def slice_sums(x, partial):
    """Return the sums of a slice as cross-entropy wants them."""
    top, finite, params, below = sums_of(x, partial)
    largest = slices.max_term(top, params)
    ties = v.one_lane(float(partial.ties))
    others = slices.others_of(top, below, largest, ties)
    total = dd.dd_add(others, largest)
    return cross_entropy.SliceSums(top, finite, params, total, largest, others)


@inlined
def log_total(sums):
    """Return the logarithm of the total in units of the maximum's term."""
    return slices.log_total(sums.others, sums.largest)


@inlined
def exceeds(x, row, partial):
    """Return whether a score of a row is above all that the total has seen."""
    return row_loops.row_max(x, row.start, row.n) > partial.top


# --- kernels ---------------------------------------------------------------------


@kernel
def update_rows(x, top, ties, place, sums, n, first, last):
    """Add rows of n numbers to the slices first, ..., last - 1."""
    source, fields = v.data_pointer(x), Fields(top, ties, place, sums)
    block = row_loops.BLOCK_LENGTH(source)
    for i in range(first, last):
        partial = partials.load_partial(fields, i)
        for b in range(0, n, block):
            start, size = i * n + b, min(block, n - b)
            partial = partials.add_block(source, start, size, partial)
        partials.store_partial(fields, i, partial)


@kernel
def merge_slices(
    top, ties, place, sums, other_top, other_ties, other_place, other_sums, first, last
):
    """Add slices of another total to those of the first."""
    like, fields = v.data_pointer(top), Fields(top, ties, place, sums)
    others = Fields(other_top, other_ties, other_place, other_sums)
    for i in range(first, last):
        a, b = partials.load_partial(fields, i), partials.load_partial(others, i)
        partials.store_partial(fields, i, partials.merged(like, a, b))


@kernel
def logsumexp_slices(top, ties, place, sums, out, first, last):
    """Write the logarithms of the totals."""
    like, fields = v.data_pointer(top), Fields(top, ties, place, sums)
    for i in range(first, last):
        partial = partials.load_partial(fields, i)
        out[i] = partial.top
        if abs(partial.top) < math.inf:
            s = slice_sums(like, partial)
            value = operations.finish_logsumexp(s.top, s.finite, s.params, log_total(s))
            out[i] = v.lane0(value)


@kernel
def softmax_rows(x, top, ties, place, sums, out, above, n, first, last):
    """Write the shares of rows; set above[0] if a score is above the maximum."""
    source, target = v.data_pointer(x), v.data_pointer(out)
    fields = Fields(top, ties, place, sums)
    for i in range(first, last):
        partial, row = partials.load_partial(fields, i), Row(i * n, n, i * n + n)
        if exceeds(source, row, partial):
            above[0] = True
        else:
            top_, finite, params, below = sums_of(source, partial)
            largest = slices.max_term(top_, params)
            count = v.one_lane(float(partial.ties))
            total = slices.total_and_share_of(top_, below, largest, count)
            scale = operations.finish_softmax(top_, finite, params, total)
            stats = v.splat_fields(source, with_params(params, scale))
            write_shares(source, target, row, stats, None, 0)


@kernel
def log_softmax_rows(x, top, ties, place, sums, out, above, n, first, last):
    """Do the same for the logarithms of the shares."""
    source, target = v.data_pointer(x), v.data_pointer(out)
    fields = Fields(top, ties, place, sums)
    for i in range(first, last):
        partial, row = partials.load_partial(fields, i), Row(i * n, n, i * n + n)
        if exceeds(source, row, partial):
            above[0] = True
        else:
            s = slice_sums(source, partial)
            log = log_total(s)
            offset = operations.finish_log_softmax(s.top, s.finite, s.params, log)
            stats = v.splat_fields(source, offset)
            write_logs(source, target, row, stats, None, 0)


@kernel
def loss_slices(top, ties, place, sums, scores, weights, out, first, last):
    """Write the losses of labels with these scores, each times its weight."""
    like, fields = v.data_pointer(top), Fields(top, ties, place, sums)
    for i in range(first, last):
        out[i] = 0.0
        if weights[i] != 0.0:
            s = slice_sums(like, partials.load_partial(fields, i))
            score, weight = v.one_lane_of(like, scores[i]), v.one_lane(weights[i])
            out[i] = v.lane0(cross_entropy.slice_loss(s, score, weight))


@kernel
def gradient_rows(
    x, top, ties, place, sums, labels, weights, divisor, out, above, n, first, last
):
    """Write the gradients of the losses over a divisor; set above[0] as before.

    Labels are places in the rows, or outside of them.
    """
    source, target = v.data_pointer(x), v.data_pointer(out)
    fields = Fields(top, ties, place, sums)
    over = dd.dd_reciprocal(dd.one_lane_dd(divisor, 0.0))
    for i in range(first, last):
        partial, row = partials.load_partial(fields, i), Row(i * n, n, i * n + n)
        if weights[i] == 0.0:
            row_loops.fill(target, row.start, n, 0.0)
        elif exceeds(source, row, partial):
            above[0] = True
        else:
            s, y = slice_sums(source, partial), labels[i]
            inside = 0 <= y < n
            # The entry of a label elsewhere is not written, whatever its score.
            at = row.start + (y if inside else 0)
            score = v.one_lane_of(source, v.load_scalar(source, at))
            scale, at_label = cross_entropy.slice_gradient(
                s, score, dd.dd_mul_float(over, weights[i])
            )
            stats = v.splat_fields(source, with_params(s.params, scale))
            write_shares(source, target, row, stats, None, 0)
            if inside:
                v.store_scalar(target, at, v.lane0(at_label))
