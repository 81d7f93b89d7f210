"""What each function along an axis does with a slice, and its kernels in each layout.

Layouts visit slices; an operation says what becomes of the maximum and the total of a
slice, and of each of its scores or terms.
"""

import math
from typing import NamedTuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels.blocked_columns import blocked_columns_loop
from softmax_lib._kernels.columns import columns_loop
from softmax_lib._kernels.double_double import dd_reciprocal, two_sum
from softmax_lib._kernels.rows import rows_loop
from softmax_lib._kernels.slices import (
    LogOffset,
    max_term,
    minus_log_total,
    share,
    share_scale,
)
from softmax_lib._kernels.split_rows import split_rows_loop


class Operation(NamedTuple):
    """A function along an axis.

    With `stores_terms` the terms exp(x - max) are written to the result and scaled
    there: `finish` takes their total and returns a `ShareScale`, `apply` takes a term.
    Otherwise `finish` takes the logarithm of the total, and `apply` a score. Without
    `apply` the result is what `finish` returns, one number a slice.
    """

    name: str
    read: object  # pointer -> pointer: how scores are read; `v.negated`, for example
    stores_terms: bool
    finish: object  # (top, finite, params, RoundedTotal or logarithm) -> stats
    apply: object  # (term or score, stats) -> result, or None


LOOPS = rows_loop, split_rows_loop, columns_loop, blocked_columns_loop
LAYOUTS = {loop.__name__.removesuffix("_loop"): loop for loop in LOOPS}


class AxisKernels:
    """The kernels of an operation, one attribute for each layout.

    A kernel is made when it is first used. It takes (x, out, *shape, first, last); the
    shape is (n,) for rows, else (n, inner, slice_stride, tile_width). `split_rows`,
    which uses all threads, takes (x, out, n, rows, chunks).
    """

    def __init__(self, operation):
        self.operation = operation

    def __getattr__(self, layout):
        if layout not in LAYOUTS:
            raise AttributeError(f"got layout {layout!r}; allowed are {[*LAYOUTS]}")
        place = f"{self.operation.name}.{layout}"
        loop = renamed(LAYOUTS[layout](self.operation), __name__, place)
        # Machine code is cached by its name, and the digest covers this package alone.
        cached = globals().get(self.operation.name) is self
        self.__dict__[layout] = kernel(loop, cached, parallel=layout == "split_rows")
        return self.__dict__[layout]


@inlined
def as_is(pointer):
    """Read scores as they are."""
    return pointer


@inlined
def finish_softmax(top, finite, params, total):
    """Return the scale of 1 / total."""
    r, largest = dd_reciprocal(total), max_term(top, params)
    one = v.splat(r.hi, 1.0)
    return share_scale(top, finite, largest, total.max_share, r, r.hi, one)


@inlined
def finish_log_softmax(top, finite, params, log):
    """Return what to subtract: NaN where the maximum is not finite."""
    return LogOffset(top, v.select(finite, v.to_dtype_of(top, log.hi), math.nan))


@inlined
def finish_logsumexp(top, finite, params, log):
    """Return top + log, rounded once."""
    high, error = two_sum(v.to_float64(top), log.hi)
    return v.to_dtype_of(top, high + (error + log.lo))


softmax = AxisKernels(Operation("softmax", as_is, True, finish_softmax, share))
log_softmax = AxisKernels(
    Operation("log_softmax", as_is, False, finish_log_softmax, minus_log_total)
)
logsumexp = AxisKernels(Operation("logsumexp", as_is, False, finish_logsumexp, None))
