"""Prove the error bounds of the kernels' polynomials, in interval arithmetic.

Usage: python -m benchmarks.certificate

A polynomial is compared with a Taylor polynomial of what it approximates, coefficient
by coefficient, so that nothing cancels later. The difference is bounded on each of many
short intervals by its value and slope in the middle and its curvature on the interval,
and where that is not good enough, on halves. What Taylor's polynomial leaves out is
bounded by its first term and a geometric series. All this is done in `mpmath.iv`, which
rounds outwards, with the coefficients that the kernels have: rounded to the dtype.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
from mpmath.ctx_iv import MPIntervalContext

from softmax_lib._kernels import exponential, logarithm

DTYPES = [np.float32, np.float64]
STEPS = 200
HALVINGS = 6
TAYLOR = 26  # terms

iv = MPIntervalContext()
iv.prec = 140


class Bounds(NamedTuple):
    """What is proved, and the error that was found in some point: no less is true."""

    proved: float
    found: float


def written(module, name, dtype):
    """Return a constant or the coefficients of a polynomial for a dtype."""
    return getattr(module, name).values[DTYPES.index(dtype)]


def polynomial(module, name, dtype):
    """Return the coefficients that a kernel has."""
    return [float(dtype(c)) for c in written(module, name, dtype)]


def constant(name, dtype):
    """Return a constant that the exponential has."""
    return float(dtype(written(exponential, name, dtype)))


def upper(interval):
    """Return a float64 that is no less than the magnitudes in an interval."""
    # Twice up: the conversion may round to nearest.
    return math.nextafter(float(abs(interval).b), math.inf)


def value(coefficients, x):
    """Return an interval that holds a polynomial on an interval."""
    total = iv.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def derivative(coefficients):
    """Return the coefficients of the derivative."""
    return [k * c for k, c in enumerate(coefficients)][1:]


def largest(difference, weight, low, high):
    """Return Bounds of |difference(x)| weight(x) for x from low to high."""
    slope = derivative(difference)
    curvature = derivative(slope)

    def there(x):
        return abs(value(difference, x)) * weight(x)

    def on_all(a, b):
        x, middle = iv.mpf([a.a, b.b]), iv.mpf(((a + b) / 2).mid)
        h = x - middle
        line = value(difference, middle) + h * value(slope, middle)
        return upper((line + h * h / 2 * value(curvature, x)) * weight(x))

    edges = [low + (high - low) * k / STEPS for k in range(STEPS + 1)]
    found = max(float(there(x).a) for x in edges)
    pieces = list(itertools.pairwise(edges))
    for _ in range(HALVINGS):
        bounds = [on_all(a, b) for a, b in pieces]
        # What is left out from now on is bounded by `found`.
        proved = max([found, *bounds])
        rest = [p for p, bound in zip(pieces, bounds, strict=True) if bound > found]
        halves = [(a, (a + b) / 2, b) for a, b in rest]
        found = max([found, *(float(there(x).a) for _, x, _ in halves)])
        pieces = [p for a, x, b in halves for p in ((a, x), (x, b))]
    return Bounds(proved, found)


def exponential_error(dtype, limit="0.3468"):
    """Return Bounds of the relative error of 1 + r + r^2 EXPM1_POLY(r) to e^r."""
    own = [1, 1, *polynomial(exponential, "EXPM1_POLY", dtype)]
    series = [1 / iv.mpf(math.factorial(k)) for k in range(TAYLOR)]
    difference = _minus(own, series)
    half = iv.mpf(limit)
    # Beyond the series: r^n / n! (1 + r / (n + 1) + ...).
    first = half**TAYLOR / math.factorial(TAYLOR)
    rest = first / (1 - half / (TAYLOR + 1)) * iv.exp(half)
    found = largest(difference, lambda r: iv.exp(-r), -half, half)
    return found._replace(proved=math.nextafter(found.proved + upper(rest), math.inf))


def longest_square(dtype):
    """Return an interval that holds the largest z of `log1p`, its rounding included.

    1 + f is at least the number in SQRT_HALF_BITS and less than twice that, and f is
    exact. The sum 2 + f, the quotient and the square are rounded.
    """
    bits = written(logarithm, "SQRT_HALF_BITS", dtype)
    root = np.array(bits, f"u{np.dtype(dtype).itemsize}").view(dtype)
    unit = _one_rounding(dtype)
    low, high = iv.mpf(float(root)) - 1, 2 * iv.mpf(float(root)) - 1
    squares = [(f / (2 + f) * unit * unit) ** 2 * unit for f in (low, high)]
    return max(squares, key=lambda z: z.b)


def logarithm_error(dtype):
    """Return Bounds of the relative error of 2 s + s^3 ATANH_POLY(s^2) to 2 artanh(s).

    In z = s^2 that is the polynomial's error times z / (2 artanh(s) / s).
    """
    own = polynomial(logarithm, "ATANH_POLY", dtype)
    series = [iv.mpf(2) / (2 * k + 3) for k in range(TAYLOR)]
    difference = _minus(own, series)
    z = longest_square(dtype)
    rest = z ** (TAYLOR + 1) / (1 - z)

    def weight(z):
        # 2 artanh(s) / s is at least its first terms.
        return z / (2 + 2 * z / 3 + 2 * z * z / 5)

    found = largest(difference, weight, iv.mpf(0), iv.mpf(z.b))
    return found._replace(proved=math.nextafter(found.proved + upper(rest), math.inf))


def reduced_argument(dtype):
    """Return the largest possible |r| and |n| of `reduce_argument`.

    For unshifted scores, down to the cutoff, on processors with fma and without. Each
    operation multiplies by some number in 1 + unit, unless its result is exact.
    """
    log2_e = constant("LOG2_E", dtype)
    high, low = constant("LN2_HIGH", dtype), constant("LN2_LOW", dtype)
    unit, ln2 = _one_rounding(dtype), iv.log(2)
    x = iv.mpf([-1, 1]) * constant("MAX_UNSHIFTED", dtype)
    x = (x + iv.mpf([-1, 1]) * constant("CUTOFF", dtype)) * unit
    # n = x LOG2_E (1 + unit) + half.
    half = iv.mpf([-0.5, 0.5])
    most = upper(x * log2_e * unit + half)
    n = iv.mpf([-most, most])
    _check_exact(dtype, most, high)
    true = x * (1 - log2_e * unit * ln2) - half * ln2
    # The roundings of x - n LN2_HIGH, of n LN2_LOW where there is no fma, and of r.
    roundings = (unit - 1) * (true + n * (ln2 - high)) + (unit - 1) * (n * low)
    r = (true + n * (ln2 - high - low) + roundings) * unit
    return upper(r), most


def _check_exact(dtype, most, high):
    """Raise unless n, times LN2_HIGH and in magic numbers, is exact."""
    digits = np.finfo(dtype).nmant + 1
    length = math.frexp(most)[1]
    assert (math.ldexp(high, digits - length)).is_integer()
    magic = constant("ROUNDING_MAGIC", dtype)
    scaled = magic + constant("TERM_SCALE_EXPONENT", dtype)
    assert 2.0 ** (digits - 1) < magic - 2 * most
    assert scaled + 2 * most < 2.0**digits


def main():
    """Print what is proved."""
    for dtype in DTYPES:
        r, n = reduced_argument(dtype)
        print(f"{dtype.__name__}: |r| <= {r:.6f}, |n| <= {n:.1f}")
        for name in "exponential", "logarithm":
            bounds = globals()[f"{name}_error"](dtype)
            proved, found = map(math.log2, bounds)
            print(f"  {name}: 2^{proved:.3f} is proved, 2^{found:.3f} is found")


def _minus(own, series):
    padded = [*own, *[0] * (len(series) - len(own))]
    return [iv.mpf(c) - s for c, s in zip(padded, series, strict=True)]


def _one_rounding(dtype):
    unit = iv.mpf(float(np.finfo(dtype).eps)) / 2
    return 1 + unit * iv.mpf([-1, 1])


if __name__ == "__main__":
    main()
