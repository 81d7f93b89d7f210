"""Checks and conversions of arguments, and the errors for what is not allowed."""

import math
import operator

import numpy as np
from numpy.exceptions import AxisError

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def to_float_array(x, name="x"):
    """Return x as an array of float32 or float64, and the dtype of the result.

    Integers and booleans become float64 before anything is subtracted from
    them: in their own type a difference would wrap around. Half precision is
    widened to float32; only the result is rounded back.
    """
    if isinstance(x, np.ma.MaskedArray):
        instead = (
            ", and the entries to keep as where=~mask" if name in ("x", "b") else ""
        )
        raise TypeError(
            f"got a masked array as {name}, whose mask would be lost; pass its "
            f"data{instead}"
        )
    a = np.asarray(x)
    dtype = a.dtype.newbyteorder("=")
    if dtype in (_FLOAT32, _FLOAT64):
        return a, dtype
    if _is_half(dtype):
        return a.astype(_FLOAT32), dtype
    if dtype.kind in "biu":
        return a.astype(_FLOAT64), _FLOAT64
    raise TypeError(
        f"got {name} of dtype {a.dtype} and shape {a.shape}; allowed are float16, "
        "bfloat16, float32, float64, the integers and bool"
    )


def _is_half(dtype):
    # Recognised by name, so that ml_dtypes need not be installed.
    return dtype == np.float16 or (
        dtype.name == "bfloat16" and dtype.type.__module__.startswith("ml_dtypes")
    )


def check_out(out, shape, dtype):
    """Raise unless out is a writeable array of the shape and dtype of the result."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"got out={type(out).__name__}; allowed is a numpy.ndarray")
    if out.dtype != dtype.newbyteorder("="):
        raise TypeError(f"got out of dtype {out.dtype}; the result is {dtype}")
    if out.shape != shape:
        raise ValueError(f"got out of shape {out.shape}; the result has {shape}")
    if not out.flags.writeable:
        raise ValueError("got an out that is read-only")


def excluded_mask(where, shape):
    """Return the mask of the entries that `where` excludes, None without a `where`."""
    if where is None:
        return None
    kept = np.asarray(where)
    if kept.dtype != np.bool_ or isinstance(where, np.ma.MaskedArray):
        raise TypeError(
            f"got where={type(where).__name__} of dtype {kept.dtype}; allowed are "
            "bool and arrays of bool"
        )
    return _broadcast(~kept, shape, "where")


def weights(b, shape):
    """Return the factors b as float64, one for each entry of an array of that shape."""
    return _broadcast(to_float_array(b, "b")[0].astype(_FLOAT64), shape, "b")


def as_bool(given, name):
    """Return an option as a bool; old code passes 0 or 1."""
    if isinstance(given, bool | np.bool_ | int):
        return bool(given)
    raise TypeError(f"got {name}={given!r}; allowed are True and False")


def _broadcast(a, shape, name):
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        raise ValueError(
            f"got {name} of shape {a.shape}; it has to broadcast to that of x, {shape}"
        ) from None


def normalize_axes(axis, ndim):
    """Return axis as a sorted tuple of distinct, non-negative ints."""
    if axis is None:
        return tuple(range(ndim))
    axes = []
    # A 0-d array counts as one entry along axis 0 or -1, as in NumPy.
    dims = max(ndim, 1)
    for d in axis if isinstance(axis, tuple) else (axis,):
        try:
            d = operator.index(d)
        except TypeError:
            d = None
        if d is None or _holds_bool(axis):
            raise TypeError(
                f"got axis={axis!r}; allowed are an int, a tuple of ints and None"
            )
        if not -dims <= d < dims:
            raise AxisError(d, ndim, "axis")
        axes.append(d % dims)
    if len(set(axes)) != len(axes):
        raise ValueError(f"got axis={axis!r}, which names an axis twice")
    return tuple(sorted(axes)) if ndim else ()


def _holds_bool(axis):
    # Python takes True for 1, but axis=True is a mistake for keepdims or the like.
    axes = axis if isinstance(axis, tuple) else (axis,)
    return any(isinstance(d, bool | np.bool_) for d in axes)


def are_adjacent(axes):
    """Return whether sorted axes are adjacent."""
    return not axes or axes == tuple(range(axes[0], axes[-1] + 1))


def outer_n_inner(shape, axes):
    """Return (outer, n, inner): adjacent axes merged into one of length n."""
    first, stop = (axes[0], axes[-1] + 1) if axes else (len(shape), len(shape))
    return (
        math.prod(shape[:first]),
        math.prod(shape[first:stop]),
        math.prod(shape[stop:]),
    )
