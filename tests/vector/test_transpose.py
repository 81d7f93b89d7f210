"""Squares of numbers are transposed whole and in part, there and back."""

import numpy as np
import pytest
from harness import DTYPES, assert_same, compiled, width

from softmax_lib import _vector as v

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
GUARD = -77.0


@compiled
def to_block(a, at, step, rows, columns, block, to, pace):
    source, target = v.data_pointer(a), v.data_pointer(block)
    v.load_transposed(source, at, step, rows, columns, target, to, pace)


@compiled
def to_block_negated(a, at, step, rows, columns, block, to, pace):
    source, target = v.negated(v.data_pointer(a)), v.data_pointer(block)
    v.load_transposed(source, at, step, rows, columns, target, to, pace)


@compiled
def from_block(block, at, pace, out, to, step, rows, columns):
    source, target = v.data_pointer(block), v.data_pointer(out)
    v.store_transposed(source, at, pace, target, to, step, rows, columns)


def square(dtype, rows, columns):
    """Return numbers that all differ, but for special ones in opposite corners."""
    a = np.arange(1.0, 1 + rows * columns, dtype=dtype).reshape(rows, columns)
    a[0, 0], a[-1, -1], a[-1, 0] = -0.0, np.nan, -np.inf
    return a


def sizes(dtype):
    w = width(dtype)
    return [(rows, columns) for rows in range(1, w + 1) for columns in range(1, w + 1)]


@each_dtype
def test_load_transposed(dtype):
    w = width(dtype)
    for rows, columns in sizes(dtype):
        a = square(dtype, rows, columns)
        # The rest of the array has to be neither read nor copied.
        whole = np.full((w + 2, columns + 3), GUARD, dtype)
        whole[1 : rows + 1, 2:-1] = a
        for load, sign in ((to_block, 1), (to_block_negated, -1)):
            block = np.full((w + 2, w + 5), GUARD, dtype)
            place = whole.shape[1] + 2, whole.shape[1]
            load(whole.ravel(), *place, rows, columns, block.ravel(), w + 8, w + 5)
            expected = np.full_like(block, GUARD)
            expected[1:-1, 3:-2] = 0
            expected[1 : columns + 1, 3 : rows + 3] = sign * a.T
            np.testing.assert_array_equal(block, expected)
            inside = block[1 : columns + 1, 3 : rows + 3]
            assert_same(inside, sign * a.T)


@each_dtype
def test_store_transposed(dtype):
    w = width(dtype)
    block = np.full((w + 2, w + 5), GUARD, dtype)
    block[1:-1, 3:-2] = square(dtype, w, w)
    for rows, columns in sizes(dtype):
        out = np.full((w + 2, columns + 3), GUARD, dtype)
        at, step = w + 8, out.shape[1]
        from_block(block.ravel(), at, w + 5, out.ravel(), step + 2, step, rows, columns)
        expected = np.full_like(out, GUARD)
        expected[1 : rows + 1, 2:-1] = block[1 : columns + 1, 3 : rows + 3].T
        assert_same(out, expected)


@each_dtype
def test_more_rows_than_a_vector_has_lanes(dtype):
    w = width(dtype)
    a = square(dtype, w + 3, w)
    block, back = np.empty(w * w, dtype), np.full_like(a, GUARD)
    to_block(a.ravel(), 0, w, w + 3, w, block, 0, w)
    assert_same(block.reshape(w, w), a[:w].T)
    from_block(block, 0, w, back.ravel(), 0, w, w + 3, w)
    assert_same(back[:w], a[:w])
    assert (back[w:] == GUARD).all()
