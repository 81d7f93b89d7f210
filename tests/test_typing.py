"""The annotations, from a user's point of view and against the functions."""

import runpy
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("user_script.py")


def mypy(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_users_script_is_strictly_typed():
    mypy("mypy", "--strict", "--no-error-summary", str(SCRIPT))


def test_the_stubs_say_what_the_functions_are():
    settings = SCRIPT.parents[1] / "pyproject.toml"
    names = "activations", "exact", "losses", "running_total"
    modules = [f"softmax_lib.{name}" for name in names]
    modules += [f"softmax_lib.dask.{name}" for name in ("activations", "losses")]
    mypy("mypy.stubtest", "--mypy-config-file", str(settings), *modules)


def test_a_users_script_runs():
    names = runpy.run_path(str(SCRIPT))
    assert names["in_place"] is names["scores"]
    assert isinstance(names["whole"], names["np"].float32)
    assert isinstance(names["log"], names["np"].float32)
    assert isinstance(names["sign"], names["np"].float32)
    assert names["wider"].dtype == "f8"
    assert isinstance(names["loss"], names["np"].float32)
    assert isinstance(names["surprise"], names["np"].float64)
