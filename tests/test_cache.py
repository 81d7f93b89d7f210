"""What a process may do to the library and live: each test runs one of its own."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import softmax_lib

PACKAGE = Path(softmax_lib.__file__).parent

# Every process starts with these lines. `big` uses all threads, `small` does not.
START = """
import numpy as np
from softmax_lib import logsumexp, softmax
big = np.random.default_rng(0).normal(size=(64, 4096))
small = big[0, :100].copy()

def works(x=big):
    p = softmax(x)
    assert abs(p.sum(-1) - 1).max() < 1e-12 and np.isfinite(logsumexp(x)).all()
"""

# Not every system has a runtime of OpenMP.
LAYERS = ["omp", "workqueue"] if find_spec("numba.np.ufunc.omppool") else ["workqueue"]
on_posix = pytest.mark.skipif(os.name != "posix", reason="signals and folders of POSIX")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def environment(**more):
    # Warnings are errors there too, but for what is said about fork itself.
    settings = {
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONWARNINGS": "error,ignore::DeprecationWarning",
        "NUMBA_NUM_THREADS": "2",
    }
    return os.environ | settings | more


def run(code, **more):
    done = subprocess.run(
        [sys.executable, "-P", "-c", START + code],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("layer", LAYERS)
def test_eight_threads_at_once(layer):
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: works(), range(64)))
import numba
print(numba.threading_layer())
"""
    assert run(code, NUMBA_THREADING_LAYER=layer).strip() == layer


@needs_fork
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


def test_threads_rest_after_a_call_that_had_to_wait():
    code = """
import time
from softmax_lib import _threads
_threads.PATIENCE, _threads.SHORTEST_PAUSE = 0.05, 0.5
def threads(waiting=0.0, work=1 << 18):
    with _threads.several(work) as threads:
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
    assert run(code).strip() == "3"


# --- caches ----------------------------------------------------------------------


def install(place):
    """Copy the package to a place of its own, without any cache."""
    shutil.copytree(
        PACKAGE, place / "softmax_lib", ignore=shutil.ignore_patterns("__pycache__")
    )
    return str(place)


SIGMOID = "from softmax_lib import sigmoid; print(sigmoid(0.0) == 0.5)"


@on_posix
def test_read_only_install_without_a_home(tmp_path):
    place = install(tmp_path)
    # Root may write anywhere, so what cannot be a folder stands in for it: a file.
    (tmp_path / "softmax_lib" / "__pycache__").touch()
    (tmp_path / "softmax_lib" / "_kernels" / "__pycache__").touch()
    (tmp_path / "no-home").touch()
    nowhere = str(tmp_path / "no-home")
    code = """
from softmax_lib._kernels import elementwise
from numba.core.caching import NullCache
assert isinstance(elementwise.sigmoid_flat._cache, NullCache)
"""
    out = run(
        code + SIGMOID,
        PYTHONPATH=place,
        HOME=nowhere,
        XDG_CACHE_HOME=nowhere,
        PYTHONDONTWRITEBYTECODE="1",
        NUMBA_CACHE_DIR="",
    )
    assert out.strip() == "True"


@pytest.mark.parametrize("damage", ["cut", "garbage", "emptied", "stale"])
def test_damaged_cache(tmp_path, damage):
    place = install(tmp_path)
    cache = tmp_path / "cache"
    settings = {"PYTHONPATH": place, "NUMBA_CACHE_DIR": str(cache)}
    run(SIGMOID, **settings)
    files = [*cache.rglob("*sigmoid_flat*.nb[ci]")]
    assert len(files) == 2
    if damage == "stale":
        formula = tmp_path / "softmax_lib" / "_kernels" / "logarithm.py"
        formula.write_text(formula.read_text() + "\n# Changed.\n")
    for file in files:
        content = file.read_bytes()
        if damage == "cut":
            file.write_bytes(content[: len(content) // 2])
        elif damage == "garbage":
            file.write_bytes(b"\x80\x04garbage" * 100)
        elif damage == "emptied":
            file.write_bytes(b"")
    assert run(SIGMOID, **settings).strip() == "True"
    # What was damaged has been replaced: now nothing is compiled.
    code = """
from softmax_lib import sigmoid
from softmax_lib._kernels import elementwise
sigmoid(small)
print(sum(elementwise.sigmoid_flat.stats.cache_hits.values()))
"""
    assert run(code, **settings).strip() == "1"


# --- inside @njit ----------------------------------------------------------------

FASTMATH = """
from numba import njit
from softmax_lib import sigmoid
@njit(fastmath=True)
def theirs(x):
    return sigmoid(x)
