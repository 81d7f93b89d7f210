"""Dask arrays in chunks along any axis: lazy, and with the bits of the whole."""

import inspect
import math
import time

import dask
import dask.array as da
import ml_dtypes
import numba
import numpy as np
import pytest

import softmax_lib as sl
import softmax_lib.dask as sd
from softmax_lib import _dispatch, _threads, exact, running_total
from softmax_lib.dask import _blocks

SEED = time.time_ns() % 2**32
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
each_chunks = pytest.mark.parametrize(
    "chunks", [(5, 7), (12, 1), (1, 30), ((3, 9), (1, 0, 28, 1))], ids=str
)
ALONG_AXES = "softmax", "log_softmax", "logsumexp"
LOSSES = "cross_entropy", "cross_entropy_and_grad"


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def draw(dtype, offset=0.0):
    return (np.random.default_rng(SEED).normal(offset, 5, (12, 30))).astype(dtype)


def check_kind(lazy):
    """Return the numbers of a lazy array, which are what it said they would be."""
    found = lazy.compute()
    assert type(lazy._meta) is np.ndarray
    assert lazy.dtype == lazy._meta.dtype == found.dtype
    assert lazy.shape == found.shape and lazy.ndim == lazy._meta.ndim
    for place in np.ndindex(*lazy.numblocks):
        block = lazy.blocks[place].compute() if place else found
        assert block.shape == tuple(
            c[i] for c, i in zip(lazy.chunks, place, strict=True)
        )
    return found


# --- what there is ---------------------------------------------------------------


def test_the_nine_functions_with_the_arguments_of_those_for_numpy():
    nine = set(sl.__all__) - {"LogSumExp"}
    assert set(sd.__all__) == nine and len(sd.__all__) == 9
    for name in nine:
        expected = dict(inspect.signature(getattr(sl, name)).parameters)
        expected.pop("out", None)
        assert dict(inspect.signature(getattr(sd, name)).parameters) == expected


def test_nothing_is_computed_before_it_is_asked_for():
    def never(block):
        raise AssertionError("computed")

    x = da.zeros((4, 6), chunks=(2, 3)).map_blocks(never, meta=np.empty((0, 0)))
    y = da.zeros(4, dtype=int).map_blocks(never, meta=np.empty(0, int))
    for name in ("softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid"):
        getattr(sd, name)(x)
    sd.logsumexp(x, b=x, where=x < 1, return_sign=True)
    for labels in (x, y):
        sd.cross_entropy_and_grad(x, labels, label_smoothing=0.1)
    sd.softmax_vjp(x, x), sd.log_softmax_vjp(x, x)
    with pytest.raises(AssertionError, match="computed"):
        sd.softmax(x).compute()


# --- functions along axes, and of entries ----------------------------------------


@each_dtype
@each_chunks
@pytest.mark.parametrize("axis", [-1, 0, None, (0, 1), ()])
def test_functions_along_axes(dtype, chunks, axis):
    x = draw(dtype)
    lazy, keep = da.from_array(x, chunks=chunks), x < 3
    for name in ALONG_AXES:
        ours, theirs = getattr(sd, name), getattr(sl, name)
        found = ours(lazy, axis)
        assert same(check_kind(found), theirs(x, axis)), f"{name}, seed {SEED}"
        masked = theirs(x, axis, where=keep)
        for where in (keep, da.from_array(keep, chunks=(7, 5))):
            assert same(ours(lazy, axis, where=where), masked), f"seed {SEED}"
        if name != "logsumexp":
            assert found.chunks == lazy.chunks
    found = sd.logsumexp(lazy, axis, keepdims=True)
    assert same(check_kind(found), sl.logsumexp(x, axis, keepdims=True))


