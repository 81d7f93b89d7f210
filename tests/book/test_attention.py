"""Attention in blocks, and the network that reads numerals, as Python runs them."""

import numpy as np
import pytest

import softmax_lib as sl
from helpers import attention, numerals


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the functions of both modules without compiling them."""
    for module in (numerals, attention):
        for name, function in list(vars(module).items()):
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)


SEEN = np.array([5, 0, 1, 7])


def some(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, 3)), rng.normal(size=(7, 3)), rng.normal(size=(7, 2))


@pytest.mark.parametrize("block", [1, 2, 5, 7, 100])
def test_attention_in_blocks_is_that_of_the_whole(block):
    queries, keys, values = some()
    answers, totals = attention.attend(queries, keys, values, SEEN, 0.5, block)
    scores = 0.5 * queries @ keys.T
    mask = np.arange(7) < SEEN[:, None]
    expected = sl.softmax(scores, where=mask) @ values
    np.testing.assert_allclose(answers, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        totals, sl.logsumexp(scores, axis=-1, where=mask), rtol=1e-13
    )
    assert totals[1] == -np.inf
    assert not answers[1].any()


@pytest.mark.parametrize("block", [1, 3, 7])
def test_the_backward_step_is_the_slope(block):
    inputs = some()
    slopes = np.random.default_rng(1).normal(size=(4, 2))
    rest = SEEN, 0.5, block
    saved = attention.attend(*inputs, *rest)
    grads = attention.attend_backwards(*inputs, *rest, *saved, slopes)
    for which in range(3):
        for place in np.ndindex(inputs[which].shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in inputs]
                moved[which][place] += step
                ends.append((slopes * attention.attend(*moved, *rest)[0]).sum())
            slope = (ends[0] - ends[1]) / 2e-6
            assert grads[which][place] == pytest.approx(slope, abs=1e-8)
    # Nobody sees keys that come after those of every query.
    assert not grads[0][1].any()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "one"),
        (10, "ten"),
        (13, "thirteen"),
        (20, "twenty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (907, "nine hundred seven"),
        (342, "three hundred forty two"),
        (615, "six hundred fifteen"),
    ],
)
def test_numbers_in_words(number, words):
    assert numerals.in_words(number) == words.split()


def test_no_two_numbers_have_the_same_words():
    assert len({" ".join(numerals.in_words(n)) for n in range(1, 1000)}) == 999


def test_texts():
    texts = numerals.texts_of([907, 7])
    words = [[numerals.WORDS[w] for w in row] for row in texts.words]
    assert words[0][:4] == ["start", "nine", "hundred", "seven"]
    assert texts.lengths.tolist() == [4, 2]
    assert texts.places[0, :4].tolist() == [3, 2, 1, 0]
    assert texts.digits.tolist() == [[9, 0, 7], [0, 0, 7]]
    bare = numerals.texts_of([907], start=False, places=False)
    assert (bare.lengths[0], bare.places.any()) == (3, False)
    one = numerals.text_of(7)
    assert [len(one.words), len(one.places), one.digits.tolist()] == [2, 2, [0, 0, 7]]


@pytest.mark.parametrize("shape", [{}, {"heads": 2, "queries": 1}])
def test_the_gradient_of_the_network_is_the_slope_of_its_loss(shape):
    rng = np.random.default_rng(5)
    net = numerals.random_reader(rng, width=4, **shape)
    texts, rows = numerals.texts_of([342, 7]), np.array([0, 1])
    grad = numerals.Reader(*map(np.ones_like, net))
    loss = numerals.mean_gradient(net, grad, texts, rows, 0.5)
    scores = numerals.read_all(net, texts, 0.5)
    assert loss == pytest.approx(sl.cross_entropy(scores, texts.digits))
    for part, slopes in zip(net, grad, strict=True):
        turn = rng.normal(size=part.shape)
        ends = []
        for step in (1e-6, -1e-6):
            part += step * turn
            moved = numerals.read_all(net, texts, 0.5)
            ends.append(sl.cross_entropy(moved, texts.digits))
            part -= step * turn
        slope = (ends[0] - ends[1]) / 2e-6
        assert (slopes * turn).sum() == pytest.approx(slope, abs=1e-8)


def test_training_lowers_the_loss():
    net = numerals.random_reader(np.random.default_rng(2), width=4)
    texts = numerals.texts_of([3, 40, 507])
    losses = numerals.train(net, texts, 0.5, steps=40, batch=3, rate=0.1)
    assert losses[-1] < losses[0] / 2


def test_shares_of_every_query_add_up_to_one():
    shape = {"heads": 2, "queries": 1}
    net = numerals.random_reader(np.random.default_rng(3), **shape)
    shares = numerals.shares_of(net, numerals.text_of(342), 0.25)
    assert shares.shape == (2, 5)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
