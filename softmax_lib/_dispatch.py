"""Arrays in and out: from what a front door was given to kernels, and back.

Kernels take flat, C-contiguous, native arrays of float32 or float64, read as (outer, n,
inner). Other arrays are copied first, into the array for the result where that is
possible, and the kernel works in place.
"""

import functools
import math

import numpy as np

from softmax_lib import _arguments, _cancelled, _layout
from softmax_lib._kernels.signed_logsumexp import UNCERTAIN, signed_logsumexp_rows
from softmax_lib._threads import acquire_threads, max_threads, run

# Looked up at every call; the attributes of `np` would take twice as long.
_ARRAY, _FLOAT32, _FLOAT64 = np.ndarray, np.dtype(np.float32), np.dtype(np.float64)


def is_kernel_ready(a):
    """Return whether kernels take an array as it is.

    It has to be writeable, although kernels never write to x: Numba would compile them
    again for read-only arrays.
    """
    return (
        type(a) is _ARRAY
        and (a.dtype is _FLOAT32 or a.dtype is _FLOAT64)
        and a.flags.carray
    )


def _is_usable_out(out, x, shape):
    """Return whether kernels can write the result to out, which does not overlap x."""
    return (
        type(out) is _ARRAY
        and out.dtype is x.dtype
        and out.flags.carray
        and out.shape == shape
        and (out.base is x.base is None or not np.may_share_memory(out, x))
    )


class AxisFunction:
    """A function along axes: its kernel in each layout, and what masked entries get.

    An entry that is `excluded` takes no part in a slice.
    """

    _has_where = True

    def __init__(self, kernels, masked_value=None, excluded=-math.inf):
        self._kernels = kernels
        self._masked_value, self._excluded = masked_value, excluded
        # Planning takes a microsecond.
        self._planned = functools.lru_cache(1024)(self._plan)

    @functools.cached_property
    def _rows(self):
        return self._kernels.rows

    def _plan(self, shape, axis, itemsize, threads, in_place):
        """Return a kernel, its arguments after the arrays, and those of split rows.

        The last are None where rows are not split.
        """
        axes = _arguments.normalize_axes(axis, len(shape))
        outer, n, inner = _arguments.outer_n_inner(shape, axes)
        plan = _layout.plan(outer, n, inner, itemsize, True, in_place)
        if plan.layout == _layout.BLOCKED_COLUMNS and threads > 1:
            plan = _layout.narrower(plan, outer, itemsize, threads)
        kernel = getattr(self._kernels, _layout.LAYOUT_NAMES[plan.layout])
        split = None
        if inner == 1 and _layout.is_split(outer, n, threads):
            split = n, outer, _layout.count_chunks(n, threads)
        return kernel, (*_layout.shape_arguments(plan), 0, plan.tasks), split

    def apply(self, x, axis, where, out):
        """Return an array like x, with the function along axis."""
        # Fast path: for small inputs this overhead dominates.
        if (
            where is None
            and type(axis) is int
            and type(x) is _ARRAY
            and ((dtype := x.dtype) is _FLOAT32 or dtype is _FLOAT64)
            and x.flags.carray
            and -(ndim := x.ndim) <= axis < ndim
            and (size := x.size)
            and (
                out is None
                or out is x
                # `_is_usable_out` written out: a call adds 5 % on ten numbers.
                or (
                    type(out) is _ARRAY
                    and out.dtype is dtype
                    and out.flags.carray
                    and out.shape == x.shape
                    and (out.base is x.base is None or not np.may_share_memory(out, x))
                )
            )
        ):
            if out is None:
                out = np.empty(x.shape, dtype)
            if size >= _layout.MIN_PARALLEL_SIZE:
                self._run(x.ravel(), out.ravel(), x.shape, axis, out is x)
            elif ndim == 1:
                self._rows(x, out, size, 0, 1)
            elif x.shape[axis] == size:
                self._rows(x.ravel(), out.ravel(), size, 0, 1)
            else:
                how = x.shape, axis, dtype.itemsize, 1, out is x
                kernel, tail, _ = self._planned(*how)
                kernel(x.ravel(), out.ravel(), *tail)
            return out
        return self._apply_general(x, axis, where, out)

    def _apply_general(self, x, axis, where, out):
        a, dtype = _arguments.to_float_array(x, has_where=self._has_where)
        axes = _arguments.normalize_axes(axis, a.ndim)
        if out is not None:
            _arguments.check_out(out, a.shape, dtype)
        excluded = _arguments.excluded_mask(where, a.shape)
        # The result for masked entries is written last, since a slice may hold nothing
        # else, or a NaN.
        if excluded is not None:
            a = masked_copy(a, self._excluded, excluded)
        fresh = out is None or out.dtype != a.dtype or excluded is not None
        result = np.empty(a.shape, _native(a)) if fresh else np.asarray(out)
        if a.size:
            self._fill(a, axes, result)
        if excluded is not None:
            np.copyto(result, self._masked_value, where=excluded)
        return _arguments.finalize(result, dtype, out)

    def _fill(self, a, axes, result):
        """Write the function of a along axes to result."""
        if _arguments.are_adjacent(axes) and is_kernel_ready(result):
            a = _without_overlap(a, result)
            flat = a.reshape(-1), result.reshape(-1)
            self._run(*flat, a.shape, axes, a is result)
            return
        # Work on a copy in which the reduced axes are the last ones.
        moved, order = axes_last(a, axes)
        flat = moved.reshape(-1)
        self._run(flat, flat, moved.shape, tuple(range(-len(axes), 0)), True)
        result[...] = moved.transpose(np.argsort(order))

    def reduce(self, x, axis, b, where, keepdims, return_sign, out):
        """Return the function along axis, one number a slice; each term times b.

        With `return_sign`, also return the sign of the sum.
        """
        # Fast path, as in `apply`.
        if (
            type(axis) is int
            and axis == -1
            and b is None
            and where is None
            and keepdims is False
            and return_sign is False
            and is_kernel_ready(x)
            and (x.ndim and x.size)
        ):
            values = np.empty(x.shape[:-1] or 1, x.dtype) if out is None else out
            if values is not out or _is_usable_out(out, x, x.shape[:-1]):
                if x.size == x.shape[-1] < _layout.MIN_PARALLEL_SIZE:
                    self._rows(x.ravel(), values.ravel(), x.size, 0, 1)
                else:
                    self._run(x.ravel(), values.ravel(), x.shape, axis, False)
                return values if x.ndim > 1 or values is out else values[0]
        return self._reduce_general(x, axis, b, where, keepdims, return_sign, out)

    def _reduce_general(self, x, axis, b, where, keepdims, return_sign, out):
        a, dtype = _arguments.to_float_array(x, has_where=True)
        if b is not None:
            factors, a, dtype = _arguments.weights(b, a, dtype)
        axes = _arguments.normalize_axes(axis, a.ndim)
        keepdims = _arguments.as_bool(keepdims, "keepdims")
        return_sign = _arguments.as_bool(return_sign, "return_sign")
        shape = _arguments.reduced_shape(a.shape, axes, keepdims)
        if out is not None:
            _arguments.check_out(out, shape, dtype)
        excluded = _arguments.excluded_mask(where, a.shape)
        values, signs = np.full(shape, -math.inf, _native(a)), None
        if b is not None:
            if excluded is not None:
                factors = masked_copy(factors, 0.0, excluded)
            signs = _signed_logsumexp(a, factors, axes, values)
            if not return_sign:
                values[signs < 0.0] = math.nan
        elif a.size:
            if excluded is not None:
                a = masked_copy(a, self._excluded, excluded)
            if not (_arguments.are_adjacent(axes) and is_kernel_ready(a)):
                a, _ = axes_last(a, axes)
                axes = tuple(range(a.ndim - len(axes), a.ndim))
            self._run(a.reshape(-1), values.reshape(-1), a.shape, axes, False)
        if not return_sign:
            return _arguments.finalize(values, dtype, out)
        if not a.size:
            # SciPy's sign of an empty sum.
            signs = np.full(shape, -1.0)
        elif signs is None:
            signs = np.where(np.isnan(values), values, values > -math.inf)
        return _arguments.finalize(values, dtype, out), _arguments.finalize(
            signs, dtype, None
        )

    def _run(self, x, out, shape, axis, in_place):
        """Fill out from x, both flat, x being of a shape; in place x is out."""
        threads = 1 if x.size < _layout.MIN_PARALLEL_SIZE else max_threads()
        how = shape, axis, x.itemsize, threads, in_place
        kernel, tail, split = self._planned(*how)
        if threads == 1:
            kernel(x, out, *tail)
        elif split:
            with acquire_threads(x.nbytes) as threads:
                if threads == 1:
                    kernel(x, out, *tail)
                else:
                    self._kernels.split_rows(x, out, *split)
        else:
            run(kernel, (x, out, *tail[:-2]), tail[-1], x.size, x.nbytes)


