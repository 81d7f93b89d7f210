"""What `import softmax_lib` does, and what it leaves for the first call."""

from processes import python

SECONDS = """
import time
begin = time.perf_counter()
import numpy, numba
middle = time.perf_counter()
import softmax_lib
print(middle - begin, time.perf_counter() - middle)
"""


def test_import_takes_little_longer_than_that_of_numba():
    def ratio():
        numba, ours = map(float, python("-c", SECONDS).split())
        return (numba + ours) / numba

    assert min(ratio() for _ in range(5)) <= 1.3


def test_import_compiles_nothing():
    code = """
import gc
import softmax_lib
from numba.core.dispatcher import Dispatcher
kernels = [d for d in gc.get_objects() if isinstance(d, Dispatcher)
           and d.py_func.__module__.startswith("softmax_lib")]
print(bool(kernels), any(kernel.signatures for kernel in kernels))
"""
    assert python("-c", code).split() == ["True", "False"]


def test_import_makes_no_dispatchers_for_parts_of_kernels():
    code = """
import gc
import softmax_lib
from softmax_lib._jit import _Part
parts = [p for p in gc.get_objects() if isinstance(p, _Part)]
print(len(parts) > 50, any("dispatcher" in vars(part) for part in parts))
"""
    assert python("-c", code).split() == ["True", "False"]


def test_import_leaves_typing_inside_njit_for_later():
    code = """
import sys
import softmax_lib
print(*(name for name in sys.modules if name.startswith("softmax_lib._njit.")))
"""
    assert python("-c", code) == ""
