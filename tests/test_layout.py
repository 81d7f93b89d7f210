"""The layout of a shape: both sides of each threshold, and the same from @njit."""

import itertools

import numpy as np
import pytest
from numba import njit

from softmax_lib import _layout
from softmax_lib._layout import (
    BLOCKED_COLUMNS,
    COLUMNS,
    L1_SET_STRIDE,
    L2_SET_STRIDE,
    MAX_PACKED_LENGTH,
    MAX_SHORT_ROW,
    MAX_TILE_LINES,
    MIN_BLOCKED_BYTES,
    MIN_PARALLEL_SIZE,
    ROWS,
    STACK_BYTES,
    TASKS_PER_THREAD,
    TILE_WAYS,
    VECTOR_BYTES,
)

ITEMSIZES = [4, 8]
each_itemsize = pytest.mark.parametrize("itemsize", ITEMSIZES)

LENGTHS = [1, 2, 15, 16, 17, 31, 64, 160, 161, 255, 256, 257, 1024, 1025, 3183, 3184]
LENGTHS += [3185, 5000, 70_000]
INNERS = [1, 2, 7, 8, 9, 16, 17, 32, 33, 48, 49, 64, 512, 513, 1024, 4096]
OUTERS = [1, 3, 4, 5, 6, 13, 14, 40, 1000]


def shapes():
    return itertools.product(OUTERS, LENGTHS, INNERS, ITEMSIZES, [False, True])


def test_compiled_code_gets_the_same_plans():
    compiled = njit(lambda *shape: _layout.plan(*shape))
    layouts = set()
    for shape in shapes():
        plan = _layout.plan(*shape)
        assert tuple(compiled(*shape)) == tuple(plan)
        layouts.add(plan.layout)
    assert layouts == {ROWS, COLUMNS, BLOCKED_COLUMNS}


@pytest.mark.parametrize("a", [0, 1, 7, 8, 9, 1 << 40])
@pytest.mark.parametrize("b", [1, 2, 8, 63])
def test_ceil_div(a, b):
    rounded = _layout.ceil_div(a, b)
    assert (rounded - 1) * b < a <= rounded * b


# --- rows ------------------------------------------------------------------------


@each_itemsize
def test_short_rows_are_columns_if_there_are_enough(itemsize):
    for n in (1, 15, 16, MAX_SHORT_ROW - 1, MAX_SHORT_ROW):
        enough = 4 + n // 16
        rows = _layout.plan(enough - 1, n, 1, itemsize, True)
        assert rows == (ROWS, n, 1, n, 1, enough - 1)
        columns = _layout.plan(enough, n, 1, itemsize, True)
        assert columns[:4] == (COLUMNS, n, enough, n)
    longer = MAX_SHORT_ROW + 1
    assert _layout.plan(10**6, longer, 1, itemsize, True).layout == ROWS


def test_rows_are_split_if_they_are_long_and_few():
    long = MIN_PARALLEL_SIZE
    assert _layout.is_split(1, long, 2) and _layout.is_split(3, long, 2)
    assert not _layout.is_split(4, long, 2)
    assert not _layout.is_split(3, long - 1, 2)


def test_chunks_of_split_rows():
    fewest = _layout.MIN_CHUNK * 2 * TASKS_PER_THREAD
    for n, chunks in ((fewest, 8), (fewest - 1, 7), (10 * fewest, 8)):
        assert _layout.count_chunks(n, 2) == chunks
    assert _layout.count_chunks(MIN_PARALLEL_SIZE, 64) >= 2


# --- tiles -----------------------------------------------------------------------


