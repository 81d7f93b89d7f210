"""Arrays in and out: any dtype, axes and memory, to rows of numbers and back."""

import math

import numpy as np

from softmax_lib import _arguments


def along_axis(function, masked_value, x, axis, where, out):
    """Return an array like x, with the function along axis."""
    a, dtype = _arguments.to_float_array(x, has_where=True)
    axes = _arguments.normalize_axes(axis, a.ndim)
    if out is not None:
        _arguments.check_out(out, a.shape, dtype)
    a, excluded = _without_masked(a, where)
    rows, moved_shape, order = _to_rows(a, axes)
    result = np.empty(rows.shape, rows.dtype)
    if result.size:
        function.fill(rows, result)
    result = result.reshape(moved_shape)
    if order != list(range(a.ndim)):
        result = np.asarray(result.transpose(np.argsort(order)), order="C")
    if excluded is not None:
        result[excluded] = masked_value
    return _arguments.finalize(result, dtype, out)


def reduced(function, x, axis, where, keepdims, out):
    """Return the function along axis, one number for each slice."""
    a, dtype = _arguments.to_float_array(x, has_where=True)
    axes = _arguments.normalize_axes(axis, a.ndim)
    keepdims = _arguments.as_bool(keepdims, "keepdims")
    shape = _arguments.reduced_shape(a.shape, axes, keepdims)
    if out is not None:
        _arguments.check_out(out, shape, dtype)
    a, _ = _without_masked(a, where)
    rows, _, _ = _to_rows(a, axes)
    result = np.full(len(rows), -math.inf, rows.dtype)
    if rows.size:
        function.fill(rows, result)
    return _arguments.finalize(result.reshape(shape), dtype, out)


def elementwise(function, x, out):
    """Return an array like x, with the function of each entry."""
    a, dtype = _arguments.to_float_array(x)
    if out is not None:
        _arguments.check_out(out, a.shape, dtype)
    flat = _ready(a).reshape(-1)
    result = np.empty_like(flat)
    if result.size:
        function.fill(flat, result)
    return _arguments.finalize(result.reshape(a.shape), dtype, out)


def _ready(a):
    # Numba would compile kernels again for arrays that are read-only.
    if type(a) is np.ndarray and a.dtype.isnative and a.flags.carray:
        return a
    return np.require(a, np.dtype(a.dtype.type), ["C", "A", "W"])


def _without_masked(a, where):
    """Return a with -inf where it is masked, and the mask."""
    excluded = _arguments.excluded_mask(where, a.shape)
    if excluded is None:
        return a, None
    a = np.array(a, np.dtype(a.dtype.type), order="C")
    np.copyto(a, -math.inf, where=excluded)
    return a, excluded


def _to_rows(a, axes):
    """Return slices as rows, their shape in the array, and the order of its axes."""
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    moved = _ready(a if order == list(range(a.ndim)) else a.transpose(order))
    count = math.prod(moved.shape[: a.ndim - len(axes)])
    n = math.prod(moved.shape[a.ndim - len(axes) :])
    return moved.reshape(count, n), moved.shape, order
