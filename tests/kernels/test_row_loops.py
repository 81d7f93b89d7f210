"""Loops over one row: no place of it is left out."""

import numpy as np
import pytest
from formulas import DTYPES, compiled

from softmax_lib import _vector as v
from softmax_lib._kernels import row_loops


@compiled
def max_of(a, start, n):
    return row_loops.row_max(v.data_pointer(a), start, n)


@compiled
def has_nan(a, start, n):
    return row_loops.holds_nan(v.data_pointer(a), start, n)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_maximum_may_be_anywhere(dtype):
    for n in (1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 200, 1000):
        for start in (0, 3):
            a = np.full(n + 6, 9, dtype)
            a[start : start + n] = -5
            for place in range(start, start + n):
                a[place] = 2
                assert max_of(a, start, n) == 2
                a[place] = -5
            assert max_of(a, start, n) == -5


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_may_be_anywhere(dtype):
    a = np.zeros(9, dtype)
    for place in range(9):
        a[place] = np.nan
        assert has_nan(a, 2, 5) == (2 <= place < 7)
        a[place] = 0
