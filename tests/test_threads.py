"""Calls from several threads, on one thread, with signals, and at the end."""

import pytest
from processes import LAYERS, on_posix, run


@pytest.mark.parametrize("layer", LAYERS)
def test_eight_threads_at_once(layer):
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: works(), range(64)))
import numba
print(numba.threading_layer())
"""
    assert run(code, NUMBA_THREADING_LAYER=layer) == layer


@pytest.mark.parametrize("layer", LAYERS)
def test_interpreter_shutdown(layer):
    code = """
import atexit
import threading
def forever():
    while True:
        works()
for _ in range(2):
    threading.Thread(target=forever, daemon=True).start()
atexit.register(works)
class Late:
    def __del__(self):
        works(small)
late = Late()
works()
"""
    run(code, NUMBA_THREADING_LAYER=layer)


def test_backoff_after_a_call_that_had_to_wait():
    code = """
import time
from softmax_lib import _threads
_threads.CONTENTION_LATENCY, _threads.MIN_BACKOFF = 0.05, 0.5
def threads(waiting=0.0, work=1 << 18):
    with _threads.acquire_threads(work) as threads:
        time.sleep(waiting)
    return threads
print(threads(), threads(waiting=0.1), threads())
print(threads(waiting=0.1), threads(waiting=0.1), threads(), threads(work=1 << 24))
time.sleep(0.55)
print(threads(waiting=0.1))
time.sleep(0.55)
print(threads())
time.sleep(0.55)
print(threads(), threads(waiting=0.1), threads())
"""
    assert run(code).split() == list("222221221222")


def test_one_thread():
    run("works()", NUMBA_NUM_THREADS="1")


INTERRUPTED = """
import sys, threading
from softmax_lib import _threads

def threads():
    with _threads.acquire_threads(1 << 30) as count:
        seen.append(count)

def caught(interrupt_at, seen):
    # Raise at one bytecode of the call, and return how many there were before.
    steps = 0
    def trace(frame, event, argument):
        nonlocal steps
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_code.co_name != "caught":
            steps += 1
            if steps == interrupt_at:
                raise KeyboardInterrupt
        return trace
    sys.settrace(trace)
    try:
        threads()
    except KeyboardInterrupt as error:
        # What somebody keeps of it, as an interactive session does, changes nothing.
        kept.append(error)
    finally:
        sys.settrace(None)
    return steps

kept, seen = [], []
threads()
total = caught(0, seen)
for interrupt_at in range(1, total + 1):
    caught(interrupt_at, seen)
    if interrupt_at % 2:
        threads()
    del seen[:]
    other = threading.Thread(target=threads)
    other.start()
    other.join()
    threads()
    assert seen == [2, 2], (interrupt_at, seen)
assert len(kept) == total > 50, (len(kept), total)
works()
"""


def test_an_interrupt_at_any_bytecode_leaves_nothing_locked():
    run(INTERRUPTED)


def test_a_busy_turn_is_respected():
    code = """
import threading
from softmax_lib import _threads
entered, leave, seen = threading.Event(), threading.Event(), []
def hold():
    with _threads.acquire_threads(1 << 30) as count:
        seen.append(count)
        entered.set()
        leave.wait()
def ask():
    with _threads.acquire_threads(1 << 30) as count:
        seen.append(count)
def within():
    with _threads.acquire_threads(1 << 30) as count:
        ask()
holder = threading.Thread(target=hold)
holder.start()
entered.wait()
ask()
leave.set()
holder.join()
ask()
within()
ask()
print(*seen)
"""
    assert run(code) == "2 1 2 1 2"


@on_posix
def test_signals_during_a_call():
    # A process in the background of a shell is born with the signal ignored.
    code = """
import signal, threading, os, time
signal.signal(signal.SIGINT, signal.default_int_handler)
huge = np.zeros((4000, 4096), np.float32)
works(huge[:2])
caught = 0
for _ in range(3):
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            softmax(huge, out=huge)
    except KeyboardInterrupt:
        caught += 1
works()
print(caught)
"""
    assert run(code) == "3"
