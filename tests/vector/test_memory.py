"""Vectors to and from memory: the numbers inside are moved, none outside is touched."""

from typing import NamedTuple

import numpy as np
import pytest
from harness import DTYPES, assert_same, compiled, special_numbers, width

from softmax_lib import _vector as v

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
GUARD = -77.0


def numbers(dtype):
    """Return three vectors of numbers, special ones among them."""
    a = np.random.default_rng(9).normal(size=3 * width(dtype)).astype(dtype)
    special = special_numbers(dtype)
    a[: 2 * special.size : 2][: special.size] = special[: a[::2].size]
    a[width(dtype) : width(dtype) + 3] = -0.0, np.nan, -np.inf
    return a


@compiled
def copy_whole(a, out, i, j):
    p, to = v.data_pointer(a), v.data_pointer(out)
    v.store(to, j, v.load(p, i))


@each_dtype
def test_load_and_store(dtype):
    a, w = numbers(dtype), width(dtype)
    for i, j in ((0, 0), (1, 2), (w, w + 3), (2 * w, 1)):
        out = np.full_like(a, GUARD)
        copy_whole(a, out, i, j)
        expected = np.full_like(a, GUARD)
        expected[j : j + w] = a[i : i + w]
        assert_same(out, expected)


@compiled
def load_parts(a, i, count, filler, out, step):
    p, to = v.data_pointer(a), v.data_pointer(out)
    opposite = v.negated(p)
    found = (
        v.load_head(p, i, count, filler),
        v.load_tail(p, i, count, filler),
        v.load_up_to(p, i, count),
        v.load_head(opposite, i, count, filler),
        v.load_tail(opposite, i, count, filler),
        v.load_up_to(opposite, i, count),
    )
    v.store_fields(to, 0, step, found)


@each_dtype
def test_partial_loads(dtype):
    a, w = numbers(dtype), width(dtype)
    for i in (0, 1, w):
        for count in range(w + 1):
            for filler in (dtype(-np.inf), dtype(0.0), -0.0, 3):
                out = np.empty((6, w), dtype)
                load_parts(a, i, count, filler, out.ravel(), w)
                head, tail = np.full((2, w), filler, dtype)
                zeros = np.zeros(w, dtype)
                inside = slice(0, count), slice(w - count, w)
                for k, sign in ((0, 1), (3, -1)):
                    rows = [part.copy() for part in (head, tail, zeros)]
                    for row, part in zip(rows, (*inside, inside[0]), strict=True):
                        row[part] = sign * a[i : i + w][part]
                    if sign < 0:
                        rows[2][count:] = 0.0
                    for got, row in zip(out[k : k + 3], rows, strict=True):
                        assert_same(got, row)


@compiled
def store_parts(a, out, at, count, step):
    to = v.data_pointer(out)
    x = v.load(v.data_pointer(a), 0)
    v.store_head(to, at, count, x)
    v.store_tail(to, at + step, count, x)
    v.store_up_to(to, at + 2 * step, count, x)


@each_dtype
def test_partial_stores(dtype):
    a, w = numbers(dtype), width(dtype)
    for at in (0, 3):
        for count in range(w + 1):
            out = np.full((3, 2 * w), GUARD, dtype)
            store_parts(a, out.ravel(), at, count, 2 * w)
            expected = np.full_like(out, GUARD)
            expected[0, at : at + count] = a[:count]
            expected[1, at + w - count : at + w] = a[w - count : w]
            expected[2, at : at + count] = a[:count]
            assert_same(out, expected)


@compiled
def load_negated(a, out):
    p, to, w = v.negated(v.data_pointer(a)), v.data_pointer(out), v.vector_length(a)
    one = v.load_fields(p, 2, 0, (v.one_lane_of(p, 0.0),))[0]
    v.store(to, 0, v.load(p, 1))
    v.store(to, w, one)
    v.store_scalar(to, w + 1, v.load_scalar(p, 3))
    return v.same_pointer(p, v.data_pointer(a))


@each_dtype
def test_negated_pointers_read_the_opposite(dtype):
    a, w = numbers(dtype), width(dtype)
    out = np.full(w + 3, GUARD, dtype)
    assert load_negated(a, out)
    assert_same(out[:w], -a[1 : w + 1])
    assert_same(out[w:], np.array([-a[2], -a[3], GUARD], dtype))


@compiled
def load_of_types(a, wide, out, wide_out):
    p, q = v.data_pointer(a), v.data_pointer(wide)
    x = v.load(p, 0)
    (all_lanes,) = v.load_fields(q, 1, 0, (v.to_float64(x),))
    (one,) = v.load_fields(p, 3, 0, (v.one_lane_of(p, 0.0),))
    v.store(v.data_pointer(wide_out), 1, all_lanes)
    v.store(v.data_pointer(out), 1, one)


