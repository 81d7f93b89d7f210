"""The first path, on arrays of float32 rows: kernels for long rows and for short ones.

`marks` gets a 1 for each task with a result that is not certain, and NaN in its place.
"""

import numpy as np

from softmax_lib import _vector as v
from softmax_lib._exact import first as f
from softmax_lib._exact.first_loops import LANES, MAX_KEPT, decided, load_float64, loops
from softmax_lib._exact.first_loops import store as store_part
from softmax_lib._jit import kernel, renamed

# Shorter rows are done 16 side by side. With float64 terms their block takes 30 KB.
MAX_SHORT_ROW = 160
BLOCK_BYTES = 4 * LANES * MAX_SHORT_ROW

# With this number a power of two is not divided by another.
MAGIC_ONE = f.MAGIC + 1023.0

# Entries of a task of the sigmoid.
PIECE = 4096


def row_kernel(name, loop, reduces):
    """Return the kernel of a function for rows of any length; a row is a task."""

    def rows(x, out, marks, n, first, last):
        source, target = v.data_pointer(x), v.data_pointer(out)
        kept = np.empty(min(n, MAX_KEPT) + LANES)
        for row in range(first, last):
            to = row if reduces else row * n
            marks[row] = loop(source, target, kept, row * n, to, n)

    return kernel(renamed(rows, __name__, name))


def tile_kernel(name, loop, reduces):
    """Return the kernel of a function for short rows; 16 rows are a task."""

    def tiles(x, out, marks, n, count, first, last):
        source, target = v.data_pointer(x), v.data_pointer(out)
        block = v.stack_alloc(source, BLOCK_BYTES)
        kept = np.empty(n * LANES)
        for tile in range(first, last):
            row = tile * LANES
            here = min(LANES, count - row)
            for i in range(0, n, LANES):
                at, wide = row * n + i, min(LANES, n - i)
                v.load_transposed(source, at, n, here, wide, block, i * LANES, LANES)
            marks[tile] = loop(block, block, kept, 0, 0, n * LANES)
            if reduces:
                store_part(target, row, here, v.load(block, 0))
            else:
                for i in range(0, n, LANES):
                    at, wide = row * n + i, min(LANES, n - i)
                    v.store_transposed(
                        block, i * LANES, LANES, target, at, n, here, wide
                    )

    return kernel(renamed(tiles, __name__, name))


_along, _beside = loops(True), loops(False)
softmax_rows = row_kernel("softmax_rows", _along[0], False)
log_softmax_rows = row_kernel("log_softmax_rows", _along[1], False)
logsumexp_rows = row_kernel("logsumexp_rows", _along[2], True)
softmax_tiles = tile_kernel("softmax_tiles", _beside[0], False)
log_softmax_tiles = tile_kernel("log_softmax_tiles", _beside[1], False)
logsumexp_tiles = tile_kernel("logsumexp_tiles", _beside[2], True)


@kernel
def sigmoid_pieces(x, out, marks, size, first, last):
    """1 / (1 + e) for x >= 0 and e / (1 + e) for x < 0, with e = exp(-|x|)."""
    source, target = v.data_pointer(x), v.data_pointer(out)
    for piece in range(first, last):
        uncertain = False
        stop = min((piece + 1) * PIECE, size)
        for i in range(piece * PIECE, stop, LANES):
            count = min(LANES, stop - i)
            x64 = load_float64(source, i, count)
            zeros = v.splat(x64, 0.0)
            e = f.term(0.0 - v.fabs(x64), f.Params(zeros, zeros - f.CUTOFF, MAGIC_ONE))
            recip = 1.0 / (1.0 + e)
            t = v.select(x64 < 0.0, e, zeros + 1.0)
            low, high = f.share_bounds(t, recip, f.SHARE_ERROR)
            share, differs = decided(target, low, high)
            store_part(target, i, count, share)
            uncertain |= differs
        marks[piece] = uncertain
