"""The public functions inside @njit, under their own names.

What Numba compiles into a caller's function takes over the caller's options, fastmath
too, and takes its time each time. So there it is one call of a function that is
compiled here, with our options, and kept in our cache. These functions arrange as
`_dispatch` does, for the same bits, but never start threads: a caller that wants them
has `prange`.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from softmax_lib import activations
from softmax_lib._jit import formula, kernel
from softmax_lib._kernels import columns, elementwise, log_rows, softmax_rows, tall
from softmax_lib._linking import apart
from softmax_lib._typed_arguments import (
    check_absent,
    check_array,
    check_axes,
    refuse,
    value_of,
)
from softmax_lib._typed_arrays import (
    bits_of,
    flat,
    gathered,
    in_order,
    is_tall,
    laid_out,
    left_of,
    ones_at,
    plan,
    scattered,
    tall_width,
)

# --- functions along axes --------------------------------------------------------


@formula
def run(source, target, shape, bits, rows, tiles, tall_tiles):
    """Fill target from source, both flat, with the kernel that suits the shape."""
    by_columns, n, inner, gap, wide, last = plan(shape, bits, source.itemsize)
    if by_columns and is_tall(n, inner, source.itemsize):
        outer = source.size // (n * inner)
        wide = tall_width(inner, source.itemsize)
        last = outer * ((inner + wide - 1) // wide)
        tall_tiles((source, target, n, inner, wide, 0, last))
    elif by_columns:
        tiles((source, target, n, inner, gap, wide, 0, last))
    else:
        rows((source, target, n, 0, last))


@formula
def like_input(x, axis, rows, tiles, tall_tiles):
    """Return an array like x."""
    bits = bits_of(axis, x.ndim)
    source = laid_out(x, bits, axis)
    result = np.empty(x.shape, source.dtype)
    if source.size:
        target = source if scattered(bits) else flat(result)
        run(source, target, x.shape, bits, rows, tiles, tall_tiles)
        gathered(target, result, bits, axis)
    return result


_softmax_rows = apart(softmax_rows.softmax_rows)
_softmax_columns = apart(columns.softmax_columns)
_softmax_tall = apart(tall.softmax_tall)
_log_softmax_rows = apart(log_rows.log_softmax_rows)
_log_softmax_columns = apart(columns.log_softmax_columns)
_log_softmax_tall = apart(tall.log_softmax_tall)
_logsumexp_rows = apart(log_rows.logsumexp_rows)
_logsumexp_columns = apart(columns.logsumexp_columns)
_logsumexp_tall = apart(tall.logsumexp_tall)


@kernel
def softmax_along(x, axis):
    """Softmax of x along axis."""
    return like_input(x, axis, _softmax_rows, _softmax_columns, _softmax_tall)


@kernel
def log_softmax_along(x, axis):
    """Log-softmax of x along axis."""
    return like_input(
        x, axis, _log_softmax_rows, _log_softmax_columns, _log_softmax_tall
    )


@formula
def logsumexps(x, axis):
    """Return the log-sum-exps along axis, flat, and the axis as bits."""
    bits = bits_of(axis, x.ndim)
    source = laid_out(x, bits, axis)
    size = 1
    for d in range(x.ndim):
        if not bits >> d & 1:
            size *= x.shape[d]
    result = np.full(size, -math.inf, source.dtype)
    if source.size:
        run(
            source,
            result,
            x.shape,
            bits,
            _logsumexp_rows,
            _logsumexp_columns,
            _logsumexp_tall,
        )
    return result, bits


@kernel
def logsumexp_along(x, axis):
    """Log-sum-exp of x along axis."""
    result, bits = logsumexps(x, axis)
    return shaped(result, x.shape, bits, axis)


@kernel
def logsumexp_kept(x, axis):
    """Log-sum-exp of x along axis, which stays with length 1."""
    result, bits = logsumexps(x, axis)
    return result.reshape(ones_at(x.shape, bits))


def shaped(result, shape, bits, axis):
    """Return a flat result in the shape without the axes; a stub for Numba."""


@overload(shaped)
def _shaped(result, shape, bits, axis):
    ndim = len(shape)
    named = ndim if isinstance(axis, types.NoneType) else 1
    if isinstance(axis, types.BaseTuple):
        named = len(axis)
    if named >= ndim:
        return lambda result, shape, bits, axis: result[0]

    def impl(result, shape, bits, axis):
        return result.reshape(left_of(shape, bits, shape[named:]))

    return impl


def _along(function, delegate):
    @overload(function)
    def typed(x, axis=-1, where=None, out=None):
        check_array(function.__name__, "x", x)
        check_axes(function.__name__, axis)
        check_absent(function.__name__, where=where, out=out)
        return lambda x, axis=-1, where=None, out=None: delegate((x, axis))


_along(activations.softmax, apart(softmax_along, any_layout=True))
_along(activations.log_softmax, apart(log_softmax_along, any_layout=True))


_logsumexp_along = apart(logsumexp_along, any_layout=True)
_logsumexp_kept = apart(logsumexp_kept, any_layout=True)


@overload(activations.logsumexp, prefer_literal=True)
def _logsumexp(x, axis=-1, b=None, where=None, keepdims=False, out=None):
    check_array("logsumexp", "x", x)
    check_axes("logsumexp", axis)
    check_absent("logsumexp", b=b, where=where, out=out)
    kept = value_of(keepdims)
    if not isinstance(kept, bool):
        refuse("logsumexp", "keepdims", keepdims, "a literal True or False")
    delegate = _logsumexp_kept if kept else _logsumexp_along

    def impl(x, axis=-1, b=None, where=None, keepdims=False, out=None):
        return delegate((x, axis))

    return impl


# --- functions of each entry -----------------------------------------------------


def each_entry(x, flat_kernel):
    """Return a function of each entry of x, or of the number x; a stub for Numba."""


@overload(each_entry)
def _each_entry(x, flat_kernel):
    def of_array(x, flat_kernel):
        source = in_order(x)
        result = np.empty(x.shape, source.dtype)
        flat_kernel((source, flat(result), 0, source.size))
        return result

    def of_number(x, flat_kernel):
        place = in_order(np.full(1, x))
        flat_kernel((place, place, 0, 1))
        return place[0]

    return of_array if isinstance(x, types.Array) else of_number


_sigmoid_flat = apart(elementwise.sigmoid_flat)
_log_sigmoid_flat = apart(elementwise.log_sigmoid_flat)


@kernel
def sigmoid_of(x):
    """Sigmoid of x."""
    return each_entry(x, _sigmoid_flat)


@kernel
def log_sigmoid_of(x):
    """Log-sigmoid of x."""
    return each_entry(x, _log_sigmoid_flat)


def _by_entry(function, delegate):
    @overload(function)
    def typed(x, out=None):
        check_array(function.__name__, "x", x, scalars=True)
        check_absent(function.__name__, out=out)
        return lambda x, out=None: delegate((x,))


_by_entry(activations.sigmoid, apart(sigmoid_of, any_layout=True))
_by_entry(activations.log_sigmoid, apart(log_sigmoid_of, any_layout=True))
