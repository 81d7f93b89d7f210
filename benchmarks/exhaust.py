"""Try every float32 argument of the exponential and of the sigmoid: no sampling.

Usage: python -m benchmarks.exhaust

It takes minutes, and stores the largest errors in exhaust.json, each with the argument
where it occurs. A test recomputes the surroundings of those arguments, and a slice of
all others. What is tried:

- term: the term of each score from -130 to 0, below a maximum of 0, in units of the
  last place of the true term. Its parts are added exactly, or rounded once, or added
  with their error.
- any maximum: e^r of each score that can be a term's below an unshifted maximum, which
  changes a term by an exact power of two and by nothing else.
- reduced: e^r - 1 of each r, in units of e^r and in its own.
- sigmoid, log_sigmoid: the public functions, for all 2^32 bit patterns.

References are float64, whose exp, expm1 and log1p are compared with 50 digits first.
Without fma the errors are others, so they are stored apart (NUMBA_CPU_FEATURES=-fma).
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import mpmath
import numpy as np
from numba import njit, prange

import softmax_lib
from softmax_lib import _vector as v
from softmax_lib._jit import OPTIONS
from softmax_lib._kernels import exponential as e

STORE = Path(__file__).with_name("exhaust.json")
BLOCK = 1 << 20  # arguments that are computed, then judged
PARTS = 16

compiled = njit(**OPTIONS)


def pattern(number):
    """Return the bits of a float32 as an integer."""
    return int(np.float32(number).view(np.uint32))


def between(low, high):
    """Return (first, count) of the patterns from low <= 0 to high >= 0."""
    negative = pattern(-0.0), pattern(low) - pattern(-0.0) + 1
    return [negative, (0, pattern(high) + 1)] if high > 0 else [negative]


# --- what is computed ------------------------------------------------------------


@compiled
def _term(x):
    params = e.term_params(0.0 * x, 0.0 * x)
    return *e.scaled_exp(x, params), *e.scaled_exp_with_error(x, params)


@compiled
def _any_maximum(x):
    magic = v.splat(x, e.ROUNDING_MAGIC(x))
    d, error, rounded = e.expm1_with_error(x, magic)
    return d, error, rounded - magic


@compiled
def _reduced(x):
    return (e.expm1(x),)


@compiled
def _fused(x):
    return (v.fma(x, x, (-1.0 - 2.0**-11) + 0.0 * x),)


def on_vectors(formula, fields):
    """Return a function that computes the fields of a formula for an array."""

    @njit(**OPTIONS, parallel=True)
    def compute(x, out):
        for part in prange(PARTS):
            source, target = v.data_pointer(x), v.data_pointer(out)
            w = v.vector_length(source)
            whole = x.size // w
            for i in range(whole * part // PARTS, whole * (part + 1) // PARTS):
                v.store_fields(target, i * w, x.size, formula(v.load(source, i * w)))

    def run(x):
        out = np.empty((fields, x.size), x.dtype)
        compute(x, out.ravel())
        return out

    return run


def is_fused():
    """Return whether fma rounds once here."""
    x = np.full(16, 1 + 2.0**-12, np.float32)
    return bool(on_vectors(_fused, 1)(x)[0, 0] != 0)


# --- how it is judged ------------------------------------------------------------


@compiled
def ulp(answer):
    """Return the float32 unit in the last place of a float64."""
    bits = v.to_bits(v.one_lane(answer)) & 0x7FF0000000000000
    return max(v.lane0(v.from_bits(bits)), 2.0**-126) * 2.0**-23


@compiled
def _judge_term(x, out, i):
    power = np.float64(out[0, i])
    true = math.exp(x) * (2.0**64 / power)
    unit = ulp(true)
    near = (1.0 - true) + np.float64(out[1, i]) / power
    rounded = np.float64(out[0, i] + out[1, i]) / power - true
    near_too = (1.0 - true) + np.float64(out[3, i]) / power
    corrected = near_too + np.float64(out[4, i]) / power
    if out[2, i] != out[0, i]:
        return math.inf, math.inf, math.inf
    return abs(near) / unit, abs(rounded) / unit, abs(corrected) / unit


@compiled
def _judge_any_maximum(x, out, i):
    true = math.ldexp(math.exp(x), -int(out[2, i]))
    unit = ulp(true)
    near = (1.0 - true) + np.float64(out[0, i])
    return abs(near) / unit, abs(near + np.float64(out[1, i])) / unit


@compiled
def _judge_reduced(x, out, i):
    true = math.expm1(x)
    error = abs(np.float64(out[0, i]) - true)
    return error / ulp(1.0 + true), error / ulp(true)


@compiled
def _distance(computed, answer):
    if computed == answer or (math.isnan(computed) and math.isnan(answer)):
        return 0.0
    return abs(computed - answer) / ulp(answer)


@compiled
def _judge_sigmoid(x, out, i):
    small = math.exp(-abs(x))
    return (_distance(np.float64(out[0, i]), (small if x < 0 else 1.0) / (1 + small)),)


@compiled
def _judge_log_sigmoid(x, out, i):
    answer = min(x, 0.0) - math.log1p(math.exp(-abs(x)))
    return (_distance(np.float64(out[0, i]), answer),)


def on_threads(judge, kinds):
    """Return a function for the largest errors of an array, and where they are."""

    @njit(**OPTIONS, parallel=True)
    def largest(x, out):
        errors, places = np.zeros((PARTS, kinds)), np.zeros((PARTS, kinds), np.int64)
        for part in prange(PARTS):
            for i in range(x.size * part // PARTS, x.size * (part + 1) // PARTS):
                found = judge(np.float64(x[i]), out, i)
                for k in range(kinds):
                    if not found[k] <= errors[part, k]:
                        errors[part, k], places[part, k] = found[k], i
        return errors, places

    return largest


# --- both together ---------------------------------------------------------------


class Subject(NamedTuple):
    """Something that is tried with every argument."""

    patterns: list
    compute: Callable
    judge: Callable
    kinds: list

    def largest(self, first, count):
        """Return {kind: (largest error, argument)} of a range of patterns."""
        found = dict.fromkeys(self.kinds, (0.0, 0.0))
        last = first + count - 1
        for start in range(first, last + 1, BLOCK):
            # Whole vectors, so that the last argument may be tried several times.
            size = min(BLOCK, (last - start) // 16 * 16 + 16)
            bits = np.minimum(np.arange(start, start + size), last)
            x = bits.astype(np.uint32).view(np.float32)
            errors, places = self.judge(x, self.compute(x))
            for k, kind in enumerate(self.kinds):
                part = int(np.argmax(errors[:, k]))
                error, argument = errors[part, k], x[places[part, k]]
                if not error <= found[kind][0]:
                    found[kind] = float(error), float(argument)
        return found


def _subject(patterns, compute, judge, kinds):
    return Subject(patterns, compute, on_threads(judge, len(kinds)), kinds)


ALL = [(0, 1 << 32)]
SUBJECTS = {
    "term": _subject(
        between(-130, -0.0),
        on_vectors(_term, 5),
        _judge_term,
        ["in two parts", "rounded", "with its error"],
    ),
    "any maximum": _subject(
        between(-630, 500),
        on_vectors(_any_maximum, 3),
        _judge_any_maximum,
        ["in two parts", "with its error"],
    ),
    "reduced": _subject(
        between(-0.3468, 0.3468),
        on_vectors(_reduced, 1),
        _judge_reduced,
        ["in units of e^r", "in its own units"],
    ),
    "sigmoid": _subject(
        ALL, lambda x: softmax_lib.sigmoid(x)[None], _judge_sigmoid, ["result"]
    ),
    "log_sigmoid": _subject(
        ALL, lambda x: softmax_lib.log_sigmoid(x)[None], _judge_log_sigmoid, ["result"]
    ),
}


@compiled
def _references(x):
    small = math.exp(x)
    return small, math.expm1(x), math.log1p(small)


def reference_error(seed=0, count=3000):
    """Return the largest relative error of the float64 references, from a sample."""
    rng = np.random.default_rng(seed)
    worst = 0.0
    exact = [mpmath.exp, mpmath.expm1, lambda a: mpmath.log1p(mpmath.exp(a))]
    with mpmath.workdps(50):
        for x in rng.uniform(-1, 1, count) * 10 ** rng.uniform(-6, 2.7, count):
            x = float(np.float32(x))
            for found, function in zip(_references(x), exact, strict=True):
                true = function(mpmath.mpf(x))
                worst = max(worst, float(abs(found - true) / true))
    return worst


def main():
    """Try everything, print the largest errors, and store them."""
    print(f"references are good to 2^{math.log2(reference_error()):.1f}")
    stored = json.loads(STORE.read_text()) if STORE.exists() else {}
    table = stored["fma" if is_fused() else "no fma"] = {}
    for name, subject in SUBJECTS.items():
        start = time.perf_counter()
        found = [subject.largest(*patterns) for patterns in subject.patterns]
        seconds = time.perf_counter() - start
        table[name] = {}
        for kind in subject.kinds:
            error, argument = max(part[kind] for part in found)
            table[name][kind] = {"ulp": round(error, 7), "argument": argument.hex()}
            print(f"{name:12} {kind:17} {error:.7f} ULP at {argument!r}")
        count = sum(count for _, count in subject.patterns)
        print(f"{name:12} {count} arguments in {seconds:.0f} s", flush=True)
    STORE.write_text(json.dumps(stored, indent=2) + "\n")


if __name__ == "__main__":
    main()
