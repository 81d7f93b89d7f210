"""The functions that the module exports, in Python: kernels, and what they stand on.

Each takes a pointer to scores, one to the results, and lengths.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import carray, float32, float64, int32, njit, types

from tools.wasm.kernels import (
    OPTIONS,
    elementwise,
    exponential,
    operations,
    textbook,
    v,
)

# --- what a system's library does for Numba elsewhere ------------------------------

# Beyond these e^x is infinite or 0 in float64.
HIGHEST, LOWEST = 709.79, -745.2


@njit(float64(float64), **OPTIONS)
def exp(x):
    """Return e^x, with the library's own polynomial."""
    if not x < HIGHEST:
        return x * math.inf
    if x < LOWEST:
        return 0.0
    score = v.one_lane(x)
    magic = exponential.ROUNDING_MAGIC(score)
    d, error, rounded = exponential.expm1_with_error(score, v.splat(score, magic))
    p = 1.0 + d
    half, rest = exponential.ldexp_factors(rounded - magic)
    return v.lane0((p + ((d - (p - 1.0)) + error)) * half * rest)


@njit(float32(float32), **OPTIONS)
def expf(x):
    """Return e^x in float32, computed in float64."""
    return np.float32(exp(np.float64(x)))


# By the names that LLVM's own functions are replaced by.
EXPONENTIALS = ("libm.exp", "float64", exp), ("libm.expf", "float32", expf)


# --- float16 -----------------------------------------------------------------------

SMALLEST_NORMAL, LARGEST = 2.0**-14, 65504.0
EXPONENT_BITS = 0x7FF0000000000000
# Adding and subtracting so many times the power of two below x rounds x to 11 bits.
TO_11_BITS = 1.5 * 2.0 ** (52 - 10)


@njit(**OPTIONS)
def to_float16(x):
    """Round a float64 to the nearest float16, ties to the even one."""
    size = abs(x)
    if not size < math.inf:
        return x
    bits = np.float64(max(size, SMALLEST_NORMAL)).view(np.int64) & EXPONENT_BITS
    magic = np.int64(bits).view(np.float64) * TO_11_BITS
    rounded = (size + magic) - magic
    return math.copysign(rounded if rounded <= LARGEST else math.inf, x)


def naive_float16(x, out, n):
    """Write the naive formula of x to out, every step rounded to float16."""
    total = 0.0
    for i in range(n):
        out[i] = to_float16(exp(x[i]))
        total = to_float16(total + out[i])
    for i in range(n):
        out[i] = to_float16(out[i] / total)


def shifted_float16(x, out, n):
    """Do the same with the maximum subtracted first, which is rounded too."""
    top = x[0]
    for i in range(n):
        top = max(top, x[i])
    total = 0.0
    for i in range(n):
        out[i] = to_float16(exp(to_float16(x[i] - top)))
        total = to_float16(total + out[i])
    for i in range(n):
        out[i] = to_float16(out[i] / total)


# --- the steps of a term -----------------------------------------------------------

# What the exponent's bits hold for 2^0. The kernels of rows add the exponent of
# TERM_SCALE and subtract that of the maximum.
BIAS = np.float32(127.0)


def term_steps(x, out, n):
    """Write, for each of n scores, the steps that lead to its term.

    They are the n of its power, r after the first and the second part of ln 2, g, the
    magic number + 127 + n, 2^n, 2^n g, 1 + g and the term rounded to one number.
    """
    at, pointer = 0, v.data_pointer(carray(x, (np.intp(n),)))
    for i in range(n):
        score = v.one_lane_of(pointer, x[i])
        magic = v.splat(score, exponential.ROUNDING_MAGIC(score) + BIAS)
        r, rounded = exponential.reduce_argument(score, magic)
        count = rounded - magic
        high = v.fma(count, -exponential.LN2_HIGH(score), score)
        g, power = exponential.expm1(r), exponential.exp2i(rounded)
        part = power * g
        for step in (count, high, r, g, rounded, power, part, 1.0 + g, power + part):
            out[at] = v.lane0(step)
            at += 1


