"""Vectors on a processor without AVX-512, which stores parts of them otherwise."""

from pathlib import Path

import llvmlite.binding
import pytest
from processes import python

HERE = Path(__file__).parent
FILES = "test_bounds.py", "test_memory.py", "test_transpose.py"
AVX2 = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "+avx2,+fma"}


@pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("avx512f"),
    reason="this processor has no AVX-512, so the other tests do it",
)
@pytest.mark.parametrize("file", FILES)
def test_parts_of_vectors(file):
    options = "-q", "-p", "no:cacheprovider", "--override-ini", "addopts="
    printed = python("-m", "pytest", *options, HERE / file, **AVX2)
    assert " passed" in printed and "skipped" not in printed
