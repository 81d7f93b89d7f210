"""SciPy's own tests, and scipy.special beside ours on drawn inputs.

Of scipy/special/tests/test_logsumexp.py (1.17) all is here that is real: the tests of
`logsumexp` named test_logsumexp, _b, _sign, _sign_zero, _sign_shape, _shape, _b_zero
and _b_shape, test_xp_invalid_input, test_array_like, test_dtypes_a, test_dtypes_ab,
test_gh18295, test_gh22601_infinite_elements, test_no_writeback, test_gh22903 and
test_gh23548; all of TestSoftmax and TestLogSoftmax. Of test_logit.py: TestExpit and
TestLogExpit. The axis is explicit, since SciPy's default is the whole array.

Left out are complex numbers and long double, which are refused (named
test_logsumexp_complex_sign, test_gh21610, test_gh21709_small_imaginary), and devices.
One assertion of test_dtypes_ab is not shared: factors of an integer dtype leave the
dtype of the scores, while SciPy makes float64 of float32 and int32.
"""

import math

import numpy as np
import pytest
from scipy import special

from softmax_lib import log_sigmoid, log_softmax, logsumexp, sigmoid, softmax

INF, NAN = math.inf, math.nan
DTYPES = ["f4", "f8", "i4", "i8"]


def close(found, expected, rtol=1e-14):
    """Compare values, shapes and dtypes."""
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=rtol)


# --- log-sum-exp without factors -------------------------------------------------


def test_large_numbers_and_special_values():
    a = np.arange(200.0)
    close(logsumexp(a, None), np.log(np.sum(np.exp(a))))
    close(logsumexp([1000.0, 1000.0], None), 1000.0 + math.log(2.0))
    close(logsumexp(np.full(1000, 10000), None), 10000.0 + math.log(1000))
    assert logsumexp([], None) == -INF
    for value in (INF, -INF, NAN):
        np.testing.assert_equal(float(logsumexp([value], None)), value)
    assert logsumexp([-INF, -INF], None) == -INF


def test_many_equal_numbers():
    x = np.full((2, 1_000_000), 1e-40)
    for axis in (None, 0, 1):
        total = np.exp(logsumexp(np.log(x), axis))
        np.testing.assert_allclose(total, x.sum(axis), rtol=1e-13)


def test_magnitudes_that_differ_along_axes():
    a = np.array([[1e10, 1e-10], [-1e10, -INF]])
    close(logsumexp(a, -1), [1e10, -1e10])
    close(logsumexp(a, -1, keepdims=True), [[1e10], [-1e10]])
    close(logsumexp(a, (-1, -2)), 1e10)
    close(logsumexp([0.0, -40.0], None), np.logaddexp(0.0, -40.0))


@pytest.mark.parametrize("x", [-INF, INF])
@pytest.mark.parametrize("y", [-INF, INF])
def test_two_infinities(x, y):
    with np.errstate(divide="ignore"):
        expected = np.log(np.sum(np.exp([x, y])))
    np.testing.assert_equal(logsumexp(np.array([x, y]), None), expected)


@pytest.mark.parametrize("x", [1, [1, 2, 3]])
def test_numbers_are_arrays_of_one(x):
    assert logsumexp(x, None) == logsumexp(np.atleast_1d(x), None)


# --- dtypes and shapes -----------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_of_the_scores(dtype):
    a = np.array([1000, 1000], dtype)
    wanted = dtype if dtype == "f4" else "f8"
    expected = np.array(1000.0 + math.log(2.0), wanted)
    close(logsumexp(a, None), expected, 1e-7)
    for part in logsumexp(a, None, return_sign=True):
        assert part.dtype == wanted


@pytest.mark.parametrize("dtype", [*DTYPES, "i1", "f2", "?"])
@pytest.mark.parametrize("other", [*DTYPES, "i1", "f2", "?"])
def test_the_dtype_of_scores_and_factors(dtype, other):
    a, b = np.array([1, 0], dtype), np.array([1, 1], other)
    wanted = np.result_type(a, b) if "f" in dtype and "f" in other else np.dtype("f8")
    if "f" in dtype and "f" not in other:
        wanted = a.dtype
    value, sign = logsumexp(a, None, b=b, return_sign=True)
    assert value.dtype == sign.dtype == wanted
    expected = math.log(math.e + 1)
    np.testing.assert_allclose(value, expected, rtol=2 * np.finfo(wanted).eps)
    out = np.empty((), wanted)
    assert logsumexp(a, None, b=b, out=out) is out and out == value


