"""Correct rounding: against 400 bits, on every path, in every order and memory."""

import math
import platform
import warnings

import numba
import numpy as np
import pytest
from processes import python
from rounded import rounded_row, rounded_sigmoid

import softmax_lib
from softmax_lib import exact
from softmax_lib._exact import first_kernels, paths, third

DTYPES = [np.float32, np.float64]
ALONG_AXIS = [exact.softmax, exact.log_softmax]
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_seed = pytest.mark.parametrize("seed", range(3))
SEED = 20261128


def assert_same_bits(found, expected):
    found, expected = np.atleast_1d(found), np.atleast_1d(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    zeros = expected == 0
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


def assert_rounded(x):
    """Raise unless all four functions of a row are correctly rounded."""
    shares, logs, total = rounded_row(x)
    assert_same_bits(exact.softmax(x), shares)
    assert_same_bits(exact.log_softmax(x), logs + 0.0 if x.size == 1 else logs)
    assert_same_bits(exact.logsumexp(x), total)
    assert_same_bits(exact.sigmoid(x), rounded_sigmoid(x))


# --- families of rows ------------------------------------------------------------


def spread(rng, n, dtype):
    return rng.normal(size=n) * 10.0 ** rng.uniform(-3, 4)


def offset(rng, n, dtype):
    return rng.normal(size=n) + 10.0 ** rng.uniform(0, 38) * rng.choice([-1, 1])


def ties(rng, n, dtype):
    return rng.integers(-3, 4, n) * rng.choice([1.0, 0.1, 2.0**-20])


def winner(rng, n, dtype):
    gaps = rng.uniform(10, 110 if dtype == np.float32 else 760, n - 1)
    return np.append(rng.normal(), -gaps)


def subnormal_shares(rng, n, dtype):
    low, high = (85, 106) if dtype == np.float32 else (705, 747)
    return np.append(0.0, -rng.uniform(low, high, n - 1))


def subnormal_scores(rng, n, dtype):
    return np.finfo(dtype).smallest_subnormal * rng.integers(-100, 100, n).astype(float)


def tiny(rng, n, dtype):
    return rng.normal(size=n) * 10.0 ** rng.uniform(-30, -3)


def mixed(rng, n, dtype):
    return rng.normal(size=n) * 10.0 ** rng.uniform(-40, 3, n)


def huge(rng, n, dtype):
    return rng.uniform(-1, 1, n) * np.finfo(dtype).max


def equal(rng, n, dtype):
    return np.full(n, rng.normal() * 10.0 ** rng.uniform(-5, 3))


def cancelling(rng, n, dtype):
    """Scores whose log-sum-exp is almost 0."""
    x = rng.normal(size=n)
    return x - softmax_lib.logsumexp(x)


def coarse(rng, n, dtype):
    """Differences of few bits, so that many are midpoints."""
    return rng.integers(-(2**11), 2**11, n) * 2.0 ** rng.integers(-24, 10)


FAMILIES = [spread, offset, ties, winner, subnormal_shares, subnormal_scores, tiny,
            mixed, huge, equal, cancelling, coarse]  # fmt: skip


@each_seed
@each_dtype
@pytest.mark.parametrize("family", FAMILIES)
def test_rows_of_a_family(family, dtype, seed):
    print("seed", SEED, seed)
    rng = np.random.default_rng([SEED, seed])
    for n in [1, 2, 2, 3, 3, 4, 5, 8, 10, 17, 33] * 3:
        assert_rounded(family(rng, n, dtype).astype(dtype))


@pytest.mark.parametrize("n", [161, 1000])
@each_dtype
def test_long_rows(n, dtype):
    rng = np.random.default_rng([SEED, n])
    for family in (spread, winner, mixed, coarse):
        assert_rounded(family(rng, n, dtype).astype(dtype))


@each_dtype
@pytest.mark.parametrize("gap", [9.0, 11.5, 30.0, 36.75, 90.0])
def test_many_equal_losers(dtype, gap):
    others = 100_000
    x = np.append(dtype(0.5), np.full(others, 0.5 - gap, dtype))
    # Counted with their multiplicity: two scores that stand for all of them.
    with_counts = np.log(others) - gap
    assert abs(exact.logsumexp(x) - 0.5 - np.log1p(np.exp(with_counts))) < 1e-6
    for function in ALONG_AXIS:
        found = function(x)
        name = function.__name__
        expected = getattr(third, name)(x.tolist(), [0, 1], np.dtype(dtype))
        assert_same_bits(found[:2], np.array(expected, dtype))
        assert (found[1:] == found[1]).all()
    expected = third.logsumexp(x.tolist(), [0], np.dtype(dtype))
    assert_same_bits(exact.logsumexp(x), np.array(expected, dtype))


# --- two scores ------------------------------------------------------------------


def differences():
    """Return numbers of each exponent: round ones, odd ones and drawn ones."""
    rng = np.random.default_rng(SEED)
    drawn = 1 + rng.integers(0, 2**23, 8) * 2.0**-23
    round_ones = [1, 1.5, 1 + 2.0**-7, 1 + 2.0**-23, 2 - 2.0**-23]
    significands = np.append(round_ones, drawn)
    sizes = np.ldexp(significands, np.arange(-149, 8)[:, None]).astype(np.float32)
    return np.unique(np.append(sizes, -sizes))


def test_sigmoid_and_two_scores_of_each_exponent():
    d = differences()
    expected = rounded_sigmoid(d)
    assert_same_bits(exact.sigmoid(d), expected)
    zeros = np.zeros_like(d)
    for n in (2, 200):
        # Once side by side with others, once along the vectors.
        pairs = np.full((d.size, n), -math.inf, np.float32)
        pairs[:, 0], pairs[:, 1] = d, zeros
        assert_same_bits(exact.softmax(pairs)[:, 0], expected)


def test_log_of_two_scores_of_each_exponent():
    d = differences()[::3]
    pairs = np.stack([d, np.zeros_like(d)], axis=1)
    logs, totals = exact.log_softmax(pairs), exact.logsumexp(pairs)
    for pair, log, total in zip(pairs, logs, totals, strict=True):
        _, expected, value = rounded_row(pair)
        assert_same_bits(log, expected)
        assert_same_bits(total, value)


@pytest.mark.parametrize("unit", [2.0**-23, -(2.0**-24)])
def test_sigmoid_close_to_midpoints(unit, monkeypatch):
    """sigmoid(x) = 1/2 + x/4 - x^3/48 ..., and 1/2 + x/4 is a midpoint."""
    x = (unit * np.arange(1, 200, 2)).astype(np.float32)
    out, marks = np.empty_like(x), np.zeros(1, np.uint8)
    first_kernels.sigmoid_pieces(x, out, marks, x.size, 0, 1)
    assert np.isnan(out).all() and marks.all()
    assert_same_bits(exact.sigmoid(x), rounded_sigmoid(x))
    monkeypatch.setattr(third, "sigmoid", None)
    assert_same_bits(exact.sigmoid(x), rounded_sigmoid(x))


# --- each path -------------------------------------------------------------------


def nothing_certain(self, x, out):
    out[...] = math.nan
    return np.arange(len(x))


def rows_of_all_families(dtype, n, count=30):
    rng = np.random.default_rng([SEED, n, count])
    rows = [family(rng, n, dtype) for family in FAMILIES for _ in range(count)]
    return np.array(rows).astype(dtype)


FUNCTIONS = [*ALONG_AXIS, exact.logsumexp]


@pytest.mark.parametrize("n", [2, 10, 170])
def test_the_second_path_alone_gives_the_same(n, monkeypatch):
    x = rows_of_all_families(np.float32, n)
    before = [function(x) for function in FUNCTIONS]
    monkeypatch.setattr(paths.Function, "_first", nothing_certain)
    for function, expected in zip(FUNCTIONS, before, strict=True):
        assert_same_bits(function(x), expected)


@each_dtype
@pytest.mark.parametrize("n", [2, 10])
def test_the_third_path_alone_gives_the_same(n, dtype, monkeypatch):
    x = rows_of_all_families(dtype, n, 3)
    before = [function(x) for function in FUNCTIONS]
    monkeypatch.setattr(paths.Function, "_first", nothing_certain)
    monkeypatch.setattr(paths.Function, "_second", nothing_certain)
    for function, expected in zip(FUNCTIONS, before, strict=True):
        assert_same_bits(function(x), expected)


def counted(monkeypatch, name):
    calls = []
    function = getattr(third, name)
    monkeypatch.setattr(third, name, lambda *a: calls.append(a) or function(*a))
    return calls


def test_inputs_that_need_the_third_path(monkeypatch):
    calls = counted(monkeypatch, "sigmoid")
    x = np.array([2.0**-52, -(2.0**-53), 3 * 2.0**-52])
    assert_same_bits(exact.sigmoid(x), np.array([0.5, 0.5, 0.5 + 2.0**-53]))
    assert len(calls) == 3
    calls = counted(monkeypatch, "logsumexp")
    assert_rounded(np.log([0.25, 0.25, 0.5]))
    assert len(calls) == 1


def test_few_results_need_the_second_path():
    rng = np.random.default_rng(SEED)
    print("seed", SEED)
    x = rng.standard_normal((4000, 1000), np.float32)
    out, marks = np.empty(x.size, np.float32), np.zeros(len(x), np.uint8)
    for kernel in (first_kernels.softmax_rows, first_kernels.log_softmax_rows):
        kernel(x.ravel(), out, marks, 1000, 0, len(x))
        assert np.isnan(out).sum() <= 8  # 0.2 are expected


# --- special values --------------------------------------------------------------

INF, NAN = math.inf, math.nan
SPECIAL = [
    ([1.0, NAN, 2.0], [NAN] * 3, [NAN] * 3, NAN),
    ([NAN, INF], [NAN] * 2, [NAN] * 2, NAN),
    ([NAN, -INF], [NAN] * 2, [NAN] * 2, NAN),
    ([1.0, INF], [NAN] * 2, [NAN] * 2, INF),
    ([INF, INF, -INF], [NAN] * 3, [NAN] * 3, INF),
    ([-INF, -INF], [NAN] * 2, [NAN] * 2, -INF),
    ([3.0, -INF], [1.0, 0.0], [0.0, -INF], 3.0),
    ([-INF, 0.5, 0.5], [0.0, 0.5, 0.5], None, None),
    ([0.0, -1e30], [1.0, 0.0], [-0.0, -1e30], 0.0),
    ([5.0, 5.0 - 1e30], [1.0, 0.0], [-0.0, -1e30], 5.0),
    ([7.0], [1.0], [0.0], 7.0),
    ([-0.0], [1.0], [0.0], 0.0),
    ([1.0, 1.0, 1.0], [1 / 3] * 3, None, None),
    ([2.5] * 4, [0.25] * 4, None, None),
    ([-3e38, 3e38], [0.0, 1.0], None, 3e38),
    ([-1.7e308, 1.7e308], [0.0, 1.0], [-INF, -0.0], 1.7e308),
]


@each_dtype
@pytest.mark.parametrize("copies", [1, 40])
@pytest.mark.parametrize("case", SPECIAL)
def test_special_values(case, copies, dtype):
    x, *expected = case
    with np.errstate(over="ignore"):
        x = np.array([x] * copies, dtype)
    if np.isinf(x).any() and not np.isinf(case[0]).any():
        pytest.skip("overflows in float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = exact.softmax(x), exact.log_softmax(x), exact.logsumexp(x)
    for values, row in zip(found, expected, strict=True):
        if row is not None:
            with np.errstate(over="ignore"):
                row = np.array(row).astype(dtype)
            assert_same_bits(values, np.broadcast_to(row, values.shape))


def test_a_difference_that_overflows():
    x = np.float32([3e38, -3e38])
    assert exact.log_softmax(x).tolist() == [0.0, -INF]
    x = np.array([1.7e308, -1.7e308])
    assert exact.log_softmax(x).tolist() == [0.0, -INF]


@each_dtype
def test_sigmoid_of_special_values(dtype):
    x = np.array([NAN, INF, -INF, 0.0, -0.0, 1e30, -1e30], dtype)
    assert_same_bits(exact.sigmoid(x), np.array([NAN, 1, 0, 0.5, 0.5, 1, 0], dtype))


@each_dtype
def test_empty_axes(dtype):
    assert_same_bits(exact.logsumexp(np.empty((3, 0), dtype)), np.full(3, -INF, dtype))
    for function in ALONG_AXIS:
        assert function(np.empty((3, 0), dtype)).shape == (3, 0)
        assert function(np.empty((0, 3), dtype)).shape == (0, 3)
    assert exact.logsumexp(np.empty((0, 3), dtype)).shape == (0,)
    assert exact.sigmoid(np.empty((0, 3), dtype)).shape == (0, 3)


# --- arrays ----------------------------------------------------------------------


@each_dtype
@pytest.mark.parametrize("axis", [0, 1, 2, -1, (0, 2), (0, 1), None, ()])
def test_axes_and_memory_orders(axis, dtype):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(5, 6, 7)).astype(dtype)
    axes = tuple(range(3)) if axis is None else np.atleast_1d(np.array(axis, int))
    order = [d for d in range(3) if d not in axes % 3] if axis is not None else []
    order += [d for d in range(3) if d not in order]
    moved = x.transpose(order)
    kept = moved.shape[: 3 - len(axes)]
    rows = moved.reshape(*kept, -1)
    total = exact.logsumexp(x, axis)
    assert_same_bits(total, exact.logsumexp(rows))
    assert exact.logsumexp(x, axis, keepdims=True).size == np.size(total)
    for function in ALONG_AXIS:
        found = function(x, axis)
        assert found.flags.c_contiguous
        expected = np.array([function(row) for row in rows.reshape(-1, rows.shape[-1])])
        assert_same_bits(found.transpose(order), expected.reshape(moved.shape))
        readonly = np.asfortranarray(x)
        readonly.flags.writeable = False
        assert_same_bits(function(readonly, axis), found)
        assert_same_bits(function(x[::-1], axis)[::-1], found)
        assert_same_bits(function(x.astype(x.dtype.newbyteorder()), axis), found)


@each_dtype
def test_batches_and_order_of_entries(dtype):
    rng = np.random.default_rng(SEED)
    for n in (10, 300):
        x = (rng.normal(size=(50, n)) * 5).astype(dtype)
        shuffled = rng.permutation(n)
        for function in ALONG_AXIS:
            whole = function(x)
            assert_same_bits(np.array([function(row) for row in x]), whole)
            assert_same_bits(function(x[:, shuffled]), whole[:, shuffled])
        assert_same_bits(exact.logsumexp(x[:, shuffled]), exact.logsumexp(x))


@each_dtype
def test_one_thread_and_several(dtype):
    rng = np.random.default_rng(SEED)
    shapes = (9000, 10), (40, 2000)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    functions = [*FUNCTIONS, exact.sigmoid]
    results = []
    before = numba.get_num_threads()
    for threads in (1, before):
        numba.set_num_threads(threads)
        results.append([function(x) for function in functions for x in arrays])
    for one, several in zip(*results, strict=True):
        assert_same_bits(several, one)


def test_a_row_too_long_for_keeping_its_terms():
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(1, 70_000)).astype(np.float32)
    part = exact.softmax(x)[0]
    picked = [0, 1, 69_999]
    expected = third.softmax(x[0].tolist(), picked, x.dtype)
    assert_same_bits(part[picked], np.float32(expected))


