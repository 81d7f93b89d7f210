r"""Log-sum-exp of rows whose terms cancel, in decimal arithmetic: slow, but certain.

Factors of equal scores are added first, as integers. By the theorem of Lindemann and
Weierstrass (see `_exact.third`) what is left is 0 only if nothing is left, and its
logarithm is 0 only for one score of 0 with a factor of 1 or -1. Otherwise both are at a
distance from 0, and more digits tell how far.
"""

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext

FIRST_DIGITS = 60

# All factors are multiples of 2^-1074.
LEAST_BITS = 1074

# The error of a result before it is rounded, relative.
TOLERANCE = Decimal("1e-20")


def log_and_sign(scores, factors):
    """Return log|sum_j b_j exp(x_j)| of finite numbers as a float, and the sign."""
    sums = {}
    for x, b in zip(scores, factors, strict=True):
        if b and x != -math.inf:
            numerator, denominator = b.as_integer_ratio()
            scaled = numerator << LEAST_BITS + 1 - denominator.bit_length()
            sums[x] = sums.get(x, 0) + scaled
    sums = {x: b for x, b in sums.items() if b}
    if not sums:
        return -math.inf, 0.0
    top = max(sums)
    if len(sums) == 1 and abs(sums[top]) == 1 << LEAST_BITS:
        return top, 1.0 if sums[top] > 0 else -1.0
    digits, found = FIRST_DIGITS, None
    while found is None:
        with localcontext(Context(digits, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])):
            found = _with_digits(sums, Decimal(top), Decimal(10) ** (2 - digits))
        digits *= 2
    return found


def _with_digits(sums, top, unit):
    """Return the logarithm and the sign, None if they need more digits.

    `unit` is more than the relative error of an operation.
    """
    total = size = Decimal(0)
    for x, b in sums.items():
        gap = Decimal(x) - top
        term = b * gap.exp()
        total += term
        size += abs(term) * (1 + abs(gap))
    error = size * unit * len(sums)
    if abs(total) <= 2 * error:
        return None
    log = (abs(total) / (1 << LEAST_BITS)).ln()
    value = top + log
    error = 2 * error / abs(total) + (abs(top) + abs(log)) * unit
    if error > abs(value) * TOLERANCE:
        return None
    return float(value), 1.0 if total > 0 else -1.0
