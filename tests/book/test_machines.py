"""The archive of pictures in parts, as Python runs it."""

import math
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest

import softmax_lib as sl
from helpers import archive, totals


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


# --- totals ----------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch):
    """Run the functions on totals without compiling them."""
    for name, function in list(vars(totals).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(totals, name, function.py_func)


def value_of(columns):
    """Return the value of columns as an exact fraction."""
    digits = map(int, columns[1:])
    units = [Fraction(2) ** (40 * (int(columns[0]) - i)) for i in range(3)]
    return sum(d * unit for d, unit in zip(digits, units, strict=True))


@pytest.mark.parametrize("empty", [[], [-np.inf], [-np.inf] * 3])
def test_an_empty_part_is_neutral(plain, empty):
    nothing, some = totals.total_of(np.array(empty)), totals.total_of(np.arange(3.0))
    assert nothing == (-np.inf, 0.0) == totals.merge(nothing, nothing)
    assert totals.merge(some, nothing) == some == totals.merge(nothing, some)


def test_pairs_merge_to_the_whole(plain):
    x = np.random.default_rng(5).normal(scale=9, size=60)
    top, total = reduce(totals.merge, map(totals.total_of, np.split(x, 6)))
    assert top == x.max()
    assert top + np.log(total) == pytest.approx(sl.logsumexp(x), rel=1e-14)


@pytest.mark.parametrize("number", [1.0, 0.1, 2.0**39, 2.0**40, 3e-260, 7e260])
def test_a_number_is_its_columns(plain, number):
    assert value_of(totals.columns_of(number)) == Fraction(number)


def test_columns_do_not_depend_on_order_and_cut_off_little(plain):
    rng = np.random.default_rng(6)
    x = rng.uniform(-90, 90, size=200)
    found = set()
    for _ in range(20):
        parts = np.split(rng.permutation(x), [1, 50, 51, 120])
        parts = map(totals.columns_of_terms, parts)
        found.add(tuple(map(int, reduce(totals.add_columns, parts))))
    (columns,) = found
    exact = sum(Fraction(math.exp(v)) for v in x)
    assert 0 <= exact - value_of(columns) < 200 * Fraction(2) ** -80 * exact