def test_where_and_out():
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(6, 8))
    kept = rng.random(x.shape) < 0.6
    kept[2] = False
    kept[3] = True
    for function, masked in zip(ALONG_AXIS, (0.0, -INF), strict=True):
        found = function(x, where=kept)
        assert (found[~kept] == masked).all()
        for k in (0, 1, 3, 4, 5):
            assert_same_bits(found[k, kept[k]], function(x[k, kept[k]]))
        out = np.empty((6, 16))[:, ::2]
        assert function(x, where=kept, out=out) is out
        assert_same_bits(out, found)
        own = x.copy()
        assert function(own, out=own) is own
        assert_same_bits(own, function(x))
    totals = exact.logsumexp(x, where=kept)
    assert totals[2] == -INF
    assert_same_bits(totals[3], exact.logsumexp(x[3]))
    out = np.empty(6)
    assert exact.logsumexp(x, where=kept, out=out) is out
    assert exact.sigmoid(x, out=x) is x


def test_dtypes():
    whole = np.arange(6).reshape(2, 3)
    for function in [*FUNCTIONS, exact.sigmoid]:
        assert_same_bits(function(whole), function(whole.astype(float)))
        assert isinstance(function(np.float32(2.0)), np.float32)
        half = whole.astype(np.float16)
        expected = function(whole.astype(np.float32)).astype(np.float16)
        assert_same_bits(function(half), expected)


