r"""Cross-entropy with class indices for labels, and its gradient.

.. math:: \ell = \log\sum_j e^{x_j} - x_y, \qquad
          \frac{\partial\ell}{\partial x_k} = p_k - [k = y]

Both differences cancel where the label has almost the whole share. They are avoided:
there the loss is log1p(total of the others / the label's term), and the gradient at the
label is -(total of the others / total).
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel, outlined
from softmax_lib._kernels import column_loops, row_loops, row_sums, slices, tiles
from softmax_lib._kernels import double_double as dd
from softmax_lib._kernels.double_double import DoubleDouble
from softmax_lib._kernels.exponential import TERM_SCALE, power_of_two, scaled_exp
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.row_loops import MAXIMA_BYTES
from softmax_lib._kernels.slices import Slices
from softmax_lib._layout import STACK_BYTES, VECTOR_BYTES, needs_packing

# No power of two of a scale is below this, so that it can be multiplied back.
MIN_POWER = v.constant(2.0**-80, 2.0**-900)

# A vector of weights, and one of the scores of the labels.
LABEL_BYTES = 2 * VECTOR_BYTES


# The class index of each slice, the weights of classes and the index to ignore.
Labels = namedtuple("Labels", ["indices", "weight", "ignored"])

# The sums of a slice, from which its loss and gradient are made.
SliceSums = namedtuple("SliceSums", "top finite params total largest others")


# --- one slice -------------------------------------------------------------------


@inlined
def slice_loss(sums, score, weight):
    """Return weight * ((top - score) + log(1 + others / largest)), rounded once."""
    log = slices.log_total(sums.others, sums.largest)
    gap, error = dd.two_sum(v.to_float64(sums.top), 0.0 - v.to_float64(score))
    high, low = dd.two_sum(gap, log.hi)
    product = weight * high
    loss = v.fma(weight, high, weight * (low + error + log.lo))
    # Where it is infinite, what was lost may be NaN or infinite as well.
    loss = v.select(v.fabs(product) == math.inf, product, loss)
    return v.select(weight == 0.0, 0.0, v.select(sums.finite, loss, math.nan))


@inlined
def total_without(x, sums, score):
    """Return the term of a score, in two parts, and the total without it."""
    power, part = scaled_exp(score, sums.params)
    term = DoubleDouble(v.to_float64(power), v.to_float64(part))
    rest = dd.dd_subtract_term(sums.total, dd.dd_scale(term, 1.0 / TERM_SCALE(x)))
    return power + part, dd.dd_select(score == sums.top, sums.others, rest)


@inlined
def slice_gradient(sums, score, scale):
    """Return what turns terms into scaled shares, and the gradient at the label."""
    top = sums.top
    r = dd.dd_reciprocal(sums.total)
    unit = floor_power_of_two(top, scale.hi)
    q = dd.dd_mul(r, DoubleDouble(scale.hi / unit, scale.lo / unit))
    _, rest = total_without(top, sums, score)
    at_label = 0.0 - v.to_dtype_of(top, dd.dd_mul_rounded(rest, q) * unit)
    share = v.to_dtype_of(top, dd.dd_mul_rounded(sums.largest, q) * unit)
    finite, largest = sums.finite, sums.largest
    scale = slices.share_scale(top, finite, largest, share, q, r.hi, unit)
    return scale, v.select(sums.finite, at_label, math.nan)


@inlined
def floor_power_of_two(x, scale):
    """Return the largest power of two that is at most scale, within a range.

    Out of this range a scale times a reciprocal, or that times a term, would leave the
    range of numbers before the result does. For an infinite scale return 1.
    """
    power = power_of_two(scale)
    return v.select(power < math.inf, v.maximum(power, MIN_POWER(x)), 1.0)


@inlined
def label_weight(labels, row):
    """Return the weight of a label, 0 if it is ignored; an empty weight means 1."""
    y = labels.indices[row]
    if y == labels.ignored:
        return 0.0
    return float(labels.weight[y]) if labels.weight.size else 1.0


# --- rows ------------------------------------------------------------------------


@outlined
def sums_of_row(x, out, row):
    """Return the sums of a row; write its terms to out, unless it is None.

    Where the maximum is not finite the rest is meaningless.
    """
    if out is not None:
        touch_pages(x, out, row.start, row.n, row.end)
    if out is not None or row.n <= row_loops.IN_CACHE_LENGTH(x):
        maxima = v.stack_alloc(x, MAXIMA_BYTES)
        extreme = row_loops.block_maxima(x, row.start, row.n, maxima)
        top, finite, params, whole = row_loops.row_params(x, extreme)
        total, _ = row_sums.sum_exp(x, out, row, top, whole, maxima, None, False)
    else:
        extreme, total = row_sums.online_sum_exp(x, row)
        top, finite, params, _ = row_loops.row_params(x, extreme)
    largest = slices.max_term(top, params)
    others = row_sums.row_others(x, row, top, params, total, largest)
    total = dd.dd_add(others, largest)
    return SliceSums(top, finite, params, total, largest, others)


write_row_shares = row_loops.row_map(slices.share)


@inlined
def cross_entropy_of_rows(x, labels, losses, grad, divisor, n, first, last):
    """Write the loss of each row and, unless grad is None, its scaled gradient."""
    source, target = v.data_pointer(x), v.data_pointer(grad)
    over = dd.dd_reciprocal(dd.one_lane_dd(*divisor))
    for i in range(first, last):
        row = row_loops.Row(i * n, n, last * n)
        weight = label_weight(labels, i)
        losses[i] = 0.0
        if weight != 0.0:
            sums = sums_of_row(source, target, row)
            y = row.start + labels.indices[i]
            score = v.one_lane_of(source, v.load_scalar(source, y))
            losses[i] = v.lane0(slice_loss(sums, score, v.one_lane(weight)))
            if grad is not None:
                scale = dd.dd_mul_float(over, weight)
                scale, at_label = slice_gradient(sums, score, scale)
                scale = v.splat_fields(source, scale)
                write_row_shares(target, target, row, scale, None, 0)
                v.store_scalar(target, y, v.lane0(at_label))
        elif grad is not None:
            row_loops.fill(target, row.start, n, 0.0)


# --- columns ---------------------------------------------------------------------


@outlined
def sums_of_columns(x, out, s, ahead):
    """Return what `sums_of_row` does, of a vector of slices."""
    top, finite = column_loops.column_max(x, s)
    params = slices.slice_params(top)
    total = column_loops.column_sum_exp(x, out, s, params, ahead)
    largest = slices.max_term(top, params)
    others = column_loops.column_others(x, s, top, params, total, largest)
    total = dd.dd_add(others, largest)
    return SliceSums(top, finite, params, total, largest, others)


write_column_shares = column_loops.column_map(slices.share, True)


@inlined
def gather_labels(buffer, x, s, labels, row, valid):
    """Write the weights of some slices, and the scores of their labels, side by side.

    Lanes without a slice have weight 0.
    """
    w = v.vector_length(x)
    v.store(buffer, 0, v.splat(x, 0.0))
    v.store(buffer, w, v.splat(x, 0.0))
    for lane in range(valid):
        weight = label_weight(labels, row + lane)
        if weight != 0.0:
            v.store_scalar(buffer, lane, weight)
            at = s.start + lane + labels.indices[row + lane] * s.stride
            v.store_scalar(buffer, w + lane, v.load_scalar(x, at))


@inlined
def scatter_label_grads(out, buffer, s, labels, row, valid):
    """Write the gradients at the labels, and the zeros of slices that do not count."""
    w = v.vector_length(out)
    for lane in range(valid):
        at = s.start + lane
        if v.load_scalar(buffer, lane) != 0.0:
            at += labels.indices[row + lane] * s.stride
            v.store_scalar(out, at, v.load_scalar(buffer, w + lane))
        else:
            for i in range(s.n):
                v.store_scalar(out, at + i * s.stride, 0.0)


@inlined
def cross_entropy_of_vector(x, out, s, ahead, given, results):
    """Write the losses of a vector of slices and, unless out is None, the gradient.

    In the buffer the gradients at the labels replace their scores.
    """
    buffer, labels, over = given
    losses, row, valid = results
    w = v.vector_length(x)
    gather_labels(buffer, x, s, labels, row, valid)
    sums = sums_of_columns(x, out, s, ahead)
    score, weight = v.load(buffer, w), v.to_float64(v.load(buffer, 0))
    v.store_head(losses, row, valid, slice_loss(sums, score, weight))
    if out is not None:
        scale = dd.dd_mul_float(over, weight)
        scale, at_label = slice_gradient(sums, score, scale)
        v.store(buffer, w, at_label)
        write_column_shares(out, out, s, scale)
        scatter_label_grads(out, buffer, s, labels, row, valid)


@inlined
def cross_entropy_of_columns(x, labels, losses, grad, divisor, t, first, last):
    """Do as `cross_entropy_of_rows` does, in the tiles of `columns_loop`."""
    source, target = v.data_pointer(x), v.data_pointer(grad)
    each = v.data_pointer(losses)
    block = v.stack_alloc(source, STACK_BYTES)
    # A second block: the scores are read again when the terms are already written.
    shares = v.stack_alloc(target, STACK_BYTES)
    buffer = v.stack_alloc(source, LABEL_BYTES)
    packed = needs_packing(t.n, t.inner, t.slice_stride, x.itemsize)
    w = v.vector_length(source)
    r = dd.dd_reciprocal(dd.one_lane_dd(*divisor))
    given = buffer, labels, DoubleDouble(v.lane0(r.hi), v.lane0(r.lo))
    for tile in range(first, last):
        start, count, row = tiles.tile_at(tile, t)
        if packed:
            if grad is not None:
                tiles.touch_tile_pages(source, target, start, count, t, last)
            tiles.pack_tile(source, start, count, t, block)
            for lane in range(0, count, w):
                s = Slices(lane, t.n, t.tile_width, w)
                ahead = tiles.next_tile(source, target, start, t, lane)
                results = each, row + lane, min(w, count - lane)
                cross_entropy_of_vector(block, shares, s, ahead, given, results)
            if grad is not None:
                tiles.unpack_tile(shares, target, start, count, t)
        else:
            s = Slices(start, t.n, t.inner, count)
            ahead = tiles.next_tile(source, target, start, t, 0)
            cross_entropy_of_vector(source, target, s, ahead, given, (each, row, count))


# --- kernels ---------------------------------------------------------------------


@kernel
def loss_rows(x, y, weight, ignored, out, n, first, last):
    """Write the loss of each row to out; y holds the class indices."""
    labels = Labels(y, weight, ignored)
    cross_entropy_of_rows(x, labels, out, None, (1.0, 0.0), n, first, last)


@kernel
def loss_and_grad_rows(x, y, weight, ignored, out, grad, div, div_lo, n, first, last):
    """Write the loss of each row, and its gradient over the divisor div + div_lo."""
    labels = Labels(y, weight, ignored)
    cross_entropy_of_rows(x, labels, out, grad, (div, div_lo), n, first, last)


@kernel
def loss_columns(x, y, weight, ignored, out, n, inner, stride, width, first, last):
    """Do as `loss_rows` does, in tiles."""
    labels, t = Labels(y, weight, ignored), tiles.Tiling(n, inner, stride, width)
    cross_entropy_of_columns(x, labels, out, None, (1.0, 0.0), t, first, last)


@kernel
def loss_and_grad_columns(
    x, y, weight, ignored, out, grad, div, div_lo, n, inner, stride, width, first, last
):
    """Do as `loss_and_grad_rows` does, in tiles."""
    labels, t = Labels(y, weight, ignored), tiles.Tiling(n, inner, stride, width)
    cross_entropy_of_columns(x, labels, out, grad, (div, div_lo), t, first, last)
