"""English numerals, and a network of attention alone that reads them.

The network has a query for each decimal digit. Every word has a key and a value, and
every place, counted from the last word, has a key that is added to that of its word.
A value is a list of ten scores, one for each digit, and so is the answer of a query.
"""

from typing import NamedTuple

import numpy as np

from helpers.attention import attend, attend_backwards, kernel
from softmax_lib import cross_entropy_and_grad, softmax

START = "start"
UNITS, TEENS, TENS = (
    words.split()
    for words in (
        "one two three four five six seven eight nine",
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen",
        "twenty thirty forty fifty sixty seventy eighty ninety",
    )
)
WORDS = [START, *UNITS, *TEENS, *TENS, "hundred"]


def in_words(number):
    """Return the English words for a number from 1 to 999."""
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds - 1], "hundred"] if hundreds else []
    if 10 <= rest < 20:
        return [*words, TEENS[rest - 10]]
    tens, units = divmod(rest, 10)
    words += [TENS[tens - 2]] if tens else []
    return words + ([UNITS[units - 1]] if units else [])


class Texts(NamedTuple):
    """Numerals as arrays, a row for each; unused ends of rows hold 0."""

    words: np.ndarray  # (N, L), indices into WORDS
    places: np.ndarray  # (N, L), 0 for the last word
    lengths: np.ndarray  # (N,)
    digits: np.ndarray  # (N, 3), hundreds, tens, units


def texts_of(numbers, *, start=True, places=True):
    """Return numbers as texts, which begin with the word "start" or not.

    Without `places`, every word has place 0.
    """
    first = [START] if start else []
    found = [first + in_words(int(n)) for n in numbers]
    lengths = np.array([len(words) for words in found])
    words = np.zeros((len(found), 5), np.int64)
    for row, text in zip(words, found, strict=True):
        row[: len(text)] = [WORDS.index(word) for word in text]
    place = np.maximum(lengths[:, None] - 1 - np.arange(5), 0) * places
    n = np.asarray(numbers)
    digits = np.stack([n // 100, n // 10 % 10, n % 10], axis=-1)
    return Texts(words, place, lengths, digits)


class Reader(NamedTuple):
    """The weights of the network, or their gradients."""

    queries: np.ndarray  # (heads, queries, width)
    word_keys: np.ndarray  # (heads, words, width)
    place_keys: np.ndarray  # (heads, places, width)
    values: np.ndarray  # (heads, words, 30 / queries)


def random_reader(rng, *, heads=1, queries=3, width=16):
    """Return random weights: standard normal keys and queries, small values."""
    return Reader(
        rng.normal(size=(heads, queries, width)),
        rng.normal(size=(heads, len(WORDS), width)),
        rng.normal(size=(heads, 5, width)),
        rng.normal(0, 0.1, (heads, len(WORDS), 30 // queries)),
    )


@kernel
def look_up(net, head, words, places, scale):
    """Return the inputs of `attend` for one head and one text."""
    keys = net.word_keys[head][words] + net.place_keys[head][places]
    values = net.values[head][words]
    seen = np.full(net.queries.shape[1], words.size)
    return net.queries[head], keys, values, seen, scale, words.size


@kernel
def read(net, words, places, scale):
    """Return ten scores for each of the three digits of a text."""
    heads, count = net.queries.shape[:2]
    scores = np.zeros((count, net.values.shape[2]))
    for h in range(heads):
        inputs = look_up(net, h, words, places, scale)
        answers, _ = attend(*inputs)
        scores += answers
    return scores.reshape((3, 10))


@kernel
def add_gradient(grad, net, words, places, digits, scale):
    """Add the gradient of one text's loss to `grad`; return the loss."""
    heads, count = net.queries.shape[:2]
    answers = np.empty((heads, count, net.values.shape[2]))
    totals = np.empty((heads, count))
    for h in range(heads):
        inputs = look_up(net, h, words, places, scale)
        answers[h], totals[h] = attend(*inputs)
    scores = answers.sum(axis=0)
    loss, slopes = cross_entropy_and_grad(
        scores.reshape((3, 10)), digits
    )
    slopes = slopes.reshape(scores.shape)
    for h in range(heads):
        inputs = look_up(net, h, words, places, scale)
        to_queries, to_keys, to_values = attend_backwards(
            *inputs, answers[h], totals[h], slopes
        )
        grad.queries[h] += to_queries
        for j in range(words.size):
            grad.word_keys[h, words[j]] += to_keys[j]
            grad.place_keys[h, places[j]] += to_keys[j]
            grad.values[h, words[j]] += to_values[j]
    return loss


@kernel
def mean_gradient(net, grad, texts, rows, scale):
    """Set `grad` to the mean gradient over some texts; return the mean loss."""
    for part in grad:
        part[:] = 0.0
    loss = 0.0
    for n in rows:
        end = texts.lengths[n]
        words, places = texts.words[n, :end], texts.places[n, :end]
        loss += add_gradient(
            grad, net, words, places, texts.digits[n], scale
        )
    for part in grad:
        part /= rows.size
    return loss / rows.size


@kernel
def read_all(net, texts, scale):
    """Return the scores of all texts, (N, 3, 10)."""
    scores = np.empty((texts.lengths.size, 3, 10))
    for n in range(texts.lengths.size):
        end = texts.lengths[n]
        scores[n] = read(
            net, texts.words[n, :end], texts.places[n, :end], scale
        )
    return scores


def train(
    net, texts, scale, *, steps=400, batch=100, rate=0.03, seed=0
):
    """Train with Adam, in place; return the loss of each batch."""
    rng = np.random.default_rng(seed)
    grad = Reader(*map(np.zeros_like, net))
    memory = [np.zeros((2, *part.shape)) for part in net]
    losses = []
    for step in range(1, steps + 1):
        rows = rng.choice(len(texts.lengths), batch)
        losses.append(mean_gradient(net, grad, texts, rows, scale))
        for weights, slopes, (mean, square) in zip(
            net, grad, memory, strict=True
        ):
            mean += 0.1 * (slopes - mean)
            square += 0.001 * (slopes * slopes - square)
            typical = np.sqrt(square / (1 - 0.999**step)) + 1e-8
            weights -= rate * mean / (1 - 0.9**step) / typical
    return np.array(losses)


def shares_of(net, text, scale):
    """Return the shares that each query gives to each word, head by head."""
    rows = []
    for queries, words, places in zip(
        net.queries, net.word_keys, net.place_keys, strict=True
    ):
        keys = words[text.words] + places[text.places]
        rows.append(softmax(scale * (queries @ keys.T)))
    return np.concatenate(rows)


def text_of(number):
    """Return one number as a text without unused ends."""
    text = texts_of([number])
    end = text.lengths[0]
    return Texts(
        text.words[0, :end], text.places[0, :end], end, text.digits[0]
    )
