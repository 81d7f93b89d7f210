"""Arranges what a front door was given for the kernels: dtype, memory, axes, threads.

Kernels know flat, C-contiguous, native float32 or float64 arrays, read as (outer, n,
inner). What comes in another form is copied, once, into the array for the result,
and the kernel then works in place.
"""

import functools
import math

import numpy as np

from softmax_lib import _threads
from softmax_lib._arguments import (
    check_out,
    flag,
    folded,
    left_out,
    normalised,
    taken,
    together,
    weights,
)
from softmax_lib._kernels import (
    columns,
    elementwise,
    log_rows,
    parallel,
    softmax_rows,
    tall,
    weighted_rows,
)
from softmax_lib._kernels.lanes import BYTES
from softmax_lib._kernels.tall import is_tall, tall_width
from softmax_lib._kernels.tiles import is_laid_out, tile_width

# Looked up at every call, which of `np.ndarray` would take twice as long.
_ARRAY, _FLOAT32, _FLOAT64 = np.ndarray, np.dtype(np.float32), np.dtype(np.float64)


# Rows up to this length are done as columns are, 16 or 8 side by side, if there are
# enough of them: in a vector along a row most lanes of a short one would idle, and
# what comes once a row, its sum and quotient, would cost more than its terms.
NARROW = 160


# A piece of a row has two blocks of terms at least.
SHORTEST = 8192


def as_columns(n, rows):
    """Whether so many rows of n numbers are done as columns."""
    return n <= NARROW and rows >= 4 + n // 16


@functools.lru_cache(1024)
def known_width(n, inner, gap, itemsize):
    """Return `tile_width`, which is kept: it takes a quarter of a microsecond."""
    return tile_width(n, inner, is_laid_out(n, inner, gap, itemsize), itemsize)


