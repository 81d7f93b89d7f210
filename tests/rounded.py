"""Correctly rounded results, by mpmath: what `softmax_lib.exact` is compared with."""

import math

import mpmath
import numpy as np

BITS = 400
FORMATS = {np.dtype("f4"): (24, -149, 128), np.dtype("f8"): (53, -1074, 1024)}


def precise(function):
    """Let a function work with many bits."""

    def wrapped(*arguments):
        with mpmath.workprec(BITS):
            return function(*arguments)

    return wrapped


def rounded(q, dtype):
    """Return a number rounded to a dtype, to even from midpoints; as a float."""
    bits, least, overflow = FORMATS[np.dtype(dtype)]
    if q == 0:
        return 0.0
    _, e = mpmath.frexp(abs(q))
    unit = mpmath.mpf(2) ** max(int(e) - bits, least)
    steps = mpmath.floor(abs(q) / unit)
    rest = abs(q) / unit - steps
    half = mpmath.mpf(1) / 2
    steps += rest > half or (rest == half and int(steps) % 2 == 1)
    size = math.inf if steps * unit >= mpmath.mpf(2) ** overflow else steps * unit
    return math.copysign(float(size), q)


@precise
def exact_row(x):
    """Return softmax, log-softmax and log-sum-exp of a row of finite scores."""
    scores = [mpmath.mpf(float(v)) for v in x]
    top = max(scores)
    terms = [mpmath.exp(v - top) for v in scores]
    others = mpmath.fsum(t for t, v in zip(terms, scores, strict=True) if v != top)
    winners = sum(v == top for v in scores)
    log = mpmath.log1p(others) if winners == 1 else mpmath.log(winners + others)
    logs = []
    for v in scores:
        # Beside a large difference so many bits would not be enough for the side.
        visible = max(log, (top - v) * mpmath.mpf(2) ** -200) if log else log
        logs.append(-((top - v) + visible))
    total = winners + others
    return [t / total for t in terms], logs, [top + log]


@precise
def rounded_row(x):
    """Return the three results of a row, rounded to its dtype, as three arrays."""
    return [
        np.array([rounded(q, x.dtype) for q in values], x.dtype)
        for values in exact_row(x)
    ]


@precise
def rounded_sigmoid(x):
    """Return the sigmoid of each number, rounded to the dtype, as an array."""
    # No result tells numbers beyond 2000 apart.
    values = [1 / (1 + mpmath.exp(-mpmath.mpf(float(v)))) for v in x.clip(-2000, 2000)]
    return np.array([rounded(q, x.dtype) for q in values], x.dtype)
