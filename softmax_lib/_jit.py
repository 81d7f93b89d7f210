"""The one place where jit options and the cache policy are decided."""

import hashlib
from contextlib import contextmanager, suppress
from pathlib import Path

from numba import config, njit, version_info
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

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
    """Return a digest of all that is compiled, and of what decides about it."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*here.glob("_*.py"), *here.glob("_kernels/*.py")]):
        digest.update(path.read_bytes())
    return digest.digest()


STAMP = _stamp()


# Up to this version of Numba it is known what loading machine code takes: its runtime
# library. Numba also makes ready for compiling, which takes half a second; it does so
# by itself when there is something to compile.
KNOWN = (0, 68)


class _Cache(FunctionCache):
    """Numba's cache of machine code, which a call never fails for."""

    def __init__(self, function):
        super().__init__(function)
        # Numba takes cached code for stale when the file of the function has
        # changed, but a kernel is built from formulas in other files.
        file = self._cache_file
        file._source_stamp = (file._source_stamp, STAMP)

    def load_overload(self, sig, target_context):
        try:
            if version_info.short > KNOWN:
                return super().load_overload(sig, target_context)
            rtsys.initialize(target_context)
            return self._load_overload(sig, target_context)
        except Exception:
            # Cut short, overwritten, or not ours to read: it is compiled anew.
            self._forget()
            return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception:
            # No room left, no right to write, or an index that is no index.
            self._forget()

    def _forget(self):
        try:
            self.flush()
        except OSError:
            self.disable()


@contextmanager
def _jit_enabled():
    # NUMBA_DISABLE_JIT lets people step through their own functions. Kernels are
    # made of vectors and pointers, which Python has not: they stay compiled.
    before, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield before
    finally:
        config.DISABLE_JIT = before


def _compiled(function, cached=True, **options):
    with _jit_enabled() as disabled:
        dispatcher = njit(**OPTIONS, **options)(function)
    if disabled:
        # What it is made of is compiled with it, at its first call.
        dispatcher._compile_for_args = _jit_enabled()(dispatcher._compile_for_args)
    if cached:
        # The first call in a new process loads machine code, compiling nothing. With
        # nowhere to write to, a read-only install and no home, there is no cache.
        with suppress(RuntimeError):
            dispatcher._cache = _Cache(function)
    return dispatcher


def kernel(function):
    """Compile a loop that is called from Python."""
    return _compiled(function)


def parallel_kernel(function):
    """Compile a driver that runs a kernel on all threads."""
    return _compiled(function, parallel=True)


def formula(function):
    """Compile a formula inside a kernel.

    It is always inlined, so that vectors stay in registers, and not cached, because
    it only ever exists as a part of the kernel around it.
    """
    return _compiled(function, cached=False, forceinline=True)


def routine(function):
    """Compile a loop inside a kernel, kept apart from it.

    In one large function the compiler runs out of registers and loads every
    constant anew in every round (a fifth slower).
    """
    return _compiled(function, cached=False, forceinline=False)