def test_errors_are_those_of_the_fast_functions():
    for name in ("softmax", "log_softmax", "logsumexp"):
        for arguments in ((np.ma.array([1.0]),), ([1j],), ([1.0], 1), ([1.0], True)):
            messages = []
            for module in (exact, softmax_lib):
                with pytest.raises((TypeError, ValueError)) as caught:
                    getattr(module, name)(*arguments)
                messages.append((caught.type, str(caught.value)))
            assert messages[0] == messages[1]


# --- processors ------------------------------------------------------------------

HASH = """
import hashlib
import numpy as np
from softmax_lib import exact
rng, digest = np.random.default_rng(5), hashlib.sha256()
for spread in (1, 50, 1e-4, 1e4):
    x = (rng.normal(size=(60, 17)) * spread).astype(np.float32)
    for f in (exact.softmax, exact.log_softmax, exact.logsumexp, exact.sigmoid):
        digest.update(f(x).tobytes())
    digest.update(exact.softmax(x.astype(float)).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="not an x86-64"
)
def test_a_processor_without_fused_operations():
    plain = python("-c", HASH)
    assert python("-c", HASH, NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="") == plain


def test_import_of_the_library_leaves_this_for_later():
    code = "import sys, softmax_lib; print('softmax_lib.exact' in sys.modules)"
    assert python("-c", code) == "False"
