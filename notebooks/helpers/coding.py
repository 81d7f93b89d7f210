"""An arithmetic coder, and a model of letters that learns while it codes.

A code word is a number between 0 and 1. The shares of the first letter divide that
stretch, the shares of the second divide the part of the first, and so on; the word is
any number in the part that is left. The part is as long as the product of the shares,
so a text takes as many bits as it surprises the model, and less than a byte more.

Lengths are whole numbers, so that reading them undoes writing them exactly.
"""

import numpy as np
from numba import njit

from softmax_lib import softmax

kernel = njit(cache=True, error_model="numpy", fastmath=False)

# A stretch is a part of 2**48, and at least 2**40 long: above are bytes that are done.
WHOLE, SHORTEST = 1 << 48, 1 << 40
# Shares are rounded to multiples of about 2**-24.
STEPS = 1 << 24


@kernel
def whole_numbers(shares):
    """Return shares as whole numbers, each at least 1."""
    return 1 + (shares * STEPS).astype(np.int64)


@kernel
def part_of(stretch, parts, letter):
    """Return the start and the length of a letter's part of a stretch."""
    unit = stretch // parts.sum()
    return unit * parts[:letter].sum(), unit * parts[letter]


@kernel
def letter_at(place, stretch, parts):
    """Return the letter in whose part of a stretch a place lies."""
    unit = stretch // parts.sum()
    letter, end = 0, parts[0]
    while place // unit >= end:
        letter += 1
        end += parts[letter]
    return letter


@kernel
def carry(code, size):
    """Add 1 to the number that the bytes so far are."""
    while code[size - 1] == 255:
        size -= 1
        code[size] = 0
    code[size - 1] += 1


@kernel
def rows_after(before, scores):
    """Return a row for each context: of no letter, of the last, of the last two, ...

    There are more long contexts than rows, so some of them share a row.
    """
    lengths, count, letters = scores.shape
    rows = np.zeros(lengths, np.int64)
    context = 0
    for length in range(1, lengths):
        context = context * letters + before[-length] + 1
        rows[length] = context % count
    return rows


@kernel
def shares_after(rows, scores):
    """Return softmax of the sum of the scores of all contexts."""
    total = np.zeros(scores.shape[2])
    for length in range(rows.size):
        total += scores[length, rows[length]]
    return softmax(total)


@kernel
def learn(rows, scores, rates, shares, letter):
    """Take a step against the slope of the loss, share minus target."""
    for length in range(rows.size):
        row = scores[length, rows[length]]
        row -= rates[length] * shares
        row[letter] += rates[length]


@kernel
def encode(text, scores, rates):
    """Return the bytes of a text of letters 0, 1, ..., and the loss of each letter.

    `scores` are those of the model at the beginning: a table for each length of
    context, with a row for each context. A copy of them learns, a table at each rate.
    """
    scores, before = scores.copy(), scores.shape[0] - 1
    padded = np.zeros(before + text.size, np.int64)
    padded[before:] = text
    losses = np.empty(text.size)
    code = np.zeros(8 + 4 * text.size, np.uint8)
    size, low, stretch = 0, 0, WHOLE
    for i in range(text.size):
        rows = rows_after(padded[: before + i], scores)
        shares = shares_after(rows, scores)
        parts = whole_numbers(shares)
        start, stretch = part_of(stretch, parts, text[i])
        low += start
        if low >= WHOLE:
            low -= WHOLE
            carry(code, size)
        while stretch < SHORTEST:
            code[size] = low // SHORTEST
            size += 1
            low, stretch = low % SHORTEST * 256, stretch * 256
        losses[i] = -np.log(shares[text[i]])
        learn(rows, scores, rates, shares, text[i])
    # One more byte: the first place of the stretch with zeros below it.
    last = -(-low // SHORTEST)
    if last == 256:
        carry(code, size)
        last = 0
    code[size] = last
    return code[: size + 1], losses


@kernel
def decode(code, length, scores, rates):
    """Return the text of that length, whose bytes `encode` returned."""
    scores, before = scores.copy(), scores.shape[0] - 1
    padded = np.zeros(before + length, np.int64)
    ended = np.zeros(code.size + 8, np.int64)
    ended[: code.size] = code
    place, read, stretch = 0, 0, WHOLE
    for _ in range(6):
        place, read = place * 256 + ended[read], read + 1
    for i in range(length):
        rows = rows_after(padded[: before + i], scores)
        shares = shares_after(rows, scores)
        parts = whole_numbers(shares)
        letter = letter_at(place, stretch, parts)
        start, stretch = part_of(stretch, parts, letter)
        place -= start
        while stretch < SHORTEST:
            place, read = (
                place * 256 + ended[min(read, code.size)],
                read + 1,
            )
            stretch *= 256
        learn(rows, scores, rates, shares, letter)
        padded[before + i] = letter
    return padded[before:]
