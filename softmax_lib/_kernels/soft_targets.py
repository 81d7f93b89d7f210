r"""Cross-entropy with a probability for every class, and its gradient.

.. math:: \ell = -\sum_k c_k \log p_k, \qquad
          \frac{\partial\ell}{\partial x_k} = C p_k - c_k
          = (C - c_k)\,p_k - c_k\,(1 - p_k), \qquad C = \sum_k c_k

The second form does not cancel where c and p both have nearly everything in one
place, if 1 - p of the winner is taken as the sum of the others. The coefficients
c_k = w_k (t_k confidence + uniform) are computed as they are needed, from rows of
probabilities t or from one label a row.
"""

import math
from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel, outlined
from softmax_lib._kernels.cross_entropy import sums_of_row, total_without
from softmax_lib._kernels.double_double import (
    DoubleDouble,
    dd_add_float,
    dd_add_product,
    dd_mul_rounded,
    dd_reciprocal,
    dd_reduce,
    dd_zeros,
    two_sum,
)
from softmax_lib._kernels.exponential import TERM_SCALE
from softmax_lib._kernels.refine import limits_of
from softmax_lib._kernels.row_loops import Row, fill
from softmax_lib._kernels.slices import log_total

# The coefficients of a row: from its probabilities, if they are given, or its label.
Targets = namedtuple("Targets", "probabilities weight given label confidence uniform")

# The sum of coefficients up to which shares are computed in other units.
MAX_SCALED = 2.0**400


@kernel
def soft_target_rows(
    x, targets, labels, weight, ignored, smoothing, losses, grad, over, n, first, last
):
    """Write the loss of each row and, unless grad is empty, its gradient times over.

    Labels count where targets is empty; there is a weight for each class. The last
    number of losses, after those of the rows, becomes 1 if any row may need `refine`.
    """
    source, target = v.data_pointer(x), v.data_pointer(grad)
    probabilities, weights = v.data_pointer(targets), v.data_pointer(weight)
    given, confidence, uniform = targets.size > 0, 1.0 - smoothing, smoothing / n
    limits = limits_of(x)
    for i in range(first, last):
        row = Row(i * n, n, last * n)
        y = -1 if given else labels[i]
        t = Targets(probabilities, weights, given, y, confidence, uniform)
        losses[i] = 0.0
        if not given and y == ignored:
            fill(target, row.start, n if grad.size else 0, 0.0)
            continue
        if grad.size:
            loss, total = soft_cross_entropy(source, target, row, t, over)
        else:
            loss, total = soft_cross_entropy(source, None, row, t, over)
        losses[i] = loss
        is_usual = limits.least_soft <= abs(loss) <= limits.most_soft
        if not (is_usual and abs(total) <= limits.most_soft):
            losses[losses.size - 1] = 1.0


@inlined
def coefficients(start, i, count, targets):
    """Return c of some classes, without what a single label adds to its own class."""
    scale = v.to_float64(v.load_up_to(targets.weight, i, count))
    if targets.given:
        t = v.to_float64(v.load_up_to(targets.probabilities, start + i, count))
        return scale * v.fma(t, targets.confidence, targets.uniform)
    return scale * targets.uniform


@inlined
def label_coefficient(targets):
    """Return what a single label adds to the coefficient of its class."""
    if targets.given:
        return 0.0
    weight = float(v.load_scalar(targets.weight, targets.label))
    return weight * targets.confidence


