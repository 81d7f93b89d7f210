"""Every result lies within 2 units in the last place of the exact one.

Inputs are drawn anew in every run; the seed is part of a failure's message.
"""

import math
import time

import numpy as np
import pytest

import softmax_lib
from benchmarks import oracle
from benchmarks.families import families, long_rows
from helpers import exact
from softmax_lib._layout import needs_packing

SEED = time.time_ns() % 2**32
ALONG_AN_AXIS = ["softmax", "log_softmax", "logsumexp"]
BY_ENTRY = ["sigmoid", "log_sigmoid"]
FLOATS = [np.float32, np.float64]
LIMIT = 2.0


def judge(name, dtype, computed, x):
    """Fail unless computed is within the limit of the oracle's answer for rows x."""
    if dtype == np.float64 and not oracle.HAS_WIDER:
        pytest.skip("no type wider than float64 here")
    answer = getattr(oracle, name)(x)
    if name == "logsumexp":
        # Where the maximum and the logarithm cancel no bound in ULP can be kept.
        top = abs(x.max(axis=-1).astype(answer.dtype))
        keep = abs(answer) >= top
        computed, answer = computed[keep], answer[keep]
    if computed.size:
        assert oracle.ulps(computed, answer).max() <= LIMIT, f"seed {SEED}"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS + BY_ENTRY)
def test_every_family_of_inputs(name, dtype):
    for _, x in families(dtype, SEED, size=60_000):
        judge(name, dtype, getattr(softmax_lib, name)(x), x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS)
def test_a_million_numbers(name, dtype):
    for _, x in long_rows(dtype, SEED):
        judge(name, dtype, getattr(softmax_lib, name)(x), x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS)
def test_columns_and_strides(name, dtype):
    for _, x in families(dtype, SEED + 1, size=30_000):
        function = getattr(softmax_lib, name)
        for columns in (x.T, np.ascontiguousarray(x.T)):
            result = function(columns, axis=0)
            judge(name, dtype, np.ascontiguousarray(result.T), x)
        back = function(x[:, ::-1])
        judge(name, dtype, back if name == "logsumexp" else back[:, ::-1], x)
        middle = np.ascontiguousarray(x.reshape(-1, 2, x.shape[-1]).swapaxes(1, 2))
        result = function(middle, axis=1)
        if name != "logsumexp":
            result = np.ascontiguousarray(result.swapaxes(1, 2))
        judge(name, dtype, result.reshape(getattr(oracle, name)(x).shape), x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS)
@pytest.mark.parametrize(
    ("outer", "n", "inner"),
    [(2, 3300, 60), (2, 9001, 33), (2, 50_000, 17), (1, 7003, 310), (1, 60_000, 41)],
)
def test_columns_too_long_for_the_caches(name, dtype, outer, n, inner):
    rng = np.random.default_rng(SEED)
    scales, offsets = rng.choice([0.1, 5, 100], inner), rng.choice([0, 30, 1e5], inner)
    x = (offsets + scales * rng.normal(size=(outer, n, inner))).astype(dtype)
    function = getattr(softmax_lib, name)
    result = function(x, axis=1)
    rows = np.ascontiguousarray(x.swapaxes(1, 2)).reshape(-1, n)
    expected = getattr(oracle, name)(rows)
    moved = result if name == "logsumexp" else np.swapaxes(result, 1, 2)
    judge(name, dtype, moved.reshape(expected.shape), rows)
    x[0, 5, 0], x[0, 7, 1], x[0, :, 2] = np.nan, np.inf, -np.inf
    spoilt = function(x, axis=1)
    sums = name == "logsumexp"
    np.testing.assert_array_equal(
        spoilt[0, :3] if sums else spoilt[0, 0, :3],
        [np.nan, np.inf, -np.inf] if sums else [np.nan] * 3,
    )
    np.testing.assert_array_equal(spoilt[..., 3:], result[..., 3:])
    if not sums:
        np.testing.assert_array_equal(function(x, axis=1, out=x), spoilt)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [3, 40, 1000, 30_000])
