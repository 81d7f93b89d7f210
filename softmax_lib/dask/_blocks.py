"""What becomes of blocks: functions of NumPy arrays, which Dask calls where it likes.

Dask has threads of its own, so each call has one thread of Numba's.
"""

import functools

import numba
import numpy as np

from softmax_lib import activations
from softmax_lib._kernels import exponential
from softmax_lib.running_total import LogSumExp

# Of float32, which is the lower one.
MAX_UNSHIFTED = min(exponential.MAX_UNSHIFTED.values)


def on_one_thread(function):
    """Return a function of blocks that uses one thread of Numba's."""

    @functools.wraps(function)
    def alone(*args, **kwargs):
        before = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            return function(*args, **kwargs)
        finally:
            numba.set_num_threads(before)

    return alone


def flattened(parts):
    """Yield the parts in nested lists, as reductions hand them over."""
    if isinstance(parts, list):
        for part in parts:
            yield from flattened(part)
    else:
        yield parts


def computed_in(dtype):
    """Return the dtype that scores of a dtype are computed in."""
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


# --- totals ----------------------------------------------------------------------


@on_one_thread
def total_of_block(x, axis, keepdims=True, computing_meta=False):
    """Return the total of a block."""
    if computing_meta:
        return x
    shape = tuple(n for d, n in enumerate(x.shape) if d not in axis)
    return LogSumExp(shape, computed_in(x.dtype)).update(x, axis)


@on_one_thread
def merge_totals(totals, axis, keepdims):
    """Return totals of the same slices merged; those that are given stay."""
    first, *others = flattened(totals)
    merged = LogSumExp(first.shape, first.dtype).merge(first)
    for other in others:
        merged.merge(other)
    return merged


@on_one_thread
def value_of_totals(totals, axis, keepdims, dtype):
    """Return the log-sum-exp of totals of the same slices."""
    return rounded(merge_totals(totals, axis, keepdims).logsumexp(), dtype)


def rounded(value, dtype):
    """Return numbers in a dtype, infinite where they are too large for it."""
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype, copy=False)


# --- functions along axes --------------------------------------------------------


@on_one_thread
def shares_of_block(x, total, axis, name):
    """Return the shares of a block within a total, or their logarithms."""
    return getattr(total, name)(x, axis)


@on_one_thread
def whole_slices(x, axis, name):
    """Return a function of slices that are whole, with the bits of merged totals."""
    if not x.size or _is_unshifted(x, axis):
        return np.asarray(getattr(activations, name)(x, axis))
    total = total_of_block(x, axis)
    if name == "logsumexp":
        return rounded(total.logsumexp(), x.dtype)
    return np.asarray(getattr(total, name)(x, axis))


def _is_unshifted(x, axis):
    """Return whether `softmax_lib` adds the very terms that totals add, but faster."""
    # The first question is cheap, the second is about slices with entries of -inf.
    return (
        max(abs(x.max()), abs(x.min())) <= MAX_UNSHIFTED
        or (abs(np.max(x, axis)) <= MAX_UNSHIFTED).all()
    )


@on_one_thread
def entries(x, name):
    """Return a function of the entries of a block."""
    return np.asarray(getattr(activations, name)(x))


@on_one_thread
def signed_logsumexp(x, b, axis, result_dtype):
    """Return logarithms of weighted sums, and their signs, along a new first axis."""
    found = activations.logsumexp(x, axis, b=b, return_sign=True)
    return rounded(np.stack(found), result_dtype)
