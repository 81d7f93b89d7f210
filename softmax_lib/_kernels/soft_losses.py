r"""Cross-entropy with a share of the label for every class, and its gradient.

.. math:: \ell = -\sum_k c_k \log p_k, \qquad
          \frac{\partial\ell}{\partial x_k} = C p_k - c_k
          = (C - c_k)\,p_k - c_k\,(1 - p_k), \qquad C = \sum_k c_k

The second form does not cancel where c and p both have nearly everything in one
place, if 1 - p of the winner is taken as the sum of the others. The coefficients
c_k = w_k (t_k keep + spread) are computed as they are needed, from rows of
probabilities t or from one label a row.
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.by_lane import load_some, store_some
from softmax_lib._kernels.exponential import UNIT, term
from softmax_lib._kernels.labels import inverse
from softmax_lib._kernels.lanes import (
    exact_fma,
    exact_sum_of,
    filled,
    first_of,
    fma,
    memory,
    narrowed,
    number,
    put,
    select,
    sum_of,
    widen,
    width,
)
from softmax_lib._kernels.losses import others_of, sums_of_row
from softmax_lib._kernels.softmax_rows import fill
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import log_of_quotient, product, reciprocal


@kernel
def soft_rows(
    x,
    targets,
    labels,
    weight,
    ignored,
    keep,
    spread,
    losses,
    grad,
    divisor,
    lost,
    n,
    first,
    last,
):
    """Write the loss of each row, and its gradient over the divisor if grad has room.

    Labels count where there are no targets; there is a weight for each class.
    """
    source, target = memory(x), memory(grad)
    given = targets.size > 0
    over = first_of(inverse(divisor, lost)[0])
    for row in range(first, last):
        start = row * n
        y = -1 if given else labels[row]
        if not given and y == ignored:
            losses[row] = 0.0
            if grad.size:
                fill(target, start, n, 0.0)
            continue
        kind = memory(targets), memory(weight), given, y, keep, spread
        if grad.size:
            losses[row] = soft_loss_and_grad_row(
                source, target, start, n, last * n, kind, over
            )
        else:
            losses[row] = soft_loss_row(source, start, n, last * n, kind)


@formula
def coefficients(x, start, i, count, kind):
    """Return c of some classes, without what a single label adds to its own."""
    targets, weight, given, _, keep, spread = kind
    scale = widen(load_some(weight, i, count))
    if given:
        return scale * fma(widen(load_some(targets, start + i, count)), keep, spread)
    return scale * spread


@formula
def own_coefficient(kind):
    """Return what a single label adds to the coefficient of its class."""
    _, weight, given, y, keep, _ = kind
    return 0.0 if given else float(number(weight, y)) * keep


@formula
def gathered(running):
    """Return a running sum as one number and what it lost."""
    total, lost = exact_sum_of(running[0], running[0])
    lost += sum_of(running[1])
    # An infinite sum leaves NaN among the errors.
    return total, lost if lost == lost else 0.0


@routine
def weighted_distance(x, start, n, top, kind):
    """Return C and sum_k c_k (top - x_k), both in two parts."""
    w = width(x)
    zero = widen(filled(x, 0.0))
    mass, mass_lost = zero, zero
    far, far_lost = zero, zero
    for i in range(0, n, w):
        count = min(w, n - i)
        c = coefficients(x, start, i, count, kind)
        mass, error = two_sum(mass, c)
        mass_lost = mass_lost + error
        gap = top - widen(load_some(x, start + i, count))
        # 0 * inf is nothing: a class that does not count may be masked.
        d = select(c == 0.0, 0.0, c * gap)
        d_error = select(c == 0.0, 0.0, exact_fma(c, gap, 0.0 - d))
        far, error = two_sum(far, d)
        far_lost = far_lost + (error + d_error)
    c_high, c_low = gathered((mass, mass_lost))
    d_high, d_low = gathered((far, far_lost))
    own = own_coefficient(kind)
    if own != 0.0:
        c_high, error = two_sum(c_high, own)
        c_low += error
        d_low += own * (top - float(number(x, start + kind[3])))
    return (c_high, c_low), (d_high, d_low)


@formula
def soft_loss_row(x, start, n, end, kind):
    """Return the loss of one row."""
    top, _, _, own, others = sums_of_row(x, None, start, n, end)
    if not math.isfinite(top):
        return math.nan
    mass, far = weighted_distance(x, start, n, top, kind)
    return soft_loss(mass, far, own, others)


@formula
def soft_loss(mass, far, own, others):
    """Return C log(sum_j exp(x_j - top)) + sum_k c_k (top - x_k)."""
    log, log_low = log_of_quotient(others, own[0], own[1] + own[2])
    high, low = first_of(log), first_of(log_low)
    return far[0] + (mass[0] * high + (far[1] + mass[0] * low + mass[1] * high))


@formula
def slope(mass, c, p, rest):
    """Return (C - c) p - c (1 - p), given 1 - p."""
    return ((mass[0] - c) + mass[1]) * p - c * rest


@formula
def soft_loss_and_grad_row(x, out, start, n, end, kind, over):
    """Write the gradient of one row, times `over`, and return its loss."""
    top, about, total, own, others = sums_of_row(x, out, start, n, end)
    if not math.isfinite(top):
        fill(out, start, n, math.nan)
        return math.nan
    mass, far = weighted_distance(x, start, n, top, kind)
    r, r_low = reciprocal(total)
    main = first_of(r) / UNIT(x)
    more = first_of(r_low - r * (r * own[2])) / UNIT(x)
    own_t = filled(x, first_of(own[0])) * UNIT(x)
    own_share = first_of(product(own[0], own[1], r, r_low))
    own_rest = first_of(product(others[0], others[1], r, r_low))
    w = width(x)
    for i in range(0, n, w):
        count = min(w, n - i)
        t = load_some(out, start + i, count)
        wide = widen(t)
        p = fma(wide, main, wide * more)
        won = t == own_t
        p = select(won, own_share, p)
        rest = select(won, own_rest, 1.0 - p)
        c = coefficients(x, start, i, count, kind)
        store_some(out, start + i, count, narrowed(x, slope(mass, c, p, rest) * over))
    label = own_coefficient(kind)
    if label != 0.0:
        y = kind[3]
        score = float(number(x, start + y))
        rest = others_of(x, score, top, about, total, others)
        others_share = first_of(product(rest[0], rest[1], r, r_low))
        if score == top:
            p_label = own_share
        else:
            power, part = term(filled(x, score), about)
            p_label = first_of(widen(power + part)) * main
        c = label + float(number(kind[1], y)) * kind[5]
        put(out, start + y, slope(mass, c, p_label, others_share) * over)
    return soft_loss(mass, far, own, others)
