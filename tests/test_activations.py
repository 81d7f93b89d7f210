"""The front doors against their definitions, to 50 digits and by their laws."""

import inspect
import re

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.exceptions import AxisError
from scipy import special

import softmax_lib
from helpers import exact
from softmax_lib import log_sigmoid, log_softmax, logsumexp, sigmoid, softmax

ALONG_AN_AXIS = [softmax, log_softmax, logsumexp]
BY_ENTRY = [sigmoid, log_sigmoid]
FLOATS = [np.float32, np.float64]

arrays = hnp.arrays(
    st.sampled_from(FLOATS),
    hnp.array_shapes(max_dims=4, max_side=6),
    elements=st.floats(-80, 80, width=32),
)


def by_definition(function, a, axis):
    """Apply the 50-digit function to every slice of a along one axis."""
    reference = getattr(exact, function.__name__)
    moved = np.moveaxis(a, axis, -1)
    answers = np.array([reference(row) for row in moved.reshape(-1, moved.shape[-1])])
    if function is logsumexp:
        return answers.reshape(moved.shape[:-1])
    return np.moveaxis(answers.reshape(moved.shape), -1, axis)


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_every_axis_agrees_with_the_definition(function, dtype, axis):
    a = np.random.default_rng(3).normal(scale=4, size=(3, 4, 5)).astype(dtype)
    computed = function(a, axis=axis)
    expected = by_definition(function, a, axis)
    assert computed.dtype == dtype
    assert computed.shape == expected.shape
    np.testing.assert_allclose(
        computed, expected.astype(dtype), rtol=4 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("function", BY_ENTRY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_entry_by_entry_agrees_with_the_definition(function, dtype):
    limit = 80 if dtype is np.float32 else 700
    x = np.linspace(-limit, limit, 801).astype(dtype)
    reference = getattr(exact, function.__name__)
    assert exact.ulps(function(x), reference(x)).max() < 2


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
def test_axes_together_are_one_long_axis(function):
    a = np.random.default_rng(4).normal(size=(2, 3, 4, 5))
    # The second order of axes is not its own inverse.
    for axis, order in (((3, 1), (0, 2, 1, 3)), ((0, 2), (1, 3, 0, 2))):
        n = a.shape[axis[0]] * a.shape[axis[1]]
        joined = a.transpose(order).reshape(-1, n)
        together = function(a, axis=axis)
        if function is logsumexp:
            np.testing.assert_array_equal(together.ravel(), function(joined))
        else:
            back = together.transpose(order).reshape(-1, n)
            np.testing.assert_array_equal(back, function(joined))


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
def test_axis_none_is_the_whole_array(function):
    a = np.random.default_rng(5).normal(size=(3, 4))
    whole = function(a, axis=None)
    np.testing.assert_array_equal(np.ravel(whole), np.ravel(function(a.ravel())))
    assert whole.shape == (() if function is logsumexp else a.shape)


def test_keepdims_leaves_axes_of_length_one():
    a = np.ones((2, 3, 4))
    assert logsumexp(a, axis=1, keepdims=True).shape == (2, 1, 4)
    assert logsumexp(a, axis=(0, 2), keepdims=True).shape == (1, 3, 1)
    assert logsumexp(a, axis=None, keepdims=True).shape == (1, 1, 1)


def test_keepdims_is_a_switch():
    a = np.ones((2, 3))
    for kept in (1, np.True_):
        assert logsumexp(a, keepdims=kept).shape == (2, 1)
    assert logsumexp(a, keepdims=np.False_).shape == (2,)
    for bad in ("no", None, 0.5):
        with pytest.raises(TypeError, match=r"keepdims=.*True and False"):
            logsumexp(a, keepdims=bad)


def mixture(x, functions, steps=5):
    """Fit two bells to numbers, with the functions of one library or the other."""
    means, logs = np.array([-1.0, 2.0]), np.log([0.3, 0.7])
    for _ in range(steps):
        scores = logs - 0.5 * (x[:, None] - means) ** 2
        likelihood = functions.logsumexp(scores, axis=1).sum()
        shares = functions.softmax(scores, axis=1)
        means = (shares * x[:, None]).sum(axis=0) / shares.sum(axis=0)
        logs = functions.logsumexp(
            functions.log_softmax(scores, axis=1), axis=0, b=1 / len(x)
        )
        logs = logs - functions.logsumexp(logs, axis=-1, keepdims=True)
    return likelihood, means, logs


def forward(start, moves, seen, functions):
    """Return the log-likelihood of what a hidden chain has shown."""
    state = functions.log_softmax(start, axis=-1)
    moves = functions.log_softmax(moves, axis=1)
    for score in seen:
        state = functions.logsumexp(state[:, None] + moves, axis=0) + score
    return functions.logsumexp(state, axis=None)


def test_in_the_place_of_scipys():
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.normal(-2, 1, 40), rng.normal(3, 1, 60)])
    ours, theirs = (mixture(x, functions) for functions in (softmax_lib, special))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)
    chain = rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=(50, 3))
    np.testing.assert_allclose(
        forward(*chain, softmax_lib), forward(*chain, special), rtol=1e-13
    )


