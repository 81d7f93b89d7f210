"""Tiles of an array that is read as (outer, n, inner): neighbours along inner.

Where the rows of a tile lie a multiple of a large power of two apart, caches can keep
only a few of them. Such a tile is packed first, copied to the stack, if it is small
enough, so that each number is read once and written once at its distant place. Short
rows are packed as well, 16 or 8 at a time, and transposed.
"""

from collections import namedtuple

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels.column_loops import Prefetch
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._layout import ceil_div

# How an array is cut into tiles; see `_layout.Plan`.
Tiling = namedtuple("Tiling", ["n", "inner", "slice_stride", "tile_width"])


@inlined
def tile_at(tile, t):
    """Return the start of a tile, its count of slices, and the number of the first."""
    tiles_across = ceil_div(t.inner, t.tile_width)
    outer, column = tile // tiles_across, tile % tiles_across * t.tile_width
    start = outer * t.n * t.inner + column * t.slice_stride
    return start, min(t.tile_width, t.inner - column), outer * t.inner + column


@inlined
def next_tile(x, out, start, t, lane):
    """Return what to fetch during a tile: the next tile of x, and this one of out.

    Memory would be idle while terms are computed; see `prefetch_distance`.
    """
    place = start + lane * t.slice_stride
    step = t.inner if t.slice_stride == 1 else v.vector_length(x)
    return Prefetch(x, place + t.tile_width * t.slice_stride, out, place, step)


@inlined
def touch_tile_pages(x, out, start, count, t, last):
    """Touch the pages that a tile of rows begins; tiles up to the last follow."""
    if t.slice_stride != 1:
        end = min(last * t.tile_width, t.inner) * t.slice_stride
        touch_pages(x, out, start, count * t.slice_stride, end)


@inlined
def pack_tile(x, start, count, t, block):
    """Copy a tile to a block, where the numbers of a slice lie `tile_width` apart."""
    if t.slice_stride == 1:
        copy_in(x, start, t.n, t.inner, count, block, t.tile_width)
        return
    w, gap, pace = v.vector_length(x), t.slice_stride, t.tile_width
    for lane in range(0, count, w):
        for i in range(0, t.n, w):
            at, to = start + lane * gap + i, i * pace + lane
            rows, columns = count - lane, min(w, t.n - i)
            v.load_transposed(x, at, gap, rows, columns, block, to, pace)


@inlined
def unpack_tile(block, out, start, count, t):
    """Copy a tile from a block to its place in an array."""
    if t.slice_stride == 1:
        copy_out(block, t.tile_width, out, start, t.n, t.inner, count)
        return
    w, gap, pace = v.vector_length(out), t.slice_stride, t.tile_width
    for lane in range(0, count, w):
        for i in range(0, t.n, w):
            at, to = i * pace + lane, start + lane * gap + i
            rows, columns = count - lane, min(w, t.n - i)
            v.store_transposed(block, at, pace, out, to, gap, rows, columns)


@inlined
def copy_in(x, start, n, stride, count, block, pace):
    """Copy n rows of count numbers each, from `stride` to `pace` apart."""
    w = v.vector_length(x)
    for i in range(n):
        at = start + i * stride
        for lane in range(0, count, w):
            value = v.load_up_to(x, at + lane, min(w, count - lane))
            v.store(block, i * pace + lane, value)


@inlined
def copy_out(block, pace, out, start, n, stride, count):
    """Copy them back."""
    w = v.vector_length(out)
    for i in range(n):
        at = start + i * stride
        for lane in range(0, count, w):
            value = v.load(block, i * pace + lane)
            v.store_up_to(out, at + lane, min(w, count - lane), value)
