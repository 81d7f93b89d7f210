"""Drawing from shares, and the small language model of that chapter."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import softmax_lib as sl
from helpers import drawing, language

INF = math.inf


@pytest.fixture
def plain(monkeypatch):
    """Return the functions of both modules as Python runs them."""
    functions = {}
    for module in (drawing, language):
        for name, function in list(vars(module).items()):
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)
                functions[name] = function.py_func
    monkeypatch.setattr(language, "draw", functions["draw"])
    monkeypatch.setattr(language, "top_p", functions["top_p"])
    return SimpleNamespace(**functions)


# --- drawing ---------------------------------------------------------------------


def test_every_class_gets_its_stretch(plain):
    scores = np.log([0.1, 0.2, 0.3, 0.4])
    for at, chosen in [(0, 0), (0.09, 0), (0.11, 1), (0.31, 2), (0.59, 2), (0.61, 3)]:
        assert plain.draw(scores, at) == chosen
    grid = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount([plain.draw(scores, at) for at in grid])
    assert np.abs(counts - [100, 200, 300, 400]).max() <= 1


@pytest.mark.parametrize("at", [0.0, 2.0**-60, 0.5, 1 - 2.0**-53, 1.0])
def test_no_masked_class_is_drawn(plain, at):
    for mask in itertools.product([True, False], repeat=4):
        scores = np.where(mask, [0.0, -90.0, 3.0, 0.1], -INF).astype(np.float32)
        chosen = plain.draw(scores, at)
        assert mask[chosen] if any(mask) else chosen == -1


def test_nothing_can_be_drawn_from_nan(plain):
    assert plain.draw(np.array([0.0, math.nan]), 0.5) == -1
    assert plain.draw(np.array([0.0, INF]), 0.5) == -1


def kept(scores):
    return np.flatnonzero(np.isfinite(scores)).tolist()


def test_the_largest_are_kept_and_of_equal_ones_the_first(plain):
    scores = np.array([1.0, 3.0, 2.0, 3.0, 2.0])
    for k, expected in enumerate([[], [1], [1, 3], [1, 2, 3], [1, 2, 3, 4]]):
        assert kept(plain.top_k(scores, k)) == expected
    cut = plain.top_k(scores, 2)
    assert cut[[1, 3]].tolist() == [3, 3] and scores[0] == 1
    assert kept(plain.top_k(scores, 9)) == [0, 1, 2, 3, 4]


def test_the_fewest_that_make_up_the_part(plain):
    rng = np.random.default_rng(0)
    for _ in range(100):
        scores, part = rng.normal(scale=2, size=8), rng.random()
        chosen = kept(plain.top_p(scores, part))
        shares = sl.softmax(scores)
        assert shares[chosen].sum() >= part
        assert np.delete(shares[chosen], shares[chosen].argmin()).sum() < part
        assert shares[chosen].min() >= np.delete(shares, chosen).max(initial=0)


def test_parts_at_both_ends(plain):
    scores = np.float32([0.0, -1.0, -40.0, -INF])
    assert kept(plain.top_p(scores, 1.0)) == [0, 1, 2]
    assert kept(plain.top_p(scores, 1e-30)) == [0]
    assert kept(plain.top_p(np.full(3, -INF, np.float32), 0.5)) == []


# --- the text --------------------------------------------------------------------


def test_the_text_is_sentences_in_plain_letters():
    learned, unseen = language.sentences()
    assert len(unseen) * 7 < len(learned) < len(unseen) * 11
    assert set(learned + unseen) <= set("abcdefghijklmnopqrstuvwxyz '(),-.:;?\n")
    for sentence in (learned + unseen).splitlines():
        assert sentence.endswith((".", "?")) and len(sentence.split()) > 3


def test_pieces_join_the_most_frequent_pair():
    assert language.pieces_of("abab abac\n", 7) == [*"\n abc", "ab", "abab"]
    assert language.pieces_of("aaaa\n", 4) == ["\n", "a", "aa", "aaaa"]


def test_a_text_is_the_sum_of_its_pieces():
    _, unseen = language.sentences()
    pieces = language.pieces_of(unseen, 200)
    assert len(pieces) == len(set(pieces)) == 200
    numbers = language.split_text(unseen, pieces)
    assert "".join(pieces[i] for i in numbers) == unseen
    assert numbers.size < len(unseen) / 1.8


# --- the model -------------------------------------------------------------------


SHAPE = CONTEXT, WIDTH, COUNT = 2, 3, 4


@pytest.fixture
def small():
    """Return a small model and a text."""
    rng = np.random.default_rng(3)
    size = CONTEXT * COUNT * WIDTH + WIDTH + (WIDTH + 1) * COUNT
    return rng.normal(size=size), rng.integers(0, COUNT, 12)


def test_the_model_forwards(plain, small):
    net, text = small
    layers = plain.split(net, *SHAPE)
    assert sum(part.size for part in layers) == net.size
    at = np.arange(CONTEXT, text.size)
    rows = sum(layers.tables[c, text[at - CONTEXT + c]] for c in range(CONTEXT))
    hidden = np.maximum(rows + layers.thresholds, 0)
    assert (hidden == 0).any() and (hidden > 0).any()
    expected = hidden @ layers.weights + layers.biases
    np.testing.assert_allclose(plain.all_scores(layers, text, at), expected)


def test_the_gradient_is_the_slope_of_the_loss(plain, small):
    net, text = small
    at = np.array([2, 3, 5, 9])
    slopes = np.zeros_like(net)
    loss = plain.gradient(
        plain.split(net, *SHAPE), text, at, plain.split(slopes, *SHAPE)
    )

    def loss_of(weights):
        scores = plain.all_scores(plain.split(weights, *SHAPE), text, at)
        return sl.cross_entropy(scores, text[at])

    assert loss == pytest.approx(loss_of(net))
    for k in range(net.size):
        nudge = np.zeros_like(net)
        nudge[k] = 1e-6
        slope = (loss_of(net + nudge) - loss_of(net - nudge)) / 2e-6
        assert slopes[k] == pytest.approx(slope, abs=1e-7)


def test_a_step_of_descent(plain, small):
    net, text = small
    at = np.array([2, 3])
    slopes = np.zeros_like(net)
    loss = plain.gradient(
        plain.split(net, *SHAPE), text, at, plain.split(slopes, *SHAPE)
    )
    moved, sizes = net.copy(), np.full_like(net, 0.5)
    assert plain.descend(moved, sizes, SHAPE, text, at, 2, 0.1, 0.01) == loss
    np.testing.assert_allclose(sizes, 0.5 + slopes**2)
    np.testing.assert_allclose(
        moved, 0.99 * net - 0.1 * slopes / np.sqrt(sizes), atol=1e-15
    )


def test_writing(plain, small):
    net, text = small
    layers = plain.split(net, *SHAPE)
    greedy = plain.write(layers, text, 0.0, 1.0, np.zeros(5))
    seen = list(text)
    for piece in greedy:
        best = plain.scores_of(layers, np.array(seen[-CONTEXT:])).argmax()
        assert piece == best
        seen.append(piece)
    # One piece makes up a tiny part, so nothing is left to chance.
    numbers = np.random.default_rng(0).random(5)
    assert plain.write(layers, text, 2.0, 1e-9, numbers).tolist() == greedy.tolist()
    drawn = plain.write(layers, text, 2.0, 1.0, numbers)
    first = plain.scores_of(layers, text[-CONTEXT:])
    assert drawn[0] == plain.draw(first / 2.0, numbers[0])


def test_training_lowers_the_loss(plain):
    text = np.tile([0, 1, 2, 3], 12)
    layers, losses = plain_train(text)
    assert losses[-1] < losses[0] / 2
    assert plain.scores_of(layers, np.array([2, 3])).argmax() == 0


def plain_train(text):
    return language.train(text, 4, context=2, width=8, rounds=6, batch=4, rate=0.3)
