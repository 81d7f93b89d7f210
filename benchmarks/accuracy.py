"""Print the largest error of the library and of every installed peer, in ULP.

Usage: python -m benchmarks.accuracy [seed]
"""

import sys
import time

import numpy as np

from benchmarks import oracle
from benchmarks.families import families, long_rows
from benchmarks.peers import contenders

FUNCTIONS = ["softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid"]


def worst(computed, rows, name):
    """Return the largest error in ULP, infinity if a result is NaN."""
    answer = getattr(oracle, name)(rows)
    if name == "logsumexp":
        # Where the maximum and the logarithm cancel, errors in ULP mean nothing.
        top = abs(rows.max(axis=-1).astype(answer.dtype))
        keep = abs(answer) >= top
        computed, answer = computed[keep], answer[keep]
    if computed.size == 0:
        return 0.0
    errors = oracle.ulps(computed, answer)
    return float(np.where(np.isnan(errors), np.inf, errors).max())


def plain(result):
    """Return a peer's result as a NumPy array."""
    return np.asarray(result[0] if isinstance(result, list) else result)


def measure(seed):
    """Return {(function, dtype, family): {peer: worst error}}."""
    table = {}
    for dtype in (np.float32, np.float64):
        if dtype == np.float64 and not oracle.HAS_WIDER:
            continue
        for name in FUNCTIONS:
            for sources in (families, long_rows):
                for family, rows in sources(dtype, seed):
                    key = (name, dtype.__name__, family)
                    table[key] = {
                        peer: worst(plain(call()), rows, name)
                        for peer, call in contenders(name, rows).items()
                    }
    return table


def show(table):
    """Print the table, a line for each function, dtype and family."""
    peers = list(dict.fromkeys(p for line in table.values() for p in line))
    print(
        f"{'function':12} {'dtype':8} {'input':20}" + "".join(f"{p:>13}" for p in peers)
    )
    for (name, dtype, family), line in table.items():
        cells = "".join(f"{line[p]:13.4g}" if p in line else " " * 13 for p in peers)
        print(f"{name:12} {dtype:8} {family:20}{cells}")


def main():
    """Measure and print."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time.time_ns() % 2**32
    print(f"largest error in units in the last place; seed {seed}")
    show(measure(seed))


if __name__ == "__main__":
    main()
