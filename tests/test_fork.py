"""Processes made by fork, whose parent has started threads or has not."""

import os

import pytest
from processes import LAYERS, run


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("used", [False, True])
def test_fork(layer, used):
    code = f"""
import os
import multiprocessing
if {used}:
    works()
child = os.fork()
if child == 0:
    works()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(works, [big] * 4)
works()
"""
    run(code, NUMBA_THREADING_LAYER=layer)
