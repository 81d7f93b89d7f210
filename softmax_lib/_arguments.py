"""Checks and conversions of arguments, and the errors for what is not allowed."""

import math
import numbers
import operator

import numpy as np
from numpy.exceptions import AxisError

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def to_float_array(x, name="x", has_where=False):
    """Return x as an array of float32 or float64, and the dtype of the result.

    Integers and booleans become float64 before anything is subtracted from
    them: in their own type a difference would wrap around. Half precision is
    widened to float32; only the result is rounded back. The error for a masked
    array names `where` to callers of functions that have it.
    """
    if isinstance(x, np.ma.MaskedArray):
        more = ", and the entries to keep as where=~mask" if has_where else ""
        lost = f"got a masked array as {name}, whose mask would be lost"
        raise TypeError(f"{lost}; pass its data{more}")
    a = to_numpy(x, name)
    dtype = _native(a.dtype)
    if dtype in (_FLOAT32, _FLOAT64):
        return a, dtype
    if _is_half(dtype):
        return converted(a, _FLOAT32), dtype
    if dtype.kind in "biu":
        return a.astype(_FLOAT64), _FLOAT64
    allowed = "float16, bfloat16, float32, float64, the integers and bool"
    got = f"{name} of dtype {a.dtype} and shape {a.shape}"
    # As from a pandas frame whose columns are of different kinds.
    more = "; convert it first, as by astype(float)" if a.dtype.kind == "O" else ""
    raise TypeError(f"got {got}; allowed are {allowed}{more}")


def to_numpy(x, name):
    """Return x as an array, unless Dask would compute it, also inside of xarray."""
    graph = getattr(x, "__dask_graph__", lambda: None)
    if graph() is not None:
        got = f"got {name} of Dask, which would be computed here in one piece"
        raise TypeError(f"{got}; softmax_lib.dask takes it, or pass its compute()")
    return np.asarray(x)


def _native(dtype):
    # Of other kinds not every type stands for a dtype.
    return np.dtype(dtype.type) if dtype.kind in "biuf" else dtype


def converted(a, dtype, order="K"):
    """Return a copy of an array in a dtype, whatever NumPy is to do about errors."""
    with np.errstate(all="ignore"):
        return np.array(a, dtype, order=order)


def shown(value):
    """Return how an argument is shown in an error."""
    if isinstance(value, np.ndarray | np.generic):
        # Arrays may be large, and some times have no repr.
        of_shape = f" and shape {value.shape}" if value.shape else ""
        if value.dtype.kind in "biufc" and not of_shape:
            return repr(value)
        return f"{type(value).__name__} of dtype {value.dtype}{of_shape}"
    return repr(value)


def _is_half(dtype):
    # Recognised by name, so that ml_dtypes need not be installed.
    return dtype == np.float16 or (
        dtype.name == "bfloat16" and dtype.type.__module__.startswith("ml_dtypes")
    )


def check_out(out, shape, dtype):
    """Raise unless out is a writeable array of the shape and dtype of the result."""
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"got out={type(out).__name__}; allowed is a numpy.ndarray")
    # In any order of bytes, so that x itself is allowed.
    if _native(out.dtype) != dtype:
        raise TypeError(f"got out of dtype {out.dtype}; the result is {dtype}")
    if out.shape != shape:
        raise ValueError(f"got out of shape {out.shape}; the result has {shape}")
    if not out.flags.writeable:
        raise ValueError("got an out that is read-only")


def excluded_mask(where, shape):
    """Return the mask of the entries that `where` excludes, None without a `where`."""
    if where is None:
        return None
    kept = to_numpy(where, "where")
    if kept.dtype != np.bool_ or isinstance(where, np.ma.MaskedArray):
        got = f"got where={type(where).__name__} of dtype {kept.dtype}"
        raise TypeError(f"{got}; allowed are bool and arrays of bool")
    return _broadcast(~kept, shape, "where")


