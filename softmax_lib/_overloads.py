"""The public functions inside @njit, under their own names.

The bodies that Numba compiles here take over the options of the function they are
called from, fastmath too. So they only arrange integers and memory; what computes
is a kernel, whose options are its own. They arrange as `_dispatch` does, for the
same bits, but never start threads: a caller that wants them has `prange`.
"""

import math

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.core.imputils import impl_ret_borrowed
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array
from numpy.exceptions import AxisError

from softmax_lib import _dispatch, activations
from softmax_lib._jit import formula
from softmax_lib._kernels import columns, elementwise, log_rows, softmax_rows

# --- what may be given -----------------------------------------------------------


def _refuse(function, name, got, allowed):
    raise TypingError(
        f"{function}: got {name} of type {got}; allowed inside @njit: {allowed}"
    )


def _check_array(function, x, scalars=False):
    kind = x.dtype if isinstance(x, types.Array) else x
    numbers = kind in (types.float32, types.float64)
    numbers = numbers or isinstance(kind, types.Integer | types.Boolean)
    if not numbers or not (scalars or isinstance(x, types.Array)):
        allowed = "arrays of float32, float64, integers or bool"
        _refuse(function, "x", x, allowed + (", and such numbers" if scalars else ""))


def _value(given):
    """Return the Python value of an argument known at compile time, else its type."""
    if isinstance(given, types.Omitted):
        return given.value
    if isinstance(given, types.Literal):
        return given.literal_value
    return None if isinstance(given, types.NoneType) else given


def _check_axis(function, x, axis):
    """Return how many axes are named."""
    axis = _value(axis)
    if axis is None:
        return x.ndim
    if isinstance(axis, types.Integer) or type(axis) is int:
        return min(1, x.ndim)
    members = axis.types if isinstance(axis, types.BaseTuple) else axis
    if isinstance(members, tuple) and all(
        isinstance(d, types.Integer) or type(d) is int for d in members
    ):
        return min(len(members), x.ndim)
    return _refuse(function, "axis", axis, "an int, a tuple of ints and None")


def _check_absent(function, **given):
    for name, value in given.items():
        if _value(value) is not None:
            _refuse(function, name, value, "None")


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


def _in_order(x):
    """Return x in C order, of a dtype that kernels know; a stub for Numba."""


@overload(_in_order)
def _in_order_typed(x):
    if x.dtype not in (types.float32, types.float64):
        return lambda x: x.astype(np.float64).copy()
    if x.layout == "C" and x.aligned:
        return lambda x: x
    return lambda x: x.copy()


# --- axes ------------------------------------------------------------------------


def _bits(axis, ndim):
    """Return the axes as bits of an integer; a stub for Numba."""


@overload(_bits)
def _bits_typed(axis, ndim):
    if _value(axis) is None:
        return lambda axis, ndim: (1 << ndim) - 1
    if isinstance(axis, types.BaseTuple):
        return lambda axis, ndim: bits_of(axis, ndim) if len(axis) else 0
    return lambda axis, ndim: bits_of((axis,), ndim)


@formula
def bits_of(axes, ndim):
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
def axes_last(shape, bits):
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
def inverse(order):
    """Return the order that takes an order back."""
    back = order
    for k in range(len(order)):
        back = tuple_setitem(back, order[k], k)
    return back


# --- functions along axes --------------------------------------------------------

_tile_width = formula(columns.tile_width)
_as_columns = formula(_dispatch.as_columns)


