"""The results that `make bench` has stored; nothing is measured here.

There is one file for each kind of processor that was measured, and every function
returns the results of all of them.
"""

import json
import statistics
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1]
# The archive has the folder beside its notebooks, the repository in benchmarks.
PLACES = (
    NOTEBOOKS / "results",
    NOTEBOOKS.parent / "benchmarks" / "results",
)
# Files by the widest vector instructions of the processor.
KINDS = {
    "avx512": "AVX-512",
    "avx2": "AVX2",
    "128bit": "128 bits",
}
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
    """Return the contents of the result files by kind of processor."""
    folder = next(place for place in PLACES if place.exists())
    found = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for kind, name in KINDS.items()
        if (path := folder / f"{kind}.json").exists()
    }
    if not found:
        raise FileNotFoundError(
            f"no results of `make bench` in {folder}"
        )
    return found


def machines():
    """Return the properties of each measured machine, as columns."""
    described = {
        kind: found["machine"] for kind, found in results().items()
    }
    properties = list(
        dict.fromkeys(p for m in described.values() for p in m)
    )
    return {"property": properties} | {
        kind: [str(m.get(p, "")) for p in properties]
        for kind, m in described.items()
    }


def by_size():
    """Return array sizes and nanoseconds per number by library, for each kind."""
    return {
        kind: _by_size(found["by_size"])
        for kind, found in results().items()
    }


def _by_size(lines):
    sizes, times = zip(*lines, strict=True)
    return sizes, {
        name: [
            1e9 * t[key] / n for n, t in zip(sizes, times, strict=True)
        ]
        for key, name in NAMES.items()
        if all(key in t for t in times)
    }


def times_by_size():
    """Return nanoseconds per number by kind, size and library, as columns."""
    return _columns(
        {"vectors": kind, "numbers": f"{size:,}"}
        | {name: values[i] for name, values in lines.items()}
        for kind, (sizes, lines) in by_size().items()
        for i, size in enumerate(sizes)
    )


def new_pages():
    """Return the number of new memory pages per call, as columns."""
    return _columns(
        {
            "vectors": kind,
            "library": NAMES[name],
            "new pages": found["new_pages"][name],
        }
        for kind, found in results().items()
        for name in NAMES
        if name in found["new_pages"]
    )


def errors(function, dtype):
    """Return the largest errors in ULP by library and family, over all kinds."""
    largest = {NAMES[peer]: {} for peer in ("softmax_lib", *PEERS)}
    for found in results().values():
        for name, of, family, line in found["accuracy"]:
            if (name, of) != (function, dtype):
                continue
            for peer, error in line.items():
                of_peer = largest[NAMES[peer]]
                of_peer[family] = max(of_peer.get(family, 0.0), error)
    return largest


def cases(function):
    """Return the timed cases of a function by kind, number type and threads."""
    groups = {}
    for kind, found in results().items():
        for case in found["speed"]:
            if case["function"] == function:
                key = kind, case["dtype"], case["threads"]
                groups.setdefault(key, []).append(case)
    return groups


def relative_times(function):
    """Return the time of each peer over that of the library, as columns.

    It is the geometric mean over the cases of a number type and thread count.
    """
    return _columns(
        _group(key)
        | {
            NAMES[peer]: statistics.geometric_mean(
                m[peer] / m["softmax_lib"]
                for m in (case["median"] for case in group)
                if peer in m
            )
            for peer in PEERS
        }
        for key, group in cases(function).items()
    )


def is_slower(case):
    """Return whether some peer was faster than the library in a case."""
    times = case["median"]
    return times[case["fastest_peer"]] < times["softmax_lib"]


def cases_slower(function):
    """Return in how many cases the library is slower than some peer, as columns."""
    return _columns(
        _group(key)
        | {
            "cases": len(group),
            "others faster": sum(map(is_slower, group)),
        }
        for key, group in cases(function).items()
    )


def lost_cases(function):
    """Return each case in which some peer is faster than the library, as columns.

    The last column is the library's time in units of that peer's.
    """
    return _columns(
        _group(key)
        | {
            "shape": " × ".join(f"{n:,}" for n in case["shape"]),
            "axis": str(case["axis"]).replace("-", "−"),
            "result": {"fresh": "new", "out": "ready"}[case["mode"]],
            "fastest": NAMES[case["fastest_peer"]],
            "library's time": 1 / case["ratio"],
        }
        for key, group in cases(function).items()
        for case in filter(is_slower, group)
    )


def in_copies(function, smallest):
    """Return the library's time in copies for large arrays, as columns.

    Large arrays have at least `smallest` numbers. The result is written to memory that
    is ready. One copy is made by one thread; another, which older files do not have,
    by as many threads as the call.
    """
    return _columns(
        _group(key)
        | {
            "shape": " × ".join(f"{n:,}" for n in case["shape"]),
            "copies": case["copies"],
            "threaded copies": _threaded_copies(case["median"]),
        }
        for key, group in cases(function).items()
        for case in group
        if case["mode"] == "out" and _size(case["shape"]) >= smallest
    )


def _threaded_copies(times):
    if "threaded copy" not in times:
        return "–"
    return times["softmax_lib"] / times["threaded copy"]


def first_calls():
    """Return the times of first calls, compiled over cached, as columns."""
    return _columns(
        {
            "vectors": kind,
            "function": name,
            "compiled / loaded": startup[f"{name}, cold"]
            / startup[f"{name}, warm"],
        }
        for kind, startup in (
            (k, found["startup"]) for k, found in results().items()
        )
        for name in (
            key.partition(",")[0]
            for key in startup
            if key.endswith(", cold")
        )
    )


def _group(key):
    return dict(
        zip(("vectors", "numbers", "threads"), key, strict=True)
    )


def _size(shape):
    product = 1
    for n in shape:
        product *= n
    return product


def _columns(rows):
    """Turn rows, dicts with the same keys, into columns."""
    rows = list(rows)
    names = list(rows[0]) if rows else []
    return {name: [row[name] for row in rows] for name in names}
