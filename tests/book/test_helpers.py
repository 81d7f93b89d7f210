"""The modules that chapters share: exact values, tables, formulas on arrays, training.

Chapters show most of what they do; here are the cases that a chapter may pass by.
"""

import math
from itertools import pairwise
from types import SimpleNamespace

import matplotlib.pyplot as plt
import mpmath
import numpy as np
import pytest

import softmax_lib as sl
from helpers import copies, engine, exact, network, show
from helpers.figures import grids, lines, style
from helpers.figures.bars import _fill_row, _fill_rows, _panels
from softmax_lib import _layout, textbook

# --- exact -----------------------------------------------------------------------


def test_exact_values_of_two_scores():
    # exp(log 3) is 3 to 17 digits, so the known values are good to 16.
    x = [0.0, math.log(3)]
    for function, values in (
        (exact.softmax, [1 / 4, 3 / 4]),
        (exact.log_softmax, [-math.log(4), math.log(0.75)]),
        (exact.logsumexp, [math.log(4)]),
        (exact.sigmoid, [1 / 2, 3 / 4]),
        (exact.log_sigmoid, [-math.log(2), math.log(0.75)]),
    ):
        computed = [float(value) for value in function(x)]
        np.testing.assert_allclose(computed, values, rtol=1e-15)


def test_exact_values_have_fifty_digits():
    third = exact.softmax([1.0, 1.0, 1.0])[0]
    assert abs(third - mpmath.mpf(1) / 3) < mpmath.mpf(10) ** -49
    for function in (exact.log_softmax, exact.log_sigmoid):
        # exp(-100) is far below the last digit of 1.
        tiny = function([100.0, 0.0])[0]
        assert abs(tiny / -mpmath.exp(-100) - 1) < mpmath.mpf(10) ** -40


def test_errors_are_in_units_of_the_exact_value():
    for sign in (1, -1):
        true = [mpmath.mpf(sign), mpmath.mpf(sign) * 3]
        computed = np.array([sign * (1 + 2.0**-22), sign * 3], np.float32)
        np.testing.assert_array_equal(exact.ulps(computed, true), [2, 0])
    nearly = [mpmath.mpf(3) + mpmath.mpf(2) ** -60]
    assert exact.ulps(np.array([3.0]), nearly)[0] == 2.0**-9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_just_below_a_power_of_two_floats_are_closer(dtype):
    unit = float(np.finfo(dtype).eps) / 2
    below = 1 - mpmath.mpf(unit) / 4
    computed = np.array([1.0, 1 - unit, -1.0], dtype)
    np.testing.assert_allclose(
        exact.ulps(computed, [below, below, -below]), [0.25, 0.75, 0.25]
    )
    assert exact.ulps(np.array([0.0], dtype), [mpmath.mpf(0)])[0] == 0


# --- show ------------------------------------------------------------------------


def test_a_table():
    columns = {"name": ["a", "b"], "n": [1, -2], "x": [-0.5, 2.0], "y": [1e-9, 0.0]}
    lines = show.table(columns, {"x": 1, "y": ".1e"}).data.split("\n")
    assert lines == [
        "| name | n | x | y |",
        "| :--- | ---: | ---: | ---: |",
        "| a | 1 | −0.5 | 1.0e−09 |",
        "| b | −2 | 2.0 | 0 |",
    ]
    assert show.table({"x": [0.125]}, {}).data.endswith("| 0.1250 |")
    assert show.table({"x": [0.125]}, 2).data.endswith("| 0.12 |")


def test_constants_stand_in_both_formats():
    module = SimpleNamespace(THIRD=SimpleNamespace(values=(1 / 3, 1 / 3)))
    table = show.constants(module, "THIRD").data.split("\n")
    assert table[0] == "| constant | float32 | float64 |"
    assert table[2] == "| THIRD | 0.3333333432674408 | 0.33333333333333331 |"


def test_times_are_rounded_coarsely():
    assert [copies.coarse(t) for t in (1.0, 1.3, 0.61, 8.4, 8.6, 4210.0)] == [
        *(1.0, 1.5, 0.7, 7.0, 10.0, 5000.0)
    ]
    table = copies.in_copies({"row": {"copy": 2.0, "loop": 6.2}}).data
    assert table.endswith("| copy | 1 |\n| loop | 3 |")


