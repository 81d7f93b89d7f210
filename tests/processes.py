"""Python processes for tests: the settings, and the lines that each starts with."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import softmax_lib

PACKAGE = Path(softmax_lib.__file__).parent

# `big` uses all threads, `small` does not.
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


def environment(**more):
    """Return the variables of a process.

    Warnings are errors there too, except for what Python says about fork.
    """
    settings = {
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONWARNINGS": "error,ignore::DeprecationWarning",
        "NUMBA_NUM_THREADS": "2",
    }
    return os.environ | settings | more


def python(*arguments, **more):
    """Return what a process printed, which has to end without an error."""
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run(code, **more):
    """Return what a process printed that ran START and the code."""
    return python("-c", START + code, **more)


def install(place):
    """Copy the package to a folder, without any cache, and return the folder."""
    shutil.copytree(
        PACKAGE, place / "softmax_lib", ignore=shutil.ignore_patterns("__pycache__")
    )
    return str(place)
