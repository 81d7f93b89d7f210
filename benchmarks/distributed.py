"""Measure softmax, log-sum-exp and losses of Dask arrays beside what else there is.

Usage: python -m benchmarks.distributed [GIB]. A cluster of two processes, with a limit
on their memory, works on Zarr arrays in chunks along both axes. Contenders are SciPy's
functions on Dask arrays, xarray-einstats, and formulas written with Dask. Then the time
of a number is measured as arrays grow, and that of a task with next to no numbers in
it. Everything is written to benchmarks/distributed.md.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # Read when SciPy is imported.

import pickle
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import cloudpickle
import dask
import dask.array as da
import numpy as np
import psutil
import zarr
from distributed import Client, LocalCluster

import softmax_lib as sl
import softmax_lib.dask as sd
from benchmarks.dask_peers import WAYS, largest_ulps, references

LIMIT = 640 << 20  # bytes, of each worker
CLASSES, CHUNK = 1 << 17, (256, 1 << 14)
ROUNDS = 3
SURE = 64  # Every so many rows have a label that is sure.


# --- the cluster -----------------------------------------------------------------


def watch(dask_worker):
    """Note the memory of a worker from now on."""
    process = psutil.Process()

    def sample():
        while True:
            dask_worker.most = max(dask_worker.most, process.memory_info().rss)
            time.sleep(0.002)

    dask_worker.most = 0
    threading.Thread(target=sample, daemon=True).start()


def take_costs(dask_worker):
    """Return the most memory since the last time, and the processor's time so far."""
    most, dask_worker.most = dask_worker.most, 0
    return most, time.process_time()


def write_logits(folder, rows):
    """Write normal scores, and labels some of which are sure."""
    rng = da.random.default_rng(0)
    x = rng.normal(0, 5, (rows, CLASSES), chunks=CHUNK).astype(np.float32)
    y = np.random.default_rng(0).integers(0, CLASSES, rows)
    place = zarr.create_array(
        folder / f"{rows}", shape=x.shape, chunks=CHUNK, dtype=x.dtype,
        compressors=None, fill_value=np.nan, overwrite=True,
    )  # fmt: skip
    da.store(x, place, lock=False)
    for row in range(0, rows, SURE):
        place[row, int(y[row])] = 60.0
    return da.from_zarr(place), y


def measure(client, folder, way, x, y):
    """Return time, processor time, peak, tasks, size of the graph, and results."""
    results = way(x, y)
    whole = dask.optimize(*results)[0].__dask_graph__()
    size = len(cloudpickle.dumps(dict(whole)))
    stores = []
    for i, result in enumerate(results):
        shutil.rmtree(folder / f"result{i}", ignore_errors=True)
        chunks = tuple(c[0] for c in result.chunks)
        stores.append(
            zarr.create_array(
                folder / f"result{i}", shape=result.shape, chunks=chunks,
                dtype=result.dtype, compressors=None,
            )
        )  # fmt: skip
    before = client.run(take_costs)
    begin = time.perf_counter()
    da.store(results, stores, lock=False)
    seconds = time.perf_counter() - begin
    after = client.run(take_costs)
    busy = sum(after[worker][1] - before[worker][1] for worker in after)
    peak = max(most for most, _ in after.values())
    return seconds, busy, peak, len(whole), size, stores