def test_truth_in_words():
    facts = show.facts({"one is less than two": 1 < 2, "two is less": np.bool_(False)})
    assert facts.data == "- one is less than two: **yes**\n- two is less: **no**"
    table = show.table({"holds": [True, np.bool_(False)]}, {}).data
    assert table.endswith("| yes |\n| no |")


def test_source_with_and_without_its_description():
    whole, bare = (
        show.source(textbook.naive_softmax, docstring=d).data for d in (True, False)
    )
    assert "Overflows" in whole and "Overflows" not in bare
    for text in (whole, bare):
        assert "np.exp(x[i])" in text and text.startswith("```python\n@kernel\n")


def test_assignments_come_with_the_comments_above_them():
    text = show.assignments(network, "layer").data
    assert text.startswith("```python\n# Compiled code is cached on disk, together")
    assert text.count("\n") == 4
    text = show.assignments(_layout, "VECTOR_BYTES").data
    assert text.startswith("```python\n# One cache line")
    assert text.endswith("\nVECTOR_BYTES = 64\n```")


# --- engine ----------------------------------------------------------------------


def test_a_formula_on_arrays_of_any_length():
    both = engine.on_arrays(lambda a, b: (a + b, a * b))
    for n in (1, 15, 16, 17, 40):
        a = np.arange(n, dtype=np.float32)
        total, product = both(a, np.float32(3))
        np.testing.assert_array_equal(total, a + 3)
        np.testing.assert_array_equal(product, a * 3)


# --- network ---------------------------------------------------------------------


@pytest.fixture
def layers(monkeypatch):
    """Return the functions of the network as Python runs them."""
    names = [n for n in vars(network) if hasattr(getattr(network, n), "py_func")]
    for name in names:
        monkeypatch.setattr(network, name, getattr(network, name).py_func)
    return SimpleNamespace(**{name: getattr(network, name) for name in names})


@pytest.fixture
def small():
    """Return a network of two filters and three classes, and a picture."""
    rng = np.random.default_rng(3)
    net = rng.normal(size=10 * 2 + (9 * 2 + 1) * 3) / 2
    return net, rng.random((8, 8))


def test_layers_forwards(layers, small):
    net, picture = small
    parts = layers.split(net, 3)
    assert [part.shape for part in parts] == [(2, 3, 3), (2,), (3, 2, 3, 3), (3,)]
    np.testing.assert_array_equal(np.concatenate([p.ravel() for p in parts]), net)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3))
    sums = np.einsum("ijab,fab->fij", windows, parts.filters)
    sums += parts.thresholds[:, None, None]
    maps = layers.convolve(picture, parts.filters, parts.thresholds)
    np.testing.assert_allclose(maps, np.maximum(sums, 0), atol=1e-14)
    assert (maps == 0).any() and (maps > 0).any()
    pooled = layers.pool(maps)
    cells = maps.reshape(2, 3, 2, 3, 2)
    np.testing.assert_array_equal(pooled, cells.max(axis=(2, 4)))
    scores = layers.score(pooled, parts.weights, parts.biases)
    expected = parts.weights.reshape(3, -1) @ pooled.ravel() + parts.biases
    np.testing.assert_allclose(scores, expected)
    np.testing.assert_array_equal(layers.scores_of(net, picture[None], 3), [scores])
    for label in range(3):
        loss, _ = layers.gradient(net, picture, label, 3)
        assert loss == pytest.approx(sl.cross_entropy(scores, label), rel=1e-13)
    one = network.mean_loss(net, picture[None], np.array([1]), 3)
    assert one == pytest.approx(sl.cross_entropy(scores, 1), rel=1e-13)


def test_the_gradient_of_the_network_is_the_slope_of_its_loss(layers, small):
    net, picture = small
    _, slopes = layers.gradient(net, picture, 2, 3)
    step = 1e-6
    for k in range(net.size):
        ends = []
        for by in (step, -step):
            moved = net.copy()
            moved[k] += by
            ends.append(layers.gradient(moved, picture, 2, 3)[0])
        assert slopes[k] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_a_tie_passes_its_gradient_to_the_first_cell(layers):
    maps = np.ones((1, 2, 2))
    back = layers.pool_backwards(maps, layers.pool(maps), np.full((1, 1, 1), 5.0))
    np.testing.assert_array_equal(back, [[[5, 0], [0, 0]]])


