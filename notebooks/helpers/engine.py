"""Formulas of the library's engine, run on arrays."""

import numpy as np
from numba import njit

from softmax_lib import _vector as v
from softmax_lib._jit import OPTIONS

LANES = 16  # of float32; float64 has 8
MOST_RESULTS = 6


def on_arrays(formula):
    """Return a function of two arrays that computes a formula lane by lane.

    The formula takes two vectors and returns a tuple of vectors. The function
    returns an array for each of them.
    """
    part = njit(**OPTIONS)(formula)

    @njit(**OPTIONS)
    def run(a, b, out, size):
        p, q, r = (
            v.data_pointer(a),
            v.data_pointer(b),
            v.data_pointer(out),
        )
        count = 0
        for i in range(0, size, v.vector_length(p)):
            found = part(v.load(p, i), v.load(q, i))
            v.store_fields(r, i, size, found)
            count = len(found)
        return count

    def on_them(a, b):
        a, b = (np.ravel(x) for x in np.broadcast_arrays(a, b))
        padding = 0, -a.size % LANES
        padded = [np.pad(x, padding, mode="edge") for x in (a, b)]
        size = padded[0].size
        out = np.zeros(MOST_RESULTS * size, a.dtype)
        count = run(*padded, out, size)
        return out.reshape(MOST_RESULTS, size)[:count, : a.size]

    return on_them
