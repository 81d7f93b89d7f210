"""Every threshold of sizes, and the layout that suits a shape: plain integers only.

Python and compiled code both call these functions, so that a call inside ``@njit`` is
done as the same call from Python is.
"""

from collections import namedtuple

import llvmlite.binding
from numba import config
from numba.extending import register_jitable

# --- the machine -----------------------------------------------------------------


def has_wide_registers():
    """Return whether Numba compiles for AVX-512: 32 registers of 512 bits."""
    if config.CPU_FEATURES is not None:
        return "+avx512f" in config.CPU_FEATURES
    return bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))


# One cache line, and the longest vector of today's processors.
VECTOR_BYTES = 64

# Stack memory for one tile. Two of these fit in half a MiB, the stack of a thread on
# macOS and the smallest one in use.
STACK_BYTES = 200 << 10

# Half of the smallest first-level cache in use: a block of a row is read several
# times.
BLOCK_BYTES = 1 << 14

# So many terms are added up in one lane, as in a block.
MAX_LANE_TERMS = BLOCK_BYTES // VECTOR_BYTES

# A row of this size stays in the second-level cache while it is worked on.
IN_CACHE_BYTES = 1 << 19

# Linux gives large arrays pages of this size.
PAGE_BYTES = 2 << 20

# Entries that the elementwise functions write between two looks for a new page.
PAGE_INTERVAL = 1 << 14

# --- threads ---------------------------------------------------------------------

# Smaller calls finish on one thread before the others have woken up
# (benchmarks/threshold.md).
MIN_PARALLEL_SIZE = 1 << 15

# Numba schedules statically, in equal runs of tasks. With several tasks for each
# thread, a task that is smaller than the others matters less.
TASKS_PER_THREAD = 4

# A chunk of a split row has at least two blocks.
MIN_CHUNK = 8192

# Cross-entropy of many short rows takes up to this many times as long as softmax.
MAX_LOSS_COST = 16

# --- rows ------------------------------------------------------------------------

# Shorter rows are not worth aligning: the vectors of a row are whole cache lines only
# if some of its first numbers are done separately.
MIN_ALIGNED_VECTORS = 12

# Rows up to this length are done as columns, 16 or 8 side by side, if there are enough
# of them: along a short row most lanes would idle, and its sum and quotient would cost
# more than its terms. Columns need more registers than AVX2 has
# (benchmarks/short_rows.md).
MAX_SHORT_ROW = 160 if has_wide_registers() else 128

# --- columns ---------------------------------------------------------------------

# Bytes of a tile that leave room for its result in the first-level cache.
L1_BUDGET = 1 << 14

# More cache lines side by side than this gain nothing.
MAX_TILE_LINES = 16

# The longest slices of which a vector fits on the stack, with a square to spare.
MAX_PACKED_LENGTH = STACK_BYTES // VECTOR_BYTES - 16

# Cache lines of a set that a tile may fill; its result needs as many of the eight.
TILE_WAYS = 4

# Lines this many bytes apart fall into the same set of the first and second level.
L1_SET_STRIDE, L2_SET_STRIDE = 4096, 65536

# Blocked columns pay for arrays that the caches cannot hold from one pass to the next,
# if this many cache lines lie side by side.
MIN_BLOCKED_BYTES = 1 << 23
MIN_BLOCKED_LINES = 3

# Rows of a block: with MAX_TILE_LINES cache lines in each, it is L1_BUDGET large.
BLOCK_ROWS = 16

# --- the choice ------------------------------------------------------------------

ROWS, COLUMNS, BLOCKED_COLUMNS = range(3)
LAYOUT_NAMES = "rows", "columns", "blocked_columns"


# How a kernel goes through an array that is read as (outer, n, inner). Neighbouring
# slices lie `slice_stride` apart, and a tile is `tile_width` of them. `tasks` is the
# number of rows or tiles.
Plan = namedtuple("Plan", "layout n inner slice_stride tile_width tasks")


def ceil_div(a, b):
    """Return a / b, rounded up."""
    return (a + b - 1) // b


