"""Arranges what a front door was given for the kernels: dtype, memory, axes, threads.

Kernels know flat, C-contiguous, native float32 or float64 arrays, read as (outer, n,
inner). What comes in another form is copied, once, into the array for the result,
and the kernel then works in place.
"""

import math

import numpy as np
from numpy.exceptions import AxisError

from softmax_lib import _threads
from softmax_lib._kernels import columns, elementwise, log_rows, parallel, softmax_rows

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


# Rows up to this length, 16 or 8 of them side by side, are done as columns are: in
# a vector for each row most lanes would idle, and its sum would cost more than it.
NARROW = 32


class _Family:
    """The kernels of one function: by rows, by columns, and both on all threads."""

    def __init__(self, rows, columns, parallel_rows, parallel_columns):
        self.rows = rows
        self.columns = columns
        self.parallel_rows = parallel_rows
        self.parallel_columns = parallel_columns

    def run(self, x, out, outer, n, inner):
        """Fill out from x, both flat; x may be out."""
        # Along the last axis a slice is a run of memory, and a vector goes along
        # it. Along another axis a vector lies across slices.
        if inner > 1:
            self._run_columns(x, out, outer, n, inner, 1)
        elif n <= NARROW and outer >= 4:
            self._run_columns(x, out, 1, n, outer, n)
        elif x.size < _threads.WORTH_IT or outer == 1:
            self.rows(x, out, n, 0, outer)
        else:
            with _threads.several() as threads:
                if threads == 1:
                    self.rows(x, out, n, 0, outer)
                else:
                    parts = _parts(outer, threads)
                    self.parallel_rows(x, out, n, outer, parts)

    def _run_columns(self, x, out, outer, n, inner, gap):
        wide = columns.tile_width(n, inner, x.itemsize)
        tiles = outer * -(-inner // wide)
        if x.size < _threads.WORTH_IT or tiles == 1:
            self.columns(x, out, n, inner, gap, wide, 0, tiles)
            return
        with _threads.several() as threads:
            if threads == 1:
                self.columns(x, out, n, inner, gap, wide, 0, tiles)
            else:
                parts = _parts(tiles, threads)
                self.parallel_columns(x, out, n, inner, gap, wide, tiles, parts)


def _parts(whole, threads):
    # Four for each thread: a thread that is kept from working holds up a quarter.
    return min(whole, 4 * threads)


_SOFTMAX = _Family(
    softmax_rows.softmax_rows,
    columns.softmax_columns,
    parallel.softmax_in_rows,
    parallel.softmax_in_columns,
)
_LOG_SOFTMAX = _Family(
    log_rows.log_softmax_rows,
    columns.log_softmax_columns,
    parallel.log_softmax_in_rows,
    parallel.log_softmax_in_columns,
)
_LOGSUMEXP = _Family(
    log_rows.logsumexp_rows,
    columns.logsumexp_columns,
    parallel.logsumexp_in_rows,
    parallel.logsumexp_in_columns,
)


def softmax(x, axis, out):
    """Softmax of x along axis."""
    return _like_input(_SOFTMAX, x, axis, out)


def log_softmax(x, axis, out):
    """Log-softmax of x along axis."""
    return _like_input(_LOG_SOFTMAX, x, axis, out)


def _is_plain(a):
    """Whether kernels can work on a as it is.

    They also want it writeable, although they never write to x: Numba compiles
    anew for read-only arrays.
    """
    return (
        type(a) is np.ndarray
        and (a.dtype is _FLOAT32 or a.dtype is _FLOAT64)
        and a.flags.carray
    )


def _like_input(family, x, axis, out):
    # The way of most calls, kept short: on ten numbers it is all that is seen.
    if type(axis) is int and _is_plain(x) and x.size:
        ndim = x.ndim
        if -ndim <= axis < ndim:
            if out is None:
                out = np.empty(x.shape, x.dtype)
                simple = True
            else:
                simple = (
                    _is_plain(out)
                    and out.dtype is x.dtype
                    and out.shape == x.shape
                    and (out is x or (out.base is None and x.base is None))
                )
            if simple:
                if ndim == 1:
                    family.run(x, out, 1, x.size, 1)
                else:
                    shape = x.shape
                    n = shape[axis]
                    inner = math.prod(shape[axis + 1 :]) if axis + 1 else 1
                    outer = x.size // (n * inner)
                    family.run(x.reshape(-1), out.reshape(-1), outer, n, inner)
                return out
    a = as_float_array(x)
    axes = normalised(axis, a.ndim)
    result = out
    if out is None:
        result = np.empty(a.shape, a.dtype.newbyteorder("="))
    else:
        check_out(out, a.shape, a.dtype)
    if a.size:
        _fill(family, a, axes, result)
    return result if out is not None else result[()]


def _fill(family, a, axes, result):
    """Write the function of a along axes to result."""
    ndim = a.ndim
    together = axes == tuple(range(axes[0], axes[-1] + 1)) if axes else True
    if not (together and _is_plain(result)):
        # Work on a copy in which the merged axes are the last ones.
        order = [d for d in range(ndim) if d not in axes] + list(axes)
        moved = np.array(a.transpose(order), a.dtype.newbyteorder("="), order="C")
        n = math.prod(a.shape[d] for d in axes)
        flat = moved.reshape(-1)
        family.run(flat, flat, a.size // n, n, 1)
        result[...] = moved.transpose(np.argsort(order))
        return
    if not _is_plain(a) or (a is not result and np.may_share_memory(a, result)):
        np.copyto(result, a)
        a = result
    first, stop = (axes[0], axes[-1] + 1) if axes else (ndim, ndim)
    outer, n, inner = (
        math.prod(a.shape[:first]),
        math.prod(a.shape[first:stop]),
        math.prod(a.shape[stop:]),
    )
    family.run(a.reshape(-1), result.reshape(-1), outer, n, inner)


def logsumexp(x, axis, keepdims, out):
    """Log-sum-exp of x along axis."""
    # The short way, as in `_like_input`.
    if axis == -1 and type(axis) is int and _is_plain(x) and x.size and not keepdims:
        shape = x.shape[:-1]
        n = x.shape[-1]
        if out is None:
            sums = np.empty(x.size // n, x.dtype)
            _LOGSUMEXP.run(x if x.ndim == 1 else x.reshape(-1), sums, sums.size, n, 1)
            return sums.reshape(shape) if shape else sums[0]
        if (
            _is_plain(out)
            and out.dtype is x.dtype
            and out.shape == shape
            and out.base is None
            and x.base is None
        ):
            sums = out.reshape(-1)
            _LOGSUMEXP.run(x if x.ndim == 1 else x.reshape(-1), sums, sums.size, n, 1)
            return out
    a = as_float_array(x)
    axes = normalised(axis, a.ndim)
    kept = tuple(d for d in range(a.ndim) if d not in axes)
    shape = tuple(a.shape[d] for d in kept)
    if keepdims:
        shape = tuple(1 if d in axes else n for d, n in enumerate(a.shape))
    dtype = a.dtype.newbyteorder("=")
    if out is not None:
        check_out(out, shape, dtype)
    sums = np.full(math.prod(shape), -math.inf, dtype)
    if a.size:
        together = axes == tuple(range(axes[0], axes[-1] + 1)) if axes else True
        first, stop = (axes[0], axes[-1] + 1) if axes else (a.ndim, a.ndim)
        if not (together and _is_plain(a)):
            a = np.array(a.transpose([*kept, *axes]), dtype, order="C")
            first, stop = len(kept), a.ndim
        _LOGSUMEXP.run(
            a.reshape(-1),
            sums,
            math.prod(a.shape[:first]),
            math.prod(a.shape[first:stop]),
            math.prod(a.shape[stop:]),
        )
    if out is None:
        return sums.reshape(shape)[()]
    out[...] = sums.reshape(shape)
    return out


def sigmoid(x, out):
    """Sigmoid of every entry of x."""
    return _by_entry(elementwise.sigmoid_flat, parallel.sigmoid_in_parts, x, out)


def log_sigmoid(x, out):
    """Logarithm of the sigmoid of every entry of x."""
    return _by_entry(
        elementwise.log_sigmoid_flat, parallel.log_sigmoid_in_parts, x, out
    )


def _by_entry(serial, in_parts, x, out):
    a = as_float_array(x)
    dtype = a.dtype.newbyteorder("=")
    if out is None:
        result = np.empty(a.shape, dtype)
    else:
        check_out(out, a.shape, dtype)
        result = out if _is_plain(out) else np.empty(a.shape, dtype)
    if not _is_plain(a) or (a is not result and np.may_share_memory(a, result)):
        np.copyto(result, a)
        a = result
    source, target = a.reshape(-1), result.reshape(-1)
    if a.size < _threads.WORTH_IT:
        serial(source, target, 0, a.size)
    else:
        with _threads.several() as threads:
            if threads == 1:
                serial(source, target, 0, a.size)
            else:
                in_parts(source, target, a.size, 4 * threads)
    if out is None:
        return result[()]
    if result is not out:
        out[...] = result
    return out


def as_float_array(x):
    """Return x as an array of float32 or float64, in whatever memory it lies.

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
    if native in (_FLOAT32, _FLOAT64):
        return a
    if native.kind not in "biu":
        raise TypeError(
            f"got dtype {a.dtype}; allowed are float32, float64, the integers and bool"
        )
    return a.astype(np.float64)


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


def normalised(axis, ndim):
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