class _Family:
    """The kernels of one function, and the same on all threads.

    They go by rows, by columns, and by tall columns; and `nothing` is the result for
    what is left out.
    """

    def __init__(self, rows, columns, tall, on_all_threads, nothing=None):
        self.rows, self.columns, self.tall = rows, columns, tall
        self.in_rows, self.in_pieces, self.in_columns, self.in_tall = on_all_threads
        self.nothing = nothing

    def like_input(self, x, axis, where, out):
        """Return an array like x, with the function along axis."""
        # The way of most calls, kept short: on ten numbers it is all that is seen.
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
                or (
                    type(out) is _ARRAY
                    and out.dtype is dtype
                    and out.flags.carray
                    and out.shape == x.shape
                    and (
                        (out.base is None and x.base is None)
                        or not np.may_share_memory(out, x)
                    )
                )
            )
        ):
            if out is None:
                out = np.empty(x.shape, dtype)
            if ndim == 1 and size < _threads.WORTH_IT:
                self.rows(x, out, size, 0, 1)
            elif (n := x.shape[axis]) == size < _threads.WORTH_IT:
                self.rows(x.ravel(), out.ravel(), n, 0, 1)
            else:
                inner = math.prod(x.shape[axis + 1 :]) if axis + 1 else 1
                self.run(x.ravel(), out.ravel(), size // (n * inner), n, inner)
            return out
        return _like_input(self, x, axis, where, out)

    def run(self, x, out, outer, n, inner):
        """Fill out from x, both flat; x may be out."""
        # Along the last axis a slice is a run of memory, and a vector goes along
        # it. Along another axis a vector lies across slices.
        if inner > 1:
            self._run_columns(x, out, outer, n, inner, 1)
        elif as_columns(n, outer):
            self._run_columns(x, out, 1, n, outer, n)
        elif _threads.one_is_enough(x.size):
            self.rows(x, out, n, 0, outer)
        else:
            with _threads.several(x.nbytes) as threads:
                if threads == 1:
                    self.rows(x, out, n, 0, outer)
                elif outer >= 2 * threads or n < _threads.WORTH_IT:
                    self.in_rows(x, out, n, outer, _parts(outer, threads))
                else:
                    self.in_pieces(x, out, n, outer, _parts(n // SHORTEST, threads))

    def _run_columns(self, x, out, outer, n, inner, gap):
        if is_tall(n, inner, x.itemsize):
            self._run_tall(x, out, outer, n, inner)
            return
        wide = known_width(n, inner, gap, x.itemsize)
        tiles = outer * -(-inner // wide)
        if tiles == 1 or _threads.one_is_enough(x.size):
            self.columns(x, out, n, inner, gap, wide, 0, tiles)
            return
        with _threads.several(x.nbytes) as threads:
            if threads == 1:
                self.columns(x, out, n, inner, gap, wide, 0, tiles)
            else:
                parts = _parts(tiles, threads)
                self.in_columns(x, out, n, inner, gap, wide, tiles, parts)

    def _run_tall(self, x, out, outer, n, inner):
        wide = tall_width(inner, x.itemsize)
        with _threads.several(x.nbytes) as threads:
            if threads == 1:
                self.tall(x, out, n, inner, wide, 0, outer * -(-inner // wide))
            else:
                # Narrower tiles, of two lines at least, if there are too few of them.
                lines = outer * inner * x.itemsize // (BYTES * _threads.PARTS * threads)
                wide = min(wide, max(2, lines) * BYTES // x.itemsize)
                tiles = outer * -(-inner // wide)
                self.in_tall(x, out, n, inner, wide, tiles, _parts(tiles, threads))


def _parts(whole, threads):
    return min(whole, _threads.PARTS * threads)


_SOFTMAX = _Family(
    softmax_rows.softmax_rows,
    columns.softmax_columns,
    tall.softmax_tall,
    (
        parallel.softmax_in_rows,
        parallel.softmax_in_pieces,
        parallel.softmax_in_columns,
        parallel.softmax_in_tall,
    ),
    nothing=0.0,
)
_LOG_SOFTMAX = _Family(
    log_rows.log_softmax_rows,
    columns.log_softmax_columns,
    tall.log_softmax_tall,
    (
        parallel.log_softmax_in_rows,
        parallel.log_softmax_in_pieces,
        parallel.log_softmax_in_columns,
        parallel.log_softmax_in_tall,
    ),
    nothing=-math.inf,
)
_LOGSUMEXP = _Family(
    log_rows.logsumexp_rows,
    columns.logsumexp_columns,
    tall.logsumexp_tall,
    (
        parallel.logsumexp_in_rows,
        parallel.logsumexp_in_pieces,
        parallel.logsumexp_in_columns,
        parallel.logsumexp_in_tall,
    ),
)


softmax = _SOFTMAX.like_input
log_softmax = _LOG_SOFTMAX.like_input


def _is_plain(a):
    """Whether kernels can work on a as it is.

    They also want it writeable, although they never write to x: Numba compiles
    anew for read-only arrays.
    """
    return (
        type(a) is _ARRAY
        and (a.dtype is _FLOAT32 or a.dtype is _FLOAT64)
        and a.flags.carray
    )


def _is_room(out, x, shape):
    """Whether out is plain, of x's dtype and that shape, and apart from x."""
    return (
        _is_plain(out)
        and out.dtype is x.dtype
        and out.shape == shape
        and ((out.base is None and x.base is None) or not np.may_share_memory(out, x))
    )


def _like_input(family, x, axis, where, out):
    a, dtype = taken(x)
    axes = normalised(axis, a.ndim)
    if out is not None:
        check_out(out, a.shape, dtype)
    omitted = left_out(where, a.shape)
    # The kernels know one way to leave an entry out, and that is -inf. They may
    # find nothing else there, or a NaN: what is left out gets its result last.
    if omitted is not None:
        a = _with(a, -math.inf, omitted)
    if out is None or out.dtype != a.dtype or omitted is not None:
        result = np.empty(a.shape, _native(a))
    else:
        result = out
    if a.size:
        _fill(family, a, axes, result)
    if omitted is not None:
        np.copyto(result, family.nothing, where=omitted)
    return _handed_over(result, dtype, out)


def _native(a):
    return a.dtype.newbyteorder("=")


def _with(a, value, omitted):
    """Return a copy of a with value in the place of what is left out."""
    copy = np.array(a, _native(a), order="C")
    np.copyto(copy, value, where=omitted)
    return copy


def _handed_over(result, dtype, out):
    """Return result, in out if given, rounded to dtype where it was widened before."""
    if result is out:
        return out
    # Overflow to inf is what rounding to half precision means here.
    with np.errstate(all="ignore"):
        if out is None:
            return result.astype(dtype, copy=False)[()]
        np.copyto(out, result, casting="unsafe")
        return out


def _fill(family, a, axes, result):
    """Write the function of a along axes to result."""
    if not (together(axes) and _is_plain(result)):
        # Work on a copy in which the merged axes are the last ones.
        moved, order = _axes_last(a, axes)
        n = math.prod(a.shape[d] for d in axes)
        flat = moved.reshape(-1)
        family.run(flat, flat, a.size // n, n, 1)
        result[...] = moved.transpose(np.argsort(order))
        return
    a = _ready(a, result)
    family.run(a.reshape(-1), result.reshape(-1), *folded(a.shape, axes))


def _ready(a, result):
    """Return a, or a copy of it, such that kernels can go from there to result."""
    if a is result:
        return a
    if np.may_share_memory(a, result):
        # Not by way of result: copyto mistakes overlaps with unequal strides.
        return np.array(a, _native(a), order="C")
    if _is_plain(a):
        return a
    np.copyto(result, a)
    return result


def _axes_last(a, axes):
    """Return a copy of a with axes last, in C order, and the order of its axes."""
    order = [d for d in range(a.ndim) if d not in axes] + list(axes)
    return np.array(a.transpose(order), _native(a), order="C"), order


def logsumexp(x, axis, b, where, keepdims, out):
    """Log-sum-exp of x along axis, each term times b."""
    # The short way, as in `_like_input`.
    if (
        type(axis) is int
        and axis == -1
        and b is None
        and where is None
        and keepdims is False
        and _is_plain(x)
        and x.size
    ):
        shape = x.shape[:-1]
        n = x.shape[-1]
        if out is None:
            sums = np.empty(x.size // n, x.dtype)
            _LOGSUMEXP.run(x if x.ndim == 1 else x.reshape(-1), sums, sums.size, n, 1)
            return sums.reshape(shape) if shape else sums[0]
        if _is_room(out, x, shape):
            sums = out.reshape(-1)
            _LOGSUMEXP.run(x if x.ndim == 1 else x.reshape(-1), sums, sums.size, n, 1)
            return out
    a, dtype = taken(x)
    axes = normalised(axis, a.ndim)
    keepdims = flag(keepdims, "keepdims")
    shape = tuple(
        1 if d in axes else n
        for d, n in enumerate(a.shape)
        if keepdims or d not in axes
    )
    if out is not None:
        check_out(out, shape, dtype)
    omitted = left_out(where, a.shape)
    sums = np.full(math.prod(shape), -math.inf, _native(a))
    if b is not None:
        factors = weights(b, a.shape)
        if omitted is not None:
            factors = _with(factors, 0.0, omitted)
        _weighted(a, factors, axes, sums)
    elif a.size:
        if omitted is not None:
            a = _with(a, -math.inf, omitted)
        if not (together(axes) and _is_plain(a)):
            a, _ = _axes_last(a, axes)
            axes = tuple(range(a.ndim - len(axes), a.ndim))
        _LOGSUMEXP.run(a.reshape(-1), sums, *folded(a.shape, axes))
    return _handed_over(sums.reshape(shape), dtype, out)


def _weighted(a, factors, axes, sums):
    # Rarely asked for, so there is one kernel for all: in float64, by rows.
    if a.size:
        rows, _ = _axes_last(a.astype(_FLOAT64), axes)
        factors, _ = _axes_last(factors, axes)
        results = np.empty(sums.size)
        weighted_rows.logsumexp_rows(
            rows.reshape(-1), factors.reshape(-1), results, a.size // sums.size
        )
        sums[...] = results


class _ByEntry:
    """The kernels of a function of single entries, on one thread and on all."""

    def __init__(self, flat, in_parts):
        self.flat, self.in_parts = flat, in_parts

    def like_input(self, x, out):
        """Return an array like x, with the function of every entry."""
        # The short way, as in `_Family`.
        if (
            type(x) is _ARRAY
            and ((dtype := x.dtype) is _FLOAT32 or dtype is _FLOAT64)
            and x.flags.carray
            and (ndim := x.ndim)
            and (out is None or out is x or _is_room(out, x, x.shape))
        ):
            if out is None:
                out = np.empty(x.shape, dtype)
            if ndim == 1:
                self.run(x, out)
            else:
                self.run(x.ravel(), out.ravel())
            return out
        a, dtype = taken(x)
        if out is not None:
            check_out(out, a.shape, dtype)
        if out is not None and _is_plain(out) and out.dtype == a.dtype:
            result = out
        else:
            result = np.empty(a.shape, _native(a))
        a = _ready(a, result)
        self.run(a.reshape(-1), result.reshape(-1))
        return _handed_over(result, dtype, out)

    def run(self, x, out):
        """Fill out from x, both flat; x may be out."""
        size = x.size
        if _threads.one_is_enough(size):
            self.flat(x, out, 0, size)
            return
        with _threads.several(x.nbytes) as threads:
            if threads == 1:
                self.flat(x, out, 0, size)
            else:
                self.in_parts(x, out, size, _threads.PARTS * threads)


sigmoid = _ByEntry(elementwise.sigmoid_flat, parallel.sigmoid_in_parts).like_input
log_sigmoid = _ByEntry(
    elementwise.log_sigmoid_flat, parallel.log_sigmoid_in_parts
).like_input
