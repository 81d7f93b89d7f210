"""Whether a call may use all threads."""

import os
import threading
from contextlib import contextmanager

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


@contextmanager
def several():
    """Give the number of threads to use, 1 when there may be no more."""
    if _forked or not _busy.acquire(blocking=False):
        yield 1
        return
    try:
        yield numba.get_num_threads()
    finally:
        _busy.release()
