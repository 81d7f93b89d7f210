"""Find up to which length rows are done faster as columns than along the vectors.

Usage: python -m benchmarks.short_rows

It prints a table for `_layout.MAX_SHORT_ROW`: the time of a row along the vectors over
that of the same row as a column, on one thread, medians of interleaved runs. Other
processors are imitated by NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, as in `make portable`.
"""

import time

import numpy as np

from softmax_lib import _layout
from softmax_lib._kernels import operations

LENGTHS = [8, 12, 16, 24, 32, 40, 48, 56, 64, 80, 96, 128, 160, 200, 256]
NUMBERS = 1 << 15
RUNS = 41


def seconds(function, *arguments):
    """Return how long one of several calls takes."""
    begin = time.perf_counter()
    for _ in range(8):
        function(*arguments)
    return time.perf_counter() - begin


def ratio(kernels, n, dtype):
    """Return the time along the vectors over that as columns."""
    rows = NUMBERS // n
    x = np.random.default_rng(n).normal(0, 3, rows * n).astype(dtype)
    out, itemsize = np.empty_like(x), np.dtype(dtype).itemsize
    width = _layout.tile_width(n, rows, True, itemsize)
    along = kernels.rows, x, out, n, 0, rows
    across = kernels.columns, x, out, n, rows, n, width, 0, -(-rows // width)
    seconds(*along)
    seconds(*across)
    times = [(seconds(*along), seconds(*across)) for _ in range(RUNS)]
    return float(np.median([a / b for a, b in times]))


def main():
    """Print the table."""
    print("| numbers a row | " + " | ".join(map(str, LENGTHS)) + " |")
    print("| --- |" + " --- |" * len(LENGTHS))
    for name in ("softmax", "log_softmax"):
        for dtype in ("float32", "float64"):
            found = [ratio(getattr(operations, name), n, dtype) for n in LENGTHS]
            cells = " | ".join(f"{r:.2f}" for r in found)
            print(f"| {name}, {dtype} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
