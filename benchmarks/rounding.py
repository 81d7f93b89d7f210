"""Search for polynomials of the kernels whose coefficients are floats of their dtype.

Usage: python -m benchmarks.rounding

Rounding the coefficients that `benchmarks.coefficients` prints loses up to one and a
half bits, since each is rounded by itself. Here they are rounded one after another,
lowest first, and those that follow make up for it: they are chosen anew, by linear
programming, so that the largest error is smallest. Of the neighbouring floats of a
coefficient the best few combinations are kept. `benchmarks.certificate` then proves
the bound of those that the kernels have.
"""

import math

import mpmath as mp
import numpy as np
from scipy.optimize import linprog

from benchmarks.coefficients import DIGITS, FITS

POINTS = 240
KEPT = 12
DTYPES = {"float32": np.float32, "float64": np.float64}


def exponential_weight(r):
    """Return what an error of a coefficient of r^0 does to e^r, relatively."""
    return r * r * mp.exp(-r)


def logarithm_weight(z):
    """Return what an error of a coefficient of z^0 does to 2 artanh, relatively."""
    return z / (2 + 2 * z / 3 + 2 * z * z / 5)


def exponential_tail(r):
    """Return what EXPM1_POLY stands for."""
    return (mp.expm1(r) - r) / r**2 if abs(r) > 1e-15 else mp.mpf("0.5")


def logarithm_tail(z):
    """Return what ATANH_POLY stands for."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z) if z > 1e-15 else mp.mpf(2) / 3


HOW = {
    "EXPM1_POLY": (exponential_tail, exponential_weight, "-0.3468", "0.3468"),
    "ATANH_POLY": (logarithm_tail, logarithm_weight, "0", "0.0294373"),
}


class Rounding:
    """The errors of a polynomial as a linear function of its coefficients.

    They are counted from `start`, in units in their last places.
    """

    def __init__(self, name, start, dtype):
        tail, weight, low, high = HOW[name]
        low, high = mp.mpf(low), mp.mpf(high)
        places = [
            (low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * k / POINTS)
            for k in range(POINTS + 1)
        ]
        self.start = [float(dtype(c)) for c in start]
        self.units = [float(np.spacing(dtype(c))) for c in self.start]
        errors = [
            weight(x) * (sum(c * x**k for k, c in enumerate(self.start)) - tail(x))
            for x in places
        ]
        # In units of the dtype, in which linear programming has no tiny numbers.
        self.scale = 2.0 ** (np.finfo(dtype).nmant + 5)
        self.errors = np.array([float(e * self.scale) for e in errors])
        self.effects = np.array(
            [
                [float(weight(x) * x**k * u * self.scale) for x in places]
                for k, u in enumerate(self.units)
            ]
        ).T

    def fit(self, fixed):
        """Return the smallest largest error, and the best next correction."""
        k = len(fixed)
        errors = self.errors + self.effects[:, :k] @ np.array(fixed, float)
        size = abs(self.effects[:, k:]).max(axis=0)
        effects, one = self.effects[:, k:] / size, np.ones((errors.size, 1))
        if not size.size:
            return abs(errors).max(), 0.0
        both = np.block([[effects, -one], [-effects, -one]])
        found = linprog(
            [0] * size.size + [1],
            A_ub=both,
            b_ub=np.concatenate([-errors, errors]),
            bounds=[(None, None)] * size.size + [(0, None)],
        )
        return found.x[-1], found.x[0] / size[0]

    def best(self):
        """Return the coefficients and their largest error in the points."""
        states = [(*self.fit([]), [])]
        for _ in self.start:
            tried = {
                (*fixed, math.floor(best) + step)
                for _, best, fixed in states
                for step in (-1, 0, 1, 2)
            }
            states = sorted((*self.fit(fixed), list(fixed)) for fixed in tried)[:KEPT]
        error, _, corrections = states[0]
        every = zip(self.start, corrections, self.units, strict=True)
        return [c + k * u for c, k, u in every], error / self.scale


def main():
    """Print every polynomial, rounded one by one and together."""
    for (name, dtype_name), (fit, degree) in FITS.items():
        dtype = DTYPES[dtype_name]
        exact, _ = fit(degree)
        with mp.workdps(DIGITS):
            rounding = Rounding(name, [float(c) for c in exact], dtype)
        coefficients, error = rounding.best()
        alone = abs(rounding.errors).max() / rounding.scale
        print(
            f"{name} for {dtype_name}: rounded one by one 2^{math.log2(alone):.2f}, "
            f"together 2^{math.log2(error):.2f}"
        )
        for c in coefficients:
            print("   ", repr(float(dtype(c))))


if __name__ == "__main__":
    main()