@each_dtype
@pytest.mark.parametrize("offset", [0.0, -480.0, 1e4, -3e9])
def test_chunks_leave_no_trace_in_the_bits(dtype, offset):
    x = draw(dtype, offset)
    x[0, :7], x[1] = -math.inf, -math.inf
    x[2, 3], x[3, 28], x[4, 5:7] = math.nan, math.inf, (math.inf, math.nan)
    for name in ALONG_AXES:
        for axis in (0, 1):
            found = [
                getattr(sd, name)(da.from_array(x, chunks=chunks), axis).compute()
                for chunks in ((12, 30), (12, 4), (5, 30), (2, 29))
            ]
            # No NaN is asked for its bits.
            numbers = [np.where(np.isnan(f), 0, f) for f in found]
            assert all(same(numbers[0], n) for n in numbers), f"seed {SEED}"
            expected = getattr(sl, name)(x, axis)
            np.testing.assert_allclose(found[0], expected, 4 * np.finfo(dtype).eps)


def test_other_dtypes():
    x = np.arange(12, dtype=np.int8).reshape(3, 4) * 10
    for dtype in (np.int8, np.bool_, np.float16, ml_dtypes.bfloat16, ">f4", ">f8"):
        given = x.astype(dtype)
        lazy = da.from_array(given, chunks=(2, 3))
        for name in (*ALONG_AXES, "sigmoid", "log_sigmoid"):
            found = check_kind(getattr(sd, name)(lazy))
            assert same(found, getattr(sl, name)(given)), (name, dtype)
        found = sd.softmax(lazy, where=x < 70)
        assert same(check_kind(found), sl.softmax(given, where=x < 70)), dtype
        loss, grad = sd.cross_entropy_and_grad(lazy, [3, 0, 2])
        expected = sl.cross_entropy_and_grad(given, [3, 0, 2])
        assert same(check_kind(loss), expected[0])
        assert same(check_kind(grad), expected[1])


def test_few_dimensions_and_no_numbers():
    for name in ALONG_AXES:
        for shape in ((), (0,), (3, 0), (0, 3)):
            x = np.zeros(shape)
            found = getattr(sd, name)(da.from_array(x))
            assert same(check_kind(found), getattr(sl, name)(x)), (name, shape)
    for labels, how in (([-1] * 3, {"ignore_index": -1}), (np.zeros((3, 0)), {})):
        how |= {"label_smoothing": 0.1}
        found = sd.cross_entropy_and_grad(da.zeros((3, 0)), labels, **how)
        expected = sl.cross_entropy_and_grad(np.zeros((3, 0)), labels, **how)
        assert all(map(same, map(check_kind, found), expected))
    found = sd.logsumexp(da.zeros((3, 0)), return_sign=True)
    assert np.array_equal(dask.compute(found)[0], sl.logsumexp([[]] * 3, return_sign=1))


@each_dtype
@each_chunks
def test_functions_of_entries(dtype, chunks):
    x = draw(dtype)
    for name in ("sigmoid", "log_sigmoid"):
        found = getattr(sd, name)(da.from_array(x, chunks=chunks))
        assert same(check_kind(found), getattr(sl, name)(x)), f"seed {SEED}"


@each_dtype
@each_chunks
def test_factors_and_signs(dtype, chunks):
    rng, x = np.random.default_rng(SEED), draw(dtype)
    lazy, b = da.from_array(x, chunks=chunks), rng.normal(size=(12, 1, 30))
    for factors in (b, b.astype("f4"), 2.5, -1, rng.integers(-1, 2, 30)):
        for axis in (-1, (0, 1), ()):
            expected = sl.logsumexp(x, axis, b=factors, return_sign=True)
            found = sd.logsumexp(lazy, axis, b=factors, return_sign=True)
            assert all(map(same, map(check_kind, found), expected)), f"seed {SEED}"
    keep, how = x < 3, {"b": b[:, 0], "keepdims": True}
    expected = sl.logsumexp(x, where=keep, **how)
    how["b"] = da.from_array(b[:, 0], chunks=4)
    assert same(check_kind(sd.logsumexp(lazy, where=keep, **how)), expected)
    expected = sl.logsumexp(x, 0, return_sign=True)
    found = sd.logsumexp(lazy, 0, return_sign=True)
    assert all(map(same, map(check_kind, found), expected))


# --- losses ----------------------------------------------------------------------


