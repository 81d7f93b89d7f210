"""The page on other libraries: its blocks run, its calls agree, its differences hold.

Libraries that are not installed are left out; SciPy is always there.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from dask import bag
from dask import config as dask_settings
from scipy import special

import softmax_lib
import softmax_lib.dask

PAGE = Path(__file__).resolve().parents[2] / "book" / "interplay.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ (.+)\n((?:(?!##).*\n)*)", TEXT, re.MULTILINE))
NEEDS = {"pandas": "pandas", "xarray": "xarray", "Dask": "dask", "JAX": "jax"}
NEEDS |= {"PyTensor": "pytensor", "torch": "torch"}
NEEDS |= {"Processes, MPI, Ray and Spark": "concurrent"}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

X = np.array([[0.5, 1.5, -2.0], [3.0, 0.0, 1.0]])
Y = np.array([2, 0])
P = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
W = np.array([0.2, 0.3, 0.5])


def is_there(module):
    return importlib.util.find_spec(module) is not None


def rows(title, table):
    """Return the cells of a section's first or second table, row by row."""
    block = SECTIONS[title].split(":::{container} calls\n")[table]
    lines = block.split(":::")[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def evaluated(call, names):
    ours = {name: getattr(softmax_lib, name) for name in softmax_lib.__all__}
    return eval(call.strip("`"), {**ours, **names})


def same(theirs, ours, names, converted=None, **tolerance):
    """Evaluate both cells of a row and compare shape and values."""
    converted = converted or dict(x=X, y=Y, p=P, w=W)
    expected = np.asarray(evaluated(theirs, converted | names))
    result = np.asarray(evaluated(ours, dict(x=X, y=Y, p=P, w=W)))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, **tolerance)


def test_every_block_is_claimed():
    assert set(NEEDS) <= set(SECTIONS)
    start = TEXT.split("\n## ")[0]
    blocks = [start, *(SECTIONS[title] for title in NEEDS)]
    assert len(BLOCK.findall(TEXT)) == sum(len(BLOCK.findall(b)) for b in blocks)


@pytest.mark.parametrize("title", [None, *filter(lambda t: is_there(NEEDS[t]), NEEDS)])
def test_the_blocks_run(title):
    code = BLOCK.findall(TEXT.split("\n## ")[0])
    code += BLOCK.findall(SECTIONS[title]) if title else []
    with warnings.catch_warnings():
        if title:  # Deprecations in other libraries are no failures.
            warnings.simplefilter("default")
        exec(compile("\n".join(code), str(PAGE), "exec"), {"__name__": "page"})


@pytest.mark.parametrize(("theirs", "ours", "_"), rows("From SciPy", 1))
def test_calls_of_scipy(theirs, ours, _):
    same(theirs, ours, {"special": special}, rtol=1e-14)


if is_there("torch"):

    @pytest.mark.parametrize(("theirs", "ours", "_"), rows("From torch", 1))
    def test_calls_of_torch(theirs, ours, _):
        import torch

        tensors = {"x": X, "y": Y, "p": P, "w": W}
        tensors = {name: torch.tensor(a) for name, a in tensors.items()}
        same(
            theirs,
            ours,
            {"torch": torch, "F": torch.nn.functional},
            tensors,
            rtol=1e-13,
        )


if is_there("jax"):

    @pytest.mark.parametrize(("theirs", "ours", "_"), rows("From JAX", 1))
    def test_calls_of_jax(theirs, ours, _):
        import jax

        arrays = {"x": jax.numpy.asarray(X), "w": jax.numpy.asarray(W)}
        same(theirs, ours, {"jax": jax}, arrays, rtol=1e-5)


if is_there("keras"):

    @pytest.mark.parametrize(("theirs", "ours", "_"), rows("From Keras", 1))
    def test_calls_of_keras(theirs, ours, _):
        import keras

        names = {name: getattr(keras, name) for name in ("ops", "losses", "layers")}
        same(theirs, ours, names, rtol=1e-5, atol=1e-6)


# --- totals of other systems -----------------------------------------------------

CALLS = dict(
    re.findall(r"^\| (.+?) \| (`.+LogSumExp.+`) \|$", TEXT, re.MULTILINE),
)


def total_of(part):
    return softmax_lib.LogSumExp(2).update(part)


def test_a_bag_of_dask():
    parts = bag.from_sequence(np.split(X, 3, axis=1), npartitions=2)
    with dask_settings.set(scheduler="synchronous"):
        names = {"parts": parts, "total_of": total_of}
        whole = evaluated(CALLS["Dask bag"], names)
    np.testing.assert_array_equal(whole.logsumexp(), softmax_lib.logsumexp(X))


MPI = """
import numpy as np
from mpi4py import MPI
from softmax_lib import LogSumExp, logsumexp
comm = MPI.COMM_WORLD
x = np.arange(14.0).reshape(2, 7)
part = np.array_split(x, comm.size, axis=1)[comm.rank]
def total_of(part):
    return LogSumExp(2).update(part)
whole = {}
assert np.array_equal(whole.logsumexp(), logsumexp(x))
print(comm.size)
"""

