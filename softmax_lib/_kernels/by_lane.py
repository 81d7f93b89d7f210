"""Slices that lie across the vectors: one lane, one slice.

What a vector of neighbours needs: each lane has a maximum, a power of two and a total
of its own.
"""

import math

from softmax_lib._jit import formula, routine
from softmax_lib._kernels.exponential import (
    DEPTH,
    LIFT,
    UNIT,
    anchor,
    begun_term,
    ended_term,
    exact_term,
    powers_of_two,
    term,
    unit_rounder,
)
from softmax_lib._kernels.lanes import (
    any_of,
    filled,
    kept_apart,
    larger,
    load,
    load_first,
    magnitude,
    narrowed,
    prefetch,
    select,
    store,
    store_first,
    widen,
    width,
)
from softmax_lib._kernels.rows import BLOCK, added_below
from softmax_lib._kernels.softmax_rows import lifted_share
from softmax_lib._kernels.sums import two_sum
from softmax_lib._kernels.total import (
    SURE,
    added,
    by_lane,
    empty_sum,
    joined,
    log_of_quotient,
    product,
    reciprocal,
    without,
)


@formula
def load_some(x, at, count):
    """Return a whole vector, or its first lanes at the end of a line."""
    if count == width(x):
        return load(x, at)
    return load_first(x, at, count, 0.0)


@formula
def store_some(x, at, count, value):
    """Write a whole vector, or its first lanes at the end of a line."""
    if count == width(x):
        store(x, at, value)
    else:
        store_first(x, at, count, value)


@formula
def largest_by_lane(x, start, n, inner, count):
    """Return the maxima, and where they are finite; elsewhere they are 0."""
    top = filled(x, -math.inf)
    for i in range(n):
        top = larger(load_some(x, start + i * inner, count), top)
    finite = magnitude(top) < math.inf
    return select(finite, top, 0.0), finite


@formula
def extreme_by_lane(x, start, n, inner, count):
    """Return the maxima, NaN where there is any NaN."""
    top = filled(x, -math.inf)
    for i in range(n):
        v = load_some(x, start + i * inner, count)
        top = select(top == top, larger(top, v), top)
    return top


@formula
def reference_by_lane(top):
    """Return what `term` needs to know: shift, floor and rounder."""
    return about_by_lane(top, anchor(top))


@formula
def about_by_lane(top, shift):
    """Return what `term` needs to know, for a shift that is known."""
    return shift, top - shift - DEPTH(top), unit_rounder(top - shift)


@routine
def terms_by_lane(x, out, start, n, inner, count, about, ahead):
    """Return the total of each lane; write the terms to out, if given.

    Meanwhile something that lies ahead is fetched.
    """
    kept_apart()
    beyond, place, later, there, step = ahead
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        at, size = start + b * inner, min(BLOCK(x), n - b)
        # Three steps of three terms in each round, as in `block_of_terms`.
        ready = term(load_some(x, at, count), about)
        if size > 1:
            begun = begun_term(load_some(x, at + inner, count) - about[0], about)
            for i in range(b + 2, b + size):
                prefetch(beyond, place + i * step)
                prefetch(later, there + i * step)
                v = load_some(x, at + 2 * inner, count)
                following = begun_term(v - about[0], about)
                running = taken_some(running, ready, out, at, count)
                ready = ended_term(begun)
                begun = following
                at += inner
            running = taken_some(running, ready, out, at, count)
            ready = ended_term(begun)
            at += inner
        running = taken_some(running, ready, out, at, count)
        total = joined(total, by_lane(running))
    return total


@formula
def taken_some(running, parts, out, at, count):
    """Return the running sum with a term; write it to any out."""
    power, more = parts
    if out is not None:
        store_some(out, at, count, power + more)
    return added(running, power, more)


