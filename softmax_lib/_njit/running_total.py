"""The fields of running totals inside ``@njit``."""

import numpy as np

from softmax_lib._jit import inlined
from softmax_lib._kernels import running_total as kernels
from softmax_lib._kernels.partial_sums import Fields
from softmax_lib._njit import arguments as args
from softmax_lib._njit import arrays
from softmax_lib._njit.linking import external_call


def check_fields(function, name, fields):
    """Raise unless a type is that of the fields of a total."""
    if getattr(fields, "instance_class", None) is not Fields:
        args.refuse(function, name, fields, "LogSumExp.fields")


@inlined
def as_tuple(fields):
    """Return fields as a plain tuple, which Numba can join with others."""
    return fields.top, fields.ties, fields.place, fields.sums


def type_update(function):
    """Return the typing function of `update`."""
    rows = external_call(kernels.update_rows)

    def choose(fields, x):
        check_fields("update", "fields", fields)
        args.check_array("update", "x", x)
        dtype = fields.types[0].dtype
        if x.ndim != 2 or x.dtype != dtype:
            args.refuse("update", "x", x, f"arrays of {dtype} and two dimensions")

        def impl(fields, x):
            slices, n = x.shape
            if slices != fields.top.size:
                raise ValueError("got another number of rows than the total has slices")
            source = arrays.ravel_c(x)
            rows((source, *as_tuple(fields), n, 0, slices))

        return impl

    return choose


def type_merge(function):
    """Return the typing function of `merge`."""
    slices = external_call(kernels.merge_slices)

    def choose(fields, others):
        check_fields("merge", "fields", fields)
        check_fields("merge", "others", others)
        if fields != others:
            args.refuse("merge", "others", others, f"the type of the first, {fields}")

        def impl(fields, others):
            if others.top.size != fields.top.size:
                raise ValueError("got totals of different numbers of slices")
            slices((*as_tuple(fields), *as_tuple(others), 0, fields.top.size))

        return impl

    return choose


def type_logsumexp(function):
    """Return the typing function of `logsumexp`."""
    slices = external_call(kernels.logsumexp_slices)

    def choose(fields):
        check_fields("logsumexp", "fields", fields)

        def impl(fields):
            values = np.empty_like(fields.top)
            slices((*as_tuple(fields), values, 0, values.size))
            return values

        return impl

    return choose
