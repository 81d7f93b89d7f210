"""Which losses have left the range of float64 on the way, and their correction.

The kernels of `cross_entropy` and `soft_targets` round, or overflow, before they
multiply by a weight and divide by a sum of weights. Nearly always that does not matter.
If the weights and the loss of a slice show that it may, the slice is computed again
with `wide` numbers. So here too its result depends on its numbers alone.
"""

import math
from collections import namedtuple

from softmax_lib._jit import inlined, kernel, outlined
from softmax_lib._kernels import wide
from softmax_lib._kernels.wide_losses import (
    Given,
    counts,
    finite_loss,
    infinite_loss,
    probability,
    quotient,
    rough_coefficient,
    slice_at,
    sums_of_slice,
    weight_of,
    weight_sum,
    write_gradient,
)

# What is safe in the kernels. Unweighted losses below `least` may have lost digits,
# which shows if they are multiplied by more than `factor`. Weights are safe from `low`
# to `high`. Rows of probabilities are looked at if their loss is below `least_soft`, or
# that or the sum of coefficients above `most_soft`. In float64 the limits come from its
# range; in float32, whose sums are float64, from the terms below 2^-187, which are cut
# off.
Limits = namedtuple("Limits", "least factor low high least_soft most_soft")
LIMITS_FLOAT32 = Limits(2.0**-130, 2.0**20, 0.0, 2.0**30, 2.0**-100, 2.0**20)
LIMITS_FLOAT64 = Limits(2.0**-968, 2.0, 2.0**-400, 2.0**400, 2.0**-800, 2.0**100)

# Probabilities, and sums of weights, that are safe in float64.
LEAST_SAFE, MOST_SAFE = 2.0**-500, 2.0**500

# Between these a sum of losses has lost nothing to the range of float64, if the divisor
# is safe.
LEAST_MEAN, MOST_MEAN = 2.0**-400, 2.0**1000


@inlined
def limits_of(x):
    """Return the limits for logits of the dtype of x."""
    return LIMITS_FLOAT32 if x.itemsize == 4 else LIMITS_FLOAT64


@inlined
def is_safe(size):
    """Return whether a number, or 0, is in the range for probabilities and sums."""
    return size == 0.0 or LEAST_SAFE <= abs(size) <= MOST_SAFE


# --- which slices ----------------------------------------------------------------


@inlined
def label_is_safe(loss, weight, scale, limits):
    """Return whether a loss, or a gradient times scale, has kept its digits."""
    if math.isnan(loss):
        return True
    if not limits.low <= scale <= limits.high:
        return False
    return max(weight, scale) <= limits.factor or abs(loss) / weight >= limits.least


@outlined
def weights_are_safe(given, limits):
    """Return whether all weights of classes, and the smoothing, are safe."""
    for weight in given.weight:
        size = abs(float(weight))
        if size != 0.0 and not limits.low <= size <= limits.high:
            return False
    return is_safe(given.smoothing)


@outlined
def targets_are_safe(given, s, loss, scale, limits, is_gradient):
    """Return whether the loss of a row, or its gradient times scale, is accurate.

    The weights are safe.
    """
    kept, size, total = True, abs(loss), 0.0
    for k in range(given.n):
        p = probability(given, s, k)
        if not math.isfinite(p):
            return True
        kept = kept and is_safe(p)
        total += abs(rough_coefficient(given, s, k)) * max(scale, 1.0)
    if given.weight.size and given.x.itemsize == 8 and not kept:
        return False
    if not total <= limits.high:
        return False
    if not size < math.inf:
        # NaN is infinity subtracted from itself, unless the logits are not finite. The
        # gradient is computed without the loss.
        return is_gradient
    return total <= limits.factor or size >= total * limits.least


# --- kernels ---------------------------------------------------------------------


@kernel
def refine_slices(
    x, probabilities, labels, weight, ignored, smoothing, losses, grad, divisor,
    divisor_lo, n, inner, first, last,
):  # fmt: skip
    """Compute those slices again that need it: losses and, unless it is empty, grad.

    The divisor of a mean is not 0; unless it is safe it is computed again.
    """
    given = Given(x, probabilities, labels, weight, ignored, smoothing, n, inner)
    limits = limits_of(given.x)
    by_label = not given.probabilities.size and given.smoothing == 0.0
    if is_safe(divisor):
        over, scale = wide.from_parts(divisor, divisor_lo), 1.0 / abs(divisor)
    else:
        over, scale = weight_sum(given), math.inf
    known = by_label or weights_are_safe(given, limits)
    for row in range(first, last):
        s = slice_at(given, row)
        if not counts(given, s):
            continue
        loss, keep, keep_grad = losses[row], False, False
        if by_label:
            w = abs(weight_of(given, given.labels[row]))
            keep = label_is_safe(loss, w, w, limits)
            keep = keep and not (w < 1.0 and math.isinf(loss))
            keep_grad = label_is_safe(loss, w, w * scale, limits)
        elif known:
            keep = targets_are_safe(given, s, loss, 1.0, limits, False)
            keep_grad = targets_are_safe(given, s, loss, scale, limits, True)
        keep_grad = not grad.size or (keep_grad and scale < math.inf)
        if keep and keep_grad:
            continue
        sums, is_finite = sums_of_slice(given, s)
        if not is_finite:
            continue
        if not keep:
            losses[row] = infinite_loss(given, s)
            if losses[row] == 0.0:
                losses[row] = wide.to_float(finite_loss(given, s, sums))
        if not keep_grad:
            write_gradient(given, s, sums, over, grad)


@kernel
def refine_mean(about, losses, loss, divisor, mean, n, inner):
    """Return the sum or mean of the losses again, if it may have left the range.

    `about` has the fields of `Given` up to the smoothing, `losses` are those of the
    slices, and `loss` is their sum over the divisor.
    """
    given = Given(*about, n, inner)
    settled = loss == 0.0 and mean and not given.weight.size
    settled = settled or LEAST_MEAN < abs(loss) < MOST_MEAN
    if given.x.itemsize == 4 or (settled and is_safe(divisor)):
        return loss
    for each in losses:
        if math.isnan(each):
            return math.nan
    total, infinite = wide.from_float(0.0), 0.0
    for row in range(losses.size):
        s = slice_at(given, row)
        if counts(given, s) and math.isinf(losses[row]):
            infinite += infinite_loss(given, s)
    over = weight_sum(given) if mean else wide.from_float(1.0)
    if infinite != 0.0:
        return infinite / math.copysign(1.0, wide.to_float(over))
    for row in range(losses.size):
        s = slice_at(given, row)
        if counts(given, s):
            sums, _ = sums_of_slice(given, s)
            total = wide.add(total, finite_loss(given, s, sums))
    return quotient(total, over)
