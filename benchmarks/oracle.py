"""Answers far more accurate than the results they judge, for arrays of any length.

Fifty digits for a million numbers take minutes. These take a moment: float32 is
judged in float64, and float64 in the 64 bits of x86's long double, the rounding
error of x - max carried along. The tests check them against fifty digits.
"""

import numpy as np

HAS_WIDER = np.finfo(np.longdouble).nmant >= 63
"""Whether float64 can be judged on this machine."""


def _parts(x):
    """Return the top of each row, d and e: x - top = d + e, in a wider type."""
    w = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    top = w.max(axis=-1, keepdims=True)
    d = w - top
    back = d - w
    return top, d, (w - (d - back)) - (top + back)


def _others(x):
    """Return exp(x - top), its row sums without the winner, and the parts."""
    top, d, e = _parts(x)
    terms = np.exp(d) * (1 + e)
    others = terms.copy()
    np.put_along_axis(others, x.argmax(axis=-1)[..., None], 0, axis=-1)
    return terms, others.sum(axis=-1, keepdims=True), top, d, e


def softmax(x):
    """Softmax along the last axis."""
    terms, others, *_ = _others(x)
    return terms / (1 + others)


def log_softmax(x):
    """Log-softmax along the last axis."""
    _, others, _, d, e = _others(x)
    return (d - np.log1p(others)) + e


def logsumexp(x):
    """Log-sum-exp along the last axis."""
    _, others, top, *_ = _others(x)
    return (top + np.log1p(others))[..., 0]


def sigmoid(x):
    """Sigmoid of each entry."""
    w = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    e = np.exp(-abs(w))
    return np.where(w < 0, e, 1) / (1 + e)


def log_sigmoid(x):
    """Logarithm of the sigmoid of each entry."""
    w = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    return np.minimum(w, 0) - np.log1p(np.exp(-abs(w)))


def ulps(computed, answer):
    """Return the errors of computed, in units in the last place of the answers."""
    info = np.finfo(computed.dtype)
    _, exponent = np.frexp(np.abs(answer))
    exponent = np.maximum(exponent - 1 - info.nmant, info.minexp - info.nmant)
    with np.errstate(invalid="ignore"):
        return np.ldexp(np.abs(computed - answer), -exponent.astype(np.int32))
