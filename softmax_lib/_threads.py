"""How many threads a call may use, and how a kernel runs on them."""

import ctypes
import functools
import os
import sys
import time
from _thread import get_ident

import llvmlite.binding
import numba

from softmax_lib import _layout
from softmax_lib._jit import threaded

_forked = False


def _after_fork():
    # The threads of the pool exist in the parent only; the OpenMP layer kills a
    # child that asks for them.
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@functools.cache
def _thread_counter():
    """Start Numba's threads and return what counts those that may be used.

    That is `numba.get_num_threads`, without the microsecond that it spends on asking
    whether they have been started.
    """
    numba.get_num_threads()
    address = llvmlite.binding.address_of_symbol("get_num_threads")
    if address is None:
        return numba.get_num_threads
    return ctypes.PYFUNCTYPE(ctypes.c_int)(address)


def max_threads():
    """Return how many threads a call may use."""
    return 1 if _forked else _thread_counter()()


# Where the threads of another pool keep the processors busy, ours wait for a turn, and
# that takes milliseconds: several times what a small call takes. After two such calls
# in a row, of up to CONTENTION_MAX_BYTES, calls run on one thread for a backoff that
# doubles each time (exponential backoff).
CONTENTION_MAX_BYTES = 1 << 23
CONTENTION_LATENCY = 0.5e-3  # seconds
SECONDS_PER_BYTE = 1e-9  # of one thread
MIN_BACKOFF, MAX_BACKOFF = 0.02, 1.0  # seconds


# One parallel kernel at a time: Numba's workqueue layer aborts the process when
# two Python threads enter it at once, and with the others there would be more
# threads than processors. If it is busy, the call runs on one thread.
#
# A lock would be acquired in one step of the interpreter and remembered in another, and
# an interrupt between them would leave it held for good. A turn is a dict: HOLDER maps
# to the `acquire_threads` that took it, stored in one step. A turn that an interrupt
# left held is noticed, since the thread of its holder is no longer in a call; from then
# on the turn under NEXT counts.
HOLDER, NEXT = 0, 1
_turn = {}


def _take(turn, claim):
    """Take a turn for a claim; return the turn that was taken, or None."""
    global _turn
    while (holder := turn.setdefault(HOLDER, claim)) is not claim:
        # The order matters: a holder that is in no call does not come back.
        if _is_in_a_call(holder.thread) or turn.get(HOLDER) is not holder:
            return None
        turn = _turn = turn.setdefault(NEXT, {})
    return turn


def _is_in_a_call(thread):
    """Return whether a thread may hold a turn, apart from the call that asks."""
    name = acquire_threads.__name__
    frame = sys._current_frames().get(thread)
    if thread == get_ident():
        # Above this one: `_take`, `__enter__` and the function with the `with`.
        frame = sys._getframe(3).f_back
    while frame and name not in frame.f_code.co_names:
        frame = frame.f_back
    return frame is not None


class acquire_threads:
    """Return the threads for a call that takes as long as softmax of `work` bytes.

    It has to be called by this name, in a `with` statement: `_is_in_a_call` looks for
    functions that do.

    A class: `contextlib.contextmanager` costs 2 us a call.
    """

    __slots__ = "_begin", "_threads", "_turn", "_work", "thread"

    # When several threads may be tried again, and how long the next backoff is.
    retry_at = backoff = 0.0

    def __init__(self, work):
        self._work = work

    def __enter__(self):
        self._turn = None
        self._threads = max_threads()
        if self._threads > 1:
            self._begin = time.perf_counter()
            if self._begin >= self.retry_at or self._work > CONTENTION_MAX_BYTES:
                self.thread = get_ident()
                self._turn = _take(_turn, self)
        return 1 if self._turn is None else self._threads

    def __exit__(self, *exception):
        if self._turn is not None:
            del self._turn[HOLDER]
            if self._work <= CONTENTION_MAX_BYTES:
                late = time.perf_counter() - self._begin
                late -= self._work / self._threads * SECONDS_PER_BYTE
                if late > CONTENTION_LATENCY or self.backoff:
                    self._back_off(late > CONTENTION_LATENCY)

    @classmethod
    def _back_off(cls, slow):
        if slow:
            cls.retry_at = time.perf_counter() + cls.backoff
        doubled = min(max(2 * cls.backoff, MIN_BACKOFF), MAX_BACKOFF)
        cls.backoff = doubled if slow else 0.0


def run(kernel, arguments, tasks, size, work):
    """Call a kernel for all tasks, on several threads if that is faster.

    `size` numbers are computed, which takes as long as softmax of `work` bytes.
    """
    if tasks == 1 or size < _layout.MIN_PARALLEL_SIZE:
        kernel(*arguments, 0, tasks)
        return
    with acquire_threads(work) as threads:
        if threads == 1:
            kernel(*arguments, 0, tasks)
        else:
            parts = min(tasks, _layout.TASKS_PER_THREAD * threads)
            threaded(kernel)(arguments, tasks, parts)
