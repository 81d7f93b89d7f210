"""Whether a call may use all threads."""

import ctypes
import functools
import os
import threading

import llvmlite.binding
import numba

# Below this many numbers one thread is done before the others have woken up
# (benchmarks/threshold.py measured it: threshold.md).
WORTH_IT = 1 << 15

# One parallel kernel at a time: Numba's workqueue layer aborts the process when
# two Python threads enter it at once, and with the others there would be more
# threads than processors. Who finds it busy goes on with one thread.
_busy = threading.Lock()
_forked = False


def _after_fork():
    # The threads of the pool exist in the parent only; the OpenMP layer kills a
    # child that asks for them.
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@functools.cache
def _counter():
    """Start Numba's threads and return what says how many of them may be used.

    That is `numba.get_num_threads`, without the microsecond that it takes to see
    whether they have been started.
    """
    numba.get_num_threads()
    address = llvmlite.binding.address_of_symbol("get_num_threads")
    if address is None:
        return numba.get_num_threads
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)


class several:
    """Give the number of threads to use, 1 when there may be no more.

    A class, because that of `contextlib.contextmanager` takes two microseconds more.
    """

    __slots__ = ("_held",)

    def __enter__(self):
        self._held = False
        threads = 1 if _forked else _counter()()
        if threads > 1:
            self._held = _busy.acquire(blocking=False)
        return threads if self._held else 1

    def __exit__(self, *exception):
        if self._held:
            _busy.release()
