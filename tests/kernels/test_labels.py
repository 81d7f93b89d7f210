"""Labels of all rows: their check, the sum of their weights, and the mean loss."""

from fractions import Fraction

import numpy as np
import pytest

from softmax_lib._kernels import labels as kernels


@pytest.mark.parametrize(
    ("labels", "ignored", "ignores", "expected"),
    [
        ([0, 4, 2], -1, False, (-1, 3)),
        ([0, 5, 2], -1, False, (1, 0)),
        ([0, 2, -1], -1, False, (2, 0)),
        ([0, -1, 2, -1], -1, True, (-1, 2)),
        ([0, 4, 3], 4, True, (-1, 2)),
        ([7, 7, 9], 7, True, (2, 0)),
        ([], -1, False, (-1, 0)),
    ],
)
def test_labels_out_of_range(labels, ignored, ignores, expected):
    labels = np.array(labels, np.int64)
    assert kernels.validate_labels(labels, 5, ignored, ignores) == expected


def test_the_sum_of_weights_keeps_what_is_rounded():
    rng = np.random.default_rng(1)
    weight = rng.random(5) * 10.0 ** rng.uniform(-9, 9, 5)
    labels = rng.integers(0, 5, 1000)
    hi, lo = kernels.label_weight_sum(labels, weight, 3)
    true = sum(Fraction(weight[y]) for y in labels if y != 3)
    assert abs(Fraction(hi) + Fraction(lo) - true) < Fraction(2) ** -80 * true
    assert lo != 0


def test_the_mean_of_losses():
    losses = np.random.default_rng(2).exponential(size=1001)
    true = sum(map(Fraction, losses))
    assert kernels.mean_loss(losses, 3.0, 0.0) == float(true) / 3
    # The low part of the divisor counts, where it is large enough.
    assert kernels.mean_loss(losses, 2.0, 1.0) == float(true) / 3
    assert kernels.mean_loss(np.zeros(3), 0.0, 0.0) == 0
    assert kernels.mean_loss(np.ones(3), 0.0, 0.0) == np.inf


def test_a_gradient_over_zero():
    grad = np.array([0.0, 2.0, -3.0, np.nan])
    kernels.divide_by_zero(grad)
    np.testing.assert_array_equal(grad, [0.0, np.inf, -np.inf, np.nan])
