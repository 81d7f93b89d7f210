"""Measure the library beside its peers, in interleaved rounds.

Usage: python -m benchmarks.speed [--threads N] [--budget S] [--json FILE] [words...]

Words select cells: "softmax float32 out (1000," runs those whose description has
all of them. In each round every contender runs once (or repeatedly for 100 us), in
random order, so that a disturbance affects all alike. The result is the median over
the rounds.

Thread pools spin for a while after a call, some for 50 ms, and leave fewer processors
to the next library. Programs that use one library do not have this problem. So with
several threads a turn starts when the other pools are asleep, with warm-up calls that
wake the contender's own.

Two copies of the array run beside the libraries: NumPy's, on one thread, and with
several threads one made by as many.
"""

import argparse
import json
import math
import random
import resource
import statistics
import sys
import time

import numpy as np
from numba import njit, prange

from benchmarks.peers import contenders

GRID = [
    ((10,), -1),
    ((32, 10), -1),
    ((1000, 10), -1),
    ((20000, 10), -1),
    ((128, 100), -1),
    ((64, 1000), -1),
    ((1024, 1024), -1),
    ((128, 32000), -1),
    ((16, 128256), -1),
    ((4096, 4096), -1),
    ((1, 5_000_000), -1),
    ((1000, 64), 0),
    ((1024, 1024), 0),
    ((8, 21, 96, 96), 1),
]


# The number of passes over the grid.
PASSES = 3

COPIES = ("copy", "threaded copy")

# Seconds: how long all threads have to be idle before a turn, the longest wait for
# that, and the duration of the warm-up calls, which do not count.
REST, PATIENCE, WARMING = 5e-3, 1.0, 5e-3

# Seconds for which a short call is repeated in a turn, on one thread and on several.
TURN, TURN_OF_THREADS = 1e-4, 1e-3


def rounds_of(calls, budget, threads=1):
    """Return {name: seconds of one call in each round}."""
    turn = TURN if threads == 1 else TURN_OF_THREADS
    for call in calls.values():
        call()
    # The repeats follow from the fastest of a few calls. First calls are slow, and with
    # the few repeats that follow from those, cold caches would dominate.
    repeats = {
        name: max(1, min(1000, int(turn / max(min(_times(call, 20, 0.1)), 1e-7))))
        for name, call in calls.items()
    }
    times = {name: [] for name in calls}
    order = list(calls)
    end = time.perf_counter() + budget
    while len(times[order[0]]) < 5 or time.perf_counter() < end:
        random.shuffle(order)
        for name in order:
            call, n = calls[name], repeats[name]
            if threads > 1:
                _sleep_until_others_do()
                _times(call, math.inf, WARMING)
            begin = time.perf_counter()
            for _ in range(n):
                call()
            times[name].append((time.perf_counter() - begin) / n)
    return times


def _sleep_until_others_do():
    worked = REST
    end = time.perf_counter() + PATIENCE
    while worked > REST / 10 and time.perf_counter() < end:
        begin = time.process_time()
        time.sleep(REST)
        worked = time.process_time() - begin


def _times(call, most, budget):
    """Return the seconds of each call, for `most` calls or as the budget allows."""
    times = []
    end = time.perf_counter() + budget
    while len(times) < 2 or (len(times) < most and time.perf_counter() < end):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return times


def cells(words):
    """Yield (name, dtype, shape, axis, mode) of the grid that contain all words."""
    for name in ("softmax", "log_softmax", "logsumexp"):
        for dtype in ("float32", "float64"):
            for shape, axis in GRID:
                for mode in ("fresh", "out"):
                    text = f" {name} {dtype} {shape} axis {axis} {mode} "
                    if all(word in text for word in words):
                        yield name, dtype, shape, axis, mode


