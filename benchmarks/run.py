"""Run every measurement; write the results of this kind of processor, and plots.

Usage: python -m benchmarks.run [seconds a cell]. The results go to
benchmarks/results/KIND.json, where KIND is `benchmarks.kinds.kind()`.
"""

import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from benchmarks import kinds

HERE = Path(__file__).parent


def own_process(threads, code):
    """Run code in a process with that many threads; return the JSON it prints last."""
    several = str(threads > 1).lower()
    limits = {
        "OMP_NUM_THREADS": str(threads),
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} "
        f"--xla_cpu_multi_thread_eigen={several} "
        f"intra_op_parallelism_threads={threads}",
    }
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | limits,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *table, last = process.stdout.splitlines()
    print("\n".join(table), flush=True)
    return json.loads(last)


SPEED = """
import json
from benchmarks.speed import measure
print(json.dumps(measure([], {threads}, {budget})))
"""

BY_SIZE = """
import json
from benchmarks.speed import by_size
print(json.dumps(by_size({budget})))
"""

NEW_PAGES = """
import json
from benchmarks.speed import new_pages
print(json.dumps(new_pages()))
"""

STARTUP = """
import json
from benchmarks.startup import measure
print(json.dumps(measure()))
"""

ACCURACY = """
import json
from benchmarks.accuracy import measure, show
table = measure({seed})
show(table)
print(json.dumps([[*key, line] for key, line in table.items()]))
"""


def machine():
    """Describe this machine and the versions that are measured."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(": ")[2] for line in lines if line[:10] == "model name"]
    peers = ("numpy", "numba", "scipy", "torch", "onnxruntime", "jax")
    imitated = kinds.imitated()
    return (
        ({"Numba imitates": imitated} if imitated else {})
        | {
            "processor": names[0] if names else platform.processor() or "unknown",
            "architecture": platform.machine(),
            "threads": processors(),
            "Python": platform.python_version(),
        }
        | {name: metadata.version(name) for name in peers}
    )


def processors():
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2


def main():
    """Measure, write the results and draw the plots."""
    budget = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    seed = time.time_ns() % 2**32
    everything = processors()
    kind = kinds.kind()
    print(f"kind of processor: {kind}", flush=True)
    results = {"machine": machine(), "seed": seed}
    results["startup"] = own_process(1, STARTUP)
    results["accuracy"] = own_process(everything, ACCURACY.format(seed=seed))
    results["by_size"] = own_process(1, BY_SIZE.format(budget=budget))
    results["new_pages"] = own_process(1, NEW_PAGES)
    results["speed"] = own_process(1, SPEED.format(threads=1, budget=budget))
    results["speed"] += own_process(
        everything, SPEED.format(threads=everything, budget=budget)
    )
    path = HERE / "results" / f"{kind}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    subprocess.run(
        [sys.executable, "-m", "benchmarks.plots", str(path), str(HERE)], check=True
    )
    print(f"kind of processor: {kind}; wrote {path}, and speed.svg and error.svg")


if __name__ == "__main__":
    main()
