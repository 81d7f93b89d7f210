"""Memory and axes inside @njit: what `_dispatch` does with NumPy, on one thread.

Axes are bits of an integer, since a tuple has its length in its type.
"""

import numpy as np
from numba import types
from numba.core.imputils import impl_ret_borrowed
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array
from numpy.exceptions import AxisError

from softmax_lib import _dispatch
from softmax_lib._jit import formula
from softmax_lib._kernels import tall, tiles

# --- memory ----------------------------------------------------------------------


@intrinsic
def flat(typingctx, a):
    """Return a C-contiguous array as one that is flat and may be written to.

    Kernels never write to x, and for read-only arrays they would be compiled anew.
    """
    result = types.Array(a.dtype, 1, "C")

    def emit(context, builder, sig, args):
        source = context.make_array(a)(context, builder, args[0])
        target = context.make_array(result)(context, builder)
        populate_array(
            target,
            data=source.data,
            shape=[source.nitems],
            strides=[source.itemsize],
            itemsize=source.itemsize,
            meminfo=source.meminfo,
            parent=source.parent,
        )
        return impl_ret_borrowed(context, builder, result, target._getvalue())

    return result(a), emit


@intrinsic
def viewed(typingctx, a, shape, strides):
    """Return a view of an array with another shape and other strides, unchecked."""
    result = types.Array(a.dtype, len(shape), "A", readonly=not a.mutable)

    def emit(context, builder, sig, args):
        source = context.make_array(a)(context, builder, args[0])
        target = context.make_array(result)(context, builder)
        populate_array(
            target,
            data=source.data,
            shape=args[1],
            strides=args[2],
            itemsize=source.itemsize,
            meminfo=source.meminfo,
            parent=source.parent,
        )
        return impl_ret_borrowed(context, builder, result, target._getvalue())

    return result(a, shape, strides), emit


def in_order(x):
    """Return x, flat, in C order, of a dtype that kernels know; a stub for Numba."""


@overload(in_order)
def _in_order(x):
    if x.dtype not in (types.float32, types.float64):
        return lambda x: flat(x.astype(np.float64))
    if not x.aligned:
        return lambda x: flat(x.copy())
    return lambda x: flat(x) if is_packed(x) else flat(x.copy())


@formula
def is_packed(x):
    """Return whether an array is C-contiguous."""
    gap = x.itemsize
    for d in range(x.ndim - 1, -1, -1):
        if x.shape[d] != 1 and x.strides[d] != gap:
            return False
        gap *= x.shape[d]
    return True


def laid_out(x, bits, axis):
    """Return x, flat, with the axes in bits side by side; a stub for Numba."""


@overload(laid_out)
def _laid_out(x, bits, axis):
    if not _may_scatter(x, axis):
        return lambda x, bits, axis: in_order(x)

    def impl(x, bits, axis):
        if scattered(bits):
            return in_order(with_last(x, bits))
        return in_order(x)

    return impl


def _may_scatter(x, axis):
    return isinstance(axis, types.BaseTuple) and 1 < len(axis) < x.ndim


def gathered(moved, result, bits, axis):
    """Write to result what `laid_out` moved, if it did; a stub for Numba."""


@overload(gathered)
def _gathered(moved, result, bits, axis):
    if not _may_scatter(result, axis):
        return lambda moved, result, bits, axis: None

    def impl(moved, result, bits, axis):
        if scattered(bits):
            put_back(moved, result, bits)

    return impl


def axes_last(x, bits):
    """Return x, flat, with the axes in bits as the last ones; a stub for Numba."""


@overload(axes_last)
def _axes_last(x, bits):
    if x.ndim < 2:
        return lambda x, bits: in_order(x)

    def impl(x, bits):
        if are_last(bits, x.ndim):
            return in_order(x)
        return in_order(with_last(x, bits))

    return impl


def put_back(moved, result, bits):
    """Write to result what `axes_last` moved; a stub for Numba."""


@overload(put_back)
def _put_back(moved, result, bits):
    if result.ndim < 2:
        return lambda moved, result, bits: None

    def impl(moved, result, bits):
        there = with_last(result, bits)
        there[...] = viewed(moved, there.shape, packed(there.shape, moved.itemsize))

    return impl


