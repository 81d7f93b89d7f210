r"""Cross-entropy with one label a row, and its gradient.

.. math:: \ell = \log\sum_j e^{x_j} - x_y, \qquad
          \frac{\partial\ell}{\partial x_k} = p_k - [k = y]

Both are differences that cancel where the label has almost all of the share. They
are taken without it: the loss is then log1p(the others / its own term), and the
gradient at the label -(the others / the total).
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import EXPONENT_BITS, UNIT, anchor, term
from softmax_lib._kernels.labels import inverse
from softmax_lib._kernels.lanes import (
    constant,
    exact_fma,
    filled,
    first_of,
    from_bits,
    larger,
    memory,
    number,
    put,
    select,
    single,
    to_bits,
    widen,
)
from softmax_lib._kernels.pages import enter_pages
from softmax_lib._kernels.rows import (
    IN_CACHE,
    ahead_of,
    largest,
    online_terms,
    others_of_row,
    own_term,
    reference,
    terms,
)
from softmax_lib._kernels.softmax_rows import (
    factors,
    fill,
    write_lifted_shares,
)
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    log_of_quotient,
    product,
    reciprocal,
    without,
)

# A power below is no less than this, so that it can be lifted back.
LEAST_POWER = constant(2.0**-80, 2.0**-900)


@kernel
def loss_rows(x, labels, weight, ignored, losses, n, first, last):
    """Write the loss of each row; no weights are as good as weights of 1."""
    source = memory(x)
    for row in range(first, last):
        scale = row_weight(labels, weight, ignored, row)
        losses[row] = 0.0
        if scale != 0.0:
            losses[row] = scale * loss_row(source, row * n, n, last * n, labels[row])


@kernel
def loss_and_grad_rows(
    x, labels, weight, ignored, losses, grad, divisor, lost, n, first, last
):
    """Write the loss of each row, and its gradient over the divisor."""
    source, target = memory(x), memory(grad)
    over = inverse(divisor, lost)
    for row in range(first, last):
        scale = row_weight(labels, weight, ignored, row)
        if scale == 0.0:
            losses[row] = 0.0
            fill(target, row * n, n, 0.0)
        else:
            loss = loss_and_grad_row(
                source,
                target,
                row * n,
                n,
                last * n,
                labels[row],
                scaled(over, scale),
            )
            losses[row] = scale * loss


@formula
def row_weight(labels, weight, ignored, row):
    """Return the weight of the label of a row, 0 if it is to be ignored."""
    y = labels[row]
    if y == ignored:
        return 0.0
    return float(weight[y]) if weight.size else 1.0


@formula
def scaled(over, scale):
    """Return a number in two parts, in lanes, times a plain one, in two parts."""
    high, low = over
    s = high * scale
    return s, exact_fma(high, scale, 0.0 - s) + low * scale


@formula
def power_below(x, scale):
    """Return the greatest power of two that is not above a scale, if there is one.

    A scale without it is near 1: neither a quotient nor what is multiplied with it
    leaves the range of numbers before the result does.
    """
    power = from_bits(to_bits(scale) & EXPONENT_BITS(scale))
    return select(power < math.inf, larger(power, LEAST_POWER(x)), 1.0)


@formula
def times(a, a_low, b, b_low):
    """Return (a + a_low) * (b + b_low) in two parts."""
    high = a * b
    return high, exact_fma(a, b, 0.0 - high) + (a * b_low + a_low * b)


@formula
def distance(top, own, log, log_low):
    """Return (top - own) + log, for the log-sum-exp less the top in two parts."""
    gap, error = two_sum(top, -own)
    if gap == math.inf:
        # A label whose score is -inf; the errors of the sums are NaN.
        return gap + log
    high, low = two_sum(gap, log)
    return high + (low + error + log_low)


@routine
def sums_of_row(x, out, start, n, end):
    """Return top, what `term` needs, the total, the winner's own term and the others.

    The terms are written to out, if given; rows follow up to the end. Where top is
    not finite the rest means nothing.
    """
    if out is not None:
        enter_pages(x, out, start, n, end)
    if out is not None or n <= IN_CACHE(x):
        top = largest(x, start, n)
        finite = top if math.isfinite(top) else 0.0 * UNIT(x)
        about = reference(x, finite, anchor(filled(x, finite)))
        ahead = ahead_of(x, start, n, end)
        total, _ = terms(x, out, start, n, about, top, ahead, None)
    else:
        top, total = online_terms(x, start, n)
        finite = top if math.isfinite(top) else 0.0 * UNIT(x)
        about = reference(x, finite, anchor(filled(x, finite)))
    own = own_term(x, finite, about)
    others = others_of_row(x, start, n, finite, about, total, own[0], own[1])
    return float(top), about, total, own, others


@formula
def loss_of(top, score, own, others):
    """Return (top - score) + log(1 + others / own) of one row."""
    log, log_low = log_of_quotient(others, own[0], own[1] + own[2])
    return distance(top, score, first_of(log), first_of(log_low))


@formula
def loss_row(x, start, n, end, y):
    """Return the loss of one row."""
    top, _, _, own, others = sums_of_row(x, None, start, n, end)
    if not math.isfinite(top):
        return math.nan
    return loss_of(top, float(number(x, start + y)), own, others)


@formula
def others_of(x, v, top, about, total, others):
    """Return the total less the term of v, one of the row, in two parts."""
    if v == top:
        return others
    power, more = term(filled(x, v), about)
    scale = 1.0 / UNIT(x)
    return without(total, single_of(power) * scale, single_of(more) * scale)


@formula
def single_of(lanes):
    """Return the first lane as one float64."""
    return single(first_of(widen(lanes)))


@formula
def loss_and_grad_row(x, out, start, n, end, y, scale):
    """Write the scaled gradient of one row and return its loss."""
    top, about, total, own, others = sums_of_row(x, out, start, n, end)
    if not math.isfinite(top):
        fill(out, start, n, math.nan)
        return math.nan
    score = float(number(x, start + y))
    rest = others_of(x, score, top, about, total, others)
    r, r_low = reciprocal(total)
    unit = power_below(x, scale[0])
    q, q_low = times(r, r_low, scale[0] / unit, scale[1] / unit)
    quotient = factors(x, q, q_low, r, own, unit)
    write_lifted_shares(out, out, start, n, quotient, None, 0)
    put(out, start + y, -first_of(product(rest[0], rest[1], q, q_low) * unit))
    return loss_of(top, score, own, others)