x = np.array([np.nan, -np.inf, np.inf, -800.0, -30.0, 0.3])
"""


@pytest.mark.parametrize("first", ["theirs", "sigmoid"])
def test_fastmath_callers_in_either_order(tmp_path, first):
    code = f"""
{FASTMATH}
{first}(x)
plain, fast = sigmoid(x), theirs(x)
np.testing.assert_array_equal(plain, fast)
assert np.isnan(plain[0]) and plain[1] == 0 and plain[2] == 1
assert abs(plain[4] - np.exp(-30) / (1 + np.exp(-30))) < 1e-28
"""
    run(code, NUMBA_CACHE_DIR=str(tmp_path))
    # Whatever was compiled first is not what a later process loads.
    run(code, NUMBA_CACHE_DIR=str(tmp_path))


USER = """
import numpy as np
from numba import njit
from softmax_lib import log_sigmoid, sigmoid
def closed_over(function):
    @njit
    def apply(x):
        return function(x)
    return apply
@njit(cache=True)
def cached(x):
    return sigmoid(x)
x = np.linspace(-3, 3, 7)
np.testing.assert_array_equal(cached(x), sigmoid(x))
np.testing.assert_array_equal(closed_over(log_sigmoid)(x), log_sigmoid(x))
print(sum(cached.stats.cache_hits.values()) if hasattr(cached, "stats") else "python")
"""


def test_cached_and_disabled(tmp_path):
    script = tmp_path / "user.py"
    script.write_text(USER)
    said = [
        subprocess.run(
            [sys.executable, script],
            env=environment(NUMBA_DISABLE_JIT=disabled),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for disabled in ("0", "0", "1")
    ]
    assert said == ["0", "1", "python"]


CHAIN = """
import sys
import numpy as np
from numba import njit
from softmax_lib import sigmoid
@njit(cache=True)
def inner(x):
    return sigmoid(x)
@njit(cache=True)
def outer(x):
    return inner(x)
x = np.linspace(-3, 3, 7)
function = globals()[sys.argv[1]]
np.testing.assert_array_equal(function(x), sigmoid(x))
print(sum(function.stats.cache_hits.values()))
"""


def test_what_was_cached_finds_its_kernels_also_after_an_upgrade(tmp_path):
    script = tmp_path / "user.py"
    script.write_text(CHAIN)
    settings = {
        "PYTHONPATH": install(tmp_path),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }

    def hits(name):
        return subprocess.run(
            [sys.executable, script, name],
            env=environment(**settings),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    # The outer function is compiled where the inner one comes from the cache.
    assert [hits(name) for name in ("inner", "inner", "outer", "outer")] == list("0101")
    formula = tmp_path / "softmax_lib" / "_kernels" / "logarithm.py"
    formula.write_text(formula.read_text() + "\n# Changed.\n")
    assert [hits("outer"), hits("outer")] == list("01")


def test_disabled_jit_leaves_kernels_compiled(tmp_path):
    run("works()", NUMBA_DISABLE_JIT="1")
    # Also where nothing has been compiled before.
    run("softmax(small)", NUMBA_DISABLE_JIT="1", NUMBA_CACHE_DIR=str(tmp_path))


def test_loading_a_kernel_makes_nothing_ready_for_compiling(tmp_path):
    code = """
import sys
softmax(small)
print("numba.np.arraymath" in sys.modules)
"""
    said = [run(code, NUMBA_CACHE_DIR=str(tmp_path)).strip() for _ in range(2)]
    assert said == ["True", "False"]


def test_import_compiles_nothing_and_is_quick():
    code = """
import sys, time
t = time.perf_counter(); import numba
t, before = time.perf_counter(), time.perf_counter() - t
import softmax_lib
print(before, time.perf_counter() - t)
from numba.core.dispatcher import Dispatcher
import gc
ours = [d for d in gc.get_objects() if isinstance(d, Dispatcher)
        and d.py_func.__module__.startswith("softmax_lib")]
assert ours and not any(d.signatures for d in ours)
"""
    done = min(
        (
            [
                float(v)
                for v in subprocess.run(
                    [sys.executable, "-c", code],
                    env=environment(),
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout.split()
            ]
            for _ in range(3)
        ),
        key=lambda pair: pair[1] / pair[0],
    )
    assert done[1] < 0.5 * done[0]
