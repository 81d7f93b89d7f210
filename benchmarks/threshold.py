"""Measure from which size threads are faster: `python -m benchmarks.threshold`.

Times softmax with one thread and with all of them, in turn, for arrays of growing
size, and writes the ratios to benchmarks/threshold.md. `MIN_PARALLEL_SIZE` in
`_layout` is the first size from which on all threads are faster in every shape.
"""

import statistics
import time
from pathlib import Path

import numpy as np

from softmax_lib import _layout, softmax

SIZES = sorted([1 << k for k in range(12, 22)] + [3 << 13, 3 << 14])
ROWS = (10, 100, 1000)
ROUNDS = 101


def seconds(x, out, min_parallel):
    """Return the time of one call with `min_parallel` as the least size for threads."""
    _layout.MIN_PARALLEL_SIZE = min_parallel
    start = time.perf_counter()
    softmax(x, out=out)
    return time.perf_counter() - start


def ratio(size, n):
    """Return the time with one thread over the time with all, for rows of n."""
    x = np.random.default_rng(1).normal(size=(size // n, n)).astype(np.float32)
    out = np.empty_like(x)
    for min_parallel in (0, x.size + 1):
        seconds(x, out, min_parallel)
    rounds = [seconds(x, out, x.size + 1) / seconds(x, out, 0) for _ in range(ROUNDS)]
    return statistics.median(rounds)


def main():
    """Measure, write the table, and show it."""
    lines = [
        "Time with one thread over time with all, softmax of float32, by size.\n",
        "| numbers | " + " | ".join(f"rows of {n}" for n in ROWS) + " |",
        "| ---: |" + " ---: |" * len(ROWS),
    ]
    for size in SIZES:
        found = " | ".join(f"{ratio(size, n):.2f}" for n in ROWS)
        lines.append(f"| {size} | {found} |")
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "threshold.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
