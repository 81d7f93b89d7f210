"""Search for the rows with the largest errors, by changing one property at a time.

Usage: python -m benchmarks.worst [minutes] [seed] [function ...]

A row is a few numbers: its length, how far the winner is ahead, where the others are.
Every row is given to all functions; a row that is worse than all before it for one of
them is where the search goes on for that function. Errors are those to the wider type
of `oracle`; those that are shown and stored are confirmed in 50 digits. Finds are kept
in tests/worst_rows.json, and tests/test_worst.py tries them again.
"""

import functools
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import mpmath
import numpy as np

import softmax_lib
from benchmarks import oracle
from benchmarks.hard_rows import MAX_SIZE, SIDE_BY_SIDE, Row, changed, scores

STORE = Path(__file__).parent.parent / "tests" / "worst_rows.json"
FUNCTIONS = ["softmax", "log_softmax", "logsumexp", "cross_entropy", "gradient"]
DTYPES = {"float32": np.float32, "float64": np.float64}
# What the error budget allows, in ULP (book/budget.md).
LIMITS = {
    "softmax": 2.9,
    "log_softmax": 2.0,
    "logsumexp": 1.8,
    "cross_entropy": 1.8,
    "gradient": 2.9,
}

# The search goes on from long rows and from others apart: these are tried faster.
LONG = 20_000


# --- errors ----------------------------------------------------------------------


class Found(NamedTuple):
    """The largest error, and the result that has it."""

    ulp: float
    computed: float
    place: int  # in the row, of the result
    label: int


NOTHING = Found(-1.0, 0.0, 0, 0)


