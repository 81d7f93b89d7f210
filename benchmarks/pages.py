"""Measure the cost of new memory, by the part of a page that is touched first.

Usage: python -m benchmarks.pages. Fills new arrays in order, in pages of 2 MB, after
touching nothing, the start, or the end of each page, and also an array that has its
memory already. Writes the times relative to the latter to benchmarks/pages.md. The
last column is why the library touches the end of each page of a large result first.
"""

import random
import statistics
import time
from pathlib import Path

import numpy as np

from softmax_lib._layout import PAGE_BYTES

MEGABYTES = (8, 32, 64, 128, 256)
ROUNDS = 31


def fill(memory, touched):
    """Write to all of `memory` in order, in each page to index `touched` first."""
    first = -memory.ctypes.data % PAGE_BYTES
    memory[:first] = 1
    for start in range(first, memory.size, PAGE_BYTES):
        page = memory[start : start + PAGE_BYTES]
        if touched is not None:
            page[touched] = 1
        page[:] = 1


def seconds(size, touched, memory=None):
    """Return the time to fill a new array, or a given one."""
    begin = time.perf_counter()
    fill(np.empty(size, np.uint8) if memory is None else memory, touched)
    return time.perf_counter() - begin


def times(size):
    """Return the times with nothing, starts, and ends touched, as ratios."""
    old = np.ones(size, np.uint8)
    ways = [(None, old), (None, None), (0, None), (-1, None)]
    rounds = {way: [] for way in range(len(ways))}
    for _ in range(ROUNDS):
        for way in random.sample(range(len(ways)), len(ways)):
            touched, memory = ways[way]
            rounds[way].append(seconds(size, touched, memory))
    filling, *others = (statistics.median(found) for found in rounds.values())
    return [other / filling for other in others]


def main():
    """Measure, write the table, and show it."""
    lines = [
        "Time to fill a new array over time to fill one that has its memory.\n",
        "| MB | nothing touched before | starts of pages | ends of pages |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for megabytes in MEGABYTES:
        found = " | ".join(f"{ratio:.2f}" for ratio in times(megabytes << 20))
        lines.append(f"| {megabytes} | {found} |")
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "pages.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