@outlined
def weighted_distance(x, start, n, top, targets):
    """Return C and sum_k c_k (top - x_k), both in two plain parts."""
    w = v.vector_length(x)
    weights, distances = dd_zeros(x), dd_zeros(x)
    for i in range(0, n, w):
        count = min(w, n - i)
        c = coefficients(start, i, count, targets)
        weights = dd_add_float(weights, c)
        # A class whose coefficient is 0 may be masked with -inf.
        gap = top - v.to_float64(v.load_up_to(x, start + i, count))
        distances = dd_add_product(distances, c, gap)
    c_hi, c_lo = dd_reduce(weights)
    d_hi, d_lo = dd_reduce(distances)
    own = label_coefficient(targets)
    if own != 0.0:
        c_hi, error = two_sum(c_hi, own)
        c_lo += error
        d_lo += own * (top - float(v.load_scalar(x, start + targets.label)))
    return DoubleDouble(c_hi, c_lo), DoubleDouble(d_hi, d_lo)


@inlined
def minus_coefficient(weight_sum, c):
    """Return C - c."""
    return (weight_sum.hi - c) + weight_sum.lo


@inlined
def soft_cross_entropy(x, out, row, targets, over):
    """Return the loss of a row, and C; write its gradient times over to any out."""
    sums = sums_of_row(x, out, row)
    if not v.any_of(sums.finite):
        if out is not None:
            fill(out, row.start, row.n, math.nan)
        return math.nan, math.nan
    top = v.lane0(v.to_float64(sums.top))
    weight_sum, distance_sum = weighted_distance(x, row.start, row.n, top, targets)
    if out is not None:
        write_soft_gradient(x, out, row, sums, weight_sum, targets, over)
    # C log(sum_j exp(x_j - top)) + sum_k c_k (top - x_k)
    log = log_total(sums.others, sums.largest)
    hi, lo = v.lane0(log.hi), v.lane0(log.lo)
    small = distance_sum.lo + weight_sum.hi * lo + weight_sum.lo * hi
    return distance_sum.hi + (weight_sum.hi * hi + small), weight_sum.hi


@inlined
def write_soft_gradient(x, out, row, sums, weight_sum, targets, over):
    """Turn the terms of a row into its gradient, times `over`.

    Shares are in units of `one`: so that they are not subnormal, unless coefficients
    are huge.
    """
    start, n, _ = row
    one, down = 1.0, 1.0
    if abs(weight_sum.hi) <= MAX_SCALED:
        one, down = 1.0 * TERM_SCALE(x), 1.0 / TERM_SCALE(x)
    r, over = dd_reciprocal(sums.total), over * down
    hi = v.lane0(r.hi) / TERM_SCALE(x) * one
    lo = v.lane0(r.lo - r.hi * (r.hi * sums.largest.rest)) / TERM_SCALE(x) * one
    max_stored = v.splat(x, v.lane0(sums.largest.hi)) * TERM_SCALE(x)
    max_share = v.lane0(dd_mul_rounded(sums.largest, r)) * one
    max_rest = v.lane0(dd_mul_rounded(sums.others, r)) * one
    w = v.vector_length(x)
    for i in range(0, n, w):
        count = min(w, n - i)
        stored = v.load_up_to(out, start + i, count)
        term, won = v.to_float64(stored), stored == max_stored
        p = v.select(won, max_share, v.fma(term, hi, term * lo))
        rest = v.select(won, max_rest, one - p)
        c = coefficients(start, i, count, targets)
        entry = (minus_coefficient(weight_sum, c) * p - c * rest) * over
        v.store_up_to(out, start + i, count, v.to_dtype_of(x, entry))
    label_part = label_coefficient(targets)
    if label_part != 0.0:
        y = targets.label
        score = v.one_lane_of(x, v.load_scalar(x, start + y))
        term, rest = total_without(x, sums, score)
        p = v.select(score == sums.top, max_share, v.to_float64(term) * hi)
        rest_share = v.lane0(dd_mul_rounded(rest, r)) * one
        c = float(v.load_scalar(targets.weight, y)) * targets.uniform
        # Their sum would round what the other classes weigh.
        others = minus_coefficient(dd_add_float(weight_sum, 0.0 - label_part), c)
        entry = (others * v.lane0(p) - (label_part + c) * rest_share) * over
        v.store_scalar(out, start + y, entry)
