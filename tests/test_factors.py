"""Log-sum-exp with factors: its switches, cancellation and huge numbers."""

import math
import platform
from collections import Counter
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from processes import python
from scipy import special

from helpers import exact
from softmax_lib import logsumexp

INF, NAN = math.inf, math.nan


def test_return_sign_is_a_switch():
    for given_sign in (1, True, np.True_):
        assert len(logsumexp(np.ones((2, 3)), return_sign=given_sign)) == 2
    for given_sign in (0, False, np.False_):
        assert logsumexp(np.ones((2, 3)), return_sign=given_sign).shape == (2,)
    for bad in ("no", None, 0.5):
        with pytest.raises(TypeError, match=r"return_sign=.*True and False"):
            logsumexp(np.ones(3), return_sign=bad)
    out = np.empty(2)
    value, sign = logsumexp(np.ones((2, 3)), return_sign=True, out=out)
    assert value is out and sign.tolist() == [1, 1]


def test_signs_of_nothing():
    for x in (np.zeros((3, 0)), np.zeros((3, 0), "f4")):
        expected = special.logsumexp(x, axis=1, return_sign=True)
        for found in (
            logsumexp(x, return_sign=True),
            logsumexp(x, b=x, return_sign=True),
        ):
            np.testing.assert_equal(found, expected)
            assert [part.dtype for part in found] == [x.dtype] * 2
    # A factor of 0 removes infinity, where SciPy says NaN, and nothing is left.
    assert logsumexp([INF], b=[0], return_sign=True) == (-INF, 0)
    assert logsumexp([1.0, NAN], where=False, return_sign=True) == (-INF, 0)
    assert logsumexp([1.0, 2.0], b=2, where=False, return_sign=True) == (-INF, 0)


def test_a_number_of_pythons_leaves_the_dtype():
    for b in (True, 2, 2.0):
        assert logsumexp(np.ones(2, "f4"), b=b).dtype == np.float32
    assert logsumexp(np.ones(2, "f4"), b=np.float64(2)).dtype == np.float64
    with pytest.raises(TypeError, match=r"got out of dtype float32; .* float64"):
        logsumexp(np.ones(2, "f4"), b=np.ones(2), out=np.empty((), "f4"))


# --- accuracy --------------------------------------------------------------------


def errors(x, b):
    """Return the errors in ULP of our result and SciPy's; None if it is not finite."""
    with mpmath.workprec(5200):
        total = mpmath.fsum(w * mpmath.exp(v) for v, w in zip(x, b, strict=True))
        found = logsumexp(x, b=b, return_sign=True)
        if is_zero(x, b):
            assert found == (-INF, 0)
            return None
        log = mpmath.log(abs(total))
        assert found[1] == mpmath.sign(total)
        if log == 0:
            assert found[0] == 0
            return None
        with np.errstate(all="ignore"):
            theirs = special.logsumexp(x, b=b, return_sign=True)[0]
        return exact.ulps(found[0], [log])[0], exact.ulps(
            np.nan_to_num(theirs, nan=INF, posinf=1e300, neginf=-1e300), [log]
        )[0]


def is_zero(x, b):
    """Return whether the factors of every score add up to 0."""
    sums = Counter()
    for score, factor in zip(x, b, strict=True):
        sums[score] += Fraction(factor)
    return not any(sums.values())


def cancelling():
    """Yield scores and factors of both signs that cancel in one way or another."""
    rng = np.random.default_rng(2)
    yield [3.06409428, 0.37251854, 3.87471931], [1.88190708, 2.84174795, -0.85016884]
    yield (
        [-4.8234454447378585, -2.457768713601559],
        [
            0.9991667231166156,
            -0.09377765298827627,
        ],
    )
    yield [0.0, -1.0, -1.0], [1.0, 3.0, -3.0]
    yield [1.0, 2.0, 1.0, 2.0], [0.1, 0.3, -0.1, -0.3]
    yield [0.0, 0.0, -700.0], [1.0, -1.0, 1e-300]
    yield [0.0, -740.0], [1.0, -1.0]
    yield [0.0, 0.0, -744.0], [1.0, -1e-322, -1e-5]
    for _ in range(60):
        n = int(rng.integers(2, 30))
        x, b = rng.normal(size=n), rng.normal(size=n)
        yield x * 10.0 ** rng.uniform(-3, 2.4), b
        yield x, b * 10.0 ** rng.uniform(-300, 300, n)
        yield x * 1e-9 + 1.5, b - b.mean()
        yield np.round(2 * x), np.round(3 * b) / 10
        yield x, np.append(b[1:], -np.sum(b[1:] * np.exp(x[:-1])) / np.exp(x[-1]))
        yield x - special.logsumexp(x, b=b, return_sign=True)[0], b
        step = 10.0 ** rng.uniform(-12, 0)
        yield x[0] + step * np.arange(4.0), np.array([1.0, -3.0, 3.0, -1.0])


