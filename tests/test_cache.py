"""Machine code in the cache: damaged, stale, read-only, of callers in @njit."""

import pytest
from processes import START, install, on_posix, python, run

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
assert isinstance(elementwise.sigmoid_entries._cache, NullCache)
"""
    out = run(
        code + SIGMOID,
        PYTHONPATH=place,
        HOME=nowhere,
        XDG_CACHE_HOME=nowhere,
        PYTHONDONTWRITEBYTECODE="1",
        NUMBA_CACHE_DIR="",
    )
    assert out == "True"


@pytest.mark.parametrize("damage", ["cut", "garbage", "emptied", "stale"])
def test_damaged_cache(tmp_path, damage):
    place = install(tmp_path)
    cache = tmp_path / "cache"
    settings = {"PYTHONPATH": place, "NUMBA_CACHE_DIR": str(cache)}
    run(SIGMOID, **settings)
    files = [*cache.rglob("*sigmoid_entries*.nb[ci]")]
    assert len(files) == 2
    if damage == "stale":
        formula = tmp_path / "softmax_lib" / "_kernels" / "logarithm.py"
        formula.write_text(formula.read_text(encoding="utf-8") + "\n# Changed.\n")
    for file in files:
        content = file.read_bytes()
        if damage == "cut":
            file.write_bytes(content[: len(content) // 2])
        elif damage == "garbage":
            file.write_bytes(b"\x80\x04garbage" * 100)
        elif damage == "emptied":
            file.write_bytes(b"")
    assert run(SIGMOID, **settings) == "True"
    # What was damaged has been replaced: now nothing is compiled.
    code = """
from softmax_lib import sigmoid
from softmax_lib._kernels import elementwise
sigmoid(small)
print(sum(elementwise.sigmoid_entries.stats.cache_hits.values()))
"""
    assert run(code, **settings) == "1"


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
    script.write_text(USER, encoding="utf-8")
    said = [python(script, NUMBA_DISABLE_JIT=disabled) for disabled in ("0", "0", "1")]
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
    script.write_text(CHAIN, encoding="utf-8")
    settings = {
        "PYTHONPATH": install(tmp_path),
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
    }

    def hits(name):
        return python(script, name, **settings)

    # The outer function is compiled where the inner one comes from the cache.
    assert [hits(name) for name in ("inner", "inner", "outer", "outer")] == list("0101")
    formula = tmp_path / "softmax_lib" / "_kernels" / "logarithm.py"
    formula.write_text(formula.read_text(encoding="utf-8") + "\n# Changed.\n")
    assert [hits("outer"), hits("outer")] == list("01")


OPERATION = """
import sys
from softmax_lib import _vector as v
from softmax_lib._dispatch import AxisFunction
from softmax_lib._jit import inlined
from softmax_lib._kernels import operations

constant = float(sys.argv[1])

@inlined
def finish(top, finite, params, log):
    return v.to_dtype_of(top, 0.0 * log.hi + constant)

op = operations.Operation("logsumexp", operations.as_is, False, finish, None)
function = AxisFunction(operations.AxisKernels(op))
for x in (small[:2], np.zeros((2, 1 << 15))):
    values = function.reduce(x, -1, None, None, False, False, None)
    assert (values == constant).all(), values
print(logsumexp(np.zeros(1)))
"""


def test_an_operation_made_elsewhere_is_compiled_as_it_is_now(tmp_path):
    # It even has the name of another. Both layouts, and both on threads.
    script = tmp_path / "user.py"
    script.write_text(
        START.replace("(64, 4096)", "(64, 100)") + OPERATION, encoding="utf-8"
    )
    settings = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert [python(script, n, **settings) for n in "12"] == ["0.0"] * 2


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
    said = [run(code, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert said == ["True", "False"]
