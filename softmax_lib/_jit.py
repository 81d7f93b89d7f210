"""The one place where jit options are decided, with the reason beside each."""

from numba import njit

OPTIONS = {
    # Division by zero follows IEEE 754 (a row of -inf gives NaN), as NumPy does.
    "error_model": "numpy",
    # Written out on every kernel: without it a kernel that is first compiled
    # from a fastmath caller is compiled fast for everybody.
    "fastmath": False,
    # Kernels touch no Python object, so other threads may run meanwhile.
    "nogil": True,
    # The first call in a new process loads machine code instead of compiling.
    "cache": True,
}

kernel = njit(**OPTIONS)