@routine
def terms_below_by_lane(x, start, n, inner, count, top, about):
    """Return the total of what is less than each lane's top; see `terms_below`."""
    kept_apart()
    second = top - DEPTH(x)
    for i in range(n):
        v = load_some(x, start + i * inner, count)
        second = larger(select(v < top, v, -math.inf), second)
    below = about_by_lane(second, about[0])
    total = by_lane(empty_sum(x))
    for b in range(0, n, BLOCK(x)):
        running = empty_sum(x)
        for i in range(b, min(b + BLOCK(x), n)):
            v = load_some(x, start + i * inner, count)
            running = added_below(running, v, top, below)
        total = joined(total, by_lane(running))
    # A rounder is lower the higher its N.
    one, other = powers_of_two(widen(about[2] - below[2]))
    return total[0] * one * other, total[1] * one * other


@formula
def own_by_lane(top, about):
    """Return the term of each maximum as `own_term` does."""
    power, more, rest = exact_term(top, about)
    scale = 1.0 / UNIT(top)
    own, low = two_sum(widen(power) * scale, widen(more) * scale)
    return own, low, widen(rest) * scale


@formula
def others_by_lane(x, start, n, inner, count, top, about, total, own, low):
    """Return the total of each lane less the term of its maximum."""
    high, lost = without(total, own, low)
    unsure = high + lost < SURE(x)
    if any_of(unsure):
        below = terms_below_by_lane(x, start, n, inner, count, top, about)
        high = select(unsure, below[0], high)
        lost = select(unsure, below[1], lost)
    return high, lost


@formula
def factors_by_lane(top, finite, own, q, q_low, r, unit):
    """Return what `lifted_share` needs, see `factors`, of each lane."""
    main = narrowed(top, q)
    more = narrowed(top, (q - widen(main)) + (q_low - q * (r * own[2])))
    lift = select(finite, filled(top, LIFT(top) / UNIT(top)), math.nan)
    own_share = narrowed(top, product(own[0], own[1], q, q_low) * unit)
    return (
        main * lift,
        more * lift,
        narrowed(top, own[0]) * UNIT(top),
        select(finite, own_share, math.nan),
        narrowed(top, unit * (1.0 / LIFT(top))),
    )


@formula
def quotient_by_lane(top, finite, about, total):
    """Return what `lifted_share` needs for shares of the totals."""
    r, r_low = reciprocal(total)
    own, unit = own_by_lane(top, about), filled(r, 1.0)
    return factors_by_lane(top, finite, own, r, r_low, r, unit)


@routine
def to_shares_by_lane(out, start, n, inner, count, quotient):
    """Turn the terms in out into shares."""
    kept_apart()
    for i in range(n):
        at = start + i * inner
        t = load_some(out, at, count)
        store_some(out, at, count, lifted_share(t, quotient))


@formula
def log_by_lane(x, start, n, inner, count, top, total):
    """Return log(sum_j exp(x_j - top)) of each lane in two parts; see `log_of_row`."""
    about = reference_by_lane(top)
    own, low, rest = own_by_lane(top, about)
    others = others_by_lane(x, start, n, inner, count, top, about, total, own, low)
    return log_of_quotient(others, own, low + rest)


@formula
def logs_by_lane(x, start, n, inner, count, top, finite, total):
    """Return what `logarithm_by_lane` subtracts: NaN where top is no finite number."""
    log, _ = log_by_lane(x, start, n, inner, count, top, total)
    return select(finite, narrowed(top, log), math.nan)


@formula
def logarithm_by_lane(v, top, logs):
    """Return (v - top) - log."""
    return (v - top) - logs


@formula
def log_sum_exp_by_lane(x, start, n, inner, count, top, finite, total):
    """Return the log-sum-exp of each lane."""
    log, low = log_by_lane(x, start, n, inner, count, top, total)
    high, error = two_sum(widen(top), log)
    value = narrowed(x, high + (error + low))
    if any_of(select(finite, filled(value, 0.0), 1.0) > 0.0):
        extreme = extreme_by_lane(x, start, n, inner, count)
        value = select(finite, value, extreme)
    return value
