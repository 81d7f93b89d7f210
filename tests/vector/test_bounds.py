"""Masked lanes are never read or written: they may lie on a page without access."""

import signal
import subprocess
import sys

import pytest
from harness import DTYPES
from processes import environment, python

# The page between two without access: masked lanes beside it end the process.
PAGE = """
import ctypes, mmap
import numpy as np
from numba import njit
from softmax_lib import _vector as v
memory = mmap.mmap(-1, 3 * mmap.PAGESIZE)
begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc = ctypes.CDLL(None, use_errno=True)
for page in (0, 2):
    place = ctypes.c_void_p(begin + page * mmap.PAGESIZE)
    assert libc.mprotect(place, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
whole = np.frombuffer(memory, dtype)
a = whole[whole.size // 3 : 2 * (whole.size // 3)]
a[:] = np.arange(a.size)
w = 64 // a.itemsize
print("ready", flush=True)
"""

PARTS = """
@njit
def heads(a, at, count):
    p = v.data_pointer(a)
    total = v.reduce_sum(v.load_head(p, at, count, 0.0))
    total += v.reduce_sum(v.load_up_to(p, at, count))
    v.store_head(p, at, count, v.splat(p, 1.0))
    v.store_up_to(p, at, count, v.splat(p, 1.0))
    return total
@njit
def tails(a, at, count):
    p = v.data_pointer(a)
    total = v.reduce_sum(v.load_tail(p, at, count, 0.0))
    v.store_tail(p, at, count, v.splat(p, 2.0))
    return total
for count in range(w + 1):
    inside = a.size - count
    total = 2 * a[inside:].sum()
    assert heads(a, inside, count) == total
    assert (a[inside:] == 1).all()
    total = a[:count].sum()
    assert tails(a, count - w, count) == total
    assert (a[:count] == 2).all()
print("done")
"""

SQUARES = """
@njit
def there_and_back(a, at, step, rows, columns, block):
    p, q = v.data_pointer(a), v.data_pointer(block)
    v.load_transposed(p, at, step, rows, columns, q, 0, w)
    v.store_transposed(q, 0, w, p, at, step, rows, columns)
block = np.empty(w * w, dtype)
before = a.copy()
for rows in range(1, w + 1):
    for columns in range(1, w + 1):
        step = columns
        there_and_back(a, a.size - rows * step, step, rows, columns, block)
        square = a[a.size - rows * step :].reshape(rows, columns)
        assert (block.reshape(w, w)[:columns, :rows] == square.T).all()
assert (a == before).all()
print("done")
"""

OUTSIDE = """
@njit
def whole(a, at):
    return v.reduce_sum(v.load(v.data_pointer(a), at))
print(whole(a, a.size - w + 1))
"""


def start(dtype):
    return f"dtype = '{dtype.__name__}'" + PAGE


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="mprotect as on Linux")


@on_linux
@pytest.mark.parametrize("dtype", DTYPES)
def test_masked_lanes_are_not_touched(dtype):
    printed = python("-c", start(dtype) + PARTS + SQUARES)
    assert printed.split() == ["ready", "done", "done"]


@on_linux
@pytest.mark.parametrize("dtype", DTYPES)
def test_lanes_without_a_mask_would_end_the_process(dtype):
    done = subprocess.run(
        [sys.executable, "-c", start(dtype) + OUTSIDE],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["ready"]
    assert done.returncode == -signal.SIGSEGV