@each_dtype
@each_chunks
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_class_indices(dtype, chunks, reduction):
    rng, x = np.random.default_rng(SEED), draw(dtype)
    x[5] = math.nan
    y, lazy = rng.integers(0, 30, 12), da.from_array(x, chunks=chunks)
    y[5] = y[0]
    for more in ({}, {"weight": rng.random(30)}):
        # Ignored in each chunk, also where the logits are NaN.
        how = {"reduction": reduction, "ignore_index": int(y[0]), **more}
        loss, gradient = sl.cross_entropy_and_grad(x, y, **how)
        for labels in (y, da.from_array(y.astype(np.uint8), chunks=4)):
            pair = sd.cross_entropy_and_grad(lazy, labels, **how)
            found = [check_kind(part) for part in pair]
            assert found[0].dtype == loss.dtype and pair[1].chunks == lazy.chunks
            if reduction == "none":
                assert same(found[0], loss), f"seed {SEED}"
            np.testing.assert_array_max_ulp(found[0], np.asarray(loss), 1)
            if more and reduction == "mean":
                np.testing.assert_array_max_ulp(found[1], gradient, 1)
            else:
                assert same(found[1], gradient), f"{how}, seed {SEED}"
        loss = sd.cross_entropy(lazy, y, **how)
        assert same(loss, found[0])


@each_dtype
@each_chunks
def test_losses_of_probabilities_and_smoothed_labels(dtype, chunks):
    rng, x = np.random.default_rng(SEED), draw(dtype)
    p, y = sl.softmax(draw(dtype)[::-1]), rng.integers(0, 30, 12)
    weight = rng.random(30)
    lazy, eps = da.from_array(x, chunks=chunks), np.finfo(dtype).eps
    for labels, how in (
        (p, {}),
        (p, {"weight": weight, "label_smoothing": 0.2, "reduction": "none"}),
        (y, {"label_smoothing": 0.1, "ignore_index": int(y[3])}),
        (y, {"label_smoothing": 0.1, "weight": weight, "reduction": "sum"}),
    ):
        expected = sl.cross_entropy_and_grad(x, labels, **how)
        found = map(check_kind, sd.cross_entropy_and_grad(lazy, labels, **how))
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.dtype == theirs.dtype
            # Of a gradient, relative to the targets, which cancel there.
            np.testing.assert_allclose(ours, theirs, 8 * eps, eps / 8)


@each_dtype
def test_a_sure_winner_keeps_its_doubt(dtype):
    x = np.zeros((2, 6), dtype)
    x[:, 4] = 40
    lazy = da.from_array(x, chunks=(1, 2))
    one_hot = (x > 0).astype(dtype)
    for labels in ([4, 4], one_hot):
        loss, gradient = dask.compute(*sd.cross_entropy_and_grad(lazy, labels))
        expected = sl.cross_entropy_and_grad(x, labels)
        np.testing.assert_allclose(loss, expected[0], 4 * np.finfo(dtype).eps)
        np.testing.assert_allclose(gradient, expected[1], 4 * np.finfo(dtype).eps)
        assert loss > 0 and (gradient[:, 4] < 0).all()


def test_classes_along_any_axis_and_one_slice():
    rng = np.random.default_rng(SEED)
    x, y = rng.normal(size=(3, 8, 5)), rng.integers(0, 8, (3, 5))
    lazy = da.from_array(x, chunks=(2, 3, 2))
    for how in ({}, {"label_smoothing": 0.1}):
        found = dask.compute(*sd.cross_entropy_and_grad(lazy, y, 1, **how))
        for ours, theirs in zip(
            found, sl.cross_entropy_and_grad(x, y, 1, **how), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, 1e-14, 1e-17)
        one = sd.cross_entropy(da.from_array(x[0, :, 0], chunks=3), int(y[0, 0]), **how)
        expected = sl.cross_entropy(x[0, :, 0], int(y[0, 0]), **how)
        np.testing.assert_allclose(check_kind(one), expected, 1e-15)


def test_means_of_nothing_and_of_weights_that_cancel():
    x = da.from_array(draw(np.float64)[:2], chunks=(1, 9))
    for y, how in (
        ([1, 1], {"ignore_index": 1}),
        ([0, 1], {"weight": [1.0, -1.0] + [0.0] * 28}),
        ([0, 1], {"weight": [0.0] * 30, "label_smoothing": 0.5}),
    ):
        found = dask.compute(*sd.cross_entropy_and_grad(x, y, **how))
        expected = sl.cross_entropy_and_grad(x.compute(), y, **how)
        assert all(map(np.array_equal, found, expected)), (found, expected)


