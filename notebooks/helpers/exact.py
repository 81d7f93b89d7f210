"""Reference results to 50 digits, and the errors of other results in ULP.

Each function takes a flat sequence of floats, reads it as exact numbers, and
returns a list of `mpmath.mpf`.
"""

import mpmath
import numpy as np

mpmath.mp.dps = 50


def softmax(x):
    """Softmax to 50 digits."""
    terms = [mpmath.exp(v) for v in _exact(x)]
    total = mpmath.fsum(terms)
    return [t / total for t in terms]


def log_softmax(x):
    """Log-softmax to a relative accuracy of 50 digits, also where it is tiny."""
    values = _exact(x)
    winner = max(range(len(values)), key=values.__getitem__)
    top = values[winner]
    others = (
        mpmath.exp(v - top) for i, v in enumerate(values) if i != winner
    )
    tail = mpmath.log1p(mpmath.fsum(others))
    return [v - top - tail for v in values]


def logsumexp(x):
    """Log-sum-exp to 50 digits."""
    return [mpmath.log(mpmath.fsum(mpmath.exp(v) for v in _exact(x)))]


def sigmoid(x):
    """Sigmoid to 50 digits."""
    return [1 / (1 + mpmath.exp(-v)) for v in _exact(x)]


def log_sigmoid(x):
    """Logarithm of the sigmoid to 50 digits."""
    return [-mpmath.log1p(mpmath.exp(-v)) for v in _exact(x)]


def ulps(computed, exact):
    """Return each error in units in the last place (ULP) of the exact value.

    One ULP is the distance between the two neighbouring floats, in the dtype of
    `computed`, that enclose the exact value.
    """
    computed = np.ravel(computed)
    nearest = np.abs(np.array(exact, dtype=computed.dtype))
    beyond = [
        mpmath.mpf(float(a)) > abs(e)
        for a, e in zip(nearest, exact, strict=True)
    ]
    lower = np.where(beyond, np.nextafter(nearest, 0), nearest)
    unit = np.spacing(lower.astype(computed.dtype))
    return np.array(
        [
            float(abs(mpmath.mpf(float(c)) - e) / mpmath.mpf(float(u)))
            for c, e, u in zip(computed, exact, unit, strict=True)
        ]
    )


def _exact(x):
    return [mpmath.mpf(float(v)) for v in np.ravel(x)]