def is_crowded(n, step, stride):
    """Return whether n lines, `step` bytes apart, fill some set of a cache too much."""
    sets = [k * step % stride // VECTOR_BYTES for k in range(n)]
    return max(map(sets.count, set(sets))) > TILE_WAYS


@each_itemsize
def test_tiles_that_crowd_some_set_of_a_cache_are_packed(itemsize):
    packed = []
    for lines in (1, 2, 3, 5, 8, 16, 24, 32, 64, 96, 512, 1024, 3072):
        step = lines * VECTOR_BYTES
        # Up to 256 lines fit in the first level, more of them in the second.
        for stride, lengths in (
            (L1_SET_STRIDE, [1, 3, 4, 5, 8, 9, 16, 17, 64, 65, 128, 129, 255, 256]),
            (L2_SET_STRIDE, [257, 512, 513, 1024, 1025, 2048, 2049, MAX_PACKED_LENGTH]),
        ):
            for n in lengths:
                got = _layout.needs_packing(n, step // itemsize, 1, itemsize)
                crowded = is_crowded(n, step, stride)
                assert got or not crowded
                if step & -step <= stride:
                    assert got == crowded
                packed.append(got)
    assert 0 < sum(packed) < len(packed)


@each_itemsize
def test_slices_longer_than_the_stack_are_not_packed(itemsize):
    inner = L2_SET_STRIDE // itemsize
    assert _layout.needs_packing(MAX_PACKED_LENGTH, inner, 1, itemsize)
    assert not _layout.needs_packing(MAX_PACKED_LENGTH + 1, inner, 1, itemsize)


@each_itemsize
def test_rows_done_as_columns_are_packed(itemsize):
    for n in range(2, MAX_SHORT_ROW + 1):
        assert _layout.needs_packing(n, 5, n, itemsize)


def block_bytes(plan, itemsize):
    """Return the size of a packed tile: whole vectors of slices and of rows."""
    per_line = VECTOR_BYTES // itemsize
    rows = plan.n
    if plan.slice_stride != 1:
        rows = _layout.ceil_div(rows, per_line) * per_line
    return rows * plan.tile_width * itemsize


def test_a_packed_tile_fits_on_the_stack():
    largest = 0
    for shape in shapes():
        itemsize = shape[3]
        plan = _layout.plan(*shape)
        if plan.layout != COLUMNS:
            continue
        assert plan.tile_width % (VECTOR_BYTES // itemsize) == 0
        assert 1 <= plan.tile_width * itemsize // VECTOR_BYTES <= MAX_TILE_LINES
        tile = plan.n, plan.inner, plan.slice_stride
        if _layout.needs_packing(*tile, itemsize):
            size = block_bytes(plan, itemsize)
            assert size <= STACK_BYTES
            largest = max(largest, size)
    assert largest > STACK_BYTES // 2


def test_the_longest_packed_slices_fit_on_the_stack():
    for itemsize, inner in itertools.product(ITEMSIZES, (16, 1 << 14)):
        width = _layout.tile_width(MAX_PACKED_LENGTH, inner, True, itemsize)
        assert width * itemsize == VECTOR_BYTES
        assert MAX_PACKED_LENGTH * VECTOR_BYTES <= STACK_BYTES


@each_itemsize
def test_one_vector_fits_where_slices_are_worked_on(itemsize):
    for n, inner in ((10, 5), (300, 4096), (10**6, 3)):
        assert _layout.tile_width(n, inner, False, itemsize) == VECTOR_BYTES // itemsize


def test_arguments_of_kernels():
    rows = _layout.plan(2, 1000, 1, 8, True)
    assert _layout.shape_arguments(rows) == (1000,)
    for shape in ((3, 20, 5, 8, True), (1, 70_000, 100, 8, True)):
        plan = _layout.plan(*shape)
        expected = plan.n, plan.inner, plan.slice_stride, plan.tile_width
        assert _layout.shape_arguments(plan) == expected


def starts_of_slices(plan, outer):
    """Return where each slice of each tile begins, as the kernels go through them."""
    found = []
    if plan.layout == ROWS:
        return [row * plan.n for row in range(plan.tasks)]
    across = _layout.ceil_div(plan.inner, plan.tile_width)
    for tile in range(plan.tasks):
        first = tile % across * plan.tile_width
        begin = tile // across * plan.n * plan.inner + first * plan.slice_stride
        count = min(plan.tile_width, plan.inner - first)
        assert count > 0
        found += [begin + k * plan.slice_stride for k in range(count)]
    return found


def test_tiles_hold_every_slice_once():
    seen = set()
    for outer, n, inner, itemsize, may_block in shapes():
        if outer * inner > 6000:
            continue
        plan = _layout.plan(outer, n, inner, itemsize, may_block)
        every = np.arange(outer)[:, None] * n * inner + np.arange(inner)
        assert starts_of_slices(plan, outer) == every.ravel().tolist()
        seen.add(plan.layout)
    assert seen == {ROWS, COLUMNS, BLOCKED_COLUMNS}


# --- blocked columns -------------------------------------------------------------


@each_itemsize
def test_large_columns_are_blocked(itemsize):
    inner = 3 * VECTOR_BYTES // itemsize
    n = MIN_BLOCKED_BYTES // (inner * itemsize) + 1
    assert n > MAX_PACKED_LENGTH
    assert _layout.is_blocked(n, inner, itemsize)
    assert not _layout.is_blocked(n - 1, inner, itemsize)
    lines = 2 * VECTOR_BYTES // itemsize
    assert not _layout.is_blocked(10 * n, lines, itemsize)
    assert _layout.is_blocked(10 * n, lines + 1, itemsize)
    wide = MIN_BLOCKED_BYTES
    assert not _layout.is_blocked(MAX_PACKED_LENGTH, wide, itemsize)
    assert _layout.is_blocked(MAX_PACKED_LENGTH + 1, wide, itemsize)
    plans = [_layout.plan(1, n, inner, itemsize, may) for may in (True, False)]
    assert [plan.layout for plan in plans] == [BLOCKED_COLUMNS, COLUMNS]


@each_itemsize
def test_long_columns_are_blocked_in_place_however_few(itemsize):
    # Worked on where they are, they would be overwritten before they are read again.
    for more, layout in ((0, COLUMNS), (1, BLOCKED_COLUMNS)):
        shape = 1, MAX_PACKED_LENGTH + more, 2, itemsize, True
        assert _layout.plan(*shape, in_place=True).layout == layout
        assert _layout.plan(*shape).layout == COLUMNS


@each_itemsize
def test_blocked_width(itemsize):
    per_line = VECTOR_BYTES // itemsize
    for inner, most, lines in ((1, 9, 1), (40 * per_line, 9, 9), (10**6, 99, 16)):
        assert _layout.blocked_width(inner, itemsize, most) == lines * per_line
    assert _layout.blocked_width(2 * per_line + 1, itemsize, 9) == 3 * per_line


@each_itemsize
def test_narrower_tiles_are_enough_for_all_threads(itemsize):
    per_line = VECTOR_BYTES // itemsize
    narrowed = 0
    for outer, inner, threads in itertools.product(
        (1, 2, 5), (49, 64, 310, 1024, 5000), (1, 2, 8, 64)
    ):
        blocked = _layout.plan(outer, 70_000, inner, itemsize, True)
        assert blocked.layout == BLOCKED_COLUMNS
        plan = _layout.narrower(blocked, outer, itemsize, threads)
        assert plan.tasks >= blocked.tasks
        across = _layout.ceil_div(inner, plan.tile_width)
        assert plan.tasks == outer * across
        assert plan._replace(tile_width=0, tasks=0) == blocked._replace(
            tile_width=0, tasks=0
        )
        lines = plan.tile_width // per_line
        assert plan.tile_width % per_line == 0 and 2 <= lines <= MAX_TILE_LINES
        assert lines == 2 or plan.tasks >= TASKS_PER_THREAD * threads
        narrowed += plan.tasks > blocked.tasks
    assert narrowed
