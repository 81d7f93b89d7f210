"""Recompute the polynomials of the kernels, and print them with their error bounds.

Usage: python -m benchmarks.coefficients

Remez' exchange in 60 digits: solve for the polynomial whose weighted error has the
same size and alternating sign at n + 2 points, move the points to where the error
is largest, repeat.
"""

import mpmath as mp

DIGITS = 60


def remez(function, weight, degree, a, b, rounds=12):
    """Return minimax coefficients, lowest first, and the largest weighted error."""
    with mp.workdps(DIGITS):
        count = degree + 2
        width = b - a
        points = [
            (a + b) / 2
            - width / 2 * mp.cos(mp.pi * k / (count - 1))
            + width / 50 * mp.sin(mp.pi * k / (count - 1))
            for k in range(count)
        ]
        grid = [
            a + width * (1 - mp.cos(mp.pi * i / (40 * count))) / 2
            for i in range(40 * count + 1)
        ]
        for _ in range(rounds):
            matrix = mp.matrix(count, count)
            values = mp.matrix(count, 1)
            for i, x in enumerate(points):
                for k in range(degree + 1):
                    matrix[i, k] = x**k
                matrix[i, count - 1] = (-1) ** i / weight(x)
                values[i] = function(x)
            solution = mp.lu_solve(matrix, values)
            coefficients = [solution[k] for k in range(degree + 1)]
            errors = [
                weight(x) * (mp.polyval(coefficients[::-1], x) - function(x))
                for x in grid
            ]
            peaks = _peaks(errors)
            if len(peaks) < count:
                break
            while len(peaks) > count:
                peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
            points = [grid[i] for i in peaks]
        return coefficients, max(abs(e) for e in errors)


def _peaks(errors):
    """Return where |error| is largest in each run of one sign."""
    runs = [[0]]
    for i in range(1, len(errors)):
        if mp.sign(errors[i]) == mp.sign(errors[runs[-1][-1]]):
            runs[-1].append(i)
        else:
            runs.append([i])
    return [max(run, key=lambda i: abs(errors[i])) for run in runs]


def exponential_tail(degree):
    """Fit ((exp(r) - 1) / r - 1) / r, weighted by its contribution to exp(r)."""
    half = mp.mpf("0.3468")  # ln 2 / 2 plus the effect of rounding n

    def tail(r):
        return (mp.expm1(r) - r) / r**2 if abs(r) > 1e-18 else mp.mpf("0.5")

    def weight(r):
        return (r * r + mp.mpf("1e-6")) * mp.exp(-r)

    return remez(tail, weight, degree, -half, half)


def artanh_tail(degree):
    """Fit (2 artanh(s) - 2 s) / s^3 in z = s^2, weighted by its contribution."""
    with mp.workdps(DIGITS):
        root = mp.sqrt(2)
        longest = ((root - 1) / (root + 1)) ** 2 * mp.mpf("1.001")

        def tail(z):
            s = mp.sqrt(z)
            if z < mp.mpf(10) ** -18:
                return mp.mpf(2) / 3 + 2 * z / 5
            return (2 * mp.atanh(s) - 2 * s) / (s * z)

        def weight(z):
            return z + mp.mpf(10) ** -15

        return remez(tail, weight, degree, mp.mpf(0), longest)


FITS = {
    ("EXPM1_POLY", "float32"): (exponential_tail, 4),
    ("EXPM1_POLY", "float64"): (exponential_tail, 9),
    ("ATANH_POLY", "float32"): (artanh_tail, 3),
    ("ATANH_POLY", "float64"): (artanh_tail, 6),
}


def main():
    """Print every polynomial."""
    for (name, dtype), (fit, degree) in FITS.items():
        coefficients, bound = fit(degree)
        exponent = mp.nstr(mp.log(bound, 2), 4)
        print(f"{name} for {dtype}, relative error at most 2^{exponent}:")
        for c in coefficients:
            print("   ", mp.nstr(c, 20))


if __name__ == "__main__":
    main()