def weights(b, a, dtype):
    """Return the factors b and a as float64 of one shape, and the dtype of the result.

    It is wider than the given one if b is, unless b holds integers or is one number of
    Python's.
    """
    factors, kind = to_float_array(b, "b", True)
    if type(b) is not float and np.asarray(b).dtype.kind not in "biu":
        dtype = np.result_type(dtype, kind)
    try:
        factors, a = np.broadcast_arrays(factors, a)
    except ValueError:
        got = f"got b of shape {factors.shape}"
        raise ValueError(f"{got}; it has to broadcast with x, {a.shape}") from None
    return converted(factors, _FLOAT64), converted(a, _FLOAT64), dtype


def as_bool(given, name):
    """Return an option as a bool; old code passes 0 or 1."""
    if isinstance(given, bool | np.bool_ | int):
        return bool(given)
    raise TypeError(f"got {name}={shown(given)}; allowed are True and False")


def _broadcast(a, shape, name):
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        got = f"got {name} of shape {a.shape}"
        raise ValueError(f"{got}; it has to broadcast to that of x, {shape}") from None


def _as_index(value):
    """Return value as an int, None if it is not one; axis=True is a mistake."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def to_start(start):
    """Return the class that a block begins with as an int."""
    index = _as_index(start)
    allowed = "allowed is an int from 0, below 2**63"
    if index is None:
        raise TypeError(f"got start={shown(start)}; {allowed}")
    if not 0 <= index < 2**63:
        raise ValueError(f"got start={index}; {allowed}")
    return index


def normalize_axes(axis, ndim, allowed="are an int, a tuple of ints and None"):
    """Return axis as a sorted tuple of distinct, non-negative ints."""
    if axis is None:
        return tuple(range(ndim))
    axes = [_as_index(d) for d in (axis if isinstance(axis, tuple) else (axis,))]
    if None in axes:
        raise TypeError(f"got axis={shown(axis)}; allowed {allowed}")
    # A 0-d array counts as one entry along axis 0 or -1, as in NumPy.
    dims = max(ndim, 1)
    for d in axes:
        if not -dims <= d < dims:
            raise AxisError(d, ndim, "axis")
    axes = tuple(sorted(d % dims for d in axes))
    if len(set(axes)) != len(axes):
        raise ValueError(f"got axis={axis!r}, which names an axis twice")
    return axes if ndim else ()


def are_adjacent(axes):
    """Return whether sorted axes are adjacent."""
    return not axes or axes == tuple(range(axes[0], axes[-1] + 1))


def outer_n_inner(shape, axes):
    """Return (outer, n, inner): adjacent axes merged into one of length n."""
    first, stop = (axes[0], axes[-1] + 1) if axes else (len(shape), len(shape))
    return tuple(map(math.prod, (shape[:first], shape[first:stop], shape[stop:])))


def reduced_shape(shape, axes, keepdims):
    """Return a shape without the reduced axes, or with length 1 there."""
    kept = [(d, n) for d, n in enumerate(shape) if keepdims or d not in axes]
    return tuple(1 if d in axes else n for d, n in kept)


def finalize(result, dtype, out):
    """Return result, in out if given, rounded to dtype if it was widened before."""
    # What a subclass of arrays makes of assignments does not matter here.
    target = None if out is None else np.asarray(out)
    if out is not None and (result is target or result.base is out):
        return out
    # Rounding to half precision may overflow to inf, without a warning.
    with np.errstate(all="ignore"):
        if out is None:
            return result.astype(dtype, copy=False)[()]
        np.copyto(target, result, casting="unsafe")
        return out


# --- losses ----------------------------------------------------------------------

REDUCTIONS = ("none", "mean", "sum")

# For kernels after the labels have been checked, where none is ignored.
NO_LABEL = -1


def class_axis(axis, ndim):
    """Return the axis of classes as a non-negative int."""
    if type(axis) is int and -ndim <= axis < ndim:
        return axis % ndim
    allowed = "is one int, the axis of classes"
    if isinstance(axis, tuple) or axis is None:
        raise TypeError(f"got axis={axis!r}; allowed {allowed}")
    axes = normalize_axes(axis, ndim, allowed)
    if not axes:
        raise AxisError(axis, 0, "axis")
    return axes[0]


def to_smoothing(smoothing):
    """Return the label smoothing as a float from 0 to 1."""
    allowed = "allowed is a number from 0 to 1"
    # NumPy takes timedelta64 for an integer.
    unwanted = isinstance(smoothing, bool | np.timedelta64)
    if unwanted or not isinstance(smoothing, numbers.Real):
        raise TypeError(f"got label_smoothing={shown(smoothing)}; {allowed}")
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"got label_smoothing={smoothing!r}; {allowed}")
    return float(smoothing)


def to_ignored_label(ignore_index, dtype):
    """Return the label to ignore as kernels see it, and whether any label may be it.

    Kernels take labels of uint64 as int64 with the same bits. An index that no label of
    this dtype can have ignores nothing.
    """
    if ignore_index is None:
        return NO_LABEL, False
    ignored = _as_index(ignore_index)
    if ignored is None:
        got = f"got ignore_index={shown(ignore_index)}"
        raise TypeError(f"{got}; allowed are an int and None")
    # `numpy.iinfo` takes a microsecond.
    end = 1 << 8 * dtype.itemsize - (dtype.kind == "i")
    if not (-end if dtype.kind == "i" else 0) <= ignored < end:
        return NO_LABEL, False
    return ignored - 2**64 if ignored >= 2**63 else ignored, True


def to_label_array(given):
    """Return labels as an array of integers or floats, as they were given."""
    if isinstance(given, np.ma.MaskedArray):
        instead = "give masked entries one value and pass that as ignore_index"
        raise TypeError(f"got masked labels, whose mask would be lost; {instead}")
    t = to_numpy(given, "labels")
    if t.dtype.kind in "iu":
        return t
    if t.size == 0 and t.dtype == _FLOAT64 and isinstance(given, list | tuple):
        # An empty list has no dtype.
        return t.astype(np.int64)
    if (t.dtype.kind == "f" and t.dtype.itemsize <= 8) or _is_half(t.dtype):
        return to_float_array(t, "labels")[0]
    allowed = "integers (class indices), and float16, bfloat16, float32 and float64"
    allowed += " (probabilities)"
    raise TypeError(f"got labels of dtype {t.dtype}; allowed are {allowed}")


def check_label_shape(t, shape, axis):
    """Raise unless labels have the shape that goes with the shape of the logits."""
    rest = shape[:axis] + shape[axis + 1 :]
    if t.shape == (shape if t.dtype.kind == "f" else rest):
        return
    got = f"got labels of shape {t.shape} and dtype {t.dtype}"
    if t.dtype.kind == "f":
        allowed = f"the shape of the logits, {shape}, and class indices are integers"
        raise ValueError(f"{got}; probabilities have {allowed}")
    allowed = f"the shape of the logits without the class axis, {rest}"
    one_hot = "(one-hot rows are probabilities: pass them as floats)"
    raise ValueError(f"{got}; class indices have {allowed} {one_hot}")


def class_weights(weight, n, dtype):
    """Return a weight for each of n classes in the dtype of the logits."""
    w, _ = to_float_array(weight, "weight")
    if w.shape != (n,):
        one_each = f"one for each class has shape {(n,)}"
        raise ValueError(f"got weight of shape {w.shape}; {one_each}")
    found = converted(w, dtype, "C")
    finite = np.isfinite(found)
    if not finite.all():
        k = int(np.argmin(finite))
        allowed = f"finite numbers of {dtype}"
        raise ValueError(f"got weight[{k}] = {w[k]}; allowed are {allowed}")
    return found
