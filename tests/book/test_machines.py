"""The archive of pictures in parts, as Python runs it."""

from functools import reduce

import numpy as np
import pytest

import softmax_lib as sl
from helpers import archive


@pytest.fixture
def small(monkeypatch):
    """Run the functions on a small archive, without compiling them."""
    for name, function in list(vars(archive).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(archive, name, function.py_func)
    some = archive.pictures()[::97]
    monkeypatch.setattr(archive, "pictures", lambda: some)
    return some


def copies_of(pictures):
    rng = np.random.default_rng(3)
    chosen = pictures[rng.integers(len(pictures), size=9)]
    return chosen + rng.normal(scale=5.0, size=chosen.shape).round()


def test_the_archive_has_every_digit_where_it_was_and_moved_by_one_pixel():
    pictures = archive.pictures().reshape(3, 3, -1, 8, 8)
    still = pictures[1, 1]
    np.testing.assert_array_equal(pictures[0, 1][:, 1:], still[:, :-1])
    np.testing.assert_array_equal(pictures[2, 1][:, :-1], still[:, 1:])
    np.testing.assert_array_equal(pictures[1, 0][:, :, 1:], still[:, :, :-1])
    assert not pictures[0, 1][:, 0].any() and still.max() == 16


def test_scores_are_distances_rounded_once(small):
    copies = copies_of(small)
    distances = ((copies[:, None] - small) ** 2).sum(axis=-1)
    expected = -distances / 2 / archive.DEVIATION**2
    np.testing.assert_array_equal(archive.scores(copies, small), expected)


@pytest.mark.parametrize("block", [1, 50, 500])
def test_blocks_are_taken_in_as_the_whole(small, block):
    copies, total = copies_of(small), sl.LogSumExp(9)
    archive.take_in(total.fields, copies, small, block)
    expected = sl.logsumexp(archive.scores(copies, small))
    np.testing.assert_array_equal(total.logsumexp(), expected)


@pytest.mark.parametrize("parts", [1, 4, 11])
def test_parts_together_are_the_whole(small, parts):
    copies = copies_of(small)
    shares = sl.softmax(archive.scores(copies, small))
    assert sum(len(archive.part(k, parts)) for k in range(parts)) == len(small)
    totals = [archive.total_of_part(k, parts, copies) for k in range(parts)]
    whole = reduce(sl.LogSumExp.merge, totals)
    found = [archive.best_of_part(k, parts, copies, whole) for k in range(parts)]
    values, places = map(np.array, zip(*found, strict=True))
    best = values.argmax(axis=0), np.arange(9)
    np.testing.assert_array_equal(values[best], shares.max(axis=-1))
    np.testing.assert_array_equal(places[best], shares.argmax(axis=-1))
