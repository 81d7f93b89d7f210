"""What front doors accept and refuse: masks, outputs, factors, half precision."""

import inspect
import warnings

import ml_dtypes
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.stride_tricks import as_strided
from scipy import special

from softmax_lib import exact, log_sigmoid, log_softmax, logsumexp, sigmoid, softmax

LIKE_INPUT = [softmax, log_softmax]
ALONG_AN_AXIS = [softmax, log_softmax, logsumexp]
BY_ENTRY = [sigmoid, log_sigmoid]
EVERY = ALONG_AN_AXIS + BY_ENTRY
NOTHING = {softmax: 0.0, log_softmax: -np.inf, logsumexp: -np.inf}
HALVES = [np.float16, ml_dtypes.bfloat16]

# Anything that a float can be: what is left out may hold it too.
anything = st.one_of(
    st.floats(-80, 80, width=32),
    st.sampled_from([np.nan, np.inf, -np.inf, 3e38, -3e38]),
)


@st.composite
def masked(draw):
    """An array, a mask that broadcasts to it, and an axis or axes."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=5))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    a = draw(hnp.arrays(dtype, shape, elements=anything))
    narrow = tuple(draw(st.sampled_from([1, n])) for n in shape)
    narrow = narrow[draw(st.integers(0, len(shape))) :]
    where = draw(hnp.arrays(np.bool_, narrow))
    axes = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True)
    axis = draw(st.one_of(st.none(), axes.map(tuple), st.integers(-len(shape), -1)))
    return a, where, axis


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
@given(masked())
@settings(max_examples=60, deadline=None)
def test_where_is_minus_infinity_that_nothing_leaks_through(function, case):
    a, where, axis = case
    kept = np.broadcast_to(where, a.shape)
    expected = function(np.where(kept, a, a.dtype.type(-np.inf)), axis)
    result = function(a, axis, where=where)
    if function is not logsumexp:
        assert np.all(result[~kept] == NOTHING[function])
        result, expected = result[kept], expected[kept]
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, *HALVES])
def test_a_slice_with_nothing_left_is_no_nan(function, dtype):
    a = np.array([[np.nan, np.inf], [1, 2]], dtype)
    result = function(a, where=[[False], [True]])
    assert np.all(result[0] == NOTHING[function])
    np.testing.assert_array_equal(result[1], function(a[1]))


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
def test_bad_masks_are_refused(function):
    a = np.zeros((2, 3))
    for bad in ([1, 0, 1], "yes", np.ma.array([True, False, True])):
        with pytest.raises(TypeError, match=r"where=.*allowed are bool"):
            function(a, where=bad)
    with pytest.raises(ValueError, match=r"where of shape \(2,\).*\(2, 3\)"):
        function(a, where=[True, False])


@pytest.mark.parametrize("function", [*EVERY, exact.softmax, exact.sigmoid])
def test_masked_arrays_are_refused_with_a_hint_that_helps(function):
    a = np.ma.array([1.0, 2.0], mask=[0, 1])
    has_where = "where" in inspect.signature(function).parameters
    hint = ", and the entries to keep as where=~mask" if has_where else ""
    with pytest.raises(TypeError, match=f"masked array as x.*; pass its data{hint}$"):
        function(a)
    if has_where:
        function(a.data, where=~a.mask)


def outputs(shape, dtype):
    """Yield arrays of a shape in memory of every kind."""
    yield np.empty(shape, dtype)
    yield np.empty(shape, dtype, order="F")
    yield np.empty([2 * n for n in shape], dtype)[
        tuple(slice(None, None, 2) for _ in shape)
    ]
    yield np.empty(shape, dtype)[::-1]
    unaligned = np.empty(np.prod(shape) * np.dtype(dtype).itemsize + 1, np.uint8)
    yield unaligned[1:].view(dtype).reshape(shape)


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_out_may_lie_in_any_memory(function, dtype):
    a = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(dtype)
    for axis in (-1, 0, (0, 2), None) if function in ALONG_AN_AXIS else [None]:
        options = {"axis": axis} if function in ALONG_AN_AXIS else {}
        expected = function(a, **options)
        if not np.shape(expected):
            out = np.empty((), dtype)
            assert function(a, **options, out=out) is out
            assert out == expected
            continue
        for out in outputs(expected.shape, dtype):
            assert function(a, **options, out=out) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("function", LIKE_INPUT + BY_ENTRY)
@pytest.mark.parametrize("order", ["C", "F"])
def test_in_place(function, order):
    a = np.array(np.random.default_rng(2).normal(size=(4, 6)), order=order)
    expected = function(a)
    assert function(a, out=a) is a
    np.testing.assert_array_equal(a, expected)


@pytest.mark.parametrize("function", LIKE_INPUT)
def test_in_place_with_a_mask(function):
    a = np.array([[0.0, 1.0, np.nan], [0.0, 1.0, 2.0]])
    where = np.array([True, True, False])
    expected = function(a, where=where)
    function(a, where=where, out=a)
    np.testing.assert_array_equal(a, expected)


@pytest.mark.parametrize("function", LIKE_INPUT + BY_ENTRY)
@given(st.integers(-9, 9), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_out_may_overlap_the_input(function, shift, step, out_step):
    memory = np.random.default_rng(3).normal(size=60)
    x = memory[20 : 20 + 8 * step : step]
    expected = function(x)
    out = memory[20 + shift : 20 + shift + 8 * out_step : out_step]
    function(x, out=out)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("function", [*EVERY, exact.softmax, exact.sigmoid])
@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8"])
def test_out_in_any_order_of_bytes(function, dtype):
    a = np.random.default_rng(8).normal(size=(4, 6)).astype(dtype)
    expected = function(a)
    for axes in ((0, 1), (1, 0)):
        x = a.transpose(axes).copy().transpose(axes)
        out = x if np.shape(expected) == x.shape else np.empty(expected.shape, dtype)
        assert function(x, out=out) is out
        np.testing.assert_array_equal(out, expected)


class Stubborn(np.ndarray):
    """An array that cannot be written to by NumPy's functions."""

    def __array_function__(self, *_):
        raise TypeError

    def __array_ufunc__(self, *_, **__):
        raise TypeError

    def __setitem__(self, *_):
        raise TypeError