def test_no_task_has_more_than_a_block():
    """The logits are never gathered, and the table of shares never made."""
    x = da.random.default_rng(0).normal(size=(6, 4000), chunks=(3, 100))
    y = np.array([0, 1999, 3999, 5, 2000, 7])
    largest = []

    def note(key, result, *_):
        parts = result if isinstance(result, tuple | list) else [result]
        largest.append(max((np.asarray(p).nbytes for p in parts), default=0))

    for how in ({}, {"label_smoothing": 0.1}):
        loss, gradient = sd.cross_entropy_and_grad(x, y, **how)
        for asked in ([loss], [gradient.sum(), loss]):
            with dask.callbacks.Callback(posttask=note):
                dask.compute(*asked, optimize_graph=False)
    assert 0 < max(largest) <= 3 * 100 * 8


# --- vector-Jacobian products ----------------------------------------------------


@each_dtype
@each_chunks
def test_vector_jacobian_products(dtype, chunks):
    x, g = draw(dtype), draw(dtype)[:, ::-1].copy()
    lazy = da.from_array(g, chunks=(4, 7))
    for name, result in (
        ("softmax_vjp", sl.softmax(x)),
        ("log_softmax_vjp", sl.log_softmax(x)),
    ):
        for axis in (-1, 0, None):
            found = getattr(sd, name)(da.from_array(result, chunks=chunks), lazy, axis)
            expected = getattr(sl, name)(result, g, axis)
            eps = np.finfo(dtype).eps
            np.testing.assert_allclose(check_kind(found), expected, 4 * eps, 64 * eps)
            assert found.chunks == da.core.normalize_chunks(chunks, x.shape)
        found = getattr(sd, name)(da.from_array(result), lazy.astype(np.float16))
        expected = getattr(sl, name)(result, g.astype(np.float16))
        assert same(check_kind(found), expected)


def test_sums_of_products_that_cancel():
    p = np.array([0.1, 0.3, 0.4, 0.2])
    g = np.array([7e16, 3.0, 5.0, -3.5e16])
    g[3] = np.nextafter(g[3], 0.0)
    for name, result in (("softmax_vjp", p), ("log_softmax_vjp", np.log(p))):
        expected = getattr(sl, name)(result, g)
        for chunks in (1, 3):
            lazy = da.from_array(result, chunks=chunks), da.from_array(g)
            np.testing.assert_allclose(getattr(sd, name)(*lazy), expected, 1e-15)
    p[2], g[2] = 0.0, math.inf
    found = sd.softmax_vjp(da.from_array(p, chunks=1), da.from_array(g))
    np.testing.assert_array_equal(found, sl.softmax_vjp(p, g))


# --- what is refused -------------------------------------------------------------