def measure(words, threads, budget):
    """Return a list of results, one dictionary per cell; print each.

    There are several passes over all cells, since disturbances can outlast a cell.
    """
    found = {cell: {} for cell in cells(words)}
    for _ in range(PASSES):
        for cell, times in found.items():
            for contender, some in _times_of(cell, threads, budget / PASSES).items():
                times.setdefault(contender, []).extend(some)
    return [_result(cell, threads, times) for cell, times in found.items() if times]


def _times_of(cell, threads, budget):
    """Return {contender: seconds of its calls}, empty if there can be no `out`."""
    name, dtype, shape, axis, mode = cell
    x = np.random.default_rng(0).normal(0, 5, shape).astype(dtype)
    out = None
    if mode == "out":
        out = np.empty_like(x) if name != "logsumexp" else x.max(axis=axis)
        if out.ndim == 0:
            return {}
    calls = contenders(name, x, axis, threads, out)
    target = np.empty_like(x)
    calls["copy"] = lambda: np.copyto(target, x)
    if threads > 1:
        flat, flat_target = x.reshape(-1), target.reshape(-1)
        calls["threaded copy"] = lambda: _threaded_copy(flat_target, flat)
    return rounds_of(calls, budget, threads)


@njit(parallel=True)
def _threaded_copy(target, x):
    for i in prange(x.size):
        target[i] = x[i]


def _result(cell, threads, times):
    """Print the result of a cell and return it as a dictionary."""
    name, dtype, shape, axis, mode = cell
    middle = {c: statistics.median(t) for c, t in times.items()}
    others = {c: m for c, m in middle.items() if c not in ("softmax_lib", *COPIES)}
    best = min(others, key=others.get)
    ratio = others[best] / middle["softmax_lib"]
    per = 1e9 / math.prod(shape)
    line = " ".join(f"{c}={m * per:.3f}" for c, m in middle.items())
    print(
        f"{ratio:6.2f} {name:11} {dtype} {shape!s:18} {axis:2} {mode:5} [{line}] ns",
        flush=True,
    )
    return {
        "function": name,
        "dtype": dtype,
        "shape": shape,
        "axis": axis,
        "mode": mode,
        "threads": threads,
        "median": middle,
        "spread": {c: _spread(t) for c, t in times.items()},
        "fastest_peer": best,
        "ratio": ratio,
        "copies": middle["softmax_lib"] / middle["copy"],
    }


def by_size(budget):
    """Return [size, {contender: seconds}] for rows of a thousand, on one thread."""
    rng = np.random.default_rng(0)
    lines = []
    for size in (10**3, 10**4, 10**5, 10**6, 10**7, 10**8):
        x = rng.standard_normal((size // 1000, 1000), np.float32)
        calls = contenders("softmax", x, -1, 1)
        target = np.empty_like(x)
        calls["copy"] = lambda target=target, x=x: np.copyto(target, x)
        times = rounds_of(calls, budget)
        lines.append([size, {c: statistics.median(t) for c, t in times.items()}])
        print(size, {c: round(1e9 * t / size, 3) for c, t in lines[-1][1].items()})
    return lines


def new_pages(rounds=5):
    """Return {contender: new pages of memory per call, for a result of 40 MB}."""
    x = np.random.default_rng(0).standard_normal((10**4, 1000), np.float32)
    pages = {}
    for name, call in contenders("softmax", x, -1, 1).items():
        call()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(rounds):
            call()
        after = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        pages[name] = (after - before) / rounds
    print("new pages:", pages)
    return pages


def _spread(times):
    quarter = statistics.quantiles(times, n=4)
    return (quarter[2] - quarter[0]) / quarter[1]


def main():
    """Measure the selected cells, print them, and write them to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=float, default=0.5, help="seconds a cell")
    parser.add_argument("--json")
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    results = measure(arguments.words, arguments.threads, arguments.budget)
    if not results:
        sys.exit("no cell has all those words")
    ratios = [r["ratio"] for r in results]
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"fastest peer / ours: geometric mean {mean:.2f}, least {min(ratios):.2f}")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
