"""Two ways to add up exponentials in parts: as pairs, and as columns of digits."""

from math import exp, floor, frexp, inf, ldexp

import numpy as np
from numba import njit

# Compiled code is cached on disk; `make clean` removes it.
kernel = njit(cache=True, error_model="numpy", fastmath=False)


# --- pairs of a maximum and a sum in its unit ------------------------------------


@kernel
def total_of(x):
    """Return the maximum, and the sum of exponentials below it."""
    top, total = -inf, 0.0
    for score in x:
        top = max(top, score)
    for score in x:
        if score > -inf:
            total += exp(score - top)
    return top, total


@kernel
def merge(a, b):
    """Merge two such pairs."""
    top, total = max(a[0], b[0]), 0.0
    for m, s in (a, b):
        if m > -inf:
            total += s * exp(m - top)
    return top, total


# --- columns: the highest, and the sums of digits in three -----------------------


@kernel
def columns_of(a):
    """Return the highest column of a positive number, and three digits.

    The number is that of a score between -600 and 600.
    """
    columns = np.zeros(4, np.int64)
    columns[0] = floor((frexp(a)[1] - 1) / 40)
    for i in range(3):
        unit = ldexp(1.0, 40 * int(columns[0] - i))
        columns[1 + i] = floor(a / unit)
        a -= columns[1 + i] * unit
    return columns


@kernel
def add_columns(a, b):
    """Add up two lists of columns."""
    if a[0] < b[0]:
        a, b = b, a
    total, down = a.copy(), min(a[0] - b[0], 3)
    total[1 + down :] += b[1 : 4 - down]
    return total


@kernel
def columns_of_terms(x):
    """Return the columns of the exponentials of scores."""
    total = columns_of(exp(x[0]))
    for score in x[1:]:
        total = add_columns(total, columns_of(exp(score)))
    return total
