"""Formulas on vectors, compiled for whole vectors and for single lanes."""

import numpy as np
from numba import njit

from softmax_lib import _vector as v
from softmax_lib._jit import OPTIONS

DTYPES = [np.float32, np.float64]
RESULTS = 24

compiled = njit(**OPTIONS)


def width(dtype):
    """Return how many numbers a whole vector has."""
    return 64 // np.dtype(dtype).itemsize


def bits_dtype(dtype):
    """Return the integers as wide as a dtype."""
    return np.dtype(f"i{np.dtype(dtype).itemsize}")


class Lanewise:
    """A formula of three vectors that returns a tuple of vectors."""

    def __init__(self, formula):
        part = compiled(formula)

        @compiled
        def whole(a, b, c, out, step):
            p, q, r = v.data_pointer(a), v.data_pointer(b), v.data_pointer(c)
            count = 0
            for i in range(0, a.size, v.vector_length(p)):
                found = part(v.load(p, i), v.load(q, i), v.load(r, i))
                v.store_fields(v.data_pointer(out), i, step, found)
                count = len(found)
            return count

        @compiled
        def single(a, b, c, out, step):
            p, q, r = v.data_pointer(a), v.data_pointer(b), v.data_pointer(c)
            count = 0
            for i in range(a.size):
                x, y = v.one_lane_of(p, a[i]), v.one_lane_of(q, b[i])
                found = part(x, y, v.one_lane_of(r, c[i]))
                v.store_fields(v.data_pointer(out), i, step, found)
                count = len(found)
            return count

        self.forms = {"whole": whole, "single": single}

    def __call__(self, form, a, b=None, c=None, dtype=None):
        """Return the results of a form for arrays of numbers, a row for each result."""
        b, c = a if b is None else b, a if c is None else c
        out = np.zeros((RESULTS, a.size), dtype or a.dtype)
        count = self.forms[form](a, b, c, out.ravel(), a.size)
        return out[:count]


FORMS = ["whole", "single"]


def special_numbers(dtype):
    """Return numbers at every edge of a dtype, with both signs."""
    info = np.finfo(dtype)
    tiny, least = info.tiny, info.smallest_subnormal
    positive = [0, least, tiny, 3 * tiny, info.eps, 0.1, 1, 1 + info.eps, 2.5, 1e5]
    positive += [info.max / 3, info.max, np.inf]
    found = np.array(positive, dtype)
    return np.concatenate([found, -found, np.array([np.nan], dtype)])


def pairs(dtype):
    """Return two arrays: all pairs of special numbers, and random ones."""
    rng = np.random.default_rng(7)
    special = special_numbers(dtype)
    a, b = (part.ravel() for part in np.meshgrid(special, special))
    more = -a.size % 16 + 320
    drawn = rng.normal(size=(2, more)) * 2.0 ** rng.integers(-20, 20, (2, more))
    return np.append(a, drawn[0].astype(dtype)), np.append(b, drawn[1].astype(dtype))


def assert_same(computed, expected):
    """Fail unless numbers are equal, zeros have the same sign, and NaN is NaN."""
    np.testing.assert_array_equal(computed, expected)
    if computed.dtype.kind == "f":
        numbers = ~np.isnan(expected)
        signs = np.signbit(computed), np.signbit(expected)
        np.testing.assert_array_equal(signs[0][numbers], signs[1][numbers])
    assert computed.dtype == expected.dtype