def test_cancelling_terms_are_as_near_as_scipys():
    count = 0
    for x, b in cancelling():
        x, b = np.array(x), np.array(b)
        found = errors(x, b)
        if found is not None and b.min() < 0 < b.max():
            ours, theirs = found
            count += 1
            assert ours <= 1 and ours <= max(theirs, 0.51), (x, b)
    assert count > 300


def test_cancellation_that_takes_more_than_sixty_digits():
    # The third difference of exp: (exp(step) - 1)^3.
    step = 2.0**-56
    x, b = step * np.arange(4.0), np.array([-1.0, 3.0, -3.0, 1.0])
    log, sign = logsumexp(x, b=b, return_sign=True)
    expected = float(3 * mpmath.log(mpmath.expm1(step)))
    assert sign == 1 and abs(log - expected) <= np.spacing(abs(expected))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_all_but_one_term_cancel(sign):
    x, b = [5.0, 0.0, 5.0, 7.0], np.array([0.5, sign, -0.5, 0.0])
    assert logsumexp(x, b=b, return_sign=True) == (0.0, sign)


@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(allow_nan=False, width=64)),
        min_size=1,
        max_size=9,
    )
)
@example([(0.0, 5e-324), (700.0, -5e-324)])
def test_any_factors(pairs):
    x, b = np.array(pairs).T
    if np.isinf(b).any():
        return
    found = errors(x, b)
    if found is not None:
        # Of one sign, a result near 0 may have an error of 2^-80.
        log = abs(logsumexp(x, b=b, return_sign=True)[0])
        assert found[0] <= (
            1 if b.min() < 0 < b.max() else 1 + 2**-80 / np.spacing(log)
        )


@pytest.mark.parametrize(
    ("x", "b", "expected"),
    [
        ([1e19, 1e19], [1e308, 1e308], 1e19),
        ([1e19, -1e19], [5e-324, 1e308], 1e19),
        ([1e308, -1e308], [1.0, 1e308], 1e308),
        ([-1e308, -1e308], [1e308, -1e307], -1e308),
        ([1e19, 1e19 + 2048], [1e308, -5e-324], 1e19 + 2048),
        ([0.0, 1e-300], [-1.0, 1.0], -690.7755278982137),
        ([5e-324], [1.0], 5e-324),
    ],
)
def test_the_ends_of_the_range(x, b, expected):
    assert logsumexp(x, b=b, return_sign=True)[0] == expected


BITS = """
import numpy as np
import softmax_lib as sl
rng = np.random.default_rng(5)
for n in (1, 5, 8, 70):
    x, b = 30 * rng.normal(size=(50, n)), rng.normal(size=(50, n))
    for part in (*sl.logsumexp(x, b=b, return_sign=True), sl.logsumexp(x, b=abs(b))):
        print(*part.view("u8").ravel())
"""


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the oldest of these"
)
def test_bits_without_a_fused_multiply_add():
    cpu = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""}
    assert python("-c", BITS, **cpu) == python("-c", BITS)


def test_a_sure_winner_keeps_its_doubt():
    # Twenty terms below its last bit: the sum of what they are beside 1.
    x = np.array([0.0, *(-60.0 - 7 * np.arange(20))])
    ours, _ = errors(x, np.ones(21))
    assert ours < 0.51


def test_long_rows_with_factors():
    rng = np.random.default_rng(3)
    x, b = rng.normal(size=(2, 4099)), rng.normal(size=(2, 4099))
    for row, factors in zip(x, b, strict=True):
        ours, _ = errors(row, factors)
        assert ours < 0.51
    values, signs = logsumexp(x, b=b, return_sign=True)
    for k in range(2):
        assert (values[k], signs[k]) == logsumexp(x[k], b=b[k], return_sign=True)
