"""Formulas of kernels on float64 arrays, and the exact numbers to compare with."""

import mpmath
import numpy as np
from numba import njit

from softmax_lib import _vector as v
from softmax_lib._jit import OPTIONS

DTYPES = [np.float32, np.float64]
FORMS = ["whole", "single"]

compiled = njit(**OPTIONS)
mpmath.mp.dps = max(mpmath.mp.dps, 50)


class Formula:
    """A function of up to four vectors that returns a tuple of vectors.

    `whole` computes it on whole vectors, `single` on vectors of one lane.
    """

    def __init__(self, function):
        part = compiled(function)

        @compiled
        def whole(a, b, c, d, out, step):
            count = 0
            for i in range(0, a.size, v.vector_length(v.data_pointer(a))):
                found = part(
                    v.load(v.data_pointer(a), i),
                    v.load(v.data_pointer(b), i),
                    v.load(v.data_pointer(c), i),
                    v.load(v.data_pointer(d), i),
                )
                v.store_fields(v.data_pointer(out), i, step, found)
                count = len(found)
            return count

        @compiled
        def single(a, b, c, d, out, step):
            count = 0
            for i in range(a.size):
                found = part(
                    v.one_lane_of(v.data_pointer(a), a[i]),
                    v.one_lane_of(v.data_pointer(a), b[i]),
                    v.one_lane_of(v.data_pointer(a), c[i]),
                    v.one_lane_of(v.data_pointer(a), d[i]),
                )
                v.store_fields(v.data_pointer(out), i, step, found)
                count = len(found)
            return count

        self.forms = {"whole": whole, "single": single}

    def __call__(self, *arrays):
        """Return the results, a row for each: the same bits in both forms."""
        arrays = [*arrays, *[arrays[0]] * (4 - len(arrays))]
        size = arrays[0].size
        padded = [np.pad(a, (0, -size % 16), mode="edge") for a in arrays]
        outs = []
        for run in self.forms.values():
            out = np.zeros((8, padded[0].size), padded[0].dtype)
            count = run(*padded, out.ravel(), padded[0].size)
            outs.append(out[:count, :size])
        np.testing.assert_array_equal(*(out.view(f"i{out.itemsize}") for out in outs))
        return outs[0]


def exact(number):
    """Return a number of any dtype in 50 digits."""
    return mpmath.mpf(float(number))


def exact_sum(*parts):
    """Return the sum of numbers of any dtype in enough digits for all of them."""
    with mpmath.workdps(700):
        total = mpmath.fsum(exact(part) for part in parts)
    return +total


def unit(dtype):
    """Return the largest relative error of a rounded number: 2^-24 or 2^-53."""
    return float(np.finfo(dtype).eps) / 2