@given(arrays, st.data())
def test_shares_are_positive_sum_to_one_and_keep_the_order(a, data):
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    p = softmax(a, axis=axis)
    assert np.all((p >= 0) & (p <= 1))
    np.testing.assert_allclose(p.sum(axis=axis), 1, rtol=8 * np.finfo(a.dtype).eps)
    order = np.argsort(a, axis=axis, kind="stable")
    assert np.all(np.diff(np.take_along_axis(p, order, axis=axis), axis=axis) >= 0)


@given(arrays)
def test_log_softmax_is_the_logarithm_of_softmax(a):
    p = softmax(a.astype(np.float64))
    np.testing.assert_allclose(
        np.exp(log_softmax(a.astype(np.float64))), p, rtol=1e-12, atol=1e-300
    )


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(-600, 600)),
    st.integers(-(2**20), 2**20),
)
def test_a_constant_changes_nothing(x, constant):
    np.testing.assert_allclose(softmax(x + constant), softmax(x), rtol=1e-15)
    np.testing.assert_allclose(
        log_softmax(x + constant), log_softmax(x), rtol=1e-15, atol=5e-324
    )
    np.testing.assert_allclose(
        logsumexp(x + constant), logsumexp(x) + constant, rtol=4e-16, atol=3e-10
    )


@given(arrays, st.data())
def test_the_order_of_the_scores_does_not_matter(a, data):
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    order = data.draw(st.permutations(range(a.shape[axis])))
    moved = a.take(order, axis)
    eps = np.finfo(a.dtype).eps
    for function in (softmax, log_softmax):
        np.testing.assert_allclose(
            function(moved, axis), function(a, axis).take(order, axis), rtol=4 * eps
        )
    np.testing.assert_allclose(
        logsumexp(moved, axis), logsumexp(a, axis), rtol=4 * eps, atol=1e-44
    )


@given(st.floats(-700, 700), st.floats(-700, 700))
def test_two_classes_are_the_sigmoid(a, b):
    a, b = np.rint(a * 1024) / 1024, np.rint(b * 1024) / 1024  # a - b is exact
    np.testing.assert_allclose(
        softmax([a, b])[0], sigmoid(a - b), rtol=1e-15, atol=1e-323
    )
    np.testing.assert_allclose(
        log_softmax([a, b])[0], log_sigmoid(a - b), rtol=1e-15, atol=1e-323
    )


@given(hnp.arrays(st.sampled_from(FLOATS), 5, elements=st.floats(-80, 80, width=32)))
def test_against_a_score_of_zero_it_is_the_sigmoid(x):
    pairs = np.stack([x, np.zeros_like(x)], axis=1)
    rtol = 4 * np.finfo(x.dtype).eps
    np.testing.assert_allclose(softmax(pairs)[:, 0], sigmoid(x), rtol=rtol)
    np.testing.assert_allclose(log_softmax(pairs)[:, 0], log_sigmoid(x), rtol=rtol)


