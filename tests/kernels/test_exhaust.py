"""The largest errors of all float32 arguments, which benchmarks/exhaust.py stored."""

import json
import time

import numpy as np
import pytest
from formulas import Formula

from benchmarks import exhaust
from softmax_lib._kernels import exponential as e

SEED = time.time_ns() % 2**32
AROUND = 1 << 12
SLICE = 1 << 18
# Another libm has other last digits, in units 2^29 times smaller.
LIBM = 1e-6

STORED = json.loads(exhaust.STORE.read_text(encoding="utf-8"))
TABLE = STORED["fma" if exhaust.is_fused() else "no fma"]
KINDS = [(name, kind) for name, kinds in TABLE.items() for kind in kinds]
# Terms within 0.6 ULP, results within 2; parts near the cutoff are subnormal.
LIMITS = {
    "in two parts": 0.6,
    "rounded": 1.1,
    "with its error": 0.25,
    "in units of e^r": 0.5,
    "in its own units": 1.1,
    "result": 2.0,
}


def test_everything_is_stored():
    kinds = {name: subject.kinds for name, subject in exhaust.SUBJECTS.items()}
    for table in STORED.values():
        assert {name: list(errors) for name, errors in table.items()} == kinds


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_the_largest_error_is_there(name, kind):
    stored = TABLE[name][kind]
    first = exhaust.pattern(float.fromhex(stored["argument"]))
    error, _ = exhaust.SUBJECTS[name].largest(first, 1)[kind]
    assert error == pytest.approx(stored["ulp"], abs=LIBM)
    assert stored["ulp"] < LIMITS[kind]


@pytest.mark.parametrize("name", exhaust.SUBJECTS)
def test_no_error_is_larger(name):
    subject = exhaust.SUBJECTS[name]
    rng = np.random.default_rng(SEED)
    for first, count in subject.patterns:
        places = [rng.integers(0, count - SLICE), count - AROUND]
        for kind in subject.kinds:
            worst = exhaust.pattern(float.fromhex(TABLE[name][kind]["argument"]))
            places.append(np.clip(worst - first - AROUND // 2, 0, count - AROUND))
        for place, size in zip(places, [SLICE, *[AROUND] * 9], strict=False):
            found = subject.largest(first + int(place), size)
            for kind, (error, argument) in found.items():
                limit = TABLE[name][kind]["ulp"] + LIBM
                assert error <= limit, f"at {argument!r}, seed {SEED}"


def test_references():
    assert exhaust.reference_error(SEED, 1000) < 2.0**-51, f"seed {SEED}"


@Formula
def terms(score, top, _, __):
    params = e.term_params(top, e.choose_shift(top))
    return *e.scaled_exp_with_error(score, params), params.magic


def test_a_maximum_changes_terms_by_a_power_of_two():
    rng = np.random.default_rng(SEED)
    tops = rng.uniform(-500, 500, 40_000).astype(np.float32)
    scores = (tops - rng.uniform(0, 110, tops.size)).astype(np.float32)
    power, part, error, magic = terms(scores, tops)
    steps = magic.astype(np.float64) - 1.5 * 2.0**23
    d, low, n = exhaust.SUBJECTS["any maximum"].compute(scores)[:, : scores.size]
    np.testing.assert_array_equal(power, np.exp2(n + steps - 127))
    np.testing.assert_array_equal(part, power * d)
    np.testing.assert_array_equal(error, power * low, f"seed {SEED}")
