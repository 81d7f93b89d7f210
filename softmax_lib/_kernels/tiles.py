"""Tiles of an array that is read as (outer, n, inner): neighbours along inner.

Where neighbours along n lie a power of two apart, caches have room for a few only. Such
a tile is first laid out anew on the stack, if it is small enough, so that each number
is read once and written once at its distant place. Short rows are laid out so as well,
16 or 8 at a time.
"""

from softmax_lib._jit import formula
from softmax_lib._kernels.by_lane import load_some, store_some
from softmax_lib._kernels.lanes import (
    BYTES,
    SCRATCH,
    load,
    store,
    turn,
    turn_back,
    width,
)
from softmax_lib._kernels.pages import enter_pages

# Bytes of a tile that leave room for others in the first-level cache.
FIRST_LEVEL = 1 << 14

# The most cache lines side by side that are worth it.
LINES = 16

# Slices up to here find room in the scratch, a vector of them side by side.
LONGEST = SCRATCH // BYTES - 16


def tile_width(n, inner, laid, itemsize):
    """Return how many neighbours along inner make a tile."""
    w = BYTES // itemsize
    if not laid:
        return w
    # Cache lines side by side, in squares: where slices fit in the first-level cache
    # as many as do, elsewhere as many as there is room for, since every line is one
    # of another page.
    whole = -(-(n or 1) // w) * w * BYTES
    lines = FIRST_LEVEL // whole
    if lines == 0:
        lines = SCRATCH // whole
    across = -(-inner // w)
    # Plain ifs: they are a tenth of a microsecond faster than min and max.
    if lines > LINES:
        lines = LINES
    if lines > across:
        lines = across
    return w * lines


def is_laid_out(n, inner, gap, itemsize):
    """Return whether tiles are laid out anew, or worked on where they are.

    Rows done as columns have to be. Others are where the power of two between their
    neighbours leaves no room for a tile and its results in the level of the caches
    that is large enough for them.
    """
    if gap != 1:
        return True
    step = inner * itemsize
    even = step & -step
    if even < BYTES:
        even = BYTES
    # Lines so far apart fall into the same set again, where there is room for eight:
    # after 4 KiB in the first level, after 64 KiB in the second.
    if n * BYTES <= FIRST_LEVEL:
        return n * even > 8 // 2 * 4096
    return n * even > 8 // 2 * 65536 and n <= LONGEST


laid_out = formula(is_laid_out)


@formula
def next_tile(x, out, start, n, inner, gap, wide, lane):
    """Return what to fetch: the next tile of x and this of out.

    Memory would be idle while terms are computed; see `ahead_of`.
    """
    place = start + lane * gap
    return x, place + wide * gap, out, place, inner if gap == 1 else width(x)


@formula
def tile_at(tile, n, inner, gap, wide):
    """Return where a tile starts in the flat array, and how many slices it has."""
    across = (inner + wide - 1) // wide
    column = tile % across * wide
    return tile // across * n * inner + column * gap, min(wide, inner - column)


@formula
def enter_tile(x, out, start, count, inner, gap, wide, last):
    """Touch the pages that a tile of rows begins; tiles up to the last follow."""
    if gap != 1:
        enter_pages(x, out, start, count * gap, min(last * wide, inner) * gap)


@formula
def row_at(tile, inner, wide):
    """Return the number of the first slice of a tile."""
    across = (inner + wide - 1) // wide
    return tile // across * inner + tile % across * wide


@formula
def lay_out(x, start, n, inner, gap, count, block, wide):
    """Copy a tile to the scratch, where a slice's numbers lie `wide` apart."""
    w = width(x)
    if gap == 1:
        copy_in(x, start, n, inner, count, block, wide)
    else:
        for lane in range(0, count, w):
            for i in range(0, n, w):
                turn(
                    x,
                    start + lane * gap + i,
                    gap,
                    count - lane,
                    min(w, n - i),
                    block,
                    i * wide + lane,
                    wide,
                )


@formula
def put_back(block, wide, out, start, n, inner, gap, count):
    """Copy a tile from the scratch to where it belongs."""
    w = width(out)
    if gap == 1:
        copy_out(block, wide, out, start, n, inner, count)
    else:
        for lane in range(0, count, w):
            for i in range(0, n, w):
                turn_back(
                    block,
                    i * wide + lane,
                    wide,
                    out,
                    start + lane * gap + i,
                    gap,
                    count - lane,
                    min(w, n - i),
                )


@formula
def copy_in(x, start, n, inner, count, block, wide):
    """Copy n rows of count numbers each, from `inner` apart to `wide` apart."""
    w = width(x)
    for i in range(n):
        at = start + i * inner
        for lane in range(0, count, w):
            v = load_some(x, at + lane, min(w, count - lane))
            store(block, i * wide + lane, v)


@formula
def copy_out(block, wide, out, start, n, inner, count):
    """Copy them back."""
    w = width(out)
    for i in range(n):
        at = start + i * inner
        for lane in range(0, count, w):
            v = load(block, i * wide + lane)
            store_some(out, at + lane, min(w, count - lane), v)
