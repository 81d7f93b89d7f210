r"""Cross-entropy with one label a row, and its gradient.

.. math:: \ell = \log\sum_j e^{x_j} - x_y, \qquad
          \frac{\partial\ell}{\partial x_k} = p_k - [k = y]

Both are differences that cancel where the label has almost all of the share. They
are taken without it: the loss is then log1p(the others / its own term), and the
gradient at the label -(the others / the total).
"""

import math

from softmax_lib._jit import formula, kernel, routine
from softmax_lib._kernels.exponential import UNIT, anchor, term
from softmax_lib._kernels.labels import inverse
from softmax_lib._kernels.lanes import (
    exact_fma,
    filled,
    first_of,
    load,
    load_first,
    memory,
    number,
    put,
    select,
    single,
    store,
    store_first,
    sum_of,
    widen,
    width,
)
from softmax_lib._kernels.rows import (
    BLOCK,
    largest,
    online_terms,
    own_term,
    reference,
    terms,
    terms_below,
)
from softmax_lib._kernels.softmax_rows import (
    IN_CACHE,
    fill,
    share,
)
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    SURE,
    log_of_quotient,
    product,
    reciprocal,
    without,
)

# Where the total is less than this many winners, the winner's own rounding error is
# put right in it. In larger totals the errors of many terms make up for each other.
FEW = 8.0


@kernel
def loss_rows(x, labels, weight, ignored, losses, n, first, last):
    """Write the loss of each row; no weights are as good as weights of 1."""
    source = memory(x)
    for row in range(first, last):
        scale = row_weight(labels, weight, ignored, row)
        losses[row] = 0.0
        if scale != 0.0:
            losses[row] = scale * loss_row(source, row * n, n, labels[row])


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
                source, target, row * n, n, labels[row], scaled(over, scale)
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
def sums_of_row(x, out, start, n):
    """Return top, what `term` needs, the total, the winner's own term and the others.

    The terms are written to out, if given, where the row is short enough to stay
    in the cache. Where top is not finite the rest means nothing.
    """
    if n <= IN_CACHE(x):
        top = largest(x, start, n)
        finite = top if math.isfinite(top) else 0.0 * UNIT(x)
        about = reference(x, finite, anchor(filled(x, finite)))
        total = terms(x, out, start, n, about, None)
    else:
        top, total = online_terms(x, start, n, None)
        finite = top if math.isfinite(top) else 0.0 * UNIT(x)
        about = reference(x, finite, anchor(filled(x, finite)))
    own = own_term(x, finite, about[0])
    others = without(total, own[0])
    if first_of(others[0] + others[1]) < SURE(x):
        others = terms_below(x, start, n, finite, about[0])
    return float(top), about, total, own, others


@formula
def loss_row(x, start, n, y):
    """Return the loss of one row."""
    top, _, _, own, others = sums_of_row(x, None, start, n)
    if not math.isfinite(top):
        return math.nan
    log, log_low = log_of_quotient(others, own[0], own[1])
    return distance(top, float(number(x, start + y)), first_of(log), first_of(log_low))


@routine
def count_equal(x, start, n, value):
    """Return how many of x[start : start + n] equal value."""
    w = width(x)
    whole = n - n % w
    count = 0
    # In blocks, for float32 counts no further than 2^24.
    for b in range(0, n, BLOCK(x)):
        stop = min(b + BLOCK(x), whole)
        counts = filled(x, 0.0)
        for i in range(b, stop, w):
            counts = counts + select(load(x, start + i) == value, filled(x, 1.0), 0.0)
        if stop == whole and whole < n:
            v = load_first(x, start + whole, n - whole, math.nan)
            counts = counts + select(v == value, filled(x, 1.0), 0.0)
        count += int(sum_of(counts))
    return count


@formula
def winners_of_row(x, start, n, top, total):
    """Return how many maxima there are, where that matters, else 0."""
    if first_of(total[0]) < FEW:
        return float(count_equal(x, start, n, top))
    return 0.0


@formula
def others_of(x, v, top, about, total, own, others, winners):
    """Return the total less the term of v, one of the row, in two parts."""
    if v == top:
        return others
    t = single_of(term(filled(x, v) - about[0], about[1], about[2]))
    high, low = without(total, t * (1.0 / UNIT(x)))
    return high, low + own[1] * winners


@formula
def single_of(lanes):
    """Return the first lane as one float64."""
    return single(first_of(widen(lanes)))


@formula
def loss_and_grad_row(x, out, start, n, y, scale):
    """Write the scaled gradient of one row and return its loss."""
    top, about, total, own, others = sums_of_row(x, out, start, n)
    if not math.isfinite(top):
        fill(out, start, n, math.nan)
        return math.nan
    score = number(x, start + y)
    log, log_low = log_of_quotient(others, own[0], own[1])
    winners = winners_of_row(x, start, n, top, total)
    rest = others_of(x, float(score), top, about, total, own, others, winners)
    q, q_low = quotient_of(total, own, winners, scale)
    multiply(x, out, start, n, about, factors(x, q, q_low, own, winners))
    put(out, start + y, -first_of(product(rest[0], rest[1], q, q_low)))
    return distance(top, float(score), first_of(log), first_of(log_low))


@formula
def quotient_of(total, own, winners, scale):
    """Return scale / total in two parts, the total put right by the winners' error."""
    r, r_low = reciprocal((total[0], total[1] + own[1] * winners))
    return times(r, r_low, scale[0], scale[1])


@formula
def factors(x, q, q_low, own, winners):
    """Return what `share` needs to know, for shares times a scale."""
    main = first_of(q)
    rounded = first_of(widen(filled(x, main)))
    more = (main - rounded) + first_of(q_low)
    return (
        filled(x, main) * (1.0 / UNIT(x)),
        filled(x, more) * (1.0 / UNIT(x)),
        filled(x, first_of(own[0]) * UNIT(x) if winners > 0 else math.nan),
        filled(x, first_of(product(own[0], own[1], q, q_low))),
    )


@routine
def multiply(x, out, start, n, about, quotient):
    """Write the scaled shares; out has the terms, unless the row is a long one."""
    w = width(x)
    whole = n - n % w
    if n <= IN_CACHE(x):
        for i in range(0, whole, w):
            store(out, start + i, share(load(out, start + i), quotient))
        if whole < n:
            t = load_first(out, start + whole, n - whole, 0.0)
            store_first(out, start + whole, n - whole, share(t, quotient))
    else:
        shift, floor, offset = about
        for i in range(0, whole, w):
            t = term(load(x, start + i) - shift, floor, offset)
            store(out, start + i, share(t, quotient))
        if whole < n:
            v = load_first(x, start + whole, n - whole, -math.inf)
            t = term(v - shift, floor, offset)
            store_first(out, start + whole, n - whole, share(t, quotient))
