"""The loss over many words in chunks, as Python runs it."""

import numpy as np
import pytest

import softmax_lib as sl
from helpers import vocabulary


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the functions without compiling them."""
    for name, function in list(vars(vocabulary).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(vocabulary, name, function.py_func)


def some():
    rng = np.random.default_rng(4)
    hidden, words = rng.normal(size=(5, 3)), rng.normal(size=(11, 3))
    return hidden, words, np.array([0, 3, 4, 10, 3])


@pytest.mark.parametrize("chunk", [1, 4, 10, 11, 50])
def test_losses_and_gradients_are_those_of_the_table(chunk):
    hidden, words, targets = some()
    scores = hidden @ words.T
    leads, losses = vocabulary.losses_in_chunks(hidden, words, targets, chunk)
    expected, slopes = sl.cross_entropy_and_grad(scores, targets, reduction="none")
    np.testing.assert_allclose(losses, expected, rtol=1e-13)
    for i, t in enumerate(targets):
        others = sl.logsumexp(np.delete(scores[i], t))
        assert leads[i] == pytest.approx(scores[i, t] - others, rel=1e-12)
    grads = vocabulary.gradients_in_chunks(hidden, words, targets, chunk, leads)
    np.testing.assert_allclose(grads[0], slopes @ words, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(grads[1], slopes.T @ hidden, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("lead", [20.0, 40.0, 700.0])
def test_a_winner_keeps_its_loss(lead):
    words = np.array([[0.0], [lead], [0.0]])
    one, target = np.ones((1, 1)), np.array([1])
    _, losses = vocabulary.losses_in_chunks(one, words, target, 2)
    assert losses[0] == pytest.approx(2 * np.exp(-lead), rel=1e-12)
    assert losses[0] > 0


def test_a_chunk_that_holds_nothing_but_the_target():
    words = np.array([[2.0], [1.0]])
    one, target = np.ones((1, 1)), np.array([0])
    leads, losses = vocabulary.losses_in_chunks(one, words, target, 1)
    assert leads[0] == 1.0
    assert losses[0] == pytest.approx(np.log1p(np.exp(-1.0)), rel=1e-14)
