"""Run every function on more than 2^31 numbers, which overflow 32-bit indices.

Usage: python -m benchmarks.huge

It needs 12 GB of memory: one float32 array, which is overwritten in place, and
labels. Results are compared where an index could wrap around.
"""

import math
import sys
import time

import numpy as np
from numba import njit

from softmax_lib import (
    cross_entropy,
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
)

OVER = 2**31
WIDTH = 24  # short rows are computed like columns
LONG = 4096


def places(n):
    """Return the first and the last index, and those around 2^31 and 2^32 bytes."""
    near = [0, 1, 2**29, 2**30, OVER // WIDTH, OVER - 1, OVER, OVER + 1, n - 2, n - 1]
    return [i for i in near if i < n]


def check(name, got, expected):
    """Raise unless all results are within a few float32 ULP."""
    np.testing.assert_allclose(got, expected, rtol=5e-7, err_msg=name)


def one_long_row(x):
    """Yield (name, check) for one row, whose last score has half of the sum."""
    n = x.size
    top = math.log(n)
    total = math.log(n - 1 + math.exp(np.float32(top)))

    def scores():
        x[:] = 0
        x[-1] = top
        return x

    at = places(n)
    expected = np.full(len(at), -total)
    expected[-1] += float(np.float32(top))
    yield "logsumexp", lambda: check("row", logsumexp(scores()), total)
    inside = njit(lambda x: logsumexp(x))
    yield "logsumexp inside @njit", lambda: check("row", inside(scores()), total)
    yield (
        "softmax",
        lambda: check("row", softmax(scores(), out=x)[at], np.exp(expected)),
    )
    yield (
        "log_softmax",
        lambda: check("row", log_softmax(scores(), out=x)[at], expected),
    )


def many_rows(x, width):
    """Yield (name, check) for equal rows and for equal columns."""
    row = np.linspace(-3, 3, width, dtype=np.float32)
    shares = np.exp(row.astype(float) - np.log(np.exp(row.astype(float)).sum()))
    rows = x[: x.size // width * width].reshape(-1, width)
    columns = x[: x.size // width * width].reshape(width, -1)

    def by_rows():
        rows[...] = row
        return rows

    def by_columns():
        columns[...] = row[:, None]
        return columns

    def softmax_rows():
        at = places(len(rows))
        check("rows", softmax(by_rows(), out=rows)[at], [shares] * len(at))

    def softmax_columns():
        at = places(columns.shape[1])
        computed = softmax(by_columns(), axis=0, out=columns)[:, at]
        check("columns", computed.T, [shares] * len(at))

    def logsumexp_rows():
        computed = logsumexp(by_rows())
        at = places(len(rows))
        check("rows", computed[at], np.full(len(at), -np.log(shares[0]) + row[0]))

    def losses():
        labels = np.arange(len(rows)) % width
        computed = cross_entropy(by_rows(), labels, reduction="none")
        at = places(len(rows))
        check("rows", computed[at], -np.log(shares[labels[at]]))

    yield f"softmax, rows of {width}", softmax_rows
    yield f"softmax, columns of {width}", softmax_columns
    yield f"logsumexp, rows of {width}", logsumexp_rows
    yield f"cross_entropy, rows of {width}", losses


def each_entry(x):
    """Yield (name, check) for the elementwise functions."""
    at = places(x.size)
    for function in (sigmoid, log_sigmoid):

        def compare(function=function):
            x[:] = -1
            check("entries", function(x, out=x)[at], [function(-1.0)] * len(at))

        yield function.__name__, compare


def main(size=OVER + 2 * LONG + 7):
    """Run all checks and print the time of each."""
    x = np.empty(size, np.float32)
    parts = one_long_row(x), many_rows(x, WIDTH), many_rows(x, LONG), each_entry(x)
    for part in parts:
        for name, run in part:
            start = time.perf_counter()
            run()
            print(f"{name:32} right, {time.perf_counter() - start:5.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
