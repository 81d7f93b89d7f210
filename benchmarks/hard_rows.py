"""Rows of scores that are described by a few numbers, and changes of those."""

import math
from typing import NamedTuple

import numpy as np

from softmax_lib import _layout

LAYOUTS = ["row", "rows", "columns", "blocked"]

# The smallest share that is a normal number is exp of minus this.
DEPTH = {np.float32: 87.3, np.float64: 708.4}
UNSHIFTED = {np.float32: 500.0, np.float64: 1600.0}
# Numbers in an array: more would take too long.
MAX_SIZE = 3_000_000
# The fewest and the most neighbours of a layout: blocked columns are at least 3 lines.
SIDE_BY_SIDE = {"row": (1, 1), "rows": (1, 20), "columns": (2, 17), "blocked": (33, 33)}


class Row(NamedTuple):
    """What a row is made from."""

    n: int = 1000
    winners: int = 1  # how many scores are equal to the largest
    place: float = 0.0  # of the winners: 0 is first, 1 is last
    gap: float = 10.0  # from the winners to the others
    spread: float = 0.0  # standard deviation of the others
    deep: float = 0.0  # part of the others that are lower
    drop: float = 0.0  # by so much
    offset: float = 0.0  # of all scores: the winners
    seed: int = 0
    layout: str = "row"


def scores(row, dtype):
    """Return the scores of a row."""
    rng = np.random.default_rng(row.seed)
    x = np.full(row.n, row.offset - row.gap)
    if row.spread:
        x += row.spread * rng.standard_normal(row.n)
    if row.deep:
        x[: int(row.deep * row.n)] -= row.drop
        x = np.roll(x, row.seed % row.n)
    winners = max(1, min(row.winners, row.n))
    first = int(row.place * (row.n - winners))
    x[first : first + winners] = row.offset
    return x.astype(dtype)


def _length(rng, dtype):
    size = np.dtype(dtype).itemsize
    parts = [64, _layout.BLOCK_BYTES, _layout.IN_CACHE_BYTES]
    borders = [part // size for part in parts]
    borders += [_layout.MAX_SHORT_ROW, _layout.MAX_PACKED_LENGTH]
    borders += [_layout.MIN_CHUNK, _layout.MIN_PARALLEL_SIZE]
    kind = rng.integers(4)
    if kind == 0:
        near = rng.choice(borders) * rng.choice([1, 1, 1, 2, 3, 4])
        return max(2, int(near + rng.integers(-20, 21)))
    return int(10 ** rng.uniform(0.3, [2, 5, math.log10(MAX_SIZE)][kind - 1]))


def _gap(rng, row, dtype):
    kind = rng.integers(5)
    if kind == 0:
        return float(rng.uniform(0, 1.2 * DEPTH[dtype]))
    if kind == 1:
        # The others together have about the share e^-k.
        digits = -np.log(np.finfo(dtype).eps)
        return math.log(row.n) + float(rng.uniform(-2, 1.2 * digits))
    if kind == 2:
        # Shares near the smallest normal number.
        return DEPTH[dtype] + float(rng.normal(0, 3))
    return abs(row.gap + float(rng.normal() * 10.0 ** rng.integers(-4, 2)))


def _offset(rng, row, dtype):
    limit = UNSHIFTED[dtype] * rng.choice([-1, 1])
    near = limit + rng.normal() * 10.0 ** rng.integers(-4, 3)
    small = rng.normal() * 10.0 ** rng.integers(-4, 2)
    moved = row.offset + rng.normal() * 10.0 ** rng.integers(-4, 2)
    large = rng.uniform(-1, 1) * 10.0 ** rng.integers(1, 6)
    return float(rng.choice([0.0, near, small, moved, large]))


CHANGES = {
    "n": lambda rng, row, dtype: _length(rng, dtype),
    "winners": lambda rng, row, dtype: int(rng.choice([1, 1, 2, 3, 16, row.n // 2])),
    "place": lambda rng, row, dtype: float(rng.choice([0.0, 1.0, rng.uniform()])),
    "gap": _gap,
    "spread": lambda rng, row, dtype: float(rng.choice([0, 10 ** rng.uniform(-7, 1)])),
    "deep": lambda rng, row, dtype: float(rng.choice([0, rng.uniform()])),
    "drop": lambda rng, row, dtype: float(rng.uniform(0, 0.5 * DEPTH[dtype])),
    "offset": _offset,
    "seed": lambda rng, row, dtype: int(rng.integers(1 << 30)),
    "layout": lambda rng, row, dtype: str(rng.choice(LAYOUTS)),
}
OFTEN = ["gap", "gap", "n", "offset", "spread"]


def changed(rng, row, dtype, times=1):
    """Return a row with some properties changed, not too large."""
    for _ in range(times):
        name = rng.choice([*CHANGES, *OFTEN])
        row = row._replace(**{name: CHANGES[name](rng, row, dtype)})
    return row._replace(n=max(2, min(row.n, MAX_SIZE // SIDE_BY_SIDE[row.layout][0])))
