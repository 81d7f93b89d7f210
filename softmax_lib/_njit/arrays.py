"""Memory and axes inside ``@njit``: what `_dispatch` does with NumPy, on one thread.

Axes are a bit mask, since a tuple has its length in its type.
"""

import numpy as np
from numba import types
from numba.core.imputils import impl_ret_borrowed
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numpy.exceptions import AxisError

from softmax_lib import _layout
from softmax_lib._jit import inlined
from softmax_lib._njit.arguments import by_type

# --- memory ----------------------------------------------------------------------


@intrinsic
def flat(typingctx, a):
    """Return a C-contiguous array as one that is flat and may be written to.

    Kernels never write to x, and for read-only arrays they would be compiled again.
    """
    result = types.Array(a.dtype, 1, "C")

    def emit(context, builder, sig, args):
        source = context.make_array(a)(context, builder, args[0])
        target = context.make_array(result)(context, builder)
        shape, strides, size = [source.nitems], [source.itemsize], source.itemsize
        owner = source.meminfo, source.parent
        populate_array(target, source.data, shape, strides, size, *owner)
        return impl_ret_borrowed(context, builder, result, target._getvalue())

    return result(a), emit


@by_type
def ravel_c(x):
    """Return x, flat, in C order, as float32 or float64."""
    if x.dtype not in (types.float32, types.float64):
        return lambda x: flat(x.astype(np.float64))
    if not x.aligned:
        return lambda x: flat(x.copy())
    return lambda x: flat(x) if is_c_contiguous(x) else flat(x.copy())


@inlined
def is_c_contiguous(x):
    """Return whether an array is C-contiguous."""
    expected = x.itemsize
    for d in range(x.ndim - 1, -1, -1):
        if x.shape[d] != 1 and x.strides[d] != expected:
            return False
        expected *= x.shape[d]
    return True


@by_type
def ravel_adjacent(x, mask, axis):
    """Return x, flat, with the reduced axes moved to the end if they are split."""
    if not _may_be_split(x, axis):
        return lambda x, mask, axis: ravel_c(x)
    return lambda x, mask, axis: ravel_c(axes_last(x, mask) if is_split(mask) else x)


@by_type
def copy_adjacent_back(moved, result, mask, axis):
    """Write to result what `ravel_adjacent` moved, if it did."""
    if not _may_be_split(result, axis):
        return lambda moved, result, mask, axis: None

    def copy(moved, result, mask, axis):
        if is_split(mask):
            copy_back(moved, result, mask)

    return copy


def _may_be_split(x, axis):
    return isinstance(axis, types.BaseTuple) and 1 < len(axis) < x.ndim


@by_type
def ravel_last(x, mask):
    """Return x, flat, with the reduced axes moved to the end."""
    if x.ndim < 2:
        return lambda x, mask: ravel_c(x)
    return lambda x, mask: ravel_c(x if are_last(mask, x.ndim) else axes_last(x, mask))


@by_type
def copy_back(moved, result, mask):
    """Write to result what was moved, its reduced axes at the end."""
    if result.ndim < 2:
        return lambda moved, result, mask: None

    def copy(moved, result, mask):
        view = axes_last(result, mask)
        view[...] = moved.reshape(view.shape)

    return copy


@inlined
def axes_last(x, mask):
    """Return a view of x with the reduced axes at the end."""
    order = x.shape
    k = 0
    for last in range(2):
        for d in range(x.ndim):
            if mask >> d & 1 == last:
                order = tuple_setitem(order, k, d)
                k += 1
    return x.transpose(order)


# --- axes ------------------------------------------------------------------------


@by_type
def axis_mask(axis, ndim):
    """Return the reduced axes as bits of an integer."""
    if isinstance(axis, types.NoneType):
        return lambda axis, ndim: (1 << ndim) - 1
    if isinstance(axis, types.BaseTuple):
        return lambda axis, ndim: mask_of(axis, ndim) if len(axis) else 0
    return lambda axis, ndim: mask_of((axis,), ndim)


@inlined
def mask_of(axes, ndim):
    """Return axes as bits, after the checks of the front doors."""
    mask = 0
    dims = max(ndim, 1)
    for d in axes:
        if d < -dims or d >= dims:
            raise AxisError("axis is out of bounds for the array")
        bit = 1 << (d + dims if d < 0 else d)
        if mask & bit:
            raise ValueError("axis names an axis twice")
        mask |= bit
    return mask & ((1 << ndim) - 1)


@inlined
def outer_n_inner(shape, mask):
    """Return (outer, n, inner): the reduced axes, which are adjacent, as one."""
    outer, n, inner = 1, 1, 1
    for d in range(len(shape)):
        if mask >> d & 1:
            n *= shape[d]
        elif mask >> d or mask == 0:
            outer *= shape[d]
        else:
            inner *= shape[d]
    return outer, n, inner


@inlined
def is_split(mask):
    """Return whether other axes lie between the reduced ones."""
    while mask and not mask & 1:
        mask >>= 1
    return mask & (mask + 1) != 0


@inlined
def are_last(mask, ndim):
    """Return whether no other axis comes after a reduced one."""
    return mask == 0 or not is_split(mask | 1 << ndim)


@inlined
def reduced_shape(shape, mask, result):
    """Return result, a shape of fewer axes, with the lengths of those that stay."""
    k = 0
    for d in range(len(shape)):
        if not mask >> d & 1:
            result = tuple_setitem(result, k, shape[d])
            k += 1
    return result


@inlined
def keepdims_shape(shape, mask):
    """Return shape with length 1 for the reduced axes."""
    for d in range(len(shape)):
        if mask >> d & 1:
            shape = tuple_setitem(shape, d, 1)
    return shape


@inlined
def plan(shape, mask, itemsize, may_block):
    """Return the plan of `_layout` for an array and its reduced axes."""
    outer, n, inner = outer_n_inner(shape, mask)
    if is_split(mask):
        outer, inner = outer * inner, 1
    return _layout.plan(outer, n, inner, itemsize, may_block)