if is_there("mpi4py") and shutil.which("mpiexec"):

    def test_processes_of_mpi():
        code = MPI.format(CALLS["MPI (mpi4py)"].strip("`"))
        command = ["mpiexec", "-n", "3", sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True)
        assert "".join(done.stdout.split()) == "333", done.stderr


# --- differences from SciPy, row by row ------------------------------------------


def refused(call, *arguments, error=TypeError, **named):
    with pytest.raises(error):
        call(*arguments, **named)


def axis():
    assert special.softmax(X).sum() == pytest.approx(1)
    assert softmax_lib.softmax(X).sum(-1) == pytest.approx([1, 1])


def where():
    for name in ("softmax", "log_softmax", "logsumexp"):
        refused(getattr(special, name), X, where=X > 0)
        getattr(softmax_lib, name)(X, where=X > 0)
    refused(softmax_lib.sigmoid, X, where=X > 0)


def out():
    for name in ("softmax", "log_softmax", "logsumexp"):
        refused(getattr(special, name), X, out=X.copy())
    for name in ("expit", "log_expit"):
        getattr(special, name)(X, out=X.copy())
    for name in ("softmax", "log_softmax", "sigmoid", "log_sigmoid"):
        getattr(softmax_lib, name)(X, out=X.copy())
    softmax_lib.logsumexp(X, out=np.empty(2))


def mixed():
    x, b = np.float32([1, 2]), np.ones(2, np.int64)
    assert special.logsumexp(x, b=b).dtype == np.float64
    assert softmax_lib.logsumexp(x, b=b).dtype == np.float32


def int8():
    x = np.array([-100, 100, 127], np.int8)
    with np.errstate(all="ignore"):
        theirs = special.softmax(x)
    assert theirs.dtype == np.float16
    assert np.isnan(theirs).any()
    ours = softmax_lib.softmax(x)
    assert ours.dtype == np.float64
    assert ours.argmax() == 2


def boolean():
    refused(special.softmax, X > 0)
    as_numbers = softmax_lib.softmax((X > 0).astype(float))
    np.testing.assert_array_equal(softmax_lib.softmax(X > 0), as_numbers)


def half():
    # float64, since SciPy 1.18 float32
    assert special.expit(np.float16([1])).dtype.itemsize > 2
    assert softmax_lib.sigmoid(np.float16([1])).dtype == np.float16


def wide():
    for dtype in (np.complex128, np.longdouble):
        if np.dtype(dtype) != np.float64:
            assert special.softmax(X.astype(dtype)).dtype == dtype
            refused(softmax_lib.softmax, X.astype(dtype))


def masked():
    x = np.ma.array([1.0, 2, 3], mask=[0, 1, 0])
    np.testing.assert_array_equal(special.softmax(x), special.softmax(x.data))
    refused(softmax_lib.softmax, x)


LAZY = """
import dask.array as da
from scipy import special
def never(block):
    raise AssertionError("computed")
x = da.ones((2, 4), chunks=(1, 2)).map_blocks(never, dtype=float, meta=da.ones(1)._meta)
for name in ("softmax", "log_softmax", "logsumexp"):
    print(type(getattr(special, name)(x, axis=1)).__name__)
"""


def dask():
    x = da.from_array(X, chunks=1)
    assert type(special.softmax(x)) is np.ndarray
    refused(softmax_lib.softmax, x)
    assert type(softmax_lib.dask.softmax(x)) is da.Array
    # The switch is read when SciPy is imported.
    done = subprocess.run(
        [sys.executable, "-c", LAZY],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["Array"] * 3, done.stderr


def empty():
    refused(special.softmax, np.array([]), error=ValueError)
    assert softmax_lib.softmax([]).shape == (0,)


def doubt():
    assert special.log_softmax([0.0, -40.0])[0] == 0
    assert softmax_lib.log_softmax([0.0, -40.0])[0] < 0


def infinite_logarithm():
    with np.errstate(invalid="ignore"):
        theirs = special.log_softmax([np.inf, 1.0])
    np.testing.assert_array_equal(theirs, [np.nan, -np.inf])
    assert np.isnan(softmax_lib.log_softmax([np.inf, 1.0])).all()


def infinite():
    with pytest.warns(RuntimeWarning, match="invalid"):
        theirs = special.softmax([np.inf, 1.0])
    assert np.isnan(theirs).all()
    assert np.isnan(softmax_lib.softmax([np.inf, 1.0])).all()


DIFFERENCES = {
    "`axis`": axis,
    "`where=`": where,
    "`out=`": out,
    "float32 `x`, int64 `b`": mixed,
    "int8 in softmax": int8,
    "bool in softmax": boolean,
    "float16 in `expit`": half,
    "complex, long double": wide,
    "masked array in softmax": masked,
    "dask array in softmax": dask,
    "empty in softmax": empty,
    "sure winner's logarithm": doubt,
    "+inf in `log_softmax`": infinite_logarithm,
    "+inf in softmax": infinite,
}


@pytest.mark.parametrize("what", [row[0] for row in rows("From SciPy", 2)])
def test_differences_from_scipy(what):
    DIFFERENCES[what]()


def test_no_difference_from_scipy_is_left_over():
    assert list(DIFFERENCES) == [row[0] for row in rows("From SciPy", 2)]
