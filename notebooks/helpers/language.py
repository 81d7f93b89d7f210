"""A small language model and its training, written as loops.

The text is in prose.txt: sentences of this book, one a line, in lower case. It was
made once, from the chapters up to the one on the engine's layouts and from the pages
of the book; sentences with formulas, numbers or code were left out. It stays as it is
when the book changes, so that what the model learns stays the same.

The model sees the last pieces of a text and gives a score to every piece that may
follow. It has one hidden layer:

    context (C,) -> hidden (H,) -> scores (K,)

The first layer has a table for every place of the context and adds up one row of
each. All loops add in one fixed order, which no processor changes, and use nothing
but +, *, / and the square root, so the weights have the same bits everywhere.
"""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from helpers.drawing import draw, top_p
from softmax_lib import cross_entropy_and_grad

layer = njit(cache=True, error_model="numpy", fastmath=False)

TEXT = Path(__file__).with_name("prose.txt")
# A word with the space before it, a mark, or the end of a sentence.
WORD = re.compile(r"\n| ?[a-z]+| ?[^a-z\n]")


def sentences():
    """Return the sentences to learn from and every tenth, to test with."""
    lines = TEXT.read_text(encoding="utf-8").splitlines(keepends=True)
    learned = [s for i, s in enumerate(lines) if i % 10]
    return "".join(learned), "".join(lines[::10])


def pieces_of(text, count):
    """Return the pieces of a text: its characters, and the most frequent pairs.

    The two adjacent pieces that are most frequent within words are joined, again
    and again, until there are `count` pieces.
    """
    words = {
        tuple(w): n for w, n in Counter(WORD.findall(text)).items()
    }
    pieces = sorted(set(text))
    pairs = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            pairs[pair] += n
    while len(pieces) < count:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        pieces.append("".join(best))
        for word in [w for w in words if best in set(pairwise(w))]:
            joined, n = _joined(word, best), words.pop(word)
            words[joined] = n
            for pair in pairwise(word):
                pairs[pair] -= n
            for pair in pairwise(joined):
                pairs[pair] += n
    return pieces


def split_text(text, pieces):
    """Return the numbers of the pieces that make up a text."""
    number = {piece: i for i, piece in enumerate(pieces)}
    known = {}
    for word in set(WORD.findall(text)):
        parts = tuple(word)
        while True:
            found = [
                (number[a + b], (a, b))
                for a, b in pairwise(parts)
                if a + b in number
            ]
            if not found:
                break
            parts = _joined(parts, min(found)[1])
        known[word] = [number[part] for part in parts]
    return np.array([i for w in WORD.findall(text) for i in known[w]])


def _joined(word, pair):
    parts, i = [], 0
    while i < len(word):
        both = word[i : i + 2] == pair
        parts.append("".join(pair) if both else word[i])
        i += 2 if both else 1
    return tuple(parts)


class Layers(NamedTuple):
    """The weights of the model, or their gradients, layer by layer."""

    tables: np.ndarray  # (C, K, H)
    thresholds: np.ndarray  # (H,)
    weights: np.ndarray  # (H, K)
    biases: np.ndarray  # (K,)


@layer
def split(net, context, width, count):
    """Return the layers as views of the array of all weights."""
    first = context * count * width
    second = first + width
    third = second + width * count
    return Layers(
        net[:first].reshape((context, count, width)),
        net[first:second],
        net[second:third].reshape((width, count)),
        net[third:],
    )


@layer
def hidden_of(layers, places):
    """Add up one row of every table, and set negative sums to zero."""
    hidden = layers.thresholds.copy()
    for c in range(places.size):
        row = layers.tables[c, places[c]]
        for h in range(hidden.size):
            hidden[h] += row[h]
    for h in range(hidden.size):
        hidden[h] = max(hidden[h], 0)
    return hidden


@layer
def scores_of(layers, places):
    """Return the score of every piece that may follow."""
    hidden = hidden_of(layers, places)
    scores = layers.biases.copy()
    for h in range(hidden.size):
        if hidden[h] > 0:
            row = layers.weights[h]
            for k in range(scores.size):
                scores[k] += hidden[h] * row[k]
    return scores