@pytest.mark.parametrize("function", [*EVERY, exact.softmax, exact.sigmoid])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_out_of_a_subclass(function, dtype):
    a = np.random.default_rng(8).normal(size=(4, 6)).astype(dtype)
    for order in "CF":
        x = np.array(a, order=order)
        expected = function(x)
        out = np.empty(expected.shape, dtype, order=order).view(Stubborn)
        assert function(x, out=out) is out
        np.testing.assert_array_equal(np.asarray(out), expected)
        if np.shape(expected) == x.shape:
            same = x.copy(order).view(Stubborn)
            assert function(same, out=same) is same
            np.testing.assert_array_equal(np.asarray(same), expected)


def test_arrays_of_objects_are_refused_with_a_hint():
    with pytest.raises(TypeError, match=r"x of dtype object.*convert it first"):
        softmax(np.array([1, 2.0], object))


@pytest.mark.parametrize("function", EVERY)
def test_bad_outputs_are_refused(function):
    a = np.zeros((2, 3), np.float32)
    shape = (2,) if function is logsumexp else (2, 3)
    frozen = np.empty(shape, np.float32)
    frozen.flags.writeable = False
    for bad, error, words in (
        (np.empty((5, 5), np.float32), ValueError, r"shape \(5, 5\)"),
        (np.empty(shape, np.float64), TypeError, "float64.*float32"),
        (np.ma.empty(shape, np.float32), TypeError, "MaskedArray"),
        ([0.0], TypeError, "list"),
        (frozen, ValueError, "got an out that is read-only"),
    ):
        with pytest.raises(error, match=words):
            function(a, out=bad)


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_is_widened_and_rounded_once(function, dtype):
    a = np.random.default_rng(4).normal(scale=5, size=(6, 7)).astype(dtype)
    result = function(a)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, function(a.astype(np.float32)).astype(dtype))
    out = np.empty(result.shape, dtype)
    assert function(a, out=out) is out
    np.testing.assert_array_equal(out, result)
    assert function(a.reshape(-1)[0]).dtype == dtype


def test_half_precision_overflows_without_a_warning():
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert logsumexp(np.full(20, 65504, np.float16)) == 65504
        assert log_softmax(np.array([65504, -65504], np.float16))[1] == -np.inf


@pytest.mark.parametrize("function", EVERY)
def test_strange_memory_is_read_right(function):
    base = np.random.default_rng(5).normal(size=8)
    overlapping = as_strided(base, (4, 4), (8, 8))
    repeated = np.broadcast_to(base[:4], (3, 4))
    fields = np.zeros(4, [("flag", "i1"), ("value", "f8")])
    fields["value"] = base[:4]
    for a in (overlapping, repeated, fields["value"]):
        np.testing.assert_array_equal(function(a), function(a.copy()))


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
def test_zero_dimensions_and_strange_axes(function):
    expected = {softmax: 1.0, log_softmax: 0.0, logsumexp: 2.0}[function]
    for axis in (-1, 0, None, (), (0,)):
        assert function(np.float32(2), axis=axis) == expected
    with pytest.raises(np.exceptions.AxisError):
        function(2.0, axis=1)
    a = np.random.default_rng(6).normal(size=(2, 3))
    np.testing.assert_array_equal(function(a, np.int8(0)), function(a, 0))
    each = function(a, axis=())
    np.testing.assert_array_equal(
        each, a if function is logsumexp else expected + 0 * a
    )
    for bad in ([0, 1], (True,), np.array([0, 1]), (0, None)):
        with pytest.raises(TypeError, match="allowed are an int"):
            function(a, axis=bad)


