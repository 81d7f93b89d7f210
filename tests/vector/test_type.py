"""Constants, polynomials, memory on the stack, and functions that are not inlined."""

import re

import mpmath
import numpy as np
import pytest
from harness import DTYPES, FORMS, Lanewise, assert_same, compiled, pairs, width
from numba.core.errors import TypingError

from softmax_lib import _vector as v

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_form = pytest.mark.parametrize("form", FORMS)

NUMBER = v.constant(0.1, 0.7)
INTEGER = v.constant(1 << 30, 1 << 62)
LENGTH = v.length_of(4096)


@compiled
def constants(a):
    p = v.data_pointer(a)
    x, one = v.load(p, 0), v.one_lane_of(p, 0.0)
    found = (v.vector_length(p), v.vector_length(x), v.vector_length(one), LENGTH(p))
    return found, (NUMBER(p), NUMBER(x), NUMBER(one)), (INTEGER(p), INTEGER(x))


@each_dtype
def test_constants_and_lengths(dtype):
    lengths, numbers, integers = constants(np.zeros(width(dtype), dtype))
    w = width(dtype)
    assert lengths == (w, w, w, 4096 // np.dtype(dtype).itemsize)
    single = dtype is np.float32
    assert numbers == (0.1 if single else 0.7,) * 3
    assert integers == (1 << 30 if single else 1 << 62,) * 2
    assert all(type(k) is float for k in numbers)
    assert all(type(k) is int for k in lengths + integers)


@Lanewise
def with_constants(x, _, __):
    return x * NUMBER(x), v.from_bits(v.to_bits(x) & INTEGER(x))


@each_form
@each_dtype
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_constants_beside_vectors(dtype, form):
    x = pairs(dtype)[0]
    got = with_constants(form, x)
    single = dtype is np.float32
    assert_same(got[0], x * dtype(0.1 if single else 0.7))
    top_bit = got[1].view(f"i{x.itemsize}")
    assert set(top_bit) == {0, 1 << 30 if single else 1 << 62}


COEFFICIENTS = [
    (0.3, -0.7, 1 / 3, 0.11, -0.05, 0.021, 1e-3)[:length] for length in range(1, 8)
]
P1, P2, P3, P4, P5, P6, P7 = (
    v.polynomial(c, tuple(k / 7 for k in c)) for c in COEFFICIENTS
)


@Lanewise
def polynomials(x, _, __):
    return P1(x), P2(x), P3(x), P4(x), P5(x), P6(x), P7(x)


@each_form
@each_dtype
def test_polynomials(dtype, form):
    x = np.random.default_rng(6).uniform(-2, 2, 96).astype(dtype)
    x[:3] = 0, 1, -1
    unit = float(np.finfo(dtype).eps) / 2
    for c, results in zip(COEFFICIENTS, polynomials(form, x), strict=True):
        c = c if dtype is np.float32 else [k / 7 for k in c]
        rounded = [float(dtype(k)) for k in c]
        for number, result in zip(x, results, strict=True):
            wide = mpmath.mpf(float(number))
            exact = mpmath.fsum(k * wide**p for p, k in enumerate(rounded))
            size = sum(abs(k) * abs(float(number)) ** p for p, k in enumerate(rounded))
            assert abs(float(result) - exact) <= len(c) * unit * size


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@each_dtype
def test_polynomials_of_no_numbers(dtype):
    x = np.tile(np.array([np.nan, np.inf], dtype), 8)
    for result in polynomials("whole", x)[1:]:
        assert np.isnan(result[::2]).all() and not np.isfinite(result).any()


@compiled
def use_stack(a, out):
    """Move an array through two blocks; return their distances to a cache line."""
    p, to = v.data_pointer(a), v.data_pointer(out)
    one, other = v.stack_alloc(p, 640), v.stack_alloc(v.load(p, 0), 640)
    for i in range(a.size):
        v.store_scalar(one, i, v.load_scalar(p, i))
        v.store_scalar(other, i, -v.load_scalar(p, i))
    for i in range(a.size):
        v.store_scalar(to, i, v.load_scalar(one, i))
        v.store_scalar(to, a.size + i, v.load_scalar(other, i))
    apart = not v.same_pointer(one, other)
    return v.count_to_boundary(one, 0, 64), v.count_to_boundary(other, 0, 64), apart


@each_dtype
def test_stack_alloc(dtype):
    a = np.random.default_rng(1).normal(size=640 // np.dtype(dtype).itemsize)
    a, out = a.astype(dtype), np.empty(2 * a.size, dtype)
    assert use_stack(a, out) == (0, 0, True)
    assert_same(out, np.concatenate([a, -a]))


def test_stack_alloc_of_none_is_none():
    assert compiled(lambda: v.stack_alloc(None, 640))() is None


def test_stack_alloc_needs_a_size_known_when_compiled():
    alloc = compiled(lambda a, n: v.stack_alloc(v.data_pointer(a), n) is None)
    with pytest.raises(TypingError, match="size"):
        alloc(np.zeros(8), 640)


@compiled
def called_part(x):
    v.noinline()
    return x + 1.0


@compiled
def copied_part(x):
    return x + 2.0


@compiled
def calls_both(a, out):
    x = v.load(v.data_pointer(a), 0)
    v.store(v.data_pointer(out), 0, called_part(x) * copied_part(x))


@each_dtype
def test_noinline(dtype):
    a = np.arange(width(dtype)).astype(dtype)
    out = np.empty_like(a)
    calls_both(a, out)
    assert_same(out, (a + 1) * (a + 2))
    (signature,) = (s for s in calls_both.signatures if s[0].dtype.name == a.dtype)
    code = calls_both.inspect_llvm(signature)
    assert re.search(r"call [^\n]*called_part", code)
    assert not re.search(r"call [^\n]*copied_part", code)


def test_types_are_equal_by_dtype_and_count():
    @compiled
    def joined(a, wide):
        x = v.load(v.data_pointer(a), 0)
        if wide:
            x = v.splat(x, 1.0)
        return v.lane0(x)

    assert (joined(np.zeros(8), True), joined(np.zeros(8), False)) == (1, 0)

    @compiled
    def mixed(a, wide):
        x = v.load(v.data_pointer(a), 0)
        if wide:
            x = v.one_lane(1.0)
        return v.lane0(x)

    with pytest.raises(TypingError, match="unify"):
        mixed(np.zeros(8), True)
