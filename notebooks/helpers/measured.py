"""The results that `make bench` has stored; nothing is measured here."""

import json
import statistics
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1]
# The archive has the file beside its notebooks, the repository in benchmarks.
PLACES = (
    NOTEBOOKS / "results.json",
    NOTEBOOKS.parent / "benchmarks" / "results.json",
)
NAMES = {
    "softmax_lib": "softmax_lib",
    "torch": "PyTorch",
    "onnxruntime": "ONNX Runtime",
    "jax": "JAX",
    "scipy": "SciPy",
    "copy": "copy",
}
PEERS = list(NAMES)[1:-1]


def results():
    """Return the contents of results.json."""
    path = next(p for p in PLACES if p.exists())
    return json.loads(path.read_text(encoding="utf-8"))


def machine():
    """Describe the machine of the measurements, one property per line."""
    kind = results().get(
        "machine", "a machine whose kind was not recorded"
    )
    if isinstance(kind, str):
        return kind
    return "\n".join(f"{name}: {value}" for name, value in kind.items())


def by_size():
    """Return array sizes, and the nanoseconds per number by library."""
    sizes, times = zip(*results()["by_size"], strict=True)
    return sizes, {
        name: [
            1e9 * t[key] / n for n, t in zip(sizes, times, strict=True)
        ]
        for key, name in NAMES.items()
        if all(key in t for t in times)
    }


def new_pages():
    """Return the number of new memory pages per call, as columns."""
    pages = results()["new_pages"]
    names = [name for name in NAMES if name in pages]
    return {
        "library": [NAMES[name] for name in names],
        "new pages": [pages[name] for name in names],
    }


def errors(function, dtype):
    """Return the largest errors in ULP by library and family of inputs."""
    kinds = {
        kind: line
        for name, of, kind, line in results()["accuracy"]
        if (name, of) == (function, dtype)
    }
    return {
        NAMES[peer]: {
            k: line[peer] for k, line in kinds.items() if peer in line
        }
        for peer in ("softmax_lib", *PEERS)
    }


def cases(function):
    """Return the timed cases of a function, by number type and threads."""
    groups = {}
    for case in results()["speed"]:
        if case["function"] == function:
            threads = case["threads"]
            title = f"{case['dtype']}, {threads} thread" + "s" * (
                threads > 1
            )
            groups.setdefault(title, []).append(case["median"])
    return groups


def relative_times(function):
    """Return the time of each peer over that of the library, as columns.

    It is the geometric mean over the cases of a number type and thread count.
    """
    columns = {"library": [NAMES[peer] for peer in PEERS]}
    for title, medians in cases(function).items():
        columns[title] = [
            statistics.geometric_mean(
                m[peer] / m["softmax_lib"] for m in medians if peer in m
            )
            for peer in PEERS
        ]
    return columns


def cases_slower(function):
    """Return in how many cases the library is slower than some peer, as columns."""
    columns = {"numbers": [], "cases": [], "others faster": []}
    for title, medians in cases(function).items():
        faster = [
            min(m[peer] for peer in PEERS if peer in m)
            < m["softmax_lib"]
            for m in medians
        ]
        for column, value in zip(
            columns.values(),
            (title, len(faster), sum(faster)),
            strict=True,
        ):
            column.append(value)
    return columns


def first_calls():
    """Return the times of first calls, compiled over cached, as columns."""
    startup = results()["startup"]
    names = [
        key.partition(",")[0]
        for key in startup
        if key.endswith(", cold")
    ]
    return {
        "function": names,
        "compiled / loaded": [
            startup[f"{n}, cold"] / startup[f"{n}, warm"] for n in names
        ],
    }
