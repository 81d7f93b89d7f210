"""An archive of pictures in parts, and copies of pictures to be found in it.

Every pixel of a copy has an error of its own, drawn from a normal distribution. The
score of a picture is the logarithm of the density that the copy has if it is a copy
of this picture, up to a constant. Pixels are whole numbers, so that only a division
rounds.
"""

from functools import cache

import numpy as np
from numba import njit
from sklearn.datasets import load_digits

from softmax_lib import LogSumExp
from softmax_lib.running_total import update

# Compiled code is cached on disk, together with the library functions that it
# calls; `make clean` removes it.
kernel = njit(cache=True, error_model="numpy", fastmath=False)

# The standard deviation of the errors; ink is 16 and paper 0.
DEVIATION = 5.0

BLOCK = 500


@cache
def pictures():
    """Return the scanned digits, each as it is and moved by up to one pixel."""
    padded = np.pad(load_digits().images, ((0, 0), (1, 1), (1, 1)))
    moved = [
        padded[:, i : i + 8, j : j + 8]
        for i in range(3)
        for j in range(3)
    ]
    return np.concatenate(moved).reshape(-1, 64)


def edges(parts):
    """Return where the parts of the archive begin, and its end."""
    return np.linspace(0, len(pictures()), parts + 1).astype(int)


def part(k, parts):
    """Return the pictures of one part."""
    start, stop = edges(parts)[k : k + 2]
    return pictures()[start:stop]


@kernel
def scores(copies, pictures):
    """Return the score of each picture, one row for each copy."""
    squares = (pictures**2).sum(axis=-1)
    squares = squares + (copies**2).sum(axis=-1).reshape((-1, 1))
    return (copies @ pictures.T - squares / 2) / DEVIATION**2


@kernel
def take_in(fields, copies, pictures, block):
    """Take the scores of pictures into the fields of a total, block by block."""
    for start in range(0, len(pictures), block):
        update(fields, scores(copies, pictures[start : start + block]))


def total_of_part(k, parts, copies):
    """Return the totals of the copies over one part."""
    total = LogSumExp(len(copies))
    take_in(total.fields, copies, part(k, parts), BLOCK)
    return total


def best_of_part(k, parts, copies, whole):
    """Return the largest share of each copy in one part, and the picture's place."""
    shares = whole.softmax(scores(copies, part(k, parts)))
    best = shares.argmax(axis=-1)
    return shares[np.arange(len(best)), best], edges(parts)[k] + best
