"""Every dtype at every argument, and every setting of NumPy around a call."""

import warnings

import ml_dtypes
import numpy as np
import pytest

from softmax_lib import (
    cross_entropy,
    cross_entropy_and_grad,
    exact,
    log_sigmoid,
    log_softmax,
    log_softmax_vjp,
    logsumexp,
    sigmoid,
    softmax,
    softmax_vjp,
)

INTEGERS = [np.dtype(c) for c in "bBhHiIlLqQ"] + [np.dtype(">i8"), np.dtype(">u2")]
HALVES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
FLOATS = [*HALVES, *map(np.dtype, ["f4", "f8", ">f4", ">f8", ">f2"])]
BOOL = np.dtype(bool)
DOUBLES = [np.dtype("f8"), np.dtype(">f8")]
NUMBERS = [*INTEGERS, *FLOATS, BOOL]


def others():
    """Return what NumPy and ml_dtypes have beside the numbers that are allowed."""
    codes = set(np.typecodes["All"]) - {dtype.char for dtype in NUMBERS}
    found = [np.dtype(code) for code in sorted(codes)]
    found += map(np.dtype, ["S3", "U3", "V8", "M8[s]", "m8[s]", ">c8"])
    found += [np.dtype([("a", "f8")]), np.dtype("f8,(2,)i4")]
    found += [np.dtypes.StringDType(), np.dtypes.StringDType(na_object=None)]
    members = [m for m in vars(ml_dtypes).values() if isinstance(m, type)]
    narrow = [
        np.dtype(t) for t in members if t not in (ml_dtypes.finfo, ml_dtypes.iinfo)
    ]
    return found + [dtype for dtype in narrow if dtype not in NUMBERS]


OTHERS = others()
X = np.array([[0.0, 1.0], [2.0, 0.0]])


def with_option(name):
    """Return a call of cross-entropy with an option."""

    def call(a):
        return cross_entropy(X, [0, 1], **{name: a})

    return call


# An argument: the call with an array of shape (2, 2), and the dtypes that are allowed.
ARRAYS = {
    "x of softmax": (softmax, NUMBERS),
    "x of log_softmax": (log_softmax, NUMBERS),
    "x of logsumexp": (logsumexp, NUMBERS),
    "x of sigmoid": (sigmoid, NUMBERS),
    "x of log_sigmoid": (log_sigmoid, NUMBERS),
    "x of exact.softmax": (exact.softmax, NUMBERS),
    "x of exact.sigmoid": (exact.sigmoid, NUMBERS),
    "out": (lambda a: softmax(X, out=a), DOUBLES),
    "out of sigmoid": (lambda a: sigmoid(X, out=a), DOUBLES),
    "out of logsumexp": (lambda a: logsumexp(X, out=a[0]), DOUBLES),
    "where": (lambda a: softmax(X, where=a), [BOOL]),
    "where of logsumexp": (lambda a: logsumexp(X, where=a), [BOOL]),
    "b": (lambda a: logsumexp(X, b=a), NUMBERS),
    "logits": (lambda a: cross_entropy(a, [0, 1]), NUMBERS),
    "indices": (lambda a: cross_entropy(X, a[0]), INTEGERS),
    "probabilities": (lambda a: cross_entropy(X, a), FLOATS),
    "weight": (lambda a: cross_entropy(X, [0, 1], weight=a[0]), NUMBERS),
    "p": (lambda a: softmax_vjp(a, X), NUMBERS),
    "g": (lambda a: softmax_vjp(X, a), NUMBERS),
    "logp": (lambda a: log_softmax_vjp(a, X), NUMBERS),
    "g of log_softmax_vjp": (lambda a: log_softmax_vjp(X, a), NUMBERS),
}
LONG = [np.dtype(np.longdouble)]
REAL = [*INTEGERS, *FLOATS[:1], *FLOATS[2:], *LONG]
# The same for a number: an entry of that array.
OPTIONS = {
    "ignore_index": (with_option("ignore_index"), INTEGERS),
    "label_smoothing": (with_option("label_smoothing"), REAL),
    "axis": (lambda a: softmax(X, a), INTEGERS),
    "class axis": (with_option("axis"), INTEGERS),
    "keepdims": (lambda a: logsumexp(X, keepdims=a), [BOOL]),
}


@pytest.mark.parametrize("argument", [*ARRAYS, *OPTIONS])
@pytest.mark.parametrize("dtype", [*NUMBERS, *OTHERS], ids=str)
def test_every_dtype_is_taken_or_refused_clearly(argument, dtype):
    a = np.zeros((2, 2), dtype)
    call, allowed = (ARRAYS | OPTIONS)[argument]
    given = a if argument in ARRAYS else a[0, 0]
    # What Python has itself comes out of arrays of objects.
    if dtype in allowed or (argument in OPTIONS and dtype.kind == "O"):
        call(given)
        return
    # Probabilities and indices tell each other apart by shape, too.
    shapes = {"indices": FLOATS, "probabilities": INTEGERS}.get(argument, ())
    error = ValueError if dtype in shapes else TypeError
    with pytest.raises(
        error, match=r"^got .*(allowed (is|are)|the result is|have the)"
    ):
        call(given)


