"""Nested logit, as Python runs it."""

import numpy as np
import pytest

import softmax_lib as sl
from helpers import choice


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the function without compiling it."""
    plain = choice.nested_log_shares.py_func
    monkeypatch.setattr(choice, "nested_log_shares", plain)


GROUPS = np.array([1, 0, 1, 2, 0])
X = np.array([0.3, -1.0, 2.0, 0.5, 1.5])


def test_scales_of_1_are_softmax():
    found = choice.nested_log_shares(X, GROUPS, np.ones(3))
    np.testing.assert_allclose(found, sl.log_softmax(X), rtol=1e-14)


@pytest.mark.parametrize("lift", [0.0, 1000.0, -1000.0])
def test_the_shares_are_those_of_the_definition(lift):
    scales = np.array([0.4, 0.7, 1.0])
    found = np.exp(choice.nested_log_shares(X + lift, GROUPS, scales))
    terms = np.exp(X / scales[GROUPS])
    inside = np.bincount(GROUPS, terms)
    among = inside**scales / (inside**scales).sum()
    expected = among[GROUPS] * terms / inside[GROUPS]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert found.sum() == pytest.approx(1)


def test_equal_options_of_a_group_count_as_one_at_a_small_scale():
    x, groups = np.zeros(4), np.array([0, 1, 1, 1])
    found = np.exp(choice.nested_log_shares(x, groups, np.array([1.0, 1e-9])))
    np.testing.assert_allclose(found, [1 / 2, 1 / 6, 1 / 6, 1 / 6], rtol=1e-8)
