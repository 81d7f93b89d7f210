"""What `import softmax_lib` does, and what it leaves for the first call."""

import shutil

import pytest
from processes import install, python

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


def test_import_needs_no_dask():
    code = """
import sys
import softmax_lib
print(*(name for name in sys.modules if name.partition(".")[0] in ("dask", "zarr")))
"""
    assert python("-c", code) == ""


# --- wherever the package lies, however Python is started ------------------------

WORKS = """
import os
import sys
place, home = sys.argv[1:]
sys.path.insert(0, place)
for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
    os.environ.pop(name, None)
    if home:
        os.environ[name] = home
import numba
import numpy as np
import softmax_lib
from softmax_lib._kernels import elementwise
if not softmax_lib.__file__.startswith(place):
    sys.exit(softmax_lib.__file__)
@numba.njit
def inside(x):
    return softmax_lib.sigmoid(x)
half = softmax_lib.sigmoid(np.zeros(3)), inside(np.zeros(3))
if not np.array_equal(half, np.full((2, 3), 0.5)):
    sys.exit(str(half))
print(sum(elementwise.sigmoid_entries.stats.cache_hits.values()))
"""


@pytest.mark.parametrize("options", [[], ["-O"], ["-OO", "-I"]], ids=" ".join)
def test_a_folder_with_spaces_and_umlauts(tmp_path, options):
    place = install(tmp_path / "Größe mit Leerzeichen")
    found = [
        python(*options, "-c", WORKS, place, "", NUMBA_CACHE_DIR="", LC_ALL=locale)
        for locale in ("C.UTF-8", "C")
    ]
    assert found == ["0", "1"]  # from the cache beside the package


def test_an_archive_keeps_its_machine_code_at_home(tmp_path):
    place = tmp_path / "mit Köpfen"
    archive = shutil.make_archive(str(place), "zip", install(place))
    home = tmp_path / "zu Hause"
    code = ["-c", WORKS, archive, str(home)]
    assert [python(*code, NUMBA_CACHE_DIR="") for _ in range(2)] == ["0", "1"]
    assert any(home.rglob("*.nbi"))


def test_nothing_needs_another_program_or_the_network(tmp_path):
    code = """
import sys
import numba
EVENTS = "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system"
asked = []
sys.addaudithook(lambda event, _: event.startswith(EVENTS) and asked.append(event))
import softmax_lib
softmax_lib.sigmoid([0.0])
numba.njit(lambda x: softmax_lib.sigmoid(x))(0.0)
print(asked)
"""
    assert python("-c", code, NUMBA_CACHE_DIR=str(tmp_path)) == "[]"
