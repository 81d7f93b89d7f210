"""The arithmetic coder and its model of letters, as Python runs them."""

import itertools
import math

import numpy as np
import pytest

from helpers import coding


@pytest.fixture(autouse=True)
def as_python(monkeypatch):
    """Run the functions without compiling them."""
    for name, function in list(vars(coding).items()):
        if hasattr(function, "py_func"):
            monkeypatch.setattr(coding, name, function.py_func)


def fixed(shares):
    return np.log(shares).reshape(1, 1, -1), np.zeros(1)


def learner(letters, before, rows=7):
    rates = 0.1 + 0.1 * np.arange(before + 1)
    return np.zeros((before + 1, rows, letters)), rates


@pytest.mark.parametrize("length", range(5))
@pytest.mark.parametrize("before", [0, 1, 3])
def test_every_short_text_comes_back(length, before):
    model = learner(3, before)
    words = set()
    for letters in itertools.product(range(3), repeat=length):
        text = np.array(letters, np.int64)
        code, losses = coding.encode(text, *model)
        assert losses.size == length
        np.testing.assert_array_equal(coding.decode(code, length, *model), text)
        words.add(code.tobytes())
    assert len(words) == 3**length


@pytest.mark.parametrize("seed", range(3))
def test_a_text_takes_its_surprise_and_less_than_a_byte_more(seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(5))
    text = rng.choice(5, 400, p=shares)
    code, losses = coding.encode(text, *fixed(shares))
    np.testing.assert_allclose(losses, -np.log(shares[text]), rtol=1e-13)
    assert 0 <= 8 * code.size - losses.sum() / math.log(2) < 8.1
    np.testing.assert_array_equal(coding.decode(code, 400, *fixed(shares)), text)


def test_a_carry_runs_through_bytes_that_are_full():
    code = np.array([3, 255, 255, 9], np.uint8)
    coding.carry(code, 3)
    assert code.tolist() == [4, 0, 0, 9]


@pytest.mark.parametrize("seed", range(20))
def test_texts_at_the_upper_end_of_their_stretch_come_back(seed):
    # The last letter, again and again, drives the number towards 1 and into carries.
    rng = np.random.default_rng(seed)
    shares = np.array([1e-7, 0.3, 0.7])
    text = np.where(rng.random(60) < 0.9, 2, rng.integers(0, 3, 60))
    code, _ = coding.encode(text, *fixed(shares))
    np.testing.assert_array_equal(coding.decode(code, 60, *fixed(shares)), text)


def test_no_letter_has_a_part_of_length_0():
    parts = coding.whole_numbers(np.array([1.0, 0.0]))
    assert parts[1] == 1
    start, length = coding.part_of(coding.SHORTEST, parts, 1)
    assert length > 0
    assert coding.letter_at(start, coding.SHORTEST, parts) == 1
    assert coding.letter_at(start - 1, coding.SHORTEST, parts) == 0


def test_a_short_context_has_a_row_of_its_own():
    scores = np.zeros((3, 101, 4))
    pairs = list(itertools.product(range(4), repeat=2))
    rows = [coding.rows_after(np.array(pair), scores) for pair in pairs]
    assert len({row[2] for row in rows}) == 16
    assert all(row[0] == 0 for row in rows)
    assert len({row[1] for row in rows}) == 4


def test_it_learns_from_what_it_reads_and_leaves_its_beginning_alone():
    scores, rates = learner(2, 1)
    text = np.array([0, 1] * 50)
    _, losses = coding.encode(text, scores, rates)
    assert losses[0] == pytest.approx(math.log(2))
    assert losses[-1] < 0.1 * losses[0]
    assert not scores.any()