def errors(row, dtype, functions=FUNCTIONS):
    """Return {function: Found} for a row in its layout."""
    x = scores(row, dtype)
    terms, others, top, d, e = oracle._others(x[None])
    log = np.log1p(others)
    answers = {
        "softmax": (terms / (1 + others))[0],
        "log_softmax": ((d - log) + e)[0],
        "logsumexp": (top + log)[0],
    }
    if not abs(answers["logsumexp"]) >= abs(top):
        # Where maximum and logarithm cancel, errors in ULP mean nothing.
        functions = [name for name in functions if name != "logsumexp"]
    fewest, most = SIDE_BY_SIDE[row.layout]
    count = max(fewest, min(most, MAX_SIZE // row.n))
    # Each neighbour is shifted by one more.
    shifts = np.arange(count)
    beside = np.stack([np.roll(x, k) for k in shifts])
    axis = 1
    if row.layout in ("columns", "blocked"):
        beside, axis = beside.T.copy(), 0
    found = {}
    for name in functions:
        if name in ("cross_entropy", "gradient"):
            winner = int(x.argmax())
            worst = NOTHING
            for label in {winner, (winner + row.n // 2) % row.n}:
                labels = (label + shifts) % row.n
                answer = _loss_answer(name, answers, terms, others, label)
                result = _loss(name, beside, labels, axis)
                worst = max(worst, _worst(result, answer, shifts, axis, label))
            found[name] = worst
        else:
            result = getattr(softmax_lib, name)(beside, axis=axis)
            found[name] = _worst(result, answers[name], shifts, axis, 0)
    return found


def _loss(name, beside, labels, axis):
    if name == "cross_entropy":
        return softmax_lib.cross_entropy(beside, labels, axis, reduction="none")
    _, grad = softmax_lib.cross_entropy_and_grad(beside, labels, axis, reduction="sum")
    return grad


def _loss_answer(name, answers, terms, others, label):
    if name == "cross_entropy":
        return -answers["log_softmax"][label : label + 1]
    answer, terms, others = answers["softmax"].copy(), terms[0], others[0, 0]
    rest = others + (1 - terms[label] if label != int(terms.argmax()) else 0)
    answer[label] = -rest / (1 + others)
    return answer


def _worst(result, answer, shifts, axis, label):
    """Return the largest error among neighbouring rows."""
    if result.ndim == 1:
        result, axis = result[:, None], 1
    if axis == 0:
        result = result.T
    worst = NOTHING
    for line, shift in zip(result, shifts, strict=True):
        line = np.roll(line, -shift) if line.size > 1 else line
        ulps = oracle.ulps(line, answer)
        ulps = np.where(np.isnan(ulps), np.inf, ulps)
        place = int(ulps.argmax())
        worst = max(worst, Found(float(ulps[place]), float(line[place]), place, label))
    return worst


@functools.lru_cache(4)
def _fifty_digits(row, dtype):
    """Return the largest score, and the sum of the other terms relative to its own."""
    values, counts = np.unique(scores(row, dtype).astype(float), return_counts=True)
    counts[-1] -= 1
    top = mpmath.mpf(values[-1])
    terms = (mpmath.exp(value - top) for value in values)
    return top, mpmath.fsum(t * int(c) for t, c in zip(terms, counts, strict=True))


def confirmed(name, row, dtype, found):
    """Return the error of what was found, in ULP of the answer to 50 digits."""
    with mpmath.workdps(50):
        top, others = _fifty_digits(row, dtype)
        at = found.label if name == "cross_entropy" else found.place
        below = float(scores(row, dtype)[at]) - top
        if name == "logsumexp":
            answer = top + mpmath.log1p(others)
        elif name in ("log_softmax", "cross_entropy"):
            answer = below - mpmath.log1p(others)
            answer *= -1 if name == "cross_entropy" else 1
        elif name == "gradient" and found.place == found.label:
            answer = -(others - mpmath.expm1(below)) / (1 + others)
        else:
            answer = mpmath.exp(below) / (1 + others)
        info = np.finfo(dtype)
        exponent = max(mpmath.frexp(answer)[1] - 1, info.minexp) - info.nmant
        error = abs(found.computed - answer)
        return float(mpmath.ldexp(error, -int(exponent)))


# --- the search ------------------------------------------------------------------


def search(dtype, seconds, seed, functions=FUNCTIONS):
    """Return {(function, layout, is long): (Found, Row)}, the worst in that time."""
    rng = np.random.default_rng(seed)
    best = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        known = list(best)
        if not known or rng.uniform() < 0.2:
            row = changed(rng, Row(), dtype, times=rng.choice([3, 12]))
        else:
            row = best[known[rng.integers(len(known))]][1]
            row = changed(rng, row, dtype, times=rng.choice([1, 1, 2]))
        for name, found in errors(row, dtype, functions).items():
            key = name, row.layout, row.n > LONG
            if key not in best or found.ulp > best[key][0].ulp:
                best[key] = found, row
    return best


def kept(finds, dtype, best):
    """Return stored finds with those of a search, which are confirmed and printed.

    Besides the largest error within the limit, one beyond it stays, once mended.
    """
    finds = {_key(find): find for find in finds}
    for (name, *_), (found, row) in sorted(best.items()):
        ulp = confirmed(name, row, DTYPES[dtype], found)
        print(f"{dtype} {name:13} {ulp:9.3f} ULP {row}", flush=True)
        find = {"function": name, "dtype": dtype, "ulp": round(ulp, 3), **row._asdict()}
        finds[_key(find)] = max(find, finds.get(_key(find), find), key=_error)
        assert abs(ulp - found.ulp) <= 0.02 + 1e-3 * ulp, find
    return [finds[key] for key in sorted(finds)]


def _error(find):
    return find["ulp"]


def _key(find):
    which = find["function"], find["dtype"], find["layout"]
    return *which, find["n"] > LONG, find["ulp"] > LIMITS[find["function"]]


def main(minutes="10", seed=None, *functions):
    """Search, print the worst rows, and store them."""
    seed = time.time_ns() % 2**32 if seed is None else int(seed)
    print(f"seed {seed}; {minutes} minutes", flush=True)
    for name, dtype in DTYPES.items():
        if dtype == np.float64 and not oracle.HAS_WIDER:
            continue
        # The type that is wider than float64 takes longer.
        seconds = 5.0 * float(minutes) * dtype().itemsize
        best = search(dtype, seconds, seed, functions or FUNCTIONS)
        finds = json.loads(STORE.read_text()) if STORE.exists() else []
        lines = ",\n".join(map(json.dumps, kept(finds, name, best)))
        STORE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