@layer
def all_scores(layers, text, at):
    """Return the scores for the pieces of a text at the given places."""
    context = layers.tables.shape[0]
    scores = np.empty(
        (at.size, layers.biases.size), layers.biases.dtype
    )
    for i in range(at.size):
        scores[i] = scores_of(layers, text[at[i] - context : at[i]])
    return scores


@layer
def gradient(layers, text, at, grad):
    """Return the mean loss at some places of a text, and add up its gradient."""
    context, count = layers.tables.shape[:2]
    # Turned, so that the inner loops run along rows.
    turned = layers.weights.T.copy()
    loss, all_slopes = cross_entropy_and_grad(
        all_scores(layers, text, at), text[at]
    )
    for i in range(at.size):
        slopes = all_slopes[i]
        places = text[at[i] - context : at[i]]
        hidden = hidden_of(layers, places)
        grad_hidden = np.zeros_like(hidden)
        for k in range(count):
            grad.biases[k] += slopes[k]
            for h in range(hidden.size):
                grad_hidden[h] += slopes[k] * turned[k, h]
        for h in range(hidden.size):
            if hidden[h] > 0:
                grad.thresholds[h] += grad_hidden[h]
                for k in range(count):
                    grad.weights[h, k] += hidden[h] * slopes[k]
            else:
                grad_hidden[h] = 0
        for c in range(context):
            for h in range(hidden.size):
                grad.tables[c, places[c], h] += grad_hidden[h]
    return loss


@layer
def descend(net, sizes, shape, text, order, batch, rate, shrink):
    """Go once through the places in `order`; return the mean loss.

    `net` and `sizes` change in place. The step of a weight is its slope, divided by
    the root of the sum of its squared slopes so far (AdaGrad). Every step also takes
    a small part off each weight, so that a weight which seldom helps fades away.
    """
    context, width, count = shape
    layers = split(net, context, width, count)
    slopes = np.empty_like(net)
    grad = split(slopes, context, width, count)
    total = 0.0
    for start in range(0, order.size, batch):
        at = order[start : start + batch]
        slopes[:] = 0
        total += gradient(layers, text, at, grad) * at.size
        for i in range(net.size):
            sizes[i] += slopes[i] * slopes[i]
            net[i] -= (
                rate * slopes[i] / np.sqrt(sizes[i]) + shrink * net[i]
            )
    return total / order.size


def train(
    text,
    count,
    *,
    context=4,
    width=192,
    rounds=4,
    rate=0.1,
    shrink=3e-4,
    batch=32,
    seed=14,
):
    """Train a model on a text of pieces; return its layers and the loss of each round.

    The first pieces of the text, as many as the context has, are only looked at.
    """
    rng = np.random.default_rng(seed)
    shape = context, width, count
    net = np.zeros(
        context * count * width + width + (width + 1) * count
    )
    layers = split(net, *shape)
    for array in (layers.tables, layers.weights):
        array[:] = rng.uniform(-1, 1, array.shape) / np.sqrt(
            array.shape[0]
        )
    net = net.astype(np.float32)
    sizes = np.full_like(net, 1e-4)
    losses = []
    for _ in range(rounds):
        order = rng.permutation(np.arange(context, text.size))
        loss = descend(
            net,
            sizes,
            shape,
            text,
            order,
            batch,
            np.float32(rate),
            np.float32(shrink),
        )
        losses.append(loss)
    return split(net, *shape), losses


@layer
def write(layers, beginning, temperature, part, at):
    """Go on with a text, one piece for each random number in `at`.

    Every piece is drawn at the temperature, from the fewest pieces whose shares add
    up to `part`. At a temperature of 0 the piece with the largest score is taken.
    """
    context, start = layers.tables.shape[0], beginning.size
    text = np.empty(start + at.size, beginning.dtype)
    text[:start] = beginning
    for i in range(at.size):
        end = start + i
        scores = scores_of(layers, text[end - context : end])
        if temperature == 0:
            text[end] = scores.argmax()
        else:
            text[end] = draw(top_p(scores / temperature, part), at[i])
    return text[start:]
