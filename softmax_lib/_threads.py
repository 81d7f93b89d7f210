"""Whether a call may use all threads."""

import ctypes
import functools
import os
import threading
import time

import llvmlite.binding
import numba

# Below this many numbers one thread is done before the others have woken up
# (benchmarks/threshold.py measured it: threshold.md).
WORTH_IT = 1 << 15

# Parts of a work for each thread. Numba deals them out beforehand, in runs of the same
# number: with more of them than threads, it matters less that one is smaller.
PARTS = 4

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
    return ctypes.PYFUNCTYPE(ctypes.c_int)(address)


def allowed():
    """Return how many threads a call may use."""
    return 1 if _forked else _counter()()


def one_is_enough(size):
    """Return whether one thread is enough for so many numbers, or all there may be."""
    return size < WORTH_IT or allowed() == 1


# Where the threads of another pool keep the processors busy, ours wait for a turn, and
# that takes milliseconds: several times what a call on up to so many bytes does. After
# two calls that took longer than any of their size should, seconds of one thread for
# each byte, the next ones are done with one thread, for a while that doubles each time.
MOST = 1 << 23
PATIENCE = 0.5e-3
PER_BYTE = 1e-9
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 1.0


class _Pause:
    """When threads may be tried again, and how long the next pause is."""

    __slots__ = ("length", "until")

    def __init__(self):
        self.length = self.until = 0.0

    def begin(self):
        """Begin a pause."""
        self.until = time.perf_counter() + self.length
        self.length = min(max(2 * self.length, SHORTEST_PAUSE), LONGEST_PAUSE)


_pause = _Pause()


class several:
    """Give the number of threads to use on so many bytes, 1 for only this one.

    A class, because that of `contextlib.contextmanager` takes two microseconds more.
    """

    __slots__ = ("_begin", "_held", "_threads", "_work")

    def __init__(self, work):
        self._work = work

    def __enter__(self):
        self._held = False
        self._threads = allowed()
        if self._threads > 1:
            self._begin = time.perf_counter()
            if self._begin >= _pause.until or self._work > MOST:
                self._held = _busy.acquire(False)
        return self._threads if self._held else 1

    def __exit__(self, *exception):
        if self._held:
            _busy.release()
            if self._work <= MOST:
                took = time.perf_counter() - self._begin
                if took > PATIENCE + self._work / self._threads * PER_BYTE:
                    _pause.begin()
                elif _pause.length:
                    _pause.length = 0.0