# --- attention in pieces ------------------------------------------------------------


def merge_parts(x, out, n):
    """Merge n parts of attention: write a maximum, a sum, a mix, and the answer.

    Each part is a maximum, a sum and a mix too. For a single key they are its
    score, 1 and its value.
    """
    top = x[0]
    for i in range(n):
        top = max(top, x[3 * i])
    total = mix = np.float32(0.0)
    for i in range(n):
        factor = np.exp(x[3 * i] - top)
        total += factor * x[3 * i + 1]
        mix += factor * x[3 * i + 2]
    out[0], out[1], out[2], out[3] = top, total, mix, mix / total


# --- exported ----------------------------------------------------------------------


def by_rows(kernel, results_per_row=None):
    """Return an entry for a kernel of rows of n numbers."""

    def entry(x, out, n, rows):
        n, rows = np.intp(n), np.intp(rows)
        results = n * rows if results_per_row is None else rows
        kernel(carray(x, (n * rows,)), carray(out, (results,)), n, 0, rows)

    return entry


def by_array(function):
    """Return an entry for a function that makes an array; it is made in out."""

    def entry(x, out, n):
        function(carray(x, (np.intp(n),)))

    return entry


def by_entry(function):
    """Return an entry for a function of single numbers."""

    def entry(x, out, n):
        for i in range(n):
            out[i] = function(x[i])

    return entry


def fma(x, out, n):
    """Write a * b + c to out, rounded once; x holds n numbers a, then n b, then n c."""
    n = np.intp(n)
    x, out = v.data_pointer(carray(x, (3 * n,))), v.data_pointer(carray(out, (n,)))
    for i in range(0, n, v.vector_length(x)):
        a, b, c = v.load(x, i), v.load(x, n + i), v.load(x, 2 * n + i)
        v.store(out, i, v.exact_fma(a, b, c))


class Entry(NamedTuple):
    """An exported function: how many lengths it takes, and the types of its numbers."""

    name: str
    function: object
    lengths: int
    dtypes: tuple = (float32, float64)

    def export_name(self, dtype):
        """Return the name in the module, with the type where there are two."""
        if len(self.dtypes) == 1:
            return self.name
        return f"{self.name}_{dtype}"


ENTRIES = (
    Entry("softmax", by_rows(operations.softmax.rows), 2),
    Entry("log_softmax", by_rows(operations.log_softmax.rows), 2),
    Entry("logsumexp", by_rows(operations.logsumexp.rows, 1), 2),
    Entry("sigmoid", by_rows(elementwise.sigmoid_entries), 2),
    Entry("log_sigmoid", by_rows(elementwise.log_sigmoid_entries), 2),
    Entry("naive", by_array(textbook.naive_softmax), 1),
    Entry("shifted", by_array(textbook.shifted_softmax), 1),
    Entry("exp", by_entry(np.exp), 1),
    Entry("term_steps", term_steps, 1, (float32,)),
    Entry("merge_parts", merge_parts, 1, (float32,)),
    Entry("fma", fma, 1),
    Entry("naive_float16", naive_float16, 1, (float64,)),
    Entry("shifted_float16", shifted_float16, 1, (float64,)),
    Entry("to_float16", by_entry(to_float16), 1, (float64,)),
)


def compiled(entry, dtype):
    """Return the LLVM IR of an entry, and its name there."""
    pointer = types.CPointer(dtype)
    signature = types.void(pointer, pointer, *[int32] * entry.lengths)
    return ir_of(njit(signature, **OPTIONS)(entry.function))


def ir_of(dispatcher):
    """Return the LLVM IR of a function with one signature, and its name there."""
    made = dispatcher.overloads[dispatcher.signatures[0]]
    return str(made.library._final_module), made.fndesc.llvm_func_name