# --- factors ---------------------------------------------------------------------


def test_factors_mean_what_they_mean_to_scipy():
    rng = np.random.default_rng(7)
    a, b = rng.normal(scale=9, size=(3, 4, 5)), rng.normal(size=(3, 1, 5))
    for axis in (0, 1, -1, (0, 2), None):
        with np.errstate(invalid="ignore"):
            expected = special.logsumexp(a, axis, b=b, keepdims=True)
        result = logsumexp(a, axis, b=b, keepdims=True)
        np.testing.assert_allclose(result, expected, rtol=1e-13, atol=1e-14)
        single = logsumexp(a.astype("f4"), axis, b=b.astype("f4"), keepdims=True)
        assert single.dtype == np.float32


@given(
    st.lists(
        st.tuples(st.floats(-900, 900), st.floats(-1e300, 1e300)),
        min_size=1,
        max_size=6,
    )
)
@settings(deadline=None)
def test_factors_agree_with_fifty_digits(pairs):
    x, b = np.array(pairs).T
    terms = [mpmath.mpf(w) * mpmath.exp(mpmath.mpf(v)) for v, w in pairs]
    total, size = mpmath.fsum(terms), mpmath.fsum(abs(t) for t in terms)
    result = logsumexp(x, b=b)
    if size == 0:
        assert result == -np.inf
    elif total > size / 1000:
        exact = mpmath.log(total)
        bound = 1e-15 * (3 * float(size / total) + float(abs(exact)))
        assert abs(mpmath.mpf(float(result)) - exact) <= bound
    elif total < -size / 1000:
        assert np.isnan(result)


@pytest.mark.parametrize(
    ("x", "b", "expected"),
    [
        ([1.0, 2.0], [0, -1], np.nan),
        ([1.0, 1.0], [1, -1], -np.inf),
        ([np.nan, 1.0], [0, 1], 1.0),
        ([np.nan, 1.0], [1, 1], np.nan),
        ([1.0, 1.0], [np.nan, 1], np.nan),
        ([np.inf, 1.0], [0, 1], 1.0),
        ([np.inf, 1.0], [2, -1], np.inf),
        ([np.inf, 1.0], [-2, 1], np.nan),
        ([np.inf, np.inf], [1, -1], np.nan),
        ([-np.inf, -np.inf], [1, -1], -np.inf),
        ([-np.inf, 0.0], [-1, 1], 0.0),
        ([1.0, 2.0], [0, 0], -np.inf),
        ([], [], -np.inf),
        ([1.0], True, 1.0),
    ],
)
def test_factors_and_special_values(x, b, expected):
    np.testing.assert_equal(float(logsumexp(x, b=b)), expected)


def test_factors_and_masks_together():
    a = np.array([0.0, np.nan, 1.0])
    assert logsumexp(a, b=[1, 5, -3], where=[True, False, False]) == 0
    assert logsumexp(a.astype(np.float16), b=2.0, where=a == 0).dtype == np.float16
    with pytest.raises(ValueError, match="b of shape"):
        logsumexp(a, b=[1, 2])
    with pytest.raises(TypeError, match="got b of dtype complex"):
        logsumexp(a, b=1j)


def test_arrays_without_a_dimension():
    for value in (2.0, -np.inf):
        x = np.array(value)
        assert logsumexp(x) == value
        assert logsumexp(x, keepdims=True) == value
        assert softmax(x) == 1 or np.isnan(softmax(x))


@pytest.mark.parametrize("axis", [0, 1, (0, 2)])
def test_other_memory_is_as_good_as_contiguous(axis):
    # Converted arrays go through the same kernels: equal bits, and no detour.
    x = np.random.default_rng(3).normal(size=(40, 30, 20)).astype(np.float32)
    for a in (x.astype(">f4"), np.asfortranarray(x), np.repeat(x, 2, 1)[:, ::2]):
        np.testing.assert_array_equal(softmax(a, axis), softmax(x, axis))
        np.testing.assert_array_equal(softmax(a, axis, where=True), softmax(x, axis))
