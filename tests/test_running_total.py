"""A running total gives the bits of the whole, however its scores came in."""

import math
import pickle
import time

import mpmath
import numba
import numpy as np
import pytest
from numba import njit

import softmax_lib as sl
from helpers import exact
from softmax_lib import LogSumExp, running_total

SEED = time.time_ns() % 2**32
DTYPES = [np.float32, np.float64]
each_dtype = pytest.mark.parametrize("dtype", DTYPES)

# The largest maximum for which the terms are those of the functions without a total.
REACH = {np.float32: 500.0, np.float64: 1600.0}


def draw(dtype, rows, n, rng, offsets=(0.0, -300.0, 300.0)):
    """Return rows with ties, spreads, winners and entries of -inf."""
    x = rng.choice([0.0, 0.1, 1.0, 8.0, 40.0], (rows, 1)) * rng.normal(size=(rows, n))
    x += rng.choice(offsets, (rows, 1)) + rng.uniform(-30, 30, (rows, 1))
    x[np.arange(rows), rng.integers(0, n, rows)] += rng.choice([0, 20, 45, 90], rows)
    x[:, rng.integers(0, n, n // 9)] = x[:, :1]
    x[:, rng.integers(0, n, n // 9)] = -math.inf
    return x.astype(dtype)


def split(x, rng, most=7):
    """Return the blocks of a random split, some of which are empty."""
    cuts = np.sort(rng.integers(0, x.shape[-1] + 1, rng.integers(1, most)))
    return np.split(x, cuts, axis=-1)


def tree(totals, rng):
    """Return all totals merged, two at a time, in a random tree."""
    totals = list(totals)
    while len(totals) > 1:
        rng.shuffle(totals)
        totals.append(totals.pop().merge(totals.pop()))
    return totals[0]


def state(total):
    """Return all that a total knows, in bytes."""
    return [field.tobytes() for field in total.fields]


def same(a, b):
    return np.asarray(a).tobytes() == np.asarray(b).tobytes()


# --- any split, any order --------------------------------------------------------

OFFSETS = {
    "near": (0.0, -300.0, 300.0),
    "on the border": (-640.0, -620.0, 490.0, 500.0, 620.0, -2700.0, 1600.0, 2660.0),
    "far": (1e4, -1e5, 3e6, -(2.0**30), 2.0**30, 1e10, -1e14, 2.0**62),
}


@each_dtype
@pytest.mark.parametrize("where", OFFSETS)
def test_no_bit_shows_the_split_or_the_order(dtype, where):
    rng = np.random.default_rng(SEED)
    for n in (1, 2, 17, 300, 9000):
        x = draw(dtype, 12, n, rng, OFFSETS[where])
        whole = LogSumExp(12, dtype).update(x)
        for _ in range(4):
            blocks = split(x[:, rng.permutation(n)], rng)
            one = LogSumExp(12, dtype)
            for block in blocks:
                one.update(block)
            merged = tree([LogSumExp(12, dtype).update(b) for b in blocks], rng)
            for other in (one, merged):
                assert state(other) == state(whole), f"seed {SEED}"


@each_dtype
def test_one_score_at_a_time_in_ascending_order(dtype):
    # Each score is the winner for a while, and the place of the sum rises many times.
    x = np.linspace(-600, 600, 400).astype(dtype)
    rising, falling = LogSumExp((), dtype), LogSumExp((), dtype)
    for score in x:
        rising.update(score[None])
    for score in x[::-1]:
        falling += LogSumExp((), dtype).update(score[None])
    whole = LogSumExp((), dtype).update(x)
    assert state(rising) == state(falling) == state(whole)


@each_dtype
def test_terms_at_the_edges_of_the_grids(dtype):
    # Around all powers of two where a place begins, and halves of units.
    for k in range(-9, 10):
        top = dtype(48 * k * math.log(2))
        near = top + np.linspace(-1.2, 1.2, 41).astype(dtype)
        x = np.concatenate([near, near - dtype(33.3), near - dtype(66.5)])
        whole = LogSumExp((), dtype).update(x)
        for order in (np.sort(x), np.sort(x)[::-1]):
            one = LogSumExp((), dtype)
            for part in np.array_split(order, 50):
                one.update(part)
            assert state(one) == state(whole)


@each_dtype
def test_results_are_those_of_the_whole(dtype):
    rng = np.random.default_rng(SEED)
    for n in (1, 2, 9, 160, 161, 700, 5000):
        x = np.minimum(draw(dtype, 30, n, rng), REACH[dtype])
        x[:, 0] = np.maximum(x[:, 0], -REACH[dtype])
        y = rng.integers(0, n, 30)
        y = np.where(np.isfinite(x[np.arange(30), y]), y, 0)
        blocks = split(x, rng)
        starts = np.cumsum([0] + [b.shape[1] for b in blocks])
        total = tree([LogSumExp(30, dtype).update(b) for b in blocks], rng)
        assert same(total.logsumexp(), sl.logsumexp(x)), f"seed {SEED}"
        for name in ("softmax", "log_softmax"):
            parts = [getattr(total, name)(block) for block in blocks]
            assert same(np.hstack(parts), getattr(sl, name)(x)), f"seed {SEED}"
        losses = total.cross_entropy(x[np.arange(30), y])
        assert same(losses, sl.cross_entropy(x, y, reduction="none")), f"seed {SEED}"
        gradient = np.hstack([
            total.cross_entropy_grad(block, y, start=start, divisor=30)
            for block, start in zip(blocks, starts, strict=False)
        ])  # fmt: skip
        assert same(gradient, sl.cross_entropy_and_grad(x, y)[1]), f"seed {SEED}"


def test_long_rows_on_several_threads():
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(2, 300_001))
    expected = state(LogSumExp(2).update(x[:, :9]).update(x[:, 9:]))
    before = numba.get_num_threads()
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            assert state(LogSumExp(2).update(x)) == expected
            assert state(LogSumExp(2).update(x[:, ::-1])) == expected
    finally:
        numba.set_num_threads(before)


@each_dtype
def test_along_any_axis(dtype):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(4, 5, 6, 7)).astype(dtype)
    for axis, shape in ((0, (5, 6, 7)), (1, (4, 6, 7)), ((0, 2), (5, 7)), (None, ())):
        total = LogSumExp(shape, dtype)
        for block in np.split(x, [2], axis=0 if axis != 1 else 1):
            total.update(block, axis)
        assert same(total.logsumexp(), sl.logsumexp(x, axis))
        assert same(total.softmax(x, axis), sl.softmax(x, axis))
        out = x.copy()
        assert total.log_softmax(out, axis, out=out) is out
        assert same(out, sl.log_softmax(x, axis))
    y = rng.integers(0, 5, (4, 6, 7))
    total = LogSumExp((4, 6, 7), dtype).update(x, 1)
    back = total.cross_entropy_grad(x, y, 1, divisor=y.size)
    assert same(back, sl.cross_entropy_and_grad(x, y, 1)[1])


# --- accuracy --------------------------------------------------------------------


@each_dtype
@pytest.mark.parametrize("offset", [0.0, -480.0, 505.0, -1e4, 2e5, -3e9, 1e12])
def test_accuracy_against_50_digits(dtype, offset):
    rng = np.random.default_rng(SEED)
    for n in (2, 30, 2000):
        x = (offset + rng.normal(size=n) * rng.choice([0.5, 5, 30])).astype(dtype)
        total = tree([LogSumExp((), dtype).update(b) for b in split(x, rng)], rng)
        found = {
            "logsumexp": total.logsumexp(),
            "softmax": total.softmax(x),
            "log_softmax": total.log_softmax(x),
        }
        for name, value in found.items():
            true = getattr(exact, name)(x)
            if name == "logsumexp" and abs(true[0]) < abs(float(x.max())):
                continue
            worst = exact.ulps(value, true).max()
            assert worst <= (2.9 if name == "softmax" else 2.0), f"{name}, seed {SEED}"


@each_dtype
def test_a_sure_winner_keeps_its_doubt(dtype):
    for gap in (25.0, 40.0, 80.0, 100.0 if dtype == np.float32 else 738.0):
        for offset in (0.0, 2.0**20):
            x = np.array([offset, offset - gap], dtype)
            total = LogSumExp((), dtype).update(x[1:]).update(x[:1])
            true = -mpmath.log1p(mpmath.exp(-mpmath.mpf(gap)))
            assert exact.ulps(total.log_softmax(x)[:1], [true]) <= 2
            assert exact.ulps(total.cross_entropy(x[0]), [-true]) <= 2


# --- nothing, NaN and infinities -------------------------------------------------


@each_dtype
def test_nothing_changes_nothing(dtype):
    x = np.array([[0.5, 2.0, 2.0], [-3.0, -math.inf, 1.0]], dtype)
    for start in (LogSumExp(2, dtype), LogSumExp(2, dtype).update(x)):
        before = state(start)
        start.update(np.full((2, 5), -math.inf, dtype))
        start.update(np.empty((2, 0), dtype))
        start.update(np.full((2, 4), math.nan, dtype), where=False)
        start.merge(LogSumExp(2, dtype))
        assert state(start) == before
        assert state(LogSumExp(2, dtype).merge(start)) == before
    empty = LogSumExp(2, dtype).merge(LogSumExp(2, dtype))
    assert (empty.logsumexp() == -math.inf).all()
    assert np.isnan(empty.softmax(np.full((2, 3), -math.inf, dtype))).all()
    assert (
        LogSumExp((0, 3), dtype).update(np.empty((0, 3, 2), dtype)).logsumexp().size
        == 0
    )


@each_dtype
def test_special_values_in_any_order(dtype):
    values = [[-math.inf], [0.0], [math.inf], [math.nan], [3.0, math.nan], [7.0]]
    values += [[1e30], [-1e30], [math.nan, -math.inf], [math.inf, 2.0]]
    rng = np.random.default_rng(SEED)
    for _ in range(200):
        chosen = [values[k] for k in rng.integers(0, len(values), rng.integers(1, 5))]
        x = np.concatenate(chosen).astype(dtype)
        total = LogSumExp((), dtype)
        for block in chosen:
            total.update(np.array(block, dtype))
        rng.shuffle(chosen)
        parts = [LogSumExp((), dtype).update(np.array(b, dtype)) for b in chosen]
        assert state(tree(parts, rng)) == state(total), chosen
        np.testing.assert_array_equal(total.logsumexp(), sl.logsumexp(x), str(chosen))
        np.testing.assert_array_equal(total.softmax(x), sl.softmax(x), str(chosen))
        np.testing.assert_array_equal(total.log_softmax(x), sl.log_softmax(x))


@each_dtype
def test_masks(dtype):
    rng = np.random.default_rng(SEED)
    x, keep = draw(dtype, 9, 50, rng), rng.random((9, 50)) < 0.5
    keep[0], x[~keep] = False, math.nan
    total = LogSumExp(9, dtype)
    for part in (slice(0, 20), slice(20, 50)):
        total.update(x[:, part], where=keep[:, part])
    assert same(total.logsumexp(), sl.logsumexp(x, where=keep))
    for name in ("softmax", "log_softmax"):
        found = getattr(total, name)(x[:, 20:], where=keep[:, 20:])
        assert same(found, getattr(sl, name)(x, where=keep)[:, 20:])


@each_dtype
def test_the_smallest_numbers(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0, tiny, -tiny, np.finfo(dtype).tiny, -87.0, -103.0, -740.0], dtype)
    total = tree(
        [LogSumExp((), dtype).update(b[None]) for b in x], np.random.default_rng(1)
    )
    assert state(total) == state(LogSumExp((), dtype).update(x))
    assert same(total.softmax(x), sl.softmax(x))
    assert same(total.log_softmax(x), sl.log_softmax(x))


# --- losses ----------------------------------------------------------------------


@each_dtype
def test_labels_in_other_blocks_and_labels_to_ignore(dtype):
    rng = np.random.default_rng(SEED)
    x, y = rng.normal(size=(8, 12)).astype(dtype), rng.integers(0, 12, 8)
    y[3], weights = -1, np.ones(8)
    weights[3] = 0
    total = LogSumExp(8, dtype).update(x)
    scores = np.where(y >= 0, x[np.arange(8), y], math.inf).astype(dtype)
    losses = total.cross_entropy(scores, weights=weights)
    none = {"reduction": "none", "ignore_index": -1}
    assert same(losses, sl.cross_entropy(x, y, **none))
    expected = sl.cross_entropy_and_grad(x, y, ignore_index=-1)[1]
    for start in (0, 5):
        stop = start + 7
        found = total.cross_entropy_grad(
            x[:, start:stop], y, start=start, weights=weights, divisor=7
        )
        assert same(found, expected[:, start:stop])


# --- pickles, and compiled code --------------------------------------------------


@each_dtype
def test_pickles_are_small_and_have_a_version(dtype):
    total = LogSumExp((2, 3), dtype).update(
        np.arange(24.0).astype(dtype).reshape(2, 3, 4)
    )
    found = pickle.loads(pickle.dumps(total))
    assert state(found) == state(total)
    assert (found.shape, found.dtype) == (total.shape, total.dtype)
    # Its arrays come with a dtype object of their own.
    block = np.arange(6.0).astype(dtype).reshape(2, 3, 1)
    assert state(found.update(block)) == state(total.update(block))
    assert state(found.merge(total)) == state(total.merge(total))
    np.testing.assert_array_equal(found.softmax(block), total.softmax(block))
    big = LogSumExp(1000, dtype)
    assert len(pickle.dumps(big)) <= 1000 * 72 + 1000
    restore, (version, *rest) = total.__reduce__()
    with pytest.raises(
        ValueError, match="version 99; this softmax_lib reads version 1"
    ):
        restore(99, *rest)
    assert version == running_total.VERSION


@njit
def stream(fields, others, x):
    for i in range(0, x.shape[1], 7):
        running_total.update(fields, x[:, i : i + 7])
        running_total.update(others, x[:, i : i + 7])
    running_total.merge(fields, others)
    return running_total.logsumexp(fields)


@each_dtype
def test_fields_inside_njit(dtype):
    x = draw(dtype, 5, 60, np.random.default_rng(SEED))
    one, other, both = (LogSumExp(5, dtype) for _ in range(3))
    found = stream(one.fields, other.fields, x)
    both.update(np.hstack([x, x]))
    assert state(one) == state(both)
    assert same(found, both.logsumexp())
    plain = LogSumExp(5, dtype)
    assert same(
        stream.py_func(plain.fields, LogSumExp(5, dtype).update(x).fields, x[:, :0]),
        sl.logsumexp(x),
    )
    with pytest.raises(ValueError, match="another number of rows"):
        stream(LogSumExp(4, dtype).fields, other.fields, x)
    with pytest.raises(numba.TypingError, match="two dimensions"):
        njit(lambda fields, x: running_total.update(fields, x))(one.fields, x[0])
    with pytest.raises(numba.TypingError, match=r"LogSumExp\.fields"):
        njit(lambda fields: running_total.logsumexp(fields))((x,))


# --- what is refused -------------------------------------------------------------


def test_errors_say_what_was_got():
    total = LogSumExp((2, 3))
    refused = {
        "allowed are float32 and float64": lambda: LogSumExp(2, np.float16),
        "negative": lambda: LogSumExp(-1),
        "block of dtype float32; this total is of float64": (
            lambda: total.update(np.zeros((2, 3, 4), np.float32))
        ),
        r"\(2, 4\) without axis 1; this total has shape \(2, 3\)": (
            lambda: total.update(np.zeros((2, 3, 4)), 1)
        ),
        "broadcast": lambda: total.update(np.zeros((2, 3, 4)), where=np.ones(3, bool)),
        "masked array": lambda: total.update(np.ma.ones((2, 3, 4))),
        "allowed is a LogSumExp of float64": lambda: total.merge(3.0),
        r"dtype=float32\); allowed is": lambda: total.merge(LogSumExp((2, 3), "f4")),
        "shape": lambda: total.merge(LogSumExp(6)),
        "above all that the total": lambda: total.softmax(np.zeros((2, 3, 1))),
        "take in all blocks": lambda: total.log_softmax(np.zeros((2, 3, 1))),
        "above all": lambda: total.cross_entropy(np.zeros((2, 3))),
        "scores of shape": lambda: total.cross_entropy(np.zeros(3)),
        "weights of shape": (
            lambda: total.cross_entropy(np.zeros((2, 3)), weights=np.ones(2))
        ),
        "labels of dtype float64; allowed are integers": (
            lambda: total.cross_entropy_grad(np.zeros((2, 3, 1)), np.zeros((2, 3)))
        ),
        "labels of shape": (
            lambda: total.cross_entropy_grad(np.zeros((2, 3, 1)), np.zeros(3, int))
        ),
        "above all that": (
            lambda: total.cross_entropy_grad(np.zeros((2, 3, 1)), np.zeros((2, 3), int))
        ),
    }
    for message, call in refused.items():
        with pytest.raises((TypeError, ValueError), match=message):
            call()
    assert state(total) == state(LogSumExp((2, 3)))


@pytest.mark.parametrize("given", [np.float16, np.int8, np.bool_])
def test_other_dtypes_are_widened(given):
    x = np.array([[1, 0, 1], [0, 0, 1]], given)
    total = LogSumExp(2, np.float32 if given == np.float16 else np.float64).update(x)
    assert same(total.softmax(x), sl.softmax(x))
    assert repr(total) == f"LogSumExp(shape=(2,), dtype={total.dtype})"


# --- speed -----------------------------------------------------------------------


@each_dtype
def test_it_takes_little_longer_than_logsumexp(dtype, capsys):
    x = np.random.default_rng(0).normal(size=(16, 16384)).astype(dtype)
    total, seconds, before = LogSumExp(16, dtype), [], numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        for _ in range(40):
            begin = time.perf_counter()
            total.update(x)
            middle = time.perf_counter()
            sl.logsumexp(x)
            seconds.append((middle - begin, time.perf_counter() - middle))
    finally:
        numba.set_num_threads(before)
    ours, whole = np.min(seconds, axis=0)
    with capsys.disabled():
        print(f"\n{np.dtype(dtype)}: {ours / whole:.2f} times as long")
    assert ours < 5 * whole


X = np.zeros((2, 3))
LABELLED = LogSumExp(2).update(X)
FIELDS, NARROW = LogSumExp(2).fields, LogSumExp(2, np.float32).fields


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: running_total.update(FIELDS, np.zeros((3, 4))), ValueError, "3 rows"),
        (lambda: running_total.update(FIELDS, np.zeros(2)), TypeError, "two dimens"),
        (lambda: running_total.update(NARROW, X), TypeError, "an array of float32"),
        (lambda: running_total.update((1, 2), X), TypeError, "fields of a LogSumExp"),
        (lambda: running_total.merge(FIELDS, NARROW), TypeError, "of float32, for"),
        (
            lambda: running_total.merge(FIELDS, LogSumExp(1).fields),
            ValueError,
            "got 1 slices, for 2",
        ),
        (lambda: running_total.logsumexp(3), TypeError, "got 3; allowed are the f"),
        (
            lambda: LABELLED.cross_entropy_grad(X, [0, 1], start="a"),
            TypeError,
            "got start='a'; allowed is an int",
        ),
        (
            lambda: LABELLED.cross_entropy_grad(X, [0, 1], start=-1),
            ValueError,
            "got start=-1",
        ),
        (
            lambda: LABELLED.cross_entropy_grad(X, [0, 1], start=2**70),
            ValueError,
            "below 2",
        ),
        (
            lambda: LABELLED.cross_entropy_grad(X, [0, 1], divisor="x"),
            TypeError,
            "got divisor='x'; allowed is a number",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_memory_is_touched(call, error, message):
    before = state(LABELLED)
    with pytest.raises(error, match=message):
        call()
    assert state(LABELLED) == before


def test_fields_outside_of_compiled_code():
    x = np.random.default_rng(8).normal(size=(2, 9))
    one, other = LogSumExp(2), LogSumExp(2)
    running_total.update(one.fields, x[:, :4])
    running_total.update(other.fields, np.asfortranarray(x[:, 4:]))
    running_total.merge(one.fields, other.fields)
    assert state(one) == state(LogSumExp(2).update(x))
    values = running_total.logsumexp(one.fields)
    np.testing.assert_array_equal(values, sl.logsumexp(x))
