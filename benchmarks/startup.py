"""Measure imports, and first calls with a cold and a warm cache.

Usage: python -m benchmarks.startup
"""

import os
import subprocess
import sys
import tempfile

FUNCTIONS = ["softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid"]

IMPORT = """
import time
a = time.perf_counter(); import {module}; print(time.perf_counter() - a)
"""

FIRST = """
import time, numpy as np, softmax_lib
x = np.ones((4, 100), np.float32)
a = time.perf_counter(); softmax_lib.{name}(x); print(time.perf_counter() - a)
"""


def _seconds(code, cache):
    # Cache bytecode, as is done for installed packages.
    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(process.stdout.split()[-1])


def measure():
    """Print and return seconds: imports (best of five), first calls cold and warm."""
    with tempfile.TemporaryDirectory() as cache:
        results = {}
        for module in ("numba", "softmax_lib"):
            code = IMPORT.format(module=module)
            results[f"import {module}"] = min(_seconds(code, cache) for _ in range(5))
        for name in FUNCTIONS:
            code = FIRST.format(name=name)
            results[f"{name}, cold"] = _seconds(code, cache)
            results[f"{name}, warm"] = min(_seconds(code, cache) for _ in range(3))
    for name, seconds in results.items():
        print(f"{name:20} {1000 * seconds:9.1f} ms")
    return results


if __name__ == "__main__":
    measure()