@pytest.mark.parametrize("argument", OPTIONS)
@pytest.mark.parametrize("dtype", [*NUMBERS, *OTHERS], ids=str)
def test_arrays_are_no_options(argument, dtype):
    for shape in ((1,), (2, 2)):
        with pytest.raises(TypeError, match=r"^got .*; allowed (is|are)"):
            OPTIONS[argument][0](np.zeros(shape, dtype))


@pytest.mark.parametrize("bad", [True, np.True_, np.array(0.1), [0.1], "0.1", 0.1j])
def test_smoothing_is_a_number(bad):
    with pytest.raises(TypeError, match=r"got label_smoothing=.*; allowed is a number"):
        cross_entropy(X, [0, 1], label_smoothing=bad)


# --- settings of NumPy -----------------------------------------------------------

F4 = np.float32
SIGNALLING = np.array([0x7FA00000] * 2, np.uint32).view(F4)

# Each converts a number that is too large, too small or a signalling NaN.
CALLS = {
    "logsumexp": lambda: logsumexp(F4([0, -110]), b=[1, 1]),
    "logsumexp of halves": lambda: logsumexp(np.full(20, 65504, np.float16)),
    "b": lambda: logsumexp([0.0, 1.0], b=SIGNALLING),
    "x and b": lambda: logsumexp(SIGNALLING, b=SIGNALLING),
    "x": lambda: softmax(SIGNALLING),
    "x in half": lambda: softmax(np.array([0x7D01] * 2, np.uint16).view(np.float16)),
    "x in bfloat16": lambda: softmax(
        np.array([0x7FA0] * 2, np.uint16).view(ml_dtypes.bfloat16)
    ),
    "shares in half": lambda: softmax(np.float16([0, -15])),
    "a mask": lambda: softmax(np.float16([0, -15, 3]), where=[True, True, False]),
    "an out": lambda: softmax(np.float16([0, -15]), out=np.empty(2, np.float16)),
    "exact": lambda: exact.softmax(np.float16([0, -15])),
    "sigmoid": lambda: sigmoid(np.float16(-15)),
    "loss in half": lambda: cross_entropy(np.float16([[20, 0]]), [0]),
    "loss in bfloat16": lambda: cross_entropy(
        np.array([[120, 0]], ml_dtypes.bfloat16), [0]
    ),
    "loss": lambda: cross_entropy_and_grad(F4([[120, 0], [-3e38, 3e38]]), [0, 0]),
    "weight": lambda: cross_entropy(F4([[0, 1]]), [1], weight=[1e-50, 1e-46]),
    "large weight": lambda: cross_entropy(F4([[0, 1]]), [0], weight=[1e38, 1.0]),
    "smoothed": lambda: cross_entropy_and_grad(
        F4([[0, 1]]), [1], weight=[0, 1e-45], label_smoothing=1e-300
    ),
    "probabilities": lambda: cross_entropy(F4([[0, 1]]), [[1e-50, 1e300]]),
    "vjp": lambda: softmax_vjp(np.float16([0.5, 1e-7]), np.float16([1e-7, 2])),
    "vjp of NaN": lambda: softmax_vjp([0.0, 1.0], SIGNALLING),
    "vjp of logarithms": lambda: log_softmax_vjp(np.float16([-9, -20]), F4([1e-9, 2])),
}


def in_float64(result):
    """Return a result as NumPy compares it: not so bfloat16, with NaN in it."""
    with np.errstate(all="ignore"):
        members = result if isinstance(result, tuple) else (result,)
        return [np.asarray(m).astype(np.float64) for m in members]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_setting_of_numpy_changes_a_result(call):
    before = np.geterr()
    expected = in_float64(call())
    for setting in ("raise", "warn", "print", "ignore"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with np.errstate(all=setting):
                result = call()
            old = np.seterr(all=setting)
            try:
                np.testing.assert_equal(in_float64(call()), expected)
            finally:
                np.seterr(**old)
        np.testing.assert_equal(in_float64(result), expected)
    assert np.geterr() == before


@pytest.mark.parametrize("weight", [[1e300, 1.0], SIGNALLING], ids=["large", "NaN"])
@pytest.mark.parametrize("setting", ["raise", "warn", "ignore"])
def test_no_setting_of_numpy_changes_a_refusal(weight, setting):
    with np.errstate(all=setting), pytest.raises(ValueError, match="finite numbers"):
        cross_entropy(F4([[0, 1]]), [0], weight=weight)
