r"""Terms of scores so large that `exponential` would first subtract a maximum.

A running total has no maximum to subtract: it may change. So here a term is again
:math:`2^n (1 + g)`, where n and g depend on the score alone. In n ln 2 more digits of
ln 2 count than before. Everything is float64, whatever the scores are.

Up to 2^30 three parts of ln 2 with 20 bits each, and a fourth, are taken from a score;
n has up to 31 bits, so that the first two differences are exact. Beyond, up to 2^62,
multiples of 2^30 are taken first: 2^30 is m ln 2 + s for an integer m and a small s.
Scores that are larger still lie 1024 or more apart, so that nothing beside the largest
of them counts.
"""

import math
from collections import namedtuple
from fractions import Fraction

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels.double_double import two_sum
from softmax_lib._kernels.exact_sum import KEEPS_ALL
from softmax_lib._kernels.exponential import (
    LOG2_E,
    ROUNDING_MAGIC,
    expm1,
    reduce_argument,
)

# The formulas of `exponential` hold up to here, and are used up to here.
NEAR = v.constant(500.0 + 130.0, 1600.0 + 1060.0)

# Up to here whole vectors are reduced; scores beyond LIMIT are not counted.
STEP, LIMIT = 2.0**30, 2.0**62

_LN2 = Fraction(693147180559945309417232121458176568075500134360255254120680009, 10**63)


def _parts(x, bits, count):
    """Return a number in parts of so many bits, and the rest."""
    found = []
    for k in range(1, count + 1):
        unit = Fraction(1, 2 ** (bits * k))
        part = round(x / unit) * unit
        found.append(float(part))
        x -= part
    return *found, float(x)


LN2_A, LN2_B, LN2_C, LN2_D = _parts(_LN2, 20, 3)
POWERS_IN_STEP = round(Fraction(STEP) / _LN2)
REST_A, REST_B, REST_C = _parts(Fraction(STEP) - POWERS_IN_STEP * _LN2, 20, 2)

# Terms 2^n (1 + g) in float64, whatever the scores are.
Term = namedtuple("Term", ["n", "g"])


@inlined
def near_terms(x):
    """Return terms as `exponential` has them, for scores of up to NEAR.

    In float32 the sum 1 + g is cut to 53 bits, as `exact_sum` cuts it.
    """
    magic = v.splat(x, ROUNDING_MAGIC(x))
    r, rounded = reduce_argument(x, magic)
    g = v.to_float64(expm1(r))
    if KEEPS_ALL(x) == 0.0:
        g = (1.0 + g) - 1.0
    return Term(v.to_float64(rounded - magic), g)


@inlined
def far_terms(x):
    """Return terms of float64 scores of up to STEP."""
    n = v.fma(x, LOG2_E(x), ROUNDING_MAGIC(x)) - ROUNDING_MAGIC(x)
    r = v.fma(n, -LN2_B, v.fma(n, -LN2_A, x))
    return Term(n, expm1(v.fma(n, -LN2_D, v.fma(n, -LN2_C, r))))


@inlined
def terms_up_to_step(x):
    """Return the terms of scores of up to STEP, by the formula for each."""
    near, far = near_terms(x), far_terms(v.to_float64(x))
    is_near = NEAR(x) >= v.fabs(x)
    return Term(v.select(is_near, near.n, far.n), v.select(is_near, near.g, far.g))


@outlined
def term_of(x, score):
    """Return the term of one score of up to LIMIT, as numbers, n as an integer."""
    if abs(score) <= STEP:
        term = terms_up_to_step(v.one_lane_of(x, score))
        return Term(int(v.lane0(term.n)), v.lane0(term.g))
    steps = float(round(score / STEP))
    # The second part collects what the first rounds.
    hi, lo = score - steps * STEP, 0.0
    for part in (REST_A, REST_B, REST_C):
        hi, error = two_sum(hi, steps * part)
        lo += error
    n = float(round((hi + lo) * math.log2(math.e)))
    for part in (LN2_A, LN2_B, LN2_C, LN2_D):
        hi, error = two_sum(hi, -n * part)
        lo += error
    g = v.lane0(expm1(v.one_lane(hi + lo)))
    return Term(int(steps) * POWERS_IN_STEP + int(n), g)
