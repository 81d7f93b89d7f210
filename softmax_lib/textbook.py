"""Softmax in the forms in which the book first writes it, kept readable.

Each takes a one-dimensional float32 or float64 array and returns a new one of the same
dtype. The chapters discuss their flaws; in programs, use the functions of `softmax_lib`
instead.
"""

import numpy as np

from softmax_lib._jit import kernel

__all__ = ["naive_softmax", "online_softmax", "shifted_softmax"]


@kernel
def naive_softmax(x):
    r"""Softmax as it is defined: :math:`e^{x_i} / \sum_j e^{x_j}`.

    Overflows once a score exceeds 88.7 in float32, 709.8 in float64.

    >>> naive_softmax(np.array([0.7, 1.5, 4.8])).round(4).tolist()
    [0.0157, 0.035, 0.9493]
    """
    p = np.empty_like(x)
    total = x.dtype.type(0)
    for i in range(x.size):
        p[i] = np.exp(x[i])
        total += p[i]
    for i in range(x.size):
        p[i] /= total
    return p


@kernel
def shifted_softmax(x):
    r"""Softmax with the maximum subtracted first: no exponential exceeds 1.

    .. math:: e^{x_i - m} / \sum_j e^{x_j - m}, \qquad m = \max_j x_j

    The rounding of :math:`x_i - m` costs up to one ULP for each point of difference.

    >>> shifted_softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    top = x[0]
    for i in range(x.size):
        top = max(top, x[i])
    p = np.empty_like(x)
    total = x.dtype.type(0)
    for i in range(x.size):
        p[i] = np.exp(x[i] - top)
        total += p[i]
    for i in range(x.size):
        p[i] /= total
    return p


@kernel
def online_softmax(x):
    r"""Softmax whose maximum and sum are found in one pass over the scores.

    When a larger score arrives, the sum so far is rescaled to the new maximum
    (Milakov and Gimelshein, 2018). This saves a pass, but computes at
    least twice as many exponentials. If the first score is -inf, the result is NaN.

    >>> online_softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    top = x[0]
    total = x.dtype.type(0)
    for i in range(x.size):
        if x[i] > top:
            total *= np.exp(top - x[i])
            top = x[i]
        total += np.exp(x[i] - top)
    p = np.empty_like(x)
    for i in range(x.size):
        p[i] = np.exp(x[i] - top) / total
    return p
