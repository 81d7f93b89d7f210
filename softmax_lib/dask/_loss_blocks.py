"""The blocks of cross-entropy, whose classes may be in several of them.

With c_k = w_k t_k, the weights times the targets, a loss and its gradient are

    sum_k c_k (log sum_j e^(x_j) - x_k)    and    C p_k - c_k,    C = sum_k c_k

A class index without smoothing needs the score of its class alone, which is found along
with the totals. Everything else needs the total first.
"""

from typing import NamedTuple

import numpy as np

from softmax_lib.dask._blocks import computed_in, on_one_thread, rounded
from softmax_lib.dask._sums import TwoParts, sum_of


class Case(NamedTuple):
    """What all blocks of a loss have in common."""

    axis: int
    n: int  # classes
    ignored: object  # a class index, or None
    weight: object  # an array of n numbers, or None
    smoothing: float


# --- labels ----------------------------------------------------------------------


def checked(labels, case):
    """Return labels as int64, and where they count; raise if one is out of range."""
    y = np.asarray(labels)
    counts = np.ones(y.shape, bool) if case.ignored is None else y != case.ignored
    bad = counts & ((y < 0) | (y >= case.n))
    if bad.any():
        got = y[bad].flat[0]
        also = "" if case.ignored is None else f", and ignore_index={case.ignored}"
        allowed = f"0 to {case.n - 1}" if case.n else "none (there are no classes)"
        raise ValueError(f"got a label {got}; allowed are {allowed}{also}")
    return np.where(counts, y, 0).astype(np.int64), counts


def label_weights(labels, case):
    """Return the weights of labels, 0 for those that are ignored."""
    y, counts = checked(labels, case)
    if case.weight is None or not case.n:
        return counts.astype(np.float64)
    return np.where(counts, case.weight[y], 0.0).astype(np.float64)


def weighted_targets(targets, start, n, case):
    """Return c_k of n classes from a start, of smoothed labels or of probabilities."""
    t, counts = np.asarray(targets), True
    along = [n if d == case.axis else 1 for d in range(t.ndim)]
    if t.dtype.kind != "f":
        y, counts = checked(t, case)
        t = y == np.arange(start, start + n).reshape(along)
    t = t.astype(np.float64)
    if case.smoothing:
        t = t * (1.0 - case.smoothing) + case.smoothing / case.n
    if case.weight is not None:
        t = t * case.weight[start : start + n].astype(np.float64).reshape(along)
    return np.where(counts, t, 0.0)


# --- class indices ---------------------------------------------------------------


def scores_of_labels(x, labels, start, case):
    """Return the scores of labels whose class is in a block, of others -inf."""
    y, counts = checked(labels, case)
    place = np.where(counts, y - int(start.flat[0]), -1)
    inside = (place >= 0) & (place < x.shape[case.axis])
    wide = computed_in(x.dtype)
    if not inside.any():
        return np.full(inside.shape, -np.inf, wide)
    found = np.take_along_axis(x, np.where(inside, place, 0), case.axis)
    return np.where(inside, found, -np.inf).astype(wide)


@on_one_thread
def losses_of_labels(total, scores, labels, case):
    """Return the losses of labels from the totals and the scores of their classes."""
    weights = label_weights(labels, case)
    scores, weights = (a.squeeze(case.axis) for a in (scores, weights))
    losses = total.cross_entropy(scores, weights=weights)
    return np.expand_dims(losses, case.axis)


@on_one_thread
def gradient_of_labels(x, total, labels, start, divisor, case):
    """Return the gradient of the losses of labels with respect to a block."""
    y, weights = checked(labels, case)[0], label_weights(labels, case)
    y, weights = (a.squeeze(case.axis) for a in (y, weights))
    start, by = int(start.flat[0]), float(divisor)
    how = {"start": start, "weights": weights, "divisor": by or 1.0}
    grad = total.cross_entropy_grad(x, y, case.axis, **how)
    return grad if by else over_zero(grad)


def over_zero(grad):
    """Return the gradient of a sum over 0, where 0 stays 0."""
    with np.errstate(all="ignore"):
        return np.where(grad == 0.0, grad, grad * grad.dtype.type(np.inf))


# --- smoothed labels and probabilities -------------------------------------------


def masses_of_labels(labels, case):
    """Return C of smoothed labels."""
    y, counts = checked(labels, case)
    weight = np.ones(case.n) if case.weight is None else case.weight
    even = case.smoothing * weight.mean(dtype=np.float64)
    mass = (1.0 - case.smoothing) * weight[y] + even
    return np.where(counts, mass, 0.0)


def masses_of_probabilities(targets, start, case):
    """Return the part of C that the probabilities of a block make up."""
    n = targets.shape[case.axis]
    c = weighted_targets(targets, int(start.flat[0]), n, case)
    return c.sum(case.axis, keepdims=True)


@on_one_thread
def losses_of_targets(x, total, targets, start, case):
    """Return the part of the losses that the classes of a block make up."""
    c = weighted_targets(targets, int(start.flat[0]), x.shape[case.axis], case)
    with np.errstate(all="ignore"):
        terms = -c * total.log_softmax(x, case.axis)
        terms = np.where(c == 0.0, 0.0, terms)
        hi, lo = sum_of(TwoParts(terms, np.zeros_like(terms)), (case.axis,))
    return hi + lo


@on_one_thread
def gradient_of_targets(x, total, mass, targets, start, divisor, case):
    """Return the gradient of these losses with respect to a block."""
    c = weighted_targets(targets, int(start.flat[0]), x.shape[case.axis], case)
    by = float(divisor)
    with np.errstate(all="ignore"):
        p = total.softmax(x, case.axis).astype(np.float64)
        log = total.log_softmax(x, case.axis).astype(np.float64)
        others = np.where(p > 0.5, -np.expm1(log), 1.0 - p)
        # C p - c, where nothing cancels for a sure winner.
        grad = (mass - c) * p - c * others
        # Without targets there is no gradient, even where logits are NaN.
        grad = np.where((mass == 0.0) & (c == 0.0), 0.0, grad)
        grad = grad / by if by else over_zero(grad)
    return rounded(grad, x.dtype)


def quotient(loss, divisor, dtype):
    """Return the sum of losses over a divisor; 0 over 0 is 0."""
    with np.errstate(all="ignore"):
        return rounded(0.0 if loss == 0.0 == divisor else loss / divisor, dtype)
