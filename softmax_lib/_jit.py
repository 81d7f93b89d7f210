"""The one place where jit options and the cache policy are decided."""

import hashlib
from pathlib import Path

from numba import njit

OPTIONS = {
    # Division by zero follows IEEE 754 (a row of -inf gives NaN), as NumPy does.
    "error_model": "numpy",
    # Written out on every kernel: without it a kernel that is first compiled
    # from a fastmath caller is compiled fast for everybody.
    "fastmath": False,
    # Kernels touch no Python object, so other threads may run meanwhile.
    "nogil": True,
}


def _stamp():
    """Return a digest of the whole package's source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


_STAMP = _stamp()


def _compiled(function, **options):
    try:
        # The first call in a new process loads machine code instead of compiling.
        dispatcher = njit(**OPTIONS, **options, cache=True)(function)
    except RuntimeError:
        # Nowhere to write to: a read-only install and no home. It runs all the same.
        return njit(**OPTIONS, **options)(function)
    # Numba takes cached code for stale when the file of the function has changed,
    # but a kernel is built from formulas in other files.
    cache = getattr(dispatcher, "_cache", None)
    if hasattr(cache, "_cache_file"):
        cache._cache_file._source_stamp = _STAMP
    return dispatcher


def kernel(function):
    """Compile a loop that is called from Python."""
    return _compiled(function)


def parallel_kernel(function):
    """Compile a driver that runs a kernel on all threads."""
    return _compiled(function, parallel=True)


# A formula inside a kernel: always inlined, so that vectors stay in registers, and
# not cached, because it only ever exists as a part of the kernel around it.
formula = njit(**OPTIONS, forceinline=True)

# A loop inside a kernel, kept apart from it: in one large function the compiler runs
# out of registers and loads every constant anew in every round (a fifth slower).
routine = njit(**OPTIONS)