def test_factors_are_broadcast_both_ways():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(4, 1, 2, 1)), rng.uniform(size=(3, 1, 5))
    both = np.broadcast_arrays(a, b)
    for axis in (None, 0, 1, -1, (0, 2), (1, 3), (0, 1, 2, 3)):
        for keepdims in (False, True):
            expected = special.logsumexp(a, axis, b, keepdims)
            found = logsumexp(a, axis, b=b, keepdims=keepdims)
            close(found, expected, 1e-13)
            whole = logsumexp(both[0], axis, b=both[1], keepdims=keepdims)
            np.testing.assert_array_equal(found, whole)
    assert logsumexp(2.0, 1, b=np.ones((2, 3))).shape == (2,)
    assert logsumexp(np.ones(3), 0, b=np.ones((2, 1))).shape == (3,)
    kept = np.array([[True, False, False], [False, False, False]])
    found = logsumexp(np.ones(3), b=np.ones((2, 1)), where=kept)
    assert found.tolist() == [1.0, -INF]
    with pytest.raises(ValueError, match=r"b of shape \(2,\); it has to broadcast"):
        logsumexp(np.ones(3), b=np.ones(2))
    with pytest.raises(np.exceptions.AxisError):
        logsumexp(np.ones(3), 2, b=np.ones((2, 1)))


# --- factors and signs -----------------------------------------------------------


def test_factors():
    a, b = np.arange(200.0), np.arange(200.0, 0, -1)
    close(logsumexp(a, None, b=b), np.log(np.sum(b * np.exp(a))))
    close(logsumexp([1000, 1000], 0, b=[1.2, 1.2]), 1000 + math.log(2 * 1.2))
    x, b = np.full((2, 100_000), 1e-40), np.linspace([1, 1], 1000, 100_000, axis=1)
    for axis in (None, 0, 1):
        total = np.exp(logsumexp(np.log(x), axis, b=b))
        np.testing.assert_allclose(total, (b * x).sum(axis), rtol=1e-13)
    close(logsumexp([1, 10000], 0, b=[1, 0]), 1.0)


def test_arguments_are_left_alone():
    a, b = np.array([5.0, 4.0]), np.array([3.0, 2.0])
    logsumexp(a, b=b, return_sign=True)
    assert a.tolist() == [5, 4] and b.tolist() == [3, 2]


def test_signs():
    assert logsumexp([1, 1, 1], b=[1, -1, -1], return_sign=True) == (1.0, -1.0)
    assert logsumexp([1, 1], b=[1, -1], return_sign=True) == (-INF, 0.0)
    a = np.ones((1, 2, 3, 4))
    for axis, shape in ((2, (1, 2, 4)), ((1, 3), (1, 3))):
        assert logsumexp(a, axis, b=a).shape == shape
        value, sign = logsumexp(a, axis, b=a, return_sign=True)
        assert value.shape == sign.shape == shape
        kept = logsumexp(a, axis, keepdims=True, return_sign=True)[1]
        assert kept.ndim == 4 and (kept == 1).all()


def test_a_negative_factor_of_the_largest_score():
    # scipy issue 22903
    a, b = [3.06409428, 0.37251854, 3.87471931], [1.88190708, 2.84174795, -0.85016884]
    assert logsumexp(a, b=b) == logsumexp(a, b=b, return_sign=True)[0]
    b[2] = -3.85016884
    assert np.isnan(logsumexp(a, b=b))


SPECIAL = [
    ([INF], None), ([INF], [-1.0]), ([INF, 1.0], [-2, 1]), ([INF, INF], [1, -1]),
    ([-INF], None), ([-INF], [-1]), ([NAN], None), ([NAN, INF], [1, -1]),
    ([INF, 1.0], [0, 1]), ([NAN, 1.0], [0, 1]), ([1.0, 2.0], [0, 0]),
    ([-INF], [INF]), ([1.0], [INF]), ([1.0], [-INF]), ([1.0, 1.0], [INF, -INF]),
    ([1.0, 2.0], [1, NAN]), ([1.0, -INF], [1, NAN]), ([], None), ([], []),
    ([-INF, 0.0], [-1, 1]), ([0.0, -0.0], [-0.0, 0.0]), ([1e300, -1e300], [-1, 1]),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), SPECIAL)
def test_special_values_and_their_signs(a, b):
    with np.errstate(all="ignore"):
        value, sign = special.logsumexp(a, b=b, return_sign=True)
        alone = special.logsumexp(a, b=b)
    found = logsumexp(a, b=b, return_sign=True)
    np.testing.assert_equal(found, (value, sign))
    np.testing.assert_equal(float(logsumexp(a, b=b)), float(alone))


# --- softmax, log-softmax and the sigmoids ---------------------------------------

WIDE = np.array([[-25.0, 0.0, 25.0, 50.0], [1.0, 325.0, 749.0, 750.0]])
SHARES = np.array([
    [2.678636961770877e-33, 1.9287498479371314e-22, 1.3887943864771144e-11,
     0.999999999986112],
    [0.0, 1.9444526359919372e-185, 0.2689414213699951, 0.7310585786300048],
])  # fmt: skip