@formula
def plan(shape, bits, itemsize):
    """Return which kernel, by columns or by rows, and what it is called with.

    The serial choices of `_dispatch`. Kernels are not called from formulas, only
    from the outermost function: at each level LLVM goes over their code again.
    """
    outer, n, inner = folded(shape, bits)
    if scattered(bits):
        outer, inner = outer * inner, 1
    gap = 1
    by_columns = inner > 1
    if not by_columns and _as_columns(n, outer):
        by_columns = True
        outer, inner, gap = 1, outer, n
    wide = _tile_width(n, inner, itemsize)
    tiles = outer * ((inner + wide - 1) // wide)
    return by_columns, n, inner, gap, wide, (tiles if by_columns else outer)


def _may_scatter(x, axis):
    return isinstance(axis, types.BaseTuple) and 1 < len(axis) < x.ndim


def _laid_out(x, bits, may_scatter):
    """Return x in the order in which it is worked on; a stub for Numba."""


@overload(_laid_out, prefer_literal=True)
def _laid_out_typed(x, bits, may_scatter):
    if not may_scatter.literal_value:
        return lambda x, bits, may_scatter: _in_order(x)

    def impl(x, bits, may_scatter):
        if scattered(bits):
            return _in_order(x.transpose(axes_last(x.shape, bits)))
        return _in_order(x)

    return impl


def _put_back(a, result, bits, may_scatter):
    """Copy a to result where they are in different orders; a stub for Numba."""


@overload(_put_back, prefer_literal=True)
def _put_back_typed(a, result, bits, may_scatter):
    if not may_scatter.literal_value:
        return lambda a, result, bits, may_scatter: None

    def impl(a, result, bits, may_scatter):
        if scattered(bits):
            order = axes_last(result.shape, bits)
            moved = a.reshape(taken_in(result.shape, order))
            result[...] = moved.transpose(inverse(order))

    return impl


@formula
def taken_in(shape, order):
    """Return the shape of an array whose axes are put in that order."""
    moved = shape
    for k in range(len(order)):
        moved = tuple_setitem(moved, k, shape[order[k]])
    return moved


def _like_input(function, by_rows, by_columns):
    @overload(function, prefer_literal=True)
    def typed(x, axis=-1, where=None, out=None):
        _check_array(function.__name__, x)
        _check_axis(function.__name__, x, axis)
        _check_absent(function.__name__, where=where, out=out)
        scatter = _may_scatter(x, axis)

        def impl(x, axis=-1, where=None, out=None):
            bits = _bits(axis, x.ndim)
            a = _laid_out(x, bits, scatter)
            result = np.empty(x.shape, a.dtype)
            if a.size:
                to_columns, n, inner, gap, wide, last = plan(x.shape, bits, a.itemsize)
                source, target = flat(a), flat(result)
                if scatter and scattered(bits):
                    target = np.empty(a.size, a.dtype)
                if to_columns:
                    by_columns(source, target, n, inner, gap, wide, np.intp(0), last)
                else:
                    by_rows(source, target, n, np.intp(0), last)
                _put_back(target, result, bits, scatter)
            return result

        return impl


def _reduction(function, by_rows, by_columns):
    @overload(function, prefer_literal=True)
    def typed(x, axis=-1, b=None, where=None, keepdims=False, out=None):
        name = function.__name__
        _check_array(name, x)
        count = _check_axis(name, x, axis)
        _check_absent(name, b=b, where=where, out=out)
        kept = _value(keepdims)
        if not isinstance(kept, bool):
            _refuse(name, "keepdims", keepdims, "a literal True or False")
        template = (1,) * (x.ndim if kept else x.ndim - count)
        scatter = _may_scatter(x, axis)

        def number(x, axis=-1, b=None, where=None, keepdims=False, out=None):
            _bits(axis, x.ndim)  # for its checks
            a = _in_order(x)
            sums = np.full(1, -math.inf, a.dtype)
            if a.size:
                by_rows(flat(a), sums, a.size, np.intp(0), np.intp(1))
            return sums[0]

        def array(x, axis=-1, b=None, where=None, keepdims=False, out=None):
            bits = _bits(axis, x.ndim)
            a = _laid_out(x, bits, scatter)
            result = np.full(reduced(x.shape, template, bits, kept), -math.inf, a.dtype)
            if a.size:
                to_columns, n, inner, gap, wide, last = plan(x.shape, bits, a.itemsize)
                source, target = flat(a), flat(result)
                if to_columns:
                    by_columns(source, target, n, inner, gap, wide, np.intp(0), last)
                else:
                    by_rows(source, target, n, np.intp(0), last)
            return result

        return array if template else number


@formula
def reduced(shape, template, bits, kept):
    """Return shape without the axes in bits, or with length 1 there."""
    k = 0
    for d in range(len(shape)):
        if not bits >> d & 1:
            template = tuple_setitem(template, k, shape[d])
            k += 1
        elif kept:
            k += 1
    return template


_like_input(activations.softmax, softmax_rows.softmax_rows, columns.softmax_columns)
_like_input(
    activations.log_softmax, log_rows.log_softmax_rows, columns.log_softmax_columns
)
_reduction(activations.logsumexp, log_rows.logsumexp_rows, columns.logsumexp_columns)


# --- functions of each entry -----------------------------------------------------


def _by_entry(function, kernel):
    @overload(function)
    def typed(x, out=None):
        _check_array(function.__name__, x, scalars=True)
        _check_absent(function.__name__, out=out)

        def of_array(x, out=None):
            a = _in_order(x)
            result = np.empty(x.shape, a.dtype)
            kernel(flat(a), flat(result), np.intp(0), a.size)
            return result

        def of_number(x, out=None):
            a = _in_order(np.full(1, x))
            kernel(a, a, np.intp(0), np.intp(1))
            return a[0]

        return of_array if isinstance(x, types.Array) else of_number


_by_entry(activations.sigmoid, elementwise.sigmoid_flat)
_by_entry(activations.log_sigmoid, elementwise.log_sigmoid_flat)
