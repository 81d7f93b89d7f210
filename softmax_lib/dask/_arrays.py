"""Dask arrays as arguments, and the running totals of their chunks."""

import math

import dask.array as da
import numpy as np

from softmax_lib import _arguments
from softmax_lib.dask import _blocks, _sums


def to_scores(x, name="x", where=None):
    """Return scores as floats, the dtype of results, and the mask.

    Masked scores are -inf.
    """
    if not isinstance(x, da.Array):
        got = f"got {name}={_arguments.shown(x)}"
        raise TypeError(f"{got}; allowed is a dask.array.Array, else use softmax_lib")
    check_chunks(x, name)
    _, dtype = _arguments.to_float_array(x._meta, name)
    x = x.astype(dtype)
    if where is None:
        return x, dtype, None
    kept = to_mask(where, x)
    return da.where(kept, x, dtype.type(-math.inf)), dtype, kept


def to_mask(where, x):
    """Return a mask in the shape and chunks of x."""
    kept = da.asarray(where)
    check_chunks(kept, "where")
    _arguments.excluded_mask(kept._meta, kept._meta.shape)  # Its dtype is checked.
    try:
        return da.broadcast_to(kept, x.shape).rechunk(x.chunks)
    except ValueError:
        got = f"got where of shape {kept.shape}"
        raise ValueError(
            f"{got}; it has to broadcast to that of x, {x.shape}"
        ) from None


def to_targets(labels, x, axis, dtype):
    """Return labels in the chunks of logits, with length 1 along the axis of classes.

    Probabilities are converted to the dtype, and have the shape of the logits.
    """
    if isinstance(labels, da.Array):
        t = labels
        check_chunks(t, "labels")
        _arguments.to_label_array(t._meta)
    else:
        t = da.asarray(_arguments.to_label_array(labels))
    if t.dtype.kind not in "iu" and t.dtype != dtype:
        t = da.map_blocks(_blocks.rounded, t, dtype, dtype=dtype)
    _arguments.check_label_shape(t, x.shape, axis)
    if t.dtype.kind == "f":
        return t.rechunk(x.chunks)
    chunks = [(1,) if d == axis else c for d, c in enumerate(x.chunks)]
    return da.expand_dims(t, axis).rechunk(chunks)


def check_chunks(x, name):
    """Raise unless the chunks of an array have known sizes."""
    if any(math.isnan(n) for n in x.shape):
        got = f"got {name} in chunks of unknown sizes"
        raise ValueError(f"{got}; call its compute_chunk_sizes() first")


def is_in_one_chunk(x, axes):
    """Return whether no slice along axes is in several chunks."""
    return all(x.numblocks[d] == 1 for d in axes)


def meta(ndim, dtype):
    """Return an empty array: to Dask, the kind of the blocks of a result."""
    return np.empty((0,) * ndim, dtype)


def reduce(x, axes, take_in, merge, finish=None, keepdims=True, dtype=None, **more):
    """Return what `take_in` makes of chunks, merged along a tree, and finished."""
    ndim, dtype = x.ndim if keepdims else x.ndim - len(axes), dtype or x.dtype
    return da.reduction(
        x, take_in, finish or merge, combine=merge, axis=axes, keepdims=keepdims,
        concatenate=False, dtype=dtype, meta=meta(ndim, dtype), **more,
    )  # fmt: skip


def totals(x, axes):
    """Return the `LogSumExp` of all slices, in arrays of one chunk along axes."""
    return reduce(x, axes, _blocks.total_of_block, _blocks.merge_totals)


def sums(x):
    """Return the sum of an array in float64, which chunks do not make less accurate."""
    parts, axes = (_sums.sum_of_block, _sums.merge_sums), tuple(range(x.ndim))
    how = {"keepdims": False, "dtype": np.dtype(np.float64)}
    return reduce(x, axes, *parts, _sums.rounded_sum, **how)
