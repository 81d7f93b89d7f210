"""Families of difficult inputs, drawn at random for every run."""

import numpy as np


def families(dtype, seed, size=200_000):
    """Yield (name, rows) with about `size` numbers each.

    The range of the scores depends on the dtype: exp(-87) is about the smallest
    normal number of float32, exp(-708) that of float64.
    """
    rng = np.random.default_rng(seed)
    depth = 85.0 if dtype == np.float32 else 700.0
    n = 1000
    rows = max(1, size // n)

    def of(a):
        return np.ascontiguousarray(a, dtype)

    yield "normal", of(rng.normal(0, 5, (rows, n)))
    yield "wide", of(rng.uniform(-depth, 0, (rows, n)))
    yield "two-sided", of(rng.uniform(-depth / 2, depth / 2, (rows, n)))
    yield "into subnormal", of(rng.uniform(-1.2 * depth, 0, (rows, n)))
    shift = rng.uniform(-1e5, 1e5, (rows, 1))
    yield "shifted", of(rng.normal(0, 5, (rows, n)) + shift)
    yield "tied", of(rng.integers(-3, 4, (rows, n)) * rng.uniform(0.1, 9, (rows, 1)))
    spread = 10 ** rng.uniform(-7, -1, (rows, 1))
    yield "tiny spread", of(rng.normal(0, 1, (rows, n)) * spread + rng.normal(0, 3))
    yield "confident", of(_confident(rng, rows, n, depth))
    yield "two elements", of(rng.normal(0, 3, (size // 2, 2)))
    gap = rng.uniform(0, depth, (size // 2, 1)) * rng.choice([-1, 1], (size // 2, 1))
    first = rng.normal(0, 30, (size // 2, 1))
    yield "two, far apart", of(np.concatenate([first, first - gap], axis=1))
    yield "ten elements", of(rng.normal(0, 4, (size // 10, 10)))
    yield "uneven lengths", of(rng.normal(0, 5, (size // 137, 137)))


def _confident(rng, rows, n, depth):
    a = rng.uniform(-5, 0, (rows, n))
    a[np.arange(rows), rng.integers(0, n, rows)] += rng.uniform(0.1, 0.9, rows) * depth
    return a


def long_rows(dtype, seed, size=1_000_000):
    """Yield (name, row) of one row of `size` numbers each."""
    rng = np.random.default_rng(seed)
    depth = 85.0 if dtype == np.float32 else 700.0
    yield "a million, normal", rng.normal(0, 5, (1, size)).astype(dtype)
    yield "a million, uniform", rng.uniform(-depth, 0, (1, size)).astype(dtype)
    yield "a million, rising", np.linspace(-depth, depth, size, dtype=dtype)[None]
    yield "a million, equal", np.full((1, size), 0.3, dtype)
