"""The worst rows that benchmarks/worst.py found, tried again; and a short search."""

import json
import math
import time

import numpy as np
import pytest

from benchmarks import oracle, worst
from benchmarks.hard_rows import LAYOUTS, Row, changed

SEED = time.time_ns() % 2**32
SECONDS = 5
FINDS = json.loads(worst.STORE.read_text(encoding="utf-8"))


def row_of(find):
    """Return the row that was found."""
    return Row(**{name: find[name] for name in Row._fields})


def name_of(find):
    """Return a name for a find, with the error that it had."""
    return "{function}-{dtype}-{layout}-{n}-{ulp}".format(**find)


def skip_without_oracle(dtype):
    if dtype == np.float64 and not oracle.HAS_WIDER:
        pytest.skip("no type wider than float64 here")


@pytest.mark.parametrize("find", FINDS, ids=name_of)
def test_finds(find):
    dtype = worst.DTYPES[find["dtype"]]
    skip_without_oracle(dtype)
    name = find["function"]
    assert worst.errors(row_of(find), dtype, [name])[name].ulp <= worst.LIMITS[name]


@pytest.mark.parametrize("dtype", worst.DTYPES)
def test_a_short_search_finds_nothing_worse(dtype):
    skip_without_oracle(worst.DTYPES[dtype])
    best = worst.search(worst.DTYPES[dtype], SECONDS, SEED)
    for (name, *_), (found, row) in best.items():
        assert found.ulp <= worst.LIMITS[name], f"{name} of {row}; seed {SEED}"


@pytest.mark.parametrize("dtype", worst.DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_errors_are_those_to_fifty_digits(dtype, layout):
    # Errors that are larger than any of the library's, and of every function.
    dtype = worst.DTYPES[dtype]
    skip_without_oracle(dtype)
    rng = np.random.default_rng(SEED)
    for _ in range(6):
        row = changed(rng, Row(), dtype, times=8)
        row = row._replace(n=min(row.n, 2000), layout=layout)
        for name, found in worst.errors(row, dtype).items():
            assert math.isfinite(found.ulp)
            shown = worst.confirmed(name, row, dtype, found)
            assert shown == pytest.approx(found.ulp, abs=0.02, rel=1e-3), (
                f"{name} of {row}; seed {SEED}"
            )
