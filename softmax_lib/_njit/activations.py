"""Softmax, log-softmax, log-sum-exp and the sigmoids inside ``@njit``."""

import math
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from numba import types

from softmax_lib import _layout
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels import elementwise, operations
from softmax_lib._njit.arguments import (
    by_type,
    check_absent,
    check_array,
    check_axes,
    refuse,
    value_of,
)
from softmax_lib._njit.arrays import (
    axis_mask,
    copy_adjacent_back,
    flat,
    is_split,
    keepdims_shape,
    plan,
    ravel_adjacent,
    ravel_c,
    reduced_shape,
)
from softmax_lib._njit.linking import external_call

# --- functions along axes --------------------------------------------------------


class AlongAxis:
    """The compiled forms of a function along axes, each made when it is first used."""

    def __init__(self, kernels):
        self._kernels = kernels

    def _kernel(self, function):
        name = self._kernels.operation.name
        place = f"along_axis.{name}.{function.__name__}"
        return kernel(renamed(function, __name__, place))

    @cached_property
    def _run(self):
        rows = external_call(self._kernels.rows)
        columns = external_call(self._kernels.columns)
        blocked_columns = external_call(self._kernels.blocked_columns)

        @inlined
        def run(source, target, shape, mask):
            p = plan(shape, mask, source.itemsize, True)
            first = source, target, p.n
            if p.layout == _layout.ROWS:
                rows((*first, 0, p.tasks))
            elif p.layout == _layout.COLUMNS:
                tile = p.inner, p.slice_stride, p.tile_width
                columns((*first, *tile, 0, p.tasks))
            else:
                blocked_columns((*first, p.inner, p.tile_width, 0, p.tasks))

        return run

    @cached_property
    def _reduced(self):
        run = self._run

        @inlined
        def reduced(x, axis):
            """Return the results of all slices, flat, and the mask of the axes."""
            mask = axis_mask(axis, x.ndim)
            source = ravel_adjacent(x, mask, axis)
            size = 1
            for d in range(x.ndim):
                if not mask >> d & 1:
                    size *= x.shape[d]
            result = np.full(size, -math.inf, source.dtype)
            if source.size:
                run(source, result, x.shape, mask)
            return result, mask

        return reduced

    @cached_property
    def apply(self):
        """(x, axis): an array like x."""
        run = self._run

        def apply(x, axis):
            mask = axis_mask(axis, x.ndim)
            source = ravel_adjacent(x, mask, axis)
            result = np.empty(x.shape, source.dtype)
            if source.size:
                target = source if is_split(mask) else flat(result)
                run(source, target, x.shape, mask)
                copy_adjacent_back(target, result, mask, axis)
            return result

        return self._kernel(apply)

    @cached_property
    def reduce(self):
        """(x, axis): one number a slice."""
        reduced = self._reduced

        def reduce(x, axis):
            result, mask = reduced(x, axis)
            return reshape_result(result, x.shape, mask, axis)

        return self._kernel(reduce)

    @cached_property
    def reduce_keepdims(self):
        """(x, axis): one number a slice; the axes stay with length 1."""
        reduced = self._reduced

        def reduce_keepdims(x, axis):
            result, mask = reduced(x, axis)
            return result.reshape(keepdims_shape(x.shape, mask))

        return self._kernel(reduce_keepdims)


# By the name of the function, which is where cached callers find them again.
along_axis = SimpleNamespace(
    **{
        name: AlongAxis(kernels)
        for name, kernels in vars(operations).items()
        if isinstance(kernels, operations.AxisKernels)
    }
)


@by_type
def reshape_result(result, shape, mask, axis):
    """Return a flat result in the shape without the reduced axes."""
    ndim = len(shape)
    named = ndim if isinstance(axis, types.NoneType) else 1
    if isinstance(axis, types.BaseTuple):
        named = len(axis)
    if named >= ndim:
        return lambda result, shape, mask, axis: result[0]
    return lambda result, shape, mask, axis: result.reshape(
        reduced_shape(shape, mask, shape[named:])
    )


def type_along_axis(function):
    """Return the typing function of a function along axes that returns an array."""
    name = function.__name__
    delegate = external_call(getattr(along_axis, name).apply, any_layout=True)

    def choose(x, axis=-1, where=None, out=None):
        check_array(name, "x", x)
        check_axes(name, axis)
        check_absent(name, where=where, out=out)
        return lambda x, axis=-1, where=None, out=None: delegate((x, axis))

    return choose


def type_reduction(function):
    """Return the typing function of a function along axes with one number a slice."""
    name = function.__name__
    reduce = external_call(getattr(along_axis, name).reduce, any_layout=True)
    keepdims_form = getattr(along_axis, name).reduce_keepdims
    reduce_keepdims = external_call(keepdims_form, any_layout=True)

    def choose(x, axis=-1, b=None, where=None, keepdims=False, out=None):
        check_array(name, "x", x)
        check_axes(name, axis)
        check_absent(name, b=b, where=where, out=out)
        keeps = value_of(keepdims)
        if not isinstance(keeps, bool):
            refuse(name, "keepdims", keepdims, "a literal True or False")
        delegate = reduce_keepdims if keeps else reduce

        def impl(x, axis=-1, b=None, where=None, keepdims=False, out=None):
            return delegate((x, axis))

        return impl

    return choose


# --- functions of each entry -----------------------------------------------------


@by_type
def each_entry(x, entries):
    """Return a function of each entry of the array x, or of the number x."""

    def of_array(x, entries):
        source = ravel_c(x)
        result = np.empty(x.shape, source.dtype)
        entries((source, flat(result), 0, source.size))
        return result

    def of_number(x, entries):
        place = ravel_c(np.full(1, x))
        entries((place, place, 0, 1))
        return place[0]

    return of_array if isinstance(x, types.Array) else of_number


_sigmoid_entries = external_call(elementwise.sigmoid_entries)
_log_sigmoid_entries = external_call(elementwise.log_sigmoid_entries)


@kernel
def sigmoid(x):
    """Sigmoid of x."""
    return each_entry(x, _sigmoid_entries)


@kernel
def log_sigmoid(x):
    """Log-sigmoid of x."""
    return each_entry(x, _log_sigmoid_entries)


def type_elementwise(function):
    """Return the typing function of a function of each entry."""
    name = function.__name__
    delegate = external_call(globals()[name], any_layout=True)

    def choose(x, out=None):
        check_array(name, "x", x, scalars=True)
        check_absent(name, out=out)
        return lambda x, out=None: delegate((x,))

    return choose