X = da.zeros((4, 6), chunks=(2, 3))
UNKNOWN = X[da.from_array(np.ones(4, bool), chunks=2)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: sd.softmax(UNKNOWN),
            "got x in chunks of unknown sizes; call its comp",
        ),
        (lambda: sd.logsumexp(UNKNOWN), "got x in chunks"),
        (lambda: sd.logsumexp(X, b=UNKNOWN), "got b in chunks"),
        (lambda: sd.sigmoid(UNKNOWN), "got x in chunks"),
        (lambda: sd.softmax(X, where=UNKNOWN > 0), "got where in chunks"),
        (lambda: sd.cross_entropy(UNKNOWN, [0] * 4), "got logits in chunks"),
        (lambda: sd.cross_entropy(X, UNKNOWN), "got labels in chunks"),
        (lambda: sd.softmax_vjp(X, UNKNOWN), "got g in chunks"),
        (lambda: sd.softmax(np.zeros(3)), "allowed is a dask.array.Array"),
        (lambda: sd.softmax(X.astype(complex)), "got x of dtype complex128"),
        (lambda: sd.softmax(X, where=X), "got where=ndarray of dtype float64"),
        (lambda: sd.softmax(X, where=[True, False]), r"got where of shape \(2,\)"),
        (lambda: sd.softmax(X, 2), "axis 2 is out of bounds"),
        (lambda: sd.softmax(da.ma.masked_equal(X, 1)), "got a masked array as x"),
        (lambda: sd.logsumexp(X, keepdims=None), "got keepdims=None"),
        (lambda: sd.logsumexp(X, b=np.zeros(5)), r"got b of shape \(5,\)"),
        (lambda: sd.cross_entropy(X, np.zeros(3, int)), r"labels of shape \(3,\)"),
        (lambda: sd.cross_entropy(X, X > 0), "got labels of dtype bool"),
        (lambda: sd.cross_entropy(X, X, reduction="max"), "got reduction='max'"),
        (lambda: sd.cross_entropy(X, X, label_smoothing=2), "got label_smoothing=2"),
        (lambda: sd.cross_entropy(X, X, ignore_index=0), "integer labels only"),
        (lambda: sd.cross_entropy(X, [0] * 4, ignore_index=0.5), "ignore_index=0.5"),
        (lambda: sd.cross_entropy(X, X, weight=X[0]), "got weight of Dask"),
        (lambda: sd.cross_entropy(X, X, (0, 1)), "the axis of classes"),
        (lambda: sd.softmax_vjp(X, X[:2]), "the shapes must be equal"),
        (
            lambda: sd.cross_entropy(X, [0, 1, 6, 0], ignore_index=-1).compute(),
            "got a label 6; allowed are 0 to 5, and ignore_index=-1",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_the_functions_for_numpy_compute_nothing_in_silence():
    x, y = np.zeros((4, 6)), np.zeros(4, int)
    lazy, total = da.from_array(x), sl.LogSumExp(4).update(x)
    calls = [(getattr(sl, name), (lazy,)) for name in (*ALONG_AXES, "sigmoid")]
    calls += [(getattr(exact, name), (lazy,)) for name in exact.__all__]
    calls += [(getattr(sl, name), (lazy, y)) for name in LOSSES]
    calls += [(getattr(sl, name), (x, da.from_array(y))) for name in LOSSES]
    calls += [(sl.softmax_vjp, (lazy, x)), (sl.log_softmax_vjp, (x, lazy))]
    calls += [(sl.log_sigmoid, (lazy,)), (total.update, (lazy,))]
    calls += [(total.softmax, (lazy,)), (total.cross_entropy, (lazy[:, 0],))]
    calls += [(total.cross_entropy_grad, (x, da.from_array(y)))]
    calls += [(lambda w: sl.softmax(x, where=w), (lazy < 1,))]
    calls += [(lambda b: sl.logsumexp(x, b=b), (lazy,))]
    calls += [(lambda w: sl.cross_entropy(x, y, weight=w), (lazy[0],))]
    for function, arguments in calls:
        with pytest.raises(TypeError, match=r"of Dask, .* softmax_lib\.dask takes it"):
            function(*arguments)
    with pytest.raises(TypeError, match="got out=Array"):
        sl.softmax(x, out=lazy)


# --- threads ---------------------------------------------------------------------


def test_threads_of_dask_each_use_one_of_numba(monkeypatch):
    counts = []

    def counted():
        counts.append(numba.get_num_threads())
        return 1

    for module in (_dispatch, _threads, running_total):
        monkeypatch.setattr(module, "max_threads", counted)
    before = numba.get_num_threads()
    x = da.random.default_rng(0).normal(size=(4, 200_000), chunks=(2, 100_000))
    whole, y = x.rechunk((2, -1)), np.zeros(4, int)
    results = [getattr(sd, name)(a) for name in ALONG_AXES for a in (x, whole)]
    results += [sd.sigmoid(x), *sd.cross_entropy_and_grad(x, y)]
    results += sd.cross_entropy_and_grad(x, y, label_smoothing=0.1)
    results += [sd.logsumexp(x, b=-1.0), sd.log_softmax_vjp(whole, whole)]
    dask.compute(*results, scheduler="threads", num_workers=2)
    assert len(counts) > 20 and set(counts) == {1}
    assert numba.get_num_threads() == before

    @_blocks.on_one_thread
    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert numba.get_num_threads() == before