def test_shares_at_the_lower_end_of_the_normal_numbers(dtype, n):
    rng = np.random.default_rng(SEED)
    top = rng.uniform(0, 3, (600_000 // n, 1))
    below = math.log(np.finfo(dtype).tiny) + rng.uniform(0.3, 0.7, (len(top), n))
    x = (top + below).astype(dtype)
    x[:, :1] = top
    judge("softmax", dtype, softmax_lib.softmax(x), x)
    columns = softmax_lib.softmax(np.ascontiguousarray(x.T), axis=0)
    judge("softmax", dtype, np.ascontiguousarray(columns.T), x)


def widened(a):
    """Return a long double as an mpmath number, which it is too long to become."""
    fraction, exponent = np.frexp(a)
    return exact.mpmath.ldexp(int(np.ldexp(fraction, 64)), int(exponent) - 64)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS + BY_ENTRY)
def test_the_oracle_agrees_with_fifty_digits(name, dtype):
    if dtype == np.float64 and not oracle.HAS_WIDER:
        pytest.skip("no type wider than float64 here")
    for family, x in families(dtype, SEED + 2, size=2000):
        row = x[0] if x.shape[1] < 200 else x[0, :200]
        answer = getattr(oracle, name)(row[None]).ravel()
        fifty = getattr(exact, name)(row)
        info = np.finfo(dtype)
        for a, e in zip(answer, fifty, strict=True):
            wide = widened(a)
            unit = max(abs(e) * float(info.eps) / 2, exact.mpmath.mpf(2) ** -1074)
            assert abs(wide - e) < 0.02 * unit or name == "logsumexp", family
            if name == "logsumexp":
                top = max(abs(float(v)) for v in row)
                assert abs(wide - e) < 0.02 * float(info.eps) * max(top, 1.0), family


@pytest.mark.parametrize(
    ("dtype", "x"),
    [
        (np.float32, [0, -20]),
        (np.float32, [0, -80]),
        (np.float32, [3.3, -76.7]),
        (np.float64, [0, -40]),
        (np.float64, [0, -700]),
        (np.float64, [41.7, -0.3]),
        (np.float64, [1e5, 1e5 - 38]),
        (np.float64, [0.1, -36.9, -37.2, -700]),
        (np.float32, [1e30, -1e30]),
        (np.float64, [-1e300, 1e300, 1e300]),
        (np.float32, [0, -100]),
        (np.float64, [0, -744]),
        (np.float32, [1.5] * 7),
        (np.float64, [0.7]),
    ],
)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_fixed_inputs(name, dtype, x):
    x = np.array(x, dtype)
    expected = getattr(exact, name)(x)
    for shaped, axis in ((x, -1), (np.stack([x, x], axis=1), 0)):
        result = getattr(softmax_lib, name)(shaped, axis=axis)
        column = result if result.ndim == 1 else result[:, 1]
        for r, e in zip(column, expected, strict=True):
            size = np.spacing(np.abs(dtype(float(e))))
            assert abs(exact.mpmath.mpf(float(r)) - e) <= LIMIT * float(size)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 10, 15, 17, 100, 1000, 5000])
def test_equal_scores_share_equally(dtype, n):
    for value in (0.0, 0.3, -17.6, 88.1, 1e6):
        shares = softmax_lib.softmax(np.full((2, n), value, dtype))
        np.testing.assert_array_max_ulp(shares, np.full((2, n), 1 / n, dtype), 0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_sure_winner_has_all_of_it_and_no_more(dtype):
    x = np.random.default_rng(SEED).normal(0, 30, (1000, 2)).astype(dtype)
    x[:, 1] = x[:, 0] - 60
    shares = softmax_lib.softmax(x)
    assert np.all(shares[:, 0] == 1)
    assert np.all(softmax_lib.softmax(x.T.copy(), axis=0)[0] == 1)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [70, 300, 1100, 3300])
def test_columns_laid_out_anew_give_the_same_bits(dtype, n):
    step = 512
    x = np.random.default_rng(SEED).normal(0, 5, (n, step + 16)).astype(dtype)
    narrow = x[:, :step].copy()
    layouts = [needs_packing(n, a.shape[1], 1, x.itemsize) for a in (x, narrow)]
    assert layouts == [False, n < 3000]
    for name in ALONG_AN_AXIS:
        function = getattr(softmax_lib, name)
        wide = function(x, axis=0)[..., :step]
        np.testing.assert_array_equal(function(narrow, axis=0), wide)
    labels = np.arange(step + 16) % n
    loss, grad = softmax_lib.cross_entropy_and_grad(x, labels, 0, reduction="sum")
    each = softmax_lib.cross_entropy(narrow, labels[:step], 0, reduction="none")
    _, some = softmax_lib.cross_entropy_and_grad(
        narrow, labels[:step], 0, reduction="sum"
    )
    rest = softmax_lib.cross_entropy(x[:, step:], labels[step:], 0, reduction="sum")
    np.testing.assert_array_equal(some, grad[:, :step])
    np.testing.assert_allclose(each.sum(dtype=float) + float(rest), loss, rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
def test_serial_and_parallel_give_the_same_bits(dtype, monkeypatch):
    rng = np.random.default_rng(SEED)
    for shape, axis in (
        ((300, 500), -1),
        ((300, 500), 0),
        ((300, 512), 0),
        ((3, 400, 90), 1),
        ((7003, 310), 0),
    ):
        x = rng.normal(0, 5, shape).astype(dtype)
        for name in ALONG_AN_AXIS:
            function = getattr(softmax_lib, name)
            parallel = function(x, axis=axis)
            with monkeypatch.context() as patch:
                patch.setattr("softmax_lib._layout.MIN_PARALLEL_SIZE", x.size + 1)
                np.testing.assert_array_equal(parallel, function(x, axis=axis))
