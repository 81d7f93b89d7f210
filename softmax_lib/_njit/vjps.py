"""The vector-Jacobian products inside ``@njit``."""

import numpy as np
from numba import types

from softmax_lib._jit import kernel, renamed
from softmax_lib._kernels import vjps
from softmax_lib._njit import arguments as args
from softmax_lib._njit import arrays
from softmax_lib._njit.arguments import by_type, refuse
from softmax_lib._njit.linking import external_call
from softmax_lib._njit.losses import copy_grad_back, grad_buffer


@by_type
def in_dtype(x, dtype):
    """Return x in a dtype."""
    if x.dtype == dtype.dtype:
        return lambda x, dtype: x
    return lambda x, dtype: x.astype(dtype)


@by_type
def vjp(result, g, axis, rows):
    """Return the gradient with respect to the scores, from a kernel by rows."""
    narrow = result.dtype == g.dtype == types.float32
    dtype = np.float32 if narrow else np.float64

    def impl(result, g, axis, rows):
        if result.shape != g.shape:
            raise ValueError("got two arrays of different shapes")
        mask = arrays.axis_mask(axis, result.ndim)
        first = arrays.ravel_last(in_dtype(result, dtype), mask)
        second = arrays.ravel_last(in_dtype(g, dtype), mask)
        back = np.empty(result.shape, dtype)
        if first.size:
            n = arrays.outer_n_inner(result.shape, mask)[1]
            target = grad_buffer(back, first, mask)
            rows((first, second, target, n, 0, first.size // n))
            copy_grad_back(target, back, mask)
        return back

    return impl


def vjp_form(rows, name):
    """Return the kernel of a vector-Jacobian product for arrays of any shape."""
    rows = external_call(rows)

    def form(result, g, axis):
        return vjp(result, g, axis, rows)

    return kernel(renamed(form, __name__, name))


softmax_vjp = vjp_form(vjps.softmax_vjp_rows, "softmax_vjp")
log_softmax_vjp = vjp_form(vjps.log_softmax_vjp_rows, "log_softmax_vjp")


def type_vjp(function):
    """Return the typing function of a vector-Jacobian product."""
    name = function.__name__
    delegate = external_call(globals()[name], any_layout=True)
    first = "p" if name == "softmax_vjp" else "logp"

    def choose(p, g, axis):
        args.check_array(name, first, p)
        args.check_array(name, "g", g)
        if g.ndim != p.ndim:
            refuse(name, "g", g, f"arrays of {p.ndim} dimensions, as {first}")
        args.check_axes(name, axis)
        return lambda p, g, axis=-1: delegate((p, g, args.int_axes(axis)))

    return choose
