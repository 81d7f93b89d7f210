"""Sums in two parts, the second of which has what the first was rounded by.

So the sum of many blocks is as accurate as that of one, also where terms cancel.
"""

import math
from typing import NamedTuple

import numpy as np

from softmax_lib.dask._blocks import flattened


class TwoParts(NamedTuple):
    """Sums, one for each slice."""

    hi: np.ndarray
    lo: np.ndarray


def two_sum(a, b):
    """Return a + b and its rounding error (Knuth), 0 where the sum is not finite."""
    s = a + b
    t = s - a
    error = (a - (s - t)) + (b - t)
    return TwoParts(s, np.where(np.isfinite(error), error, 0.0))


def two_product(a, b):
    """Return a * b and its rounding error (Dekker), 0 where it is not finite."""
    product = a * b
    # Half of the bits each (Veltkamp).
    (a1, a2), (b1, b2) = ((h, x - h) for x in (a, b) for h in [_upper_half(x)])
    error = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    return TwoParts(product, np.where(np.isfinite(error), error, 0.0))


def _upper_half(x):
    c = 134217729.0 * x  # 2^27 + 1
    return c - (c - x)


def sum_of(terms, axis):
    """Return the sums over axes of terms in two parts, with these axes kept."""
    hi, lo = (_last(part, axis) for part in terms)
    shape = [1 if d in axis else n for d, n in enumerate(terms.hi.shape)]
    while (n := hi.shape[-1]) > 1:
        half = n // 2
        s, error = two_sum(hi[..., :half], hi[..., half : 2 * half])
        lo_sum = lo[..., :half] + lo[..., half : 2 * half] + error
        hi = np.concatenate([s, hi[..., 2 * half :]], axis=-1)
        lo = np.concatenate([lo_sum, lo[..., 2 * half :]], axis=-1)
    return TwoParts(*(part.sum(-1).reshape(shape) for part in (hi, lo)))


def _last(a, axis):
    """Return an array with one axis, the last, in the place of several."""
    moved = np.moveaxis(a, axis, range(-len(axis), 0))
    split = a.ndim - len(axis)
    return moved.reshape(*moved.shape[:split], math.prod(moved.shape[split:]))


# --- for reductions --------------------------------------------------------------


def sum_of_block(x, axis, keepdims, computing_meta=False):
    """Return the sum of a block in two parts."""
    if computing_meta:
        return x
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        return sum_of(TwoParts(x, np.zeros_like(x)), axis)


def merge_sums(parts, axis, keepdims):
    """Return the sum of sums in two parts."""
    parts = list(flattened(parts))
    last = parts[0].hi.ndim
    stacked = TwoParts(*(np.stack(part, axis=-1) for part in zip(*parts, strict=True)))
    with np.errstate(all="ignore"):
        return TwoParts(*(part[..., 0] for part in sum_of(stacked, (last,))))


def rounded_sum(parts, axis, keepdims):
    """Return the sum of sums in two parts as one number each."""
    hi, lo = merge_sums(parts, axis, keepdims)
    return hi + lo if keepdims else (hi + lo).squeeze(axis)