def _native(a):
    # The one object that stands for this dtype, unlike that of `newbyteorder`.
    return np.dtype(a.dtype.type)


def masked_copy(a, value, excluded):
    """Return a copy of a with value in the place of the excluded entries."""
    copy = np.array(a, _native(a), order="C")
    np.copyto(copy, value, where=excluded)
    return copy


def _without_overlap(a, result):
    """Return a, or a copy of it, such that kernels can go from there to result."""
    if a is result:
        return a
    if np.may_share_memory(a, result):
        # Not through result: copyto mistakes overlaps with unequal strides.
        return np.array(a, _native(a), order="C")
    if is_kernel_ready(a):
        return a
    np.copyto(result, a)
    return result


def axes_last(a, axes):
    """Return a copy of a with axes last, in C order, and the order of its axes."""
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    return np.array(a.transpose(order), _native(a), order="C"), order


def _signed_logsumexp(a, factors, axes, values):
    """Write the logarithms of the sums' sizes to values, and return the signs."""
    # Rarely used, so there is one kernel: float64, by rows.
    signs = np.zeros(values.shape)
    if a.size:
        n = a.size // values.size
        rows, factors = (axes_last(part, axes)[0].reshape(-1) for part in (a, factors))
        logs, found = values.reshape(-1), signs.reshape(-1)
        signed_logsumexp_rows(rows, factors, logs, found, n)
        for row in np.flatnonzero(found == UNCERTAIN):
            parts = (part[row * n :][:n].tolist() for part in (rows, factors))
            logs[row], found[row] = _cancelled.log_and_sign(*parts)
    return signs


class ElementwiseFunction(AxisFunction):
    """A function of single entries: an array is done as one row."""

    _has_where = False

    def __init__(self, kernel):
        super().__init__(None)
        self._rows = kernel

    def _plan(self, shape, *_):
        return self._rows, (1, 0, math.prod(shape)), None
