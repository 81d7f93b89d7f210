"""Who computes softmax, log-sum-exp and losses of Dask arrays, and what is right.

A contender is a function of logits and labels that returns lazy arrays. SciPy's are
lazy if SCIPY_ARRAY_API=1 was set before SciPy was imported, by whomever.
"""

import functools

import dask.array as da
import numpy as np
import xarray as xr
from scipy import special
from xarray_einstats import stats

import softmax_lib.dask as sd
from softmax_lib import exact


def formula_softmax(x, y):
    """Shares as the textbook has them, the maximum subtracted."""
    e = da.exp(x - x.max(-1, keepdims=True))
    return [e / e.sum(-1, keepdims=True)]


def formula_logsumexp(x, y):
    """Log-sum-exp as the textbook has it."""
    top = x.max(-1, keepdims=True)
    return [top[:, 0] + da.log(da.exp(x - top).sum(-1))]


def einstats_logsumexp(x, y):
    """Log-sum-exp of xarray-einstats, which wants all classes in one chunk."""
    how = {"allow_rechunk": True}
    found = stats.logsumexp(
        xr.DataArray(x, dims=["row", "class"]), dims="class",
        dask="parallelized", dask_gufunc_kwargs=how, output_dtypes=[x.dtype],
    )  # fmt: skip
    return [found.data]


def losses_of(x, y, log_softmax, softmax):
    """Gradients and losses that are made of two functions."""
    hot = y[:, None] == da.arange(x.shape[1], chunks=x.chunks[1])
    losses = -da.where(hot, log_softmax(x), x.dtype.type(0)).sum(-1)
    return [softmax(x) - hot, losses]


def formula_losses(x, y):
    """Gradients and losses as the textbook has them."""

    def log_softmax(x):
        shifted = x - x.max(-1, keepdims=True)
        return shifted - da.log(da.exp(shifted).sum(-1, keepdims=True))

    return losses_of(x, y, log_softmax, lambda x: formula_softmax(x, y)[0])


def scipy_losses(x, y):
    """Gradients and losses from the functions of SciPy."""
    along = {"axis": -1}
    functions = special.log_softmax, special.softmax
    return losses_of(x, y, *(functools.partial(f, **along) for f in functions))


WAYS = {
    "softmax": {
        "ours": lambda x, y: [sd.softmax(x)],
        "SciPy": lambda x, y: [special.softmax(x, axis=-1)],
        "formula": formula_softmax,
    },
    "log-sum-exp": {
        "ours": lambda x, y: [sd.logsumexp(x)],
        "SciPy": lambda x, y: [special.logsumexp(x, axis=-1)],
        "xarray-einstats": einstats_logsumexp,
        "formula": formula_logsumexp,
    },
    "loss and gradient": {
        "ours": lambda x, y: sd.cross_entropy_and_grad(x, y, reduction="none")[::-1],
        "SciPy": scipy_losses,
        "formula": formula_losses,
    },
}


def references(what, x, y):
    """Return what each way should have found, in float64."""
    x = x.astype(np.float64)
    if what == "softmax":
        return [exact.softmax(x)]
    if what == "log-sum-exp":
        return [exact.logsumexp(x)]
    logs, rows = exact.log_softmax(x), np.arange(len(x))
    gradient = exact.softmax(x)
    gradient[rows, y] = np.expm1(logs[rows, y])
    return [gradient, -logs[rows, y]]


def largest_ulps(found, expected):
    """Return the largest error in units in the last place of float32."""
    unit = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
    return float((np.abs(found - expected) / unit).max())
