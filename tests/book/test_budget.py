"""The error budget says what the tests of the library allow."""

import json
import re
from pathlib import Path

import numpy as np

from benchmarks import certificate, exhaust, worst
from benchmarks.hard_rows import Row
from softmax_lib._kernels import accumulator

PAGE = (Path(__file__).parents[2] / "book" / "budget.md").read_text(encoding="utf-8")
ROW = re.compile(r"\* - `(\w+)`\n  - ([\d.]+)\n")


def test_bounds_are_those_that_the_worst_rows_must_keep():
    bounds = {name: float(bound) for name, bound in ROW.findall(PAGE)}
    for name, limit in worst.LIMITS.items():
        assert bounds.get(name, bounds["softmax"]) == limit
    assert bounds.keys() >= worst.LIMITS.keys() - {"gradient"}


def test_exhausted_errors_are_the_stored_ones():
    stored = json.loads(exhaust.STORE.read_text())
    bounds = {name: float(bound) for name, bound in ROW.findall(PAGE)}
    for table in stored.values():
        for name in ("sigmoid", "log_sigmoid"):
            assert bounds[name] - 0.1 < table[name]["result"]["ulp"] <= bounds[name]
    ((parts, rounded),) = re.findall(r"at most (\S+) ULP, and (\S+) after", PAGE)
    term = stored["fma"]["term"]
    assert float(parts) == round(term["in two parts"]["ulp"], 2)
    assert float(rounded) == round(term["rounded"]["ulp"], 2)


def test_steps_are_what_is_proved_and_found():
    # A term below 1 has a ULP of u, and is at least the square root of 1/2.
    stored = json.loads(exhaust.STORE.read_text())["fma"]
    root = 0.5**0.5
    allowed = [float(n) for n in re.findall(r"\| \$([\d.]+)\\,u\$ \|", PAGE)]
    assert stored["term"]["in two parts"]["ulp"] / root <= allowed[0]
    assert stored["term"]["rounded"]["ulp"] / root <= allowed[1]
    assert stored["any maximum"]["with its error"]["ulp"] / root <= allowed[2]


def test_the_rounding_of_totals_is_within_its_line():
    # Half of a multiple, and the step before it; see `accumulator`.
    (line,) = re.findall(r"any order, rounded \| \$([\d.]+)", PAGE)
    (digits, more) = map(
        int, re.findall(r"to (\d+) bits, or (\d+) in float64", PAGE)[0]
    )
    for dtype, bits in ((np.float32, digits), (np.float64, more)):
        high, low = (
            certificate.written(accumulator, f"HALF_{part}", dtype)
            for part in ("HIGH", "LOW")
        )
        assert (low or high) == 2.0 ** -(bits + 1)
    assert (0.5 + 1 / 24) * 2.0**-digits / 2.0**-24 <= float(line)


def test_the_worst_rows_reach_what_the_page_says():
    finds = json.loads(worst.STORE.read_text())
    ((single, double),) = re.findall(r"found (\S+) ULP in float32 and (\S+) in", PAGE)
    for dtype, said in (("float32", single), ("float64", double)):
        errors = [
            worst.errors(
                Row(**{name: find[name] for name in Row._fields}),
                worst.DTYPES[dtype],
                ["softmax"],
            )["softmax"].ulp
            for find in finds
            if find["function"] == "softmax" and find["dtype"] == dtype
        ]
        assert round(max(errors), 1) == float(said)
