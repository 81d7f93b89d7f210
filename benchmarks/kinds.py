"""The kinds of processor, by the vector instructions that Numba compiles for.

The results of `make bench` are stored by kind, since the library and its peers use
other code on each of them.
"""

import llvmlite.binding
from numba import config

from softmax_lib._layout import has_wide_registers

# The names of the files, widest registers first.
KINDS = ("avx512", "avx2", "128bit")


def kind():
    """Return the kind of this processor, or of the one that Numba imitates."""
    if has_wide_registers():
        return "avx512"
    return "avx2" if _has_avx2() else "128bit"


def _has_avx2():
    # The test of has_wide_registers, for another feature.
    if config.CPU_FEATURES is not None:
        return "+avx2" in config.CPU_FEATURES
    return bool(llvmlite.binding.get_host_cpu_features().get("avx2"))


def imitated():
    """Return the processor and features that Numba was told to compile for, or None."""
    told = [config.CPU_NAME, config.CPU_FEATURES]
    return " ".join(filter(None, told)) if any(t is not None for t in told) else None
