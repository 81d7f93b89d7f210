"""Cross-entropy and its gradient where slices do not lie along the vectors.

As `columns` does it: one lane, one slice.
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.by_lane import (
    factors_by_lane,
    largest_by_lane,
    others_by_lane,
    own_by_lane,
    reference_by_lane,
    terms_by_lane,
    to_shares_by_lane,
)
from softmax_lib._kernels.exponential import UNIT, term
from softmax_lib._kernels.labels import inverse
from softmax_lib._kernels.lanes import (
    BYTES,
    SCRATCH,
    exact_fma,
    filled,
    first_of,
    load,
    memory,
    narrowed,
    number,
    put,
    scratch,
    select,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.losses import power_below, row_weight, times
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.tiles import (
    enter_tile,
    laid_out,
    lay_out,
    next_tile,
    put_back,
    row_at,
    tile_at,
)
from softmax_lib._kernels.total import (
    log_of_quotient,
    product,
    reciprocal,
    without,
)

# Two vectors: the weights of some slices, and the scores of their labels.
ASIDE = 2 * BYTES


@kernel
def loss_tiles(x, labels, weight, ignored, losses, n, inner, gap, wide, first, last):
    """Write the loss of each slice, in tiles as in `softmax_columns`."""
    source = memory(x)
    block, aside = scratch(source, SCRATCH), scratch(source, ASIDE)
    laid = laid_out(n, inner, gap, x.itemsize)
    w = width(source)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        row = row_at(tile, inner, wide)
        if laid:
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                some = min(w, count - lane)
                at = row + lane
                note(aside, block, lane, wide, labels, weight, ignored, at, some)
                ahead = next_tile(source, None, start, n, inner, gap, wide, lane)
                loss_tile(block, aside, lane, n, wide, w, ahead, losses, at, some)
        else:
            note(aside, source, start, inner, labels, weight, ignored, row, count)
            ahead = next_tile(source, None, start, n, inner, gap, wide, 0)
            loss_tile(source, aside, start, n, inner, count, ahead, losses, row, count)


@kernel
def loss_and_grad_tiles(
    x,
    labels,
    weight,
    ignored,
    losses,
    grad,
    divisor,
    lost,
    n,
    inner,
    gap,
    wide,
    first,
    last,
):
    """Write the loss of each slice, and its gradient over the divisor."""
    source, target = memory(x), memory(grad)
    block, shares = scratch(source, SCRATCH), scratch(source, SCRATCH)
    aside = scratch(source, ASIDE)
    laid = laid_out(n, inner, gap, x.itemsize)
    w = width(source)
    r, r_low = inverse(divisor, lost)
    over = first_of(r), first_of(r_low)
    for tile in range(first, last):
        start, count = tile_at(tile, n, inner, gap, wide)
        row = row_at(tile, inner, wide)
        if laid:
            enter_tile(source, target, start, count, inner, gap, wide, last)
            lay_out(source, start, n, inner, gap, count, block, wide)
            for lane in range(0, count, w):
                some = min(w, count - lane)
                at = row + lane
                note(aside, block, lane, wide, labels, weight, ignored, at, some)
                ahead = next_tile(source, target, start, n, inner, gap, wide, lane)
                loss_and_grad_tile(
                    block,
                    shares,
                    aside,
                    lane,
                    n,
                    wide,
                    w,
                    ahead,
                    over,
                    losses,
                    at,
                    some,
                )
                mend(shares, aside, lane, n, wide, labels, at, some)
            put_back(shares, wide, target, start, n, inner, gap, count)
        else:
            note(aside, source, start, inner, labels, weight, ignored, row, count)
            loss_and_grad_tile(
                source,
                target,
                aside,
                start,
                n,
                inner,
                count,
                next_tile(source, target, start, n, inner, gap, wide, 0),
                over,
                losses,
                row,
                count,
            )
            mend(target, aside, start, n, inner, labels, row, count)


@formula
def note(aside, x, start, inner, labels, weight, ignored, row, count):
    """Write the weights of some slices, and the scores of their labels, side by side.

    Lanes without a slice have weight 0.
    """
    w = width(x)
    store(aside, 0, filled(x, 0.0))
    store(aside, w, filled(x, 0.0))
    for lane in range(count):
        scale = row_weight(labels, weight, ignored, row + lane)
        if scale != 0.0:
            put(aside, lane, scale)
            y = labels[row + lane]
            put(aside, w + lane, number(x, start + lane + y * inner))


@formula
def mend(out, aside, start, n, inner, labels, row, count):
    """Write the gradients at the labels, and the zeros of slices that do not count."""
    w = width(out)
    for lane in range(count):
        if number(aside, lane) != 0.0:
            y = labels[row + lane]
            put(out, start + lane + y * inner, number(aside, w + lane))
        else:
            for i in range(n):
                put(out, start + lane + i * inner, 0.0)


@routine
def sums_of_tile(x, out, start, n, inner, count, ahead):
    """Return what `sums_of_row` does, of each lane."""
    top, finite = largest_by_lane(x, start, n, inner, count)
    about = reference_by_lane(top)
    total = terms_by_lane(x, out, start, n, inner, count, about, ahead)
    own = own_by_lane(top, about)
    others = others_by_lane(
        x, start, n, inner, count, top, about, total, own[0], own[1]
    )
    return top, finite, about, total, own, others


@formula
def write_losses(losses, row, count, aside, x, top, finite, others, own):
    """Write the weighted losses of some slices."""
    log, log_low = log_of_quotient(others, own[0], own[1] + own[2])
    score = widen(load(aside, width(x)))
    gap, error = two_sum(widen(top), 0.0 - score)
    high, low = two_sum(gap, log)
    # A label whose score is -inf: the errors of the sums are NaN.
    loss = select(gap == math.inf, gap + log, high + (low + error + log_low))
    scale = widen(load(aside, 0))
    loss = scale * select(finite, loss, math.nan)
    store_first(memory(losses), row, count, select(scale == 0.0, 0.0, loss))


@formula
def loss_tile(x, aside, start, n, inner, count, ahead, losses, row, some):
    """Write the losses of up to a vector of slices."""
    top, finite, _, _, own, others = sums_of_tile(
        x, None, start, n, inner, count, ahead
    )
    write_losses(losses, row, some, aside, x, top, finite, others, own)


@formula
def loss_and_grad_tile(
    x, out, aside, start, n, inner, count, ahead, over, losses, row, some
):
    """Write the losses of up to a vector of slices, and their scaled shares.

    The gradients at the labels take the place of their scores aside.
    """
    top, finite, about, total, own, others = sums_of_tile(
        x, out, start, n, inner, count, ahead
    )
    score = load(aside, width(x))
    write_losses(losses, row, some, aside, x, top, finite, others, own)
    r, r_low = reciprocal(total)
    scale = widen(load(aside, 0))
    s = scale * over[0]
    s_low = exact_fma(scale, over[0], 0.0 - s) + scale * over[1]
    unit = power_below(x, s)
    q, q_low = times(r, r_low, s / unit, s_low / unit)
    power, more = term(score, about)
    down = 1.0 / UNIT(x)
    high, low = without(total, widen(power) * down, widen(more) * down)
    won = score == top
    high = select(won, others[0], high)
    low = select(won, others[1], low)
    at_label = 0.0 - narrowed(x, product(high, low, q, q_low) * unit)
    store(aside, width(x), select(finite, at_label, math.nan))
    quotient = factors_by_lane(top, finite, own, q, q_low, r, unit)
    to_shares_by_lane(out, start, n, inner, count, quotient)
