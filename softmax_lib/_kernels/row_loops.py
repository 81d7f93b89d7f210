"""Loops over one row of an array, along its vectors: maximum, map, fill."""

import math
from collections import namedtuple

from softmax_lib import _layout
from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import slices
from softmax_lib._layout import MIN_ALIGNED_VECTORS, VECTOR_BYTES

# A row of n numbers in memory; more rows follow up to the end.
Row = namedtuple("Row", ["start", "n", "end"])


BLOCK_LENGTH = v.length_of(_layout.BLOCK_BYTES)
# Of so many blocks a row keeps the maxima.
MAX_BLOCKS = 64
MAXIMA_BYTES = MAX_BLOCKS * 8

IN_CACHE_LENGTH = v.length_of(_layout.IN_CACHE_BYTES)


@inlined
def peel_count(x, start, n):
    """Return how many numbers to do before the vectors of a row are whole cache lines.

    Each of the others would touch two, at twice the price.
    """
    if n >= MIN_ALIGNED_VECTORS * v.vector_length(x):
        return v.count_to_boundary(x, start, VECTOR_BYTES)
    return 0


@outlined
def row_max(x, start, n):
    """Return the maximum of x[start : start + n]; it ignores NaN."""
    v.noinline()
    w = v.vector_length(x)
    # Each maximum depends on the one before, so four are computed at a time. Reading a
    # number twice does no harm, so both ends are done in whole vectors.
    a = b = c = d = v.splat(x, -math.inf)
    if n < 4 * w:
        for i in range(0, n, w):
            a = v.maximum(v.load_head(x, start + i, n - i, -math.inf), a)
    else:
        a = v.maximum(v.load(x, start), a)
        for i in range(peel_count(x, start, n), n - 4 * w, 4 * w):
            a = v.maximum(v.load(x, start + i), a)
            b = v.maximum(v.load(x, start + i + w), b)
            c = v.maximum(v.load(x, start + i + 2 * w), c)
            d = v.maximum(v.load(x, start + i + 3 * w), d)
        end = start + n
        a = v.maximum(v.load(x, end - 4 * w), a)
        b = v.maximum(v.load(x, end - 3 * w), b)
        c = v.maximum(v.load(x, end - 2 * w), c)
        d = v.maximum(v.load(x, end - w), d)
    return v.reduce_max(v.maximum(v.maximum(a, b), v.maximum(c, d)))


@inlined
def block_maxima(x, start, n, maxima):
    """Do as `row_max` does, and keep the maximum of each block of a longer row."""
    if n <= BLOCK_LENGTH(x) or n > MAX_BLOCKS * BLOCK_LENGTH(x):
        return row_max(x, start, n)
    top = v.one_lane_of(x, -math.inf)
    for b in range(0, n, BLOCK_LENGTH(x)):
        highest = row_max(x, start + b, min(BLOCK_LENGTH(x), n - b))
        v.store_scalar(maxima, b // BLOCK_LENGTH(x), highest)
        top = v.maximum(v.one_lane_of(x, highest), top)
    return v.lane0(top)


@inlined
def block_max(x, row, b, maxima):
    """Return the maximum of the block of a row that begins at b, if it is not kept."""
    length = BLOCK_LENGTH(x)
    if maxima is not None and row.n <= MAX_BLOCKS * length:
        return v.load_scalar(maxima, b // length)
    return row_max(x, row.start + b, min(length, row.n - b))


@outlined
def holds_nan(x, start, n):
    """Return whether any of x[start : start + n] is NaN."""
    found = False
    for i in range(start, start + n):
        found |= v.load_scalar(x, i) != v.load_scalar(x, i)
    return found


@outlined
def fill(out, start, n, value):
    """Write value to out[start : start + n]."""
    for i in range(start, start + n):
        v.store_scalar(out, i, value)


def row_map(apply):
    """Return a loop that writes apply(value, stats) for each value of a row."""

    @outlined
    def write(source, out, row, stats, x, distance):
        """Read a row of source, write the same row of out.

        Meanwhile find the maximum of the row of x that begins `distance` later, unless
        x is None, and return it. The first and the last vector overlap others: they are
        read before those are written.
        """
        v.noinline()
        start, n, _ = row
        following = start + distance
        w = v.vector_length(out)
        top = v.splat(out, -math.inf)
        if n < w:
            value = v.load_head(source, start, n, 0.0)
            v.store_head(out, start, n, apply(value, stats))
            if x is not None:
                top = v.load_head(x, following, n, -math.inf)
        else:
            last = n - w
            left = apply(v.load(source, start), stats)
            right = apply(v.load(source, start + last), stats)
            if x is not None:
                top = v.maximum(v.load(x, following + last), top)
                top = v.maximum(v.load(x, following), top)
            for i in range(peel_count(out, start, n), last, w):
                if x is not None:
                    top = v.maximum(v.load(x, following + i), top)
                v.store(out, start + i, apply(v.load(source, start + i), stats))
            v.store(out, start, left)
            v.store(out, start + last, right)
        return v.reduce_max(top)

    return write


@inlined
def write_ahead(write, source, out, row, stats, x, maxima):
    """Write a row, and find the maximum of the next one, as `block_maxima` does."""
    start, n, end = row
    if n <= BLOCK_LENGTH(x) or n > MAX_BLOCKS * BLOCK_LENGTH(x):
        return write(source, out, row, stats, x, n)
    top = v.one_lane_of(x, -math.inf)
    for b in range(0, n, BLOCK_LENGTH(x)):
        block = Row(start + b, min(BLOCK_LENGTH(x), n - b), end)
        highest = write(source, out, block, stats, x, n)
        v.store_scalar(maxima, b // BLOCK_LENGTH(x), highest)
        top = v.maximum(v.one_lane_of(x, highest), top)
    return v.lane0(top)


@inlined
def row_params(x, extreme):
    """Return the maximum in one lane, whether it is finite, and the terms' parameters.

    The parameters are in one lane, and in whole vectors.
    """
    top, finite = slices.finite_max(v.one_lane_of(x, extreme))
    params = slices.slice_params(top)
    return top, finite, params, v.splat_fields(x, params)