def use_columns(n, rows):
    """Return whether rows of n numbers are done as columns."""
    return n <= MAX_SHORT_ROW and rows >= 4 + n // 16


def needs_packing(n, inner, slice_stride, itemsize):
    """Return whether tiles are copied to the stack, or worked on where they are.

    Rows done as columns are always copied. Other tiles are, if the power of two between
    their rows lets the caches keep too few of their lines.
    """
    if slice_stride != 1:
        return True
    step = inner * itemsize
    even = max(step & -step, VECTOR_BYTES)
    if n * VECTOR_BYTES <= L1_BUDGET:
        return n * even > TILE_WAYS * L1_SET_STRIDE
    return n * even > TILE_WAYS * L2_SET_STRIDE and n <= MAX_PACKED_LENGTH


def tile_width(n, inner, packed, itemsize):
    """Return the number of neighbouring slices in a tile."""
    per_line = VECTOR_BYTES // itemsize
    if not packed:
        return per_line
    # As many cache lines side by side as the first-level cache holds; if it holds none,
    # as many as the stack does, since each line is then on another page.
    slice_bytes = ceil_div(max(n, 1), per_line) * per_line * VECTOR_BYTES
    lines = L1_BUDGET // slice_bytes or STACK_BYTES // slice_bytes
    return per_line * min(lines, MAX_TILE_LINES, ceil_div(inner, per_line))


def is_blocked(n, inner, itemsize):
    """Return whether columns are done in blocks of rows."""
    large = n > MAX_PACKED_LENGTH and n * inner * itemsize >= MIN_BLOCKED_BYTES
    return large and inner * itemsize > (MIN_BLOCKED_LINES - 1) * VECTOR_BYTES


def blocked_width(inner, itemsize, max_lines):
    """Return the number of neighbouring slices in a tile of blocked columns."""
    per_line = VECTOR_BYTES // itemsize
    return per_line * min(max_lines, MAX_TILE_LINES, ceil_div(inner, per_line))


def plan(outer, n, inner, itemsize, may_block, in_place=False):
    """Return the plan for slices of n numbers in an array read as (outer, n, inner).

    In place, columns are packed or blocked: both read the scores before they write.
    """
    slice_stride = 1
    if inner == 1:
        if not use_columns(n, outer):
            return Plan(ROWS, n, 1, n, 1, outer)
        outer, inner, slice_stride = 1, outer, n
    must_block = in_place and n > MAX_PACKED_LENGTH
    if may_block and (must_block or is_blocked(n, inner, itemsize)):
        layout = BLOCKED_COLUMNS
        width = blocked_width(inner, itemsize, MAX_TILE_LINES)
    else:
        layout = COLUMNS
        packed = needs_packing(n, inner, slice_stride, itemsize)
        width = tile_width(n, inner, packed, itemsize)
    return Plan(layout, n, inner, slice_stride, width, outer * ceil_div(inner, width))


for _choice in (
    ceil_div, use_columns, needs_packing, tile_width, is_blocked, blocked_width, plan
):  # fmt: skip
    register_jitable(_choice)


def shape_arguments(plan):
    """Return the arguments of a kernel between arrays and tasks."""
    return plan[1:2] if plan.layout == ROWS else plan[1:5]


def is_split(rows, n, threads):
    """Return whether rows are too few for the threads, and long enough to be split."""
    return n >= MIN_PARALLEL_SIZE and rows < 2 * threads


def count_chunks(n, threads):
    """Return the number of chunks of a row that is split for several threads."""
    return min(n // MIN_CHUNK, TASKS_PER_THREAD * threads)


def narrower(blocked, outer, itemsize, threads):
    """Return a plan of blocked columns with tiles enough for all threads.

    A tile keeps at least two cache lines side by side.
    """
    inner = blocked.inner
    lines = outer * inner * itemsize // (VECTOR_BYTES * TASKS_PER_THREAD * threads)
    width = blocked_width(inner, itemsize, max(2, lines))
    return blocked._replace(tile_width=width, tasks=outer * ceil_div(inner, width))
