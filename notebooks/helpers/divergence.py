"""The Kullback-Leibler divergence of two lists of scores, without loss of digits.

It is a sum of y d - y + p over the classes, where d = log y - log p. No term is
negative, so the sum loses nothing. Arrays are float64.
"""

import numpy as np
from numba import njit

from softmax_lib import log_softmax, softmax

kernel = njit(cache=True, error_model="numpy", fastmath=False)

# Below, the formula of a term cancels and the series is used.
NEAR = 0.5


@kernel
def gap(d):
    """Return d - 1 + exp(-d) for a small d, by its series."""
    term = d * d / 2
    total, k = term, 3
    while abs(term) > 1e-17 * total:
        term *= -d / k
        total, k = total + term, k + 1
    return total


@kernel
def differences(x, z):
    """Return log softmax(x) - log softmax(z)."""
    d = x - z
    d -= d[z.argmax()]
    if not (np.abs(d) < 1).all():  # also if a score is -inf
        return log_softmax(x) - log_softmax(z)
    return d - np.log1p((softmax(z) * np.expm1(d)).sum())


@kernel
def divergence(x, z):
    """Return the divergence of softmax(z) from softmax(x)."""
    y, p, d = softmax(x), softmax(z), differences(x, z)
    total = 0.0
    for i in range(x.size):
        if abs(d[i]) < NEAR:
            total += y[i] * gap(d[i])
        elif y[i] > 0:
            total += y[i] * d[i] - y[i] + p[i]
        else:
            total += p[i]
    return total
