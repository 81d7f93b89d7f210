"""Vectors on a processor without AVX-512, which stores parts of them otherwise."""

import sys
from pathlib import Path

import llvmlite.binding
import pytest
from processes import python

HERE = Path(__file__).parent
FILES = "test_bounds.py", "test_memory.py", "test_transpose.py"
AVX2 = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+avx2,+fma"}


pytestmark = pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("avx2"),
    reason="this processor cannot run code for AVX2",
)


@pytest.mark.parametrize("file", FILES)
def test_parts_of_vectors(file):
    options = "-q", "-p", "no:cacheprovider", "--override-ini", "addopts="
    printed = python("-m", "pytest", *options, HERE / file, **AVX2)
    assert " passed" in printed and "skipped" not in printed


FRAMES = """
import re
import numpy as np
import softmax_lib
from softmax_lib._kernels import operations
softmax_lib.softmax(np.zeros((2, 200), np.float32))
(code,) = operations.softmax.rows.inspect_asm().values()
for loop in ("sum_exp_block", "row_max"):
    begin = re.search(rf"(?m)^_Z[^\\n]*{loop}[^\\n]*:$", code).end()
    print(loop, "andq\\t$-64, %rsp" in code[begin : code.index(".Lfunc_end", begin)])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="assembly looks otherwise")
def test_loops_align_the_stack(tmp_path):
    """Sums that LLVM keeps there would cross cache lines."""
    printed = python("-c", FRAMES, NUMBA_CACHE_DIR=str(tmp_path), **AVX2)
    assert printed.splitlines() == ["sum_exp_block True", "row_max True"]