@formula
def with_last(x, bits):
    """Return a view of x with the axes in bits as the last ones."""
    order = order_of(x.shape, bits)
    return viewed(x, taken_in(x.shape, order), taken_in(x.strides, order))


@formula
def packed(shape, itemsize):
    """Return the strides of a C-contiguous array."""
    strides = shape
    for d in range(len(shape) - 1, -1, -1):
        strides = tuple_setitem(strides, d, itemsize)
        itemsize *= shape[d]
    return strides


# --- axes ------------------------------------------------------------------------


def bits_of(axis, ndim):
    """Return the axes as bits of an integer; a stub for Numba."""


@overload(bits_of)
def _bits_of(axis, ndim):
    if isinstance(axis, types.NoneType):
        return lambda axis, ndim: (1 << ndim) - 1
    if isinstance(axis, types.BaseTuple):
        return lambda axis, ndim: checked(axis, ndim) if len(axis) else 0
    return lambda axis, ndim: checked((axis,), ndim)


@formula
def checked(axes, ndim):
    """Return the axes as bits, after the checks of the front doors."""
    bits = 0
    dims = max(ndim, 1)
    for d in axes:
        if d < -dims or d >= dims:
            raise AxisError("axis is out of bounds for the array")
        bit = 1 << (d + dims if d < 0 else d)
        if bits & bit:
            raise ValueError("axis names an axis twice")
        bits |= bit
    return bits & ((1 << ndim) - 1)


@formula
def folded(shape, bits):
    """Return (outer, n, inner) for the axes in bits, which are neighbours."""
    outer, n, inner = 1, 1, 1
    for d in range(len(shape)):
        if bits >> d & 1:
            n *= shape[d]
        elif bits >> d or bits == 0:
            outer *= shape[d]
        else:
            inner *= shape[d]
    return outer, n, inner


@formula
def scattered(bits):
    """Return whether other axes lie between those in bits."""
    while bits and not bits & 1:
        bits >>= 1
    return bits & (bits + 1) != 0


@formula
def are_last(bits, ndim):
    """Return whether no other axis comes after one in bits."""
    return bits == 0 or not scattered(bits | 1 << ndim)


@formula
def order_of(shape, bits):
    """Return the order of axes in which those in bits are the last."""
    order = shape
    k = 0
    for last in range(2):
        for d in range(len(shape)):
            if bits >> d & 1 == last:
                order = tuple_setitem(order, k, d)
                k += 1
    return order


@formula
def taken_in(shape, order):
    """Return the shape of an array whose axes are put in that order."""
    moved = shape
    for k in range(len(order)):
        moved = tuple_setitem(moved, k, shape[order[k]])
    return moved


@formula
def left_of(shape, bits, left):
    """Return left, a shape of fewer axes, with the lengths of those not in bits."""
    k = 0
    for d in range(len(shape)):
        if not bits >> d & 1:
            left = tuple_setitem(left, k, shape[d])
            k += 1
    return left


@formula
def ones_at(shape, bits):
    """Return shape with length 1 for the axes in bits."""
    for d in range(len(shape)):
        if bits >> d & 1:
            shape = tuple_setitem(shape, d, 1)
    return shape


# --- which kernel ----------------------------------------------------------------

_tile_width = formula(tiles.tile_width)
is_tall = formula(tall.is_tall)
tall_width = formula(tall.tall_width)
_as_columns = formula(_dispatch.as_columns)


@formula
def plan(shape, bits, itemsize):
    """Return which kernel, by columns or by rows, and what it is called with.

    The serial choices of `_dispatch`.
    """
    outer, n, inner = folded(shape, bits)
    if scattered(bits):
        outer, inner = outer * inner, 1
    gap = 1
    by_columns = inner > 1
    if not by_columns and _as_columns(n, outer):
        by_columns = True
        outer, inner, gap = 1, outer, n
    laid = tiles.laid_out(n, inner, gap, itemsize)
    wide = _tile_width(n, inner, laid, itemsize)
    many = outer * ((inner + wide - 1) // wide)
    return by_columns, n, inner, gap, wide, (many if by_columns else outer)