def test_a_round_of_descent(layers, small):
    net, picture = small
    before, speed, step = net.copy(), np.full(net.size, 0.5), 0.01
    pictures, labels = np.array([picture, picture[::-1]]), np.array([0, 2])
    each = [layers.gradient(net, pictures[n], labels[n], 3) for n in range(2)]
    order = np.array([1, 0])
    loss = layers.descend(net, speed, pictures, labels, 3, order, step, 2)
    assert loss == pytest.approx((each[0][0] + each[1][0]) / 2)
    expected = 0.45 - step * (each[0][1] + each[1][1]) / 2
    np.testing.assert_allclose(speed, expected, rtol=1e-12)
    np.testing.assert_allclose(net, before + expected, rtol=1e-12)


def test_random_weights_have_the_sizes_that_are_promised():
    net = network.random_network(10, np.random.default_rng(1), filters=400)
    parts = network.split.py_func(net, 10)
    assert parts.filters.std() == pytest.approx(math.sqrt(2 / 9), rel=0.05)
    assert parts.weights.std() == pytest.approx(math.sqrt(1 / 3600), rel=0.05)
    assert not parts.thresholds.any() and not parts.biases.any()


# --- figures ---------------------------------------------------------------------


def test_numbers_on_figures():
    assert style.signed(-0.25, 1) == "−0.2"
    assert style.signed(-0.001, 2) == "0.00"
    assert style.signed(3, 1) == "3.0"


def test_titles_are_folded_between_words():
    text = style.folded("a long title with, a comma ([0.1, 0.2])", 1.2)
    lines = text.split("\n")
    assert len(lines) > 1 and all(len(a) <= 14 for a in lines)
    assert "[0.1, 0.2]" in text.replace("\xa0", " ")


def test_ticks_have_no_needless_digits():
    assert [style.plain(v) for v in (0.0, 0.30000000000000004, -2.5, 1e6)] == [
        "0",
        "0.3",
        "−2.5",
        "1000000",
    ]


def panels_of(shares=(), own=()):
    values = {"score": [2.0, -1.0], "exponential": [7.4, 0.4], "share": [0.9, 0.1]}
    return _panels(values, 1, shares, own)


def test_panels_side_by_side_have_one_scale_unless_it_is_their_own():
    for shares, own, different in (
        ((), (), 1),
        (["share"], (), 2),
        (["share"], ["exponential"], 3),
    ):
        panels = panels_of(shares, own)
        _fill_row(panels, 6.0, 0.5)
        assert sum(p.inches for p in panels) == pytest.approx(6.0)
        assert len({round(p.unit, 9) for p in panels}) == different


def test_panels_below_each_other_have_one_scale_and_width():
    panels = panels_of(["share"])
    _fill_rows(panels, 3.0)
    assert [p.inches for p in panels] == pytest.approx([3.0] * 3)
    score, exponential, share = panels
    assert (score.low, score.high) == (exponential.low, exponential.high) == (-1, 7.4)
    assert score.unit == exponential.unit and (share.low, share.high) == (0, 1)


def test_a_name_stands_in_the_middle_of_its_region():
    mask = np.zeros((9, 9), bool)
    mask[1:6, 2:7] = True
    assert grids._middle(mask).tolist() == [3, 4]
    mask[8, :3] = True  # a smaller region changes nothing
    assert grids._middle(mask).tolist() == [3, 4]
    even = np.zeros((6, 10), bool)
    even[1:5, 1:9] = True
    row, column = grids._middle(even)
    assert row in (2, 3) and column in (4, 5)


def test_names_that_are_close_move_apart():
    _, ax = plt.subplots()
    x = np.arange(3)
    lines._named_lines(ax, x, {"a": x, "b": x + 0.01, "c": x - 5.0})
    lines._spread_names(ax)
    names = {t.get_text(): t for t in ax.texts}
    points = 72 / ax.figure.dpi
    heights = {
        name: ax.transData.transform(t.xy)[1] * points + t.get_position()[1]
        for name, t in names.items()
    }
    plt.close(ax.figure)
    gaps = [b - a for a, b in pairwise(sorted(heights.values()))]
    assert min(gaps) >= 12.9
    assert heights["c"] < heights["a"] < heights["b"]
    assert names["c"].get_position() == (6, 0)