def test_softmax():
    for first in (1000, 1000.0):
        close(softmax([first, 0, 0, 0], None), [1.0, 0, 0, 0])
    close(softmax([1.0, 1.0], None), [0.5, 0.5])
    close(softmax([0.0, 1.0], None), np.array([1, np.e]) / (1 + np.e))
    x = np.arange(4.0)
    expected = np.array([0.03205860328008499, 0.08714431874203256])
    expected = np.append(expected, [0.23688281808991013, 0.6439142598879722])
    close(softmax(x, None), expected)
    close(softmax(x + 100, None), expected)
    close(softmax(x.reshape(2, 2), None), expected.reshape(2, 2))
    assert softmax(1000, None) == 1


def test_softmax_along_axes():
    pair = [[1000.0, 0.0], [1000.0, 0.0]]
    close(softmax(pair, 0), [[0.5, 0.5], [0.5, 0.5]])
    close(softmax(pair, 1), [[1.0, 0.0], [1.0, 0.0]])
    close(softmax(WIDE, 1), SHARES, 1e-13)
    close(softmax(WIDE.T, 0), SHARES.T, 1e-13)
    close(softmax(WIDE.reshape(2, 2, 2), (1, 2)), SHARES.reshape(2, 2, 2), 1e-13)


def test_log_softmax():
    for x in ([1000.0, 1.0], [1000, 1]):
        close(log_softmax(x, None), [0.0, -999.0])
    assert log_softmax(1.0, None) == 0
    last = -0.44018969856119533
    expected = np.array([last - 3, last - 2, last - 1, last])
    for offset in (0, 100):
        close(log_softmax(np.arange(4.0) + offset, None), expected)
    x = np.arange(4.0).reshape(2, 2)
    close(log_softmax(x, None), expected.reshape(2, 2))
    pair = [[1000.0, 1.0], [1000.0, 1.0]]
    close(log_softmax(pair, 0), np.log(0.5) * np.ones((2, 2)))
    close(log_softmax(pair, 1), [[0.0, -999.0], [0.0, -999.0]])
    x, expected = np.arange(8.0).reshape(2, 4), np.stack([expected, expected])
    close(log_softmax(x, 1), expected)
    close(log_softmax(x.T, 0), expected.T)
    close(log_softmax(x.reshape(2, 2, 2), (1, 2)), expected.reshape(2, 2, 2))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sigmoid(dtype):
    expected = [0.01798621, 0.04265125, 0.0977726, 0.20860853, 0.39068246]
    expected += [1 - p for p in expected[::-1]]
    found = sigmoid(np.linspace(-4, 4, 10).astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=1.5e-7, rtol=0)
    for n in (88, 89, 709, 710, 11356, 11357):
        n = np.array(n, dtype)
        assert sigmoid(n).dtype == sigmoid(-n).dtype == dtype
        np.testing.assert_allclose([sigmoid(n), sigmoid(-n)], [1, 0], atol=1e-20)


def test_log_sigmoid():
    x = [-10000.0, -750.0, -500.0, -35.0]
    assert log_sigmoid(x).tolist() == x
    assert log_sigmoid([750.0, 1000.0, 10000.0]).tolist() == [0, 0, 0]
    x = [-32, -20, -10, -3, -1, -0.1, -1e-9, 0, 1e-9, 0.1, 1, 10, 100, 500]
    x = np.array([*x, 710, 725, 735])
    expected = [
        -32.000000000000014, -20.000000002061153, -10.000045398899218,
        -3.048587351573742, -1.3132616875182228, -0.7443966600735709,
        -0.6931471810599453, -0.6931471805599453, -0.6931471800599454,
        -0.6443966600735709, -0.3132616875182228, -4.539889921686465e-05,
        -3.720075976020836e-44, -7.124576406741286e-218, -4.47628622567513e-309,
        -1.36930634e-315, -6.217e-320,
    ]  # fmt: skip
    close(log_sigmoid(x), expected, 1e-15)
    single = log_sigmoid(x[:13].astype("f4"))
    close(single, np.array(expected[:13], "f4"), 5e-7)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_drawn_inputs_beside_scipy(dtype):
    rng = np.random.default_rng(4)
    eps = np.finfo(dtype).eps
    for _ in range(30):
        a = rng.normal(scale=5, size=(3, 4, 5)).astype(dtype)
        b = rng.uniform(0.5, 2, (4, 1)).astype(dtype)
        for axis in (0, 1, -1, (0, 2), None):
            pairs = [
                (logsumexp(a, axis, b=b), special.logsumexp(a, axis, b)),
                (logsumexp(a, axis), special.logsumexp(a, axis)),
                (softmax(a, axis), special.softmax(a, axis)),
                (log_softmax(a, axis), special.log_softmax(a, axis)),
            ]
            for ours, theirs in pairs:
                assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
                np.testing.assert_allclose(ours, theirs, rtol=50 * eps, atol=8 * eps)
        np.testing.assert_allclose(sigmoid(a), special.expit(a), rtol=4 * eps)
        np.testing.assert_allclose(log_sigmoid(a), special.log_expit(a), rtol=4 * eps)
