"""Softmax, log-softmax, log-sum-exp and the sigmoids inside ``@njit``."""

import math
from functools import cached_property
from types import SimpleNamespace

import numpy as np
from numba import types

from softmax_lib import _layout
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels import elementwise, operations
from softmax_lib._njit import arguments as args
from softmax_lib._njit import arrays
from softmax_lib._njit.arguments import by_type
from softmax_lib._njit.linking import external_call

# --- functions along axes --------------------------------------------------------


class AlongAxis:
    """The compiled forms of a function along axes, each made when it is first used."""

    def __init__(self, kernels):
        self._kernels = kernels

    def _form(self, function, name):
        place = f"along_axis.{self._kernels.operation.name}.{name}"
        return kernel(renamed(function, __name__, place))

    @cached_property
    def _run(self):
        rows = external_call(self._kernels.rows)
        columns = external_call(self._kernels.columns)
        blocked_columns = external_call(self._kernels.blocked_columns)

        @inlined
        def run(source, target, shape, mask):
            p = arrays.plan(shape, mask, source.itemsize, True)
            first, tasks = (source, target, p.n), (0, p.tasks)
            tile = p.inner, p.slice_stride, p.tile_width
            if p.layout == _layout.ROWS:
                rows((*first, *tasks))
            elif p.layout == _layout.COLUMNS:
                columns((*first, *tile, *tasks))
            else:
                blocked_columns((*first, *tile, *tasks))

        return run

    @cached_property
    def apply(self):
        """(x, axis): an array like x."""
        run = self._run

        def apply(x, axis):
            mask = arrays.axis_mask(axis, x.ndim)
            source = arrays.ravel_adjacent(x, mask, axis)
            result = np.empty(x.shape, source.dtype)
            if source.size:
                # Moved axes of length 1 leave the source a view of x.
                split = arrays.is_split(mask)
                target = np.empty_like(source) if split else arrays.flat(result)
                run(source, target, x.shape, mask)
                arrays.copy_adjacent_back(target, result, mask, axis)
            return result

        return self._form(apply, "apply")

    def _reduce(self, keepdims):
        run = self._run

        def reduce(x, axis):
            mask = arrays.axis_mask(axis, x.ndim)
            source = arrays.ravel_adjacent(x, mask, axis)
            shape = arrays.keepdims_shape(x.shape, mask)
            result = np.full(shape, -math.inf, source.dtype)
            if source.size:
                run(source, arrays.flat(result), x.shape, mask)
            return result if keepdims else drop_axes(result, x.shape, mask, axis)

        return self._form(reduce, "reduce_keepdims" if keepdims else "reduce")

    # (x, axis): one number a slice, without the reduced axes and with length 1 there.
    reduce = cached_property(lambda self: self._reduce(False))
    reduce_keepdims = cached_property(lambda self: self._reduce(True))


# By the name of the function, which is where cached callers find them again.
along_axis = SimpleNamespace()
for _name, _kernels in vars(operations).items():
    if isinstance(_kernels, operations.AxisKernels):
        setattr(along_axis, _name, AlongAxis(_kernels))


@by_type
def drop_axes(result, shape, mask, axis):
    """Return a result without its reduced axes, which have length 1."""
    ndim = len(shape)
    named = ndim if isinstance(axis, types.NoneType) else 1
    if isinstance(axis, types.BaseTuple):
        named = len(axis)
    if named >= ndim:
        return lambda result, shape, mask, axis: result.flat[0]
    return lambda result, shape, mask, axis: result.reshape(
        arrays.reduced_shape(shape, mask, shape[named:])
    )


def type_along_axis(function):
    """Return the typing function of a function along axes that returns an array."""
    name = function.__name__
    delegate = external_call(getattr(along_axis, name).apply, any_layout=True)

    def choose(x, axis, where, out):
        args.check_array(name, "x", x)
        args.check_axes(name, axis)
        args.check_absent(name, where=where, out=out)

        def impl(x, axis=-1, where=None, out=None):
            return delegate((x, args.int_axes(axis)))

        return impl

    return choose


def type_reduction(function):
    """Return the typing function of a function along axes with one number a slice."""
    name = function.__name__
    forms = getattr(along_axis, name)
    reduce = external_call(forms.reduce, any_layout=True)
    reduce_keepdims = external_call(forms.reduce_keepdims, any_layout=True)

    def choose(x, axis, b, where, keepdims, return_sign, out):
        args.check_array(name, "x", x)
        args.check_axes(name, axis)
        args.check_absent(name, b=b, where=where, out=out)
        keeps = args.value_of(keepdims)
        if not isinstance(keeps, bool):
            args.refuse(name, "keepdims", keepdims, "a literal True or False")
        if args.value_of(return_sign) is not False:
            args.refuse(name, "return_sign", return_sign, "a literal False")
        delegate = reduce_keepdims if keeps else reduce

        def impl(
            x,
            axis=-1,
            b=None,
            where=None,
            keepdims=False,
            return_sign=False,
            out=None,
        ):
            return delegate((x, args.int_axes(axis)))

        return impl

    return choose


# --- functions of each entry -----------------------------------------------------


@by_type
def each_entry(x, entries):
    """Return a function of each entry of the array x, or of the number x."""
    if not isinstance(x, types.Array):
        return lambda x, entries: each_entry(np.full(1, x), entries)[0]

    def of_array(x, entries):
        source = arrays.ravel_c(x)
        result = np.empty(x.shape, source.dtype)
        entries((source, arrays.flat(result), 1, 0, source.size))
        return result

    return of_array


def entry_form(entries, name):
    """Return the kernel of a function of each entry of an array, or of a number."""
    entries = external_call(entries)

    def form(x):
        return each_entry(x, entries)

    return kernel(renamed(form, __name__, name))


sigmoid = entry_form(elementwise.sigmoid_entries, "sigmoid")
log_sigmoid = entry_form(elementwise.log_sigmoid_entries, "log_sigmoid")


def type_elementwise(function):
    """Return the typing function of a function of each entry."""
    name = function.__name__
    delegate = external_call(globals()[name], any_layout=True)

    def choose(x, out):
        args.check_array(name, "x", x, scalars=True)
        args.check_absent(name, out=out)
        return lambda x, out=None: delegate((x,))

    return choose
