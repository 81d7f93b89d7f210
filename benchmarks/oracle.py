"""Reference results in a wider type, for arrays of any length.

Fifty-digit arithmetic takes minutes for a million numbers. Here the reference for
float32 is float64, and the reference for float64 is the x86 long double with 64 bits,
corrected by the rounding error of x - max. The tests compare these references with
fifty-digit arithmetic.
"""

import numpy as np

HAS_WIDER = np.finfo(np.longdouble).nmant >= 63
"""Whether this machine has a reference for float64."""


def _parts(x):
    """Return top, d and e with x - top = d + e, in a wider type; top is the maximum."""
    w = x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)
    top = w.max(axis=-1, keepdims=True)
    d = w - top
    back = d - w
    return top, d, (w - (d - back)) - (top + back)


def _others(x):
    """Return exp(x - top), its row sums without the maximum, and top, d and e."""
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
    """Return the errors of `computed`, in ULP of `answer`."""
    info = np.finfo(computed.dtype)
    _, exponent = np.frexp(np.abs(answer))
    exponent = np.maximum(exponent - 1 - info.nmant, info.minexp - info.nmant)
    with np.errstate(invalid="ignore"):
        return np.ldexp(np.abs(computed - answer), -exponent.astype(np.int32))