@pytest.mark.parametrize(
    ("loser", "dtype"), [(-20, "f4"), (-80, "f4"), (-40, "f8"), (-700, "f8")]
)
def test_the_winner_keeps_its_doubt(loser, dtype):
    x = np.array([0, loser], dtype)
    assert exact.ulps(log_softmax(x), exact.log_softmax(x)).max() <= 2


SPECIAL = {
    "a NaN": [1.0, np.nan, 2.0],
    "only -inf": [-np.inf, -np.inf],
    "+inf": [np.inf, 1.0],
    "NaN and +inf": [np.nan, np.inf],
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_values_spoil_their_slice_only(dtype, name):
    bad = np.array(SPECIAL[name], dtype)
    rows = np.stack([bad, np.zeros_like(bad)])
    for function in (softmax, log_softmax):
        result = function(rows)
        assert np.all(np.isnan(result[0]))
        np.testing.assert_array_equal(result[1], function(rows[1]))


def test_logsumexp_of_special_values():
    assert logsumexp([-np.inf, -np.inf]) == -np.inf
    assert logsumexp([np.inf, 1.0]) == np.inf
    for other in (np.inf, -np.inf):
        assert np.isnan(logsumexp([other, np.nan]))
        assert np.isnan(logsumexp([np.nan, other]))
    assert logsumexp([]) == -np.inf


def test_minus_infinity_is_left_out():
    assert softmax([0.0, -np.inf, 0.0]).tolist() == [0.5, 0.0, 0.5]
    assert log_softmax([0.0, -np.inf]).tolist() == [0.0, -np.inf]


def test_ends_of_the_sigmoid():
    x = np.array([-np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(sigmoid(x), [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(log_sigmoid(x), [-np.inf, 0.0, np.nan])


@pytest.mark.parametrize("dtype", FLOATS)
def test_subnormal_shares_are_kept(dtype):
    gap = -100 if dtype is np.float32 else -740
    x = np.array([0, gap], dtype)
    assert 0 < softmax(x)[1] < np.finfo(dtype).tiny
    assert exact.ulps(softmax(x), exact.softmax(x)).max() <= 2
    assert exact.ulps(sigmoid(x), exact.sigmoid(x)).max() <= 2


@pytest.mark.parametrize("function", ALONG_AN_AXIS + BY_ENTRY)
def test_whatever_the_memory_the_result_is_the_same(function):
    a = np.random.default_rng(6).normal(size=(6, 8))
    expected = function(a)
    twice = np.repeat(np.repeat(a, 2, axis=0), 2, axis=1)
    frozen = a.copy()
    frozen.flags.writeable = False
    for same in (
        np.asfortranarray(a),
        twice[::2, ::2],
        a[::-1, ::-1][::-1, ::-1],
        a.astype(">f8"),
        frozen,
        a.tolist(),
    ):
        np.testing.assert_array_equal(function(same), expected)


@pytest.mark.parametrize("function", [softmax, log_softmax])
@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_out_may_be_any_part_of_the_same_memory(function, shift):
    memory = np.random.default_rng(8).normal(size=40)
    x = memory[:16].reshape(2, 8)
    out = memory[shift : shift + 16].reshape(2, 8)
    expected = function(x)
    assert function(x, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(300, 5000), (120_000, 13), (2, 800_000)])
@pytest.mark.parametrize("function", [softmax, log_softmax, *BY_ENTRY])
def test_where_large_pages_begin_nothing_is_lost(function, shape, threads):
    # Each of these results spans two pages at least, whose ends are touched early.
    x = np.random.default_rng(9).normal(scale=4, size=shape).astype(np.float32)
    expected = np.vstack([function(part) for part in np.array_split(x, 7) if len(part)])
    used = numba.get_num_threads()
    numba.set_num_threads(min(threads, used))
    try:
        fresh = function(x)
        given_room = function(x, out=np.full_like(x, np.nan))
        in_place = function(x, out=x)
    finally:
        numba.set_num_threads(used)
    for result in (fresh, given_room, in_place):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("function", ALONG_AN_AXIS + BY_ENTRY)
def test_the_input_is_left_alone(function):
    a = np.random.default_rng(7).normal(size=(3, 4))
    before = a.copy()
    result = function(a)
    np.testing.assert_array_equal(a, before)
    assert not np.shares_memory(a, result)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, np.bool_])
@pytest.mark.parametrize("function", ALONG_AN_AXIS + BY_ENTRY)
def test_integers_become_floats_before_anything_is_subtracted(function, dtype):
    values = np.array([100, 127, 0, 1]).astype(dtype)
    result = function(values)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, function(values.astype(np.float64)))


@pytest.mark.parametrize("function", [softmax, log_softmax, *BY_ENTRY])
def test_empty_and_scalar(function):
    assert function(np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert function(np.zeros((3, 0), np.float32)).shape == (3, 0)
    assert isinstance(function(2), np.float64)
    assert isinstance(function(np.float32(2)), np.float32)


def test_empty_reductions():
    assert logsumexp(np.zeros((3, 0))).tolist() == [-np.inf] * 3
    assert logsumexp(np.zeros((0, 3))).shape == (0,)
    assert isinstance(logsumexp(np.float32(2)), np.float32)


@pytest.mark.parametrize("function", ALONG_AN_AXIS + BY_ENTRY)
@pytest.mark.parametrize(
    "bad",
    [
        np.array([1 + 2j]),
        np.array(["a"]),
        np.array([None]),
        np.array(["2026-01-01"], "M8[D]"),
        np.zeros(2, np.longdouble),
    ],
)
def test_other_dtypes_are_refused_by_name(function, bad):
    with pytest.raises(TypeError, match="allowed are"):
        function(bad)


@pytest.mark.parametrize("function", ALONG_AN_AXIS + BY_ENTRY)
def test_masked_arrays_are_refused(function):
    with pytest.raises(TypeError, match="masked array"):
        function(np.ma.array([1.0, 2.0], mask=[0, 1]))


@pytest.mark.parametrize("function", ALONG_AN_AXIS)
def test_bad_axes_are_refused(function):
    a = np.zeros((2, 3))
    for axis in (2, -3, (0, 5)):
        with pytest.raises(AxisError, match="out of bounds"):
            function(a, axis=axis)
    for axis in (True, 1.0, "0"):
        with pytest.raises(TypeError, match="axis"):
            function(a, axis=axis)
    with pytest.raises(ValueError, match="twice"):
        function(a, axis=(0, -2))


SECTIONS = [
    "Parameters",
    "Returns",
    "Raises",
    "See Also",
    "Notes",
    "References",
    "Examples",
]


def test_public_names_are_listed_once_and_documented():
    assert len(softmax_lib.__all__) == len(set(softmax_lib.__all__))
    public = {name for name in vars(softmax_lib) if not name.startswith("_")}
    modules = {"activations", "dask", "exact", "losses", "running_total", "textbook"}
    assert public - modules == set(softmax_lib.__all__)
    for name in softmax_lib.__all__:
        public = getattr(softmax_lib, name)
        # Python 3.13 stores docstrings without their indentation.
        text = inspect.getdoc(public)
        # numpydoc has them in this order.
        second = "Attributes" if inspect.isclass(public) else "Returns"
        sections = [second if s == "Returns" else s for s in SECTIONS]
        places = [text.find(f"\n{s}\n{'-' * len(s)}\n") for s in sections]
        assert -1 not in places and places == sorted(places), (name, places)
        assert ".. math::" in text and ">>> " in text, name
        notes = text[places[4] : places[5]]
        assert "Inside ``@njit``" in notes, name
        accuracy = "units in the last place|compensated|its units"
        assert re.search(accuracy, " ".join(notes.split())), name