@each_dtype
def test_fields_of_any_number_of_lanes(dtype):
    a, w = numbers(dtype), width(dtype)
    wide = np.arange(w + 2.0)
    out, wide_out = np.full(3, GUARD, dtype), np.full(w + 2, GUARD)
    load_of_types(a, wide, out, wide_out)
    assert_same(out, np.array([GUARD, a[3], GUARD], dtype))
    assert_same(wide_out, np.array([GUARD, *wide[1:-1], GUARD]))


class Mixed(NamedTuple):
    wide: object
    lanes: object


@compiled
def store_and_load_fields(a, out, step):
    to = v.data_pointer(out)
    x, y = v.load(v.data_pointer(a), 0), v.load(v.data_pointer(a), 1)
    v.store_fields(to, 1, step, Mixed(x, y))
    # In between are other values, as there are while slices are worked on.
    like = Mixed(v.splat(x, 0.0), v.splat(x, 0.0))
    again = v.load_fields(to, 1, step, like)
    v.store_fields(to, 1 + 2 * step, step, Mixed(again.lanes, again.wide))


@each_dtype
def test_fields(dtype):
    a, w = numbers(dtype), width(dtype)
    step = w + 2
    out = np.full(4 * step, GUARD, dtype)
    store_and_load_fields(a, out, step)
    expected = np.full((4, step), GUARD, dtype)
    for row, start in zip(expected, (0, 1, 1, 0), strict=True):
        row[1 : w + 1] = a[start : start + w]
    assert_same(out, expected.ravel())


@compiled
def store_wide_fields(a, out):
    x = v.load(v.data_pointer(a), 0)
    wide = v.to_float64(x)
    v.store_fields(v.data_pointer(out), 0, 8, Mixed(wide, x))


def test_fields_of_two_dtypes_are_counted_in_numbers_each():
    a = np.arange(16, dtype=np.float32)
    out = np.full(20, GUARD)
    store_wide_fields(a, out)
    # The second field begins 8 float32 from the first one's begin, and overlaps it.
    assert_same(out.view(np.float32)[8:24], a)
    assert_same(out[12:], np.array([*a[12:], *[GUARD] * 4], float))


@compiled
def scalars(a, out, number):
    p, to = v.data_pointer(a), v.data_pointer(out)
    v.store_scalar(to, 1, v.load_scalar(p, 2))
    v.store_scalar(to, 2, number)


@each_dtype
def test_scalars(dtype):
    a = numbers(dtype)
    for number in (0.1, np.float32(0.1), -0.0, 3, np.nan):
        out = np.full(4, GUARD, dtype)
        scalars(a, out, number)
        assert_same(out, np.array([GUARD, a[2], number, GUARD], dtype))


@compiled
def boundary(a, index, unit):
    return v.count_to_boundary(v.data_pointer(a), index, unit)


@each_dtype
def test_count_to_boundary(dtype):
    a = np.zeros(4096, dtype)
    for unit in (64, 4096):
        for index in range(0, 1040, 13):
            place = a.ctypes.data + index * a.itemsize
            assert boundary(a, index, unit) == -place % unit // a.itemsize
    aligned = -a.ctypes.data % 64 // a.itemsize
    assert boundary(a, aligned, 64) == 0
    assert boundary(a, aligned + 1, 64) == width(dtype) - 1


@compiled
def are_same(a, b):
    return v.same_pointer(v.data_pointer(a), v.data_pointer(b))


@each_dtype
def test_same_pointer(dtype):
    a = np.zeros(8, dtype)
    assert are_same(a, a) and are_same(a, a[:3]) and are_same(a[2:], a[2:4])
    assert not are_same(a, a[1:]) and not are_same(a, a.copy())


@compiled
def load_shifted(a, steps):
    p = v.shifted(v.data_pointer(a), steps)
    return v.load_scalar(p, 0), v.load_scalar(p, 2), v.shifted(None, steps) is None


@each_dtype
def test_shifted_pointers(dtype):
    a = numbers(dtype)
    assert_same(np.array(load_shifted(a, 5)[:2], dtype), a[[5, 7]])
    assert_same(np.array(load_shifted(a[9:], -4)[:2], dtype), a[[5, 7]])
    assert load_shifted(a, 0)[2]


@compiled
def data_of(a):
    return v.data_pointer(a) is None


def test_data_pointer_of_none_is_none():
    assert data_of(None)
    assert not data_of(np.zeros(1))


@compiled
def fetch(a, index):
    v.prefetch(v.data_pointer(a), index)


def test_prefetch():
    a = np.zeros(8)
    for index in (0, 7, 10**6, -(10**6), 1 << 40):
        fetch(a, index)
    fetch(None, 5)
    codes = {str(s[0]): text for s, text in fetch.inspect_llvm().items()}
    assert "call void @llvm.prefetch" in codes["array(float64, 1d, C)"]
    assert "call void @llvm.prefetch" not in codes["none"]