def compare(client, folder, x, y):
    """Return the lines of a table for each thing to compute."""
    sample = np.arange(0, x.shape[0], x.shape[0] // 16) // SURE * SURE
    sample = np.unique(np.concatenate([sample, sample + 1]))
    given, labels = x[sample].compute(), y[sample]
    for what, ways in WAYS.items():
        expected = references(what, given, labels)
        found = {name: [] for name in ways}
        for turn in range(ROUNDS + 1):
            for name in random.sample(list(ways), len(ways)):
                one = measure(client, folder, ways[name], x, y)
                rows = [store.oindex[sample] for store in one[-1]]
                worst = max(map(largest_ulps, rows, expected))
                # The first turn compiles, or loads what was compiled.
                found[name] += [(*one[:-1], worst)] if turn else []
                print(what, name, *one[:-1], worst, flush=True)
        middle = {
            name: [statistics.median(row) for row in zip(*rows, strict=True)]
            for name, rows in found.items()
        }
        for name, (wall, busy, peak, tasks, size, worst) in middle.items():
            ratios = wall / middle["ours"][0], busy / middle["ours"][1]
            yield (
                f"| {what} | {name} | {ratios[0]:.2f} | {ratios[1]:.2f} |"
                f" {peak / 2**20:.0f} | {tasks:.0f} | {size / 1000:.0f} |"
                f" {worst:.3g} |"
            )


# --- growth, in one thread -------------------------------------------------------


class Nowhere:
    """An array that forgets what is stored in it."""

    def __setitem__(self, where, what):
        pass


def virtual(shape, chunks):
    """Return scores that cost no time: one block, again and again."""
    block = np.random.default_rng(0).normal(0, 5, chunks).astype(np.float32)
    counts = [(c,) * (n // c) for n, c in zip(shape, chunks, strict=True)]
    meta = np.empty((0, 0), np.float32)
    return da.map_blocks(lambda: block, chunks=counts, dtype=block.dtype, meta=meta)


def seconds_of(way, x):
    """Return the processor time of one of our functions on one thread."""
    results = WAYS[way]["ours"](x, np.zeros(x.shape[0], int))
    begin = time.process_time()
    da.store(results, [Nowhere()] * len(results), lock=False, scheduler="sync")
    return time.process_time() - begin


def growth(shapes):
    """Return lines with nanoseconds a number for arrays of shapes and chunks."""
    cases = [(way, *shape) for way in WAYS for shape in shapes]
    times = {case: [] for case in cases}
    for _ in range(ROUNDS):
        for case in random.sample(cases, len(cases)):
            times[case].append(seconds_of(case[0], virtual(*case[1:])))
    for shape, chunks in shapes:
        cells = [f"{shape[0] * shape[1]:.0e}", f"{shape[1] // chunks[1]}"]
        for way in WAYS:
            seconds = min(times[way, shape, chunks])
            cells.append(f"{1e9 * seconds / (shape[0] * shape[1]):.2f}")
        print(*cells, flush=True)
        yield f"| {' | '.join(cells)} |"


def microseconds_a_chunk(client):
    """Return the cost of a chunk of one number, here and on the cluster."""
    count, found = 1000, {}
    x = da.zeros((1, count), chunks=(1, 1))
    for name, scheduler in (("one thread", "sync"), ("cluster", client)):
        get = {"scheduler": scheduler}
        found[name] = min(
            timed(lambda get=get: dask.compute(sd.logsumexp(x), **get))
            for _ in range(ROUNDS)
        )
    return {name: 1e6 * seconds / count for name, seconds in found.items()}


def timed(function):
    """Return the time of a call."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


# --- on paper --------------------------------------------------------------------

NUMBERS, WORKERS, SLICES, BYTES_A_SECOND = 1e13, 1000, 1000, 1e9
CHUNK_NUMBERS = 1e7


def estimate(nanoseconds, microseconds, bytes_a_slice):
    """Return lines about the log-sum-exp of more numbers than we have."""
    chunks = NUMBERS / CHUNK_NUMBERS
    computing = NUMBERS * nanoseconds * 1e-9 / WORKERS
    # Up a tree whose nodes have four branches.
    total_bytes = 4 / 3 * chunks * SLICES * bytes_a_slice
    sending, speed = total_bytes / WORKERS / BYTES_A_SECOND, BYTES_A_SECOND / 1e9
    return [
        f"On paper, the log-sum-exp of {NUMBERS:.0e} numbers on {WORKERS} workers of"
        f" one thread, in {chunks:.0e} chunks of {SLICES} slices, sent at"
        f" {speed:.0f} GB/s:\n",
        "| part | seconds |",
        "| :--- | ---: |",
        f"| computing, on all workers at once | {computing:.3g} |",
        f"| sending totals, {bytes_a_slice:.0f} bytes a slice | {sending:.2g} |",
        f"| one scheduler for all chunks | {chunks * microseconds * 1e-6:.3g} |",
    ]


def main():
    """Measure, write the page, and show it."""
    rows = int(float(sys.argv[1] if len(sys.argv) > 1 else 0.25) * 2**28) // CLASSES
    folder = Path(tempfile.mkdtemp())
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        client.run(watch)
        x, y = write_logits(folder, rows)
        beside = list(compare(client, folder, x, y))
        memory = []
        for more in (1, 4, 8):
            x, y = write_logits(folder, more * rows)
            ours = [ways["ours"] for ways in WAYS.values()]
            # One slice, whose chunks do not fit in memory: workers put them on disk.
            ours.append(lambda x, y: [sd.softmax(x, None)])
            peaks = (measure(client, folder, way, x, y)[2] for way in ours)
            cells = " | ".join(f"{peak / 2**20:.0f}" for peak in peaks)
            memory.append(f"| {x.nbytes / 2**30:.2g} | {cells} |")
            print(memory[-1], flush=True)
        cost = microseconds_a_chunk(client)
    shutil.rmtree(folder)
    larger = [
        ((size // 50_000, 50_000), (20, 50_000)) for size in (10**7, 10**8, 10**9)
    ]
    # The same chunks, as parts of short slices and of long ones.
    split = [((100_000 // k, k * 5000), (100, 5000)) for k in (1, 2, 10, 100, 1000)]
    by_size, by_chunks = list(growth(larger)), list(growth(split))
    total = sl.LogSumExp(SLICES, np.float32).update(np.zeros((SLICES, 1), np.float32))
    bytes_a_slice = len(pickle.dumps(total, protocol=5)) / SLICES
    nanoseconds = float(by_chunks[-1].split("|")[4])
    kinds = " | ".join(WAYS)
    lines = [
        f"Logits of shape {(rows, CLASSES)} and dtype float32, in chunks of {CHUNK},"
        f" {rows * CLASSES * 4 / 2**30:.2g} GiB on disk; two workers with a thread and"
        f" {LIMIT >> 20} MiB each. Times are relative to ours, processor time is that"
        " of both workers, and reading and writing is in them; errors are the"
        " largest of some rows, in units in the last place.\n",
        "| what | by | time | processor time | peak, MiB | tasks | graph, kB | error |",
        "| :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *beside,
        "\nThe peak of a worker, in MiB, as the array grows:\n",
        f"| GiB | {kinds} | softmax, axis=None |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *memory,
        "\nNanoseconds a number on one thread: in chunks of a million numbers as the"
        " array grows, then in chunks of 100 slices by 5000 classes, of slices that are"
        " in one chunk or in several:\n",
        f"| numbers | chunks along the axis | {kinds} |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *by_size,
        *by_chunks,
        "\nA chunk costs "
        + " and ".join(f"{value:.0f} microseconds ({k})" for k, value in cost.items())
        + ", however small it is: that of"
        + f" {cost['cluster'] * 1e3 / nanoseconds:.1g} numbers on a cluster.\n",
        *estimate(nanoseconds, cost["cluster"], bytes_a_slice),
    ]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "distributed.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
