"""The divergence of two lists of scores, against 50 digits and in its extremes."""

import math

import mpmath
import numpy as np
import pytest

from helpers import divergence, exact


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the functions without compiling them."""
    for name, function in list(vars(divergence).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(divergence, name, function.py_func)


def right(x, z):
    logs = exact.log_softmax(x), exact.log_softmax(z)
    return sum(mpmath.exp(a) * (a - b) for a, b in zip(*logs, strict=True))


@pytest.mark.parametrize("distance", [30.0, 3.0, 1.0, 0.5, 0.1, 1e-4, 1e-9, 1e-14])
@pytest.mark.parametrize("level", [0.0, 100.0, -1e4])
def test_all_digits_are_right_at_every_distance(distance, level):
    rng = np.random.default_rng(3)
    for _ in range(20):
        z = rng.normal(scale=2.0, size=7)
        x = z + distance * rng.normal(size=7)
        found = divergence.divergence(x, z)
        assert abs(found / right(x, z) - 1) < 4e-15
    # A constant added to the scores changes nothing but their own rounding.
    shifted = divergence.divergence(np.round(4 * x) / 4 + level, np.round(4 * z) / 4)
    expected = divergence.divergence(np.round(4 * x) / 4, np.round(4 * z) / 4)
    assert shifted == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("x", "z", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, -np.inf], [0.0, 0.0], math.log(2)),
        ([0.0, 0.0], [0.0, -np.inf], math.inf),
        ([0.0, -np.inf, 1.0], [0.0, -np.inf, 1.0], 0.0),
        ([0.0, -900.0], [0.0, 900.0], 900.0),
    ],
)
def test_extremes(x, z, expected):
    with np.errstate(all="ignore"):
        found = divergence.divergence(np.array(x), np.array(z))
    assert found == pytest.approx(expected, rel=1e-14, abs=0)


def test_it_is_never_negative():
    rng = np.random.default_rng(4)
    for distance in 10.0 ** np.arange(-17, 3):
        z = rng.normal(scale=3.0, size=(50, 6))
        x = z + distance * rng.normal(size=(50, 6))
        assert all(divergence.divergence(*pair) >= 0 for pair in zip(x, z, strict=True))


@pytest.mark.parametrize("d", [0.0, 1e-300, 1e-8, 0.3, -0.3, 0.4999, -0.4999])
def test_the_gap_of_a_single_term(d):
    value = mpmath.mpf(d) + mpmath.expm1(-mpmath.mpf(d))
    assert divergence.gap(d) == pytest.approx(float(value), rel=4e-16, abs=0)
