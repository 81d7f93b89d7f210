"""Log-sum-exp with a signed factor for each term: float64, one number at a time."""

import math

from softmax_lib._jit import inlined, kernel
from softmax_lib._kernels.double_double import two_sum

# ln 2 in two parts: an exponent times the high one is exact (see exponential.py).
LN2_HIGH = 0.693147180559663
LN2_LOW = 2.8235290563031577e-13


@kernel
def signed_logsumexp_rows(x, b, out, n):
    """log(sum_j b_j exp(x_j)) of each row of n numbers."""
    for row in range(out.size):
        out[row] = signed_logsumexp_row(x, b, row * n, n)


@inlined
def signed_logsumexp_row(x, b, start, n):
    """Return m + log(sum_j b_j exp(x_j - m)), m being the largest x_j + log|b_j|."""
    top = -math.inf
    positive = True
    for i in range(start, start + n):
        if b[i] != 0.0:
            size = x[i] + math.log(abs(b[i]))
            if math.isnan(size):
                return math.nan
            top = max(top, size)
            positive &= size < math.inf or b[i] > 0.0
    if math.isinf(top):
        return top if positive else math.nan
    total, lost = 0.0, 0.0
    for i in range(start, start + n):
        if b[i] != 0.0 and x[i] != -math.inf:
            high, low = signed_term(x[i], b[i], top)
            total, error = two_sum(total, high)
            lost += error + low
    s = total + lost
    if s <= 0.0:
        return -math.inf if s == 0.0 else math.nan
    log = math.log(s)
    high, error = two_sum(top, log)
    return high + (error + (lost - (s - total)) / s)


@inlined
def signed_term(x, b, top):
    """Return b exp(x - top) in two parts, in range although neither factor may be.

    With b = m 2^e it is m exp(x - top + e ln 2), the roundings of that sum kept.
    """
    m, e = math.frexp(b)
    m, e = 2.0 * m, e - 1  # so that a factor of 1 changes nothing
    away, away_error = two_sum(x, -top)
    power, error = two_sum(away, e * LN2_HIGH)
    # Negligible beside the largest term, and the errors may be NaN.
    if not power > -800.0:
        return 0.0, 0.0
    term = m * math.exp(power)
    return term, term * (away_error + error + e * LN2_LOW)
