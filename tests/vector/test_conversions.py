"""Bits, conversions and splats, on whole vectors and one lane."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from harness import (
    DTYPES,
    FORMS,
    Lanewise,
    assert_same,
    bits_dtype,
    compiled,
    pairs,
    special_numbers,
    width,
)

from softmax_lib import _vector as v

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_form = pytest.mark.parametrize("form", FORMS)


@Lanewise
def on_bits(x, y, _):
    a, b = v.to_bits(x), v.to_bits(y)
    one, zero = v.splat(a, 1), v.splat(a, 0)
    return (
        a, a + b, a - b, a * b, a & b, a << 3, a >> 3, a << (b & 7), a >> (b & 7),
        a + 5, 5 - a, a & 255, 255 & a, 3 << (a & 7),
        v.select(a > b, one, zero), v.select(a < b, one, zero),
        v.select(a >= b, one, zero), v.select(a == b, one, zero),
        v.select(a > 77, one, zero), v.to_bits(v.from_bits(a + 1)),
    )  # fmt: skip


@each_form
@each_dtype
def test_bits(dtype, form):
    x, y = pairs(dtype)
    kind = bits_dtype(dtype)
    a, b = x.view(kind), y.view(kind)
    expected = (
        a, a + b, a - b, a * b, a & b, a << 3, a >> 3, a << (b & 7), a >> (b & 7),
        a + 5, 5 - a, a & 255, 255 & a, 3 << (a & 7),
        a > b, a < b, a >= b, a == b, a > 77, a + 1,
    )  # fmt: skip
    got = on_bits(form, x, y, dtype=kind)
    for result, wanted in zip(got, expected, strict=True):
        assert_same(result, wanted.astype(kind))


@Lanewise
def from_changed_bits(x, y, _):
    return (v.from_bits(v.to_bits(x)), v.from_bits(v.to_bits(x) & v.to_bits(y)))


@each_form
@each_dtype
def test_from_bits_keeps_every_bit(dtype, form):
    x, y = pairs(dtype)
    kind = bits_dtype(dtype)
    x.view(kind)[:4] = x.view(kind)[-4:] | np.array(np.inf, dtype).view(kind)
    same, both = from_changed_bits(form, x, y)
    np.testing.assert_array_equal(same.view(kind), x.view(kind))
    np.testing.assert_array_equal(both.view(kind), x.view(kind) & y.view(kind))


@Lanewise
def widened(x, _, __):
    return (v.to_float64(x),)


@each_form
@each_dtype
def test_to_float64(dtype, form):
    x = pairs(dtype)[0]
    got = widened(form, x, dtype=np.float64)[0]
    assert_same(got, x.astype(np.float64))


@compiled
def narrow(wide, like, whole, single):
    p, q = v.data_pointer(wide), v.data_pointer(like)
    a, b = v.data_pointer(whole), v.data_pointer(single)
    lanes = (v.to_float64(v.splat(q, 0.0)),)
    for i in range(0, wide.size, v.vector_length(q)):
        v.store(a, i, v.to_dtype_of(q, v.load_fields(p, i, 0, lanes)[0]))
    for i in range(wide.size):
        v.store(b, i, v.to_dtype_of(q, v.one_lane(wide[i])))


@each_dtype
def test_to_dtype_of(dtype):
    x = np.concatenate([pairs(np.float64)[0], pairs(np.float32)[0].astype(float)])
    # Halfway between neighbours, and next to that.
    halves = 1 + (np.arange(16) + 0.5) * np.finfo(np.float32).eps
    x = np.concatenate([x, halves, np.nextafter(halves, 0), np.nextafter(halves, 2)])
    whole, single = np.empty((2, x.size), dtype)
    narrow(x, np.empty(1, dtype), whole, single)
    assert_same(whole, x.astype(dtype))
    assert_same(single, x.astype(dtype))


@compiled
def splats(a, number, integer, out, step):
    p, to, w = v.data_pointer(a), v.data_pointer(out), v.vector_length(a)
    x, one = v.load(p, 0), v.one_lane_of(p, 0.0)
    v.store_fields(
        to, 0, w, (v.splat(p, number), v.splat(x, integer), v.splat(x, a[1]))
    )
    rest = v.splat(one, number), v.splat(one, integer), v.splat(one, v.lane0(x))
    v.store_fields(to, 3 * w, 1, rest)
    rest = v.one_lane_of(p, integer), v.one_lane_of(x, number), v.splat(x, x), one
    v.store_fields(to, 3 * w + 3, step, rest)


@each_dtype
def test_splat_and_one_lane_of(dtype):
    w = width(dtype)
    a = np.arange(4, 4 + w).astype(dtype)
    for number in (0.1, np.float32(0.1), -0.0, math.inf, 7):
        out = np.full(8 * w, -77, dtype)
        splats(a, number, -3, out, w)
        k = dtype(number)
        assert_same(out[:w], np.full(w, k))
        assert_same(out[w : 2 * w], np.full(w, -3, dtype))
        assert_same(out[2 * w : 3 * w], np.full(w, a[1]))
        ones = out[3 * w :]
        assert_same(ones[:4], np.array([k, -3, a[0], -3], dtype))
        assert ones[3 + w] == k and ones[3 + 3 * w] == 0
        assert_same(ones[3 + 2 * w : 3 + 3 * w], a)


@compiled
def as_one_lane(a, out):
    to = v.data_pointer(out)
    for i in range(a.size):
        v.store(to, i, v.one_lane(a[i]))


def test_one_lane_is_float64_whatever_the_number_is():
    for kind in (np.float32, np.float64, np.int64, np.int8):
        a = np.array([0, 1, -1, 100], kind)
        a = special_numbers(kind) if a.dtype.kind == "f" else a
        out = np.empty(a.size)
        as_one_lane(a, out)
        assert_same(out, a.astype(float))


class Fields(NamedTuple):
    first: object
    absent: object
    last: object


class Uniform(NamedTuple):
    first: object
    last: object


@compiled
def splat_some(a, out):
    p, to, w = v.data_pointer(a), v.data_pointer(out), v.vector_length(a)
    one, other = v.one_lane_of(p, a[0]), v.one_lane_of(p, a[1])
    some = v.splat_fields(p, Fields(one, None, other))
    v.store_fields(to, 0, w, (some.first, some.last))
    v.store_fields(to, 2 * w, w, v.splat_fields(p, Uniform(other, one)))
    return some.absent


@each_dtype
def test_splat_fields(dtype):
    w = width(dtype)
    out = np.empty(4 * w, dtype)
    assert splat_some(np.array([0.1, -np.inf], dtype), out) is None
    expected = np.array([0.1, -np.inf, -np.inf, 0.1], dtype)
    assert_same(out, np.repeat(expected, w))
