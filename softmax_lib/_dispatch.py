"""Arranges what a front door was given for the kernels: dtype, memory, axes.

Data flows one way: front door, dispatch, kernel.
"""

import math

import numpy as np
from numpy.exceptions import AxisError

from softmax_lib._kernels import elementwise, slices

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_float_array(x):
    """Return x as a C-contiguous, native float32 or float64 array.

    Integers and booleans become float64 before anything is subtracted from
    them: in their own type a difference would wrap around.
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "got a masked array, whose mask would be lost; pass its data, with "
            "the entries to leave out set to -inf"
        )
    a = np.asarray(x)
    native = a.dtype.newbyteorder("=")
    if native not in _FLOATS:
        if native.kind not in "biu":
            raise TypeError(
                f"got dtype {a.dtype}; allowed are float32, float64, the integers "
                f"and bool"
            )
        native = np.dtype(np.float64)
    # Not ascontiguousarray, which makes one dimension of none.
    return np.asarray(a, dtype=native, order="C")


def fold(a, axis):
    """Return a as (outer, n, inner) with the axes of `axis` merged into n.

    Also returns the shape and the order of axes that undo the folding.
    """
    axes = _normalised(axis, a.ndim)
    kept = [d for d in range(a.ndim) if d not in axes]
    if list(axes) == list(range(axes[0], axes[-1] + 1)) if axes else False:
        order = list(range(a.ndim))  # the merged axes lie together: a view will do
        split = axes[0]
    else:
        order = [*kept, *axes]
        split = len(kept)
    shape = tuple(a.shape[d] for d in order)
    middle = split + len(axes)
    folded = a.transpose(order).reshape(
        math.prod(shape[:split]),
        math.prod(shape[split:middle]),
        math.prod(shape[middle:]),
    )
    return np.ascontiguousarray(folded), shape, np.argsort(order)


def _normalised(axis, ndim):
    """Return axis as a sorted tuple of distinct, non-negative ints."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    for d in axes:
        if isinstance(d, bool | np.bool_) or not hasattr(d, "__index__"):
            raise TypeError(
                f"got axis={axis!r}; allowed are an int, a tuple of ints and None"
            )
        # A 0-d array counts as one entry along axis 0 or -1, as in NumPy.
        if not -max(ndim, 1) <= d < max(ndim, 1):
            raise AxisError(d, ndim, "axis")
    if ndim == 0:
        return ()
    wrapped = tuple(sorted(int(d) % ndim for d in axes))
    if len(set(wrapped)) != len(wrapped):
        raise ValueError(f"got axis={axis!r}, which names an axis twice")
    return wrapped


def softmax(x, axis):
    """Softmax of x along axis."""
    return _like_input(slices.softmax_slices, x, axis)


def log_softmax(x, axis):
    """Log-softmax of x along axis."""
    return _like_input(slices.log_softmax_slices, x, axis)


def _like_input(kernel, x, axis):
    a = as_float_array(x)
    folded, shape, restore = fold(a, axis)
    out = np.empty_like(folded)
    kernel(folded, out)
    return out.reshape(shape).transpose(restore)[()]


def logsumexp(x, axis, keepdims):
    """Log-sum-exp of x along axis."""
    a = as_float_array(x)
    axes = _normalised(axis, a.ndim)
    folded, _, _ = fold(a, axis)
    out = np.empty((folded.shape[0], folded.shape[2]), a.dtype)
    slices.logsumexp_slices(folded, out)
    shape = (
        (1 if d in axes else n) if keepdims else n
        for d, n in enumerate(a.shape)
        if keepdims or d not in axes
    )
    return out.reshape(tuple(shape))[()]


def sigmoid(x):
    """Sigmoid of every entry of x."""
    return _elementwise(elementwise.sigmoid_flat, x)


def log_sigmoid(x):
    """Logarithm of the sigmoid of every entry of x."""
    return _elementwise(elementwise.log_sigmoid_flat, x)


def _elementwise(kernel, x):
    a = as_float_array(x)
    out = np.empty_like(a)
    kernel(a.reshape(-1), out.reshape(-1))
    return out[()]
