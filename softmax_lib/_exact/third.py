r"""The third path: decimal arithmetic with as many digits as it takes.

**It ends.** By the theorem of Lindemann and Weierstrass, exponentials
:math:`e^{a_k}` of distinct algebraic numbers (0 may be one) have no relation
:math:`\sum_k b_k e^{a_k} = 0` with algebraic factors b_k, unless all b_k are 0. Scores
are rational numbers. Let the finite scores of a slice have the distinct values a_k,
where a_k occurs c_k >= 1 times, and let :math:`S = \sum_k c_k e^{a_k}`.

- *softmax*. If the share :math:`p = e^{a_i} / S` is rational, then
  :math:`\sum_k p c_k e^{a_k} - e^{a_i} = 0`. The factor of each other exponential is
  p c_k > 0, so there is none; that of this one is p c_i - 1, so p = 1 / c_i.
- *log-sum-exp*. If :math:`v = \log S` is rational, then
  :math:`\sum_k c_k e^{a_k} - e^v = 0`. Every a_k other than v has a factor above 0, so
  there is only one, v itself, and its factor c - 1 is 0: there is one finite score.
- *log-softmax* is a_i - log S. If it is rational, so is log S.
- *sigmoid* of x is the share of x beside 0. If it is rational, x is 0.

Any other result is irrational. Where rounding changes from one number to the next, at
midpoints and where it overflows, there are rational numbers. So the result is at a
positive distance from all of these. It lies in an interval that shrinks to nothing as
digits are added, and in the end the interval is on one side of each. The exceptions
have exact results: 0, a score, 1 / c. Of these only 1 / c may be no floating-point
number. It is no midpoint either: a midpoint is M / 2^e with an odd M, and from
1 / c = M / 2^e follows that M divides 2^e. So M would be 1, but the only such midpoint
is half the least number, 2^-150 or 2^-1075, and no slice has that many entries.

How many digits that takes is not known beforehand. In practice one kind of slice would
take too many: beside a score of 0, one of -10^30 has a share of about
:math:`e^{-10^{30}}`. Such terms are not computed: they are between 0 and a bound. The
bound shrinks as digits are added, so the argument holds with them. It is also shorter:
where only such terms keep a result from being rational, their sign decides.
"""

import functools
import math
from collections import Counter
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np

# Significant bits, and the exponents of the least number and of the first too large.
_FORMATS = {np.dtype("f4"): (24, -149, 128), np.dtype("f8"): (53, -1074, 1024)}

FIRST_DIGITS = 40


def round_to(q, dtype):
    """Return a fraction rounded to a dtype, as a float; to even from midpoints."""
    bits, least, overflow = _FORMATS[dtype]
    if q == 0:
        return 0.0
    size = abs(q)
    # size is at least 2^e and less than 2^(e + 1).
    e = size.numerator.bit_length() - size.denominator.bit_length()
    e -= size < Fraction(2) ** e
    unit = Fraction(2) ** max(e - bits + 1, least)
    rounded = round(size / unit) * unit
    value = math.inf if rounded >= 2**overflow else float(rounded)
    return -value if q < 0 else value


class Slice:
    """A slice with finite scores, and bounds for sums of their exponentials."""

    def __init__(self, scores):
        scores = [float(x) for x in scores if x != -math.inf]
        counts = Counter(map(Fraction, scores))
        self.top = max(counts)
        self.winners = counts.pop(self.top)
        # How far the others are below, nearest first.
        self._gaps = sorted((self.top - x, count) for x, count in counts.items())
        self._guard = 10 + len(str(len(scores)))
        self.others = functools.cache(self._others)
        self.log = functools.cache(self._log)

    def term(self, gap, digits):
        """Return two fractions between which e^-gap lies."""
        if gap == 0:
            return Fraction(1), Fraction(1)
        far = _far(digits)
        if gap > far:
            return Fraction(0), Fraction(1, 2**far)
        with localcontext(_context(digits + self._guard)):
            return _widened(Fraction(_exp_minus(gap)), digits)

    def _others(self, digits):
        """Return two fractions between which the sum of the losers' terms lies.

        Terms are relative to that of the largest score.
        """
        if not self._gaps:
            return Fraction(0), Fraction(0)
        far = _far(digits)
        nearest, count = self._gaps[0]
        if nearest > far:
            return Fraction(0), Fraction(sum(count for _, count in self._gaps), 2**far)
        reach = min(far, nearest + 3 * digits)
        near = [(gap, count) for gap, count in self._gaps if gap <= reach]
        left = sum(count for gap, count in self._gaps if gap > reach)
        with localcontext(_context(digits + self._guard)):
            total = Decimal(0)
            for gap, count in near:
                total += count * _exp_minus(gap)
        low, high = _widened(Fraction(total), digits)
        # e^-reach is below 2^-reach.
        return low, high + Fraction(left, 2 ** math.floor(reach))

    def _log(self, digits):
        """Return two fractions between which L = log(winners + others) lies."""
        low, high = self.others(digits)
        if self.winners == 1 and low == 0:
            # L is 0, or positive and less than any number that matters: what it is
            # added to is a multiple of 2^-1074, and midpoints are multiples of 2^-1075.
            # So the sum rounds like that with any such L. It must not be 0, though.
            return high / 2, high
        if self.winners == 1 and high < Fraction(1, 10**digits):
            # Between t - t^2 and t.
            return low * (1 - high), high
        with localcontext(_context(2 * digits + 20)):
            below, above = (
                Fraction(_decimal(self.winners + t).ln()) for t in (low, high)
            )
        return _widened(below, digits)[0], _widened(above, digits)[1]


def _far(digits):
    # Terms further away than this are less than any number that matters: 2^-4000.
    return 4000 + 3 * digits


def _context(digits):
    # Whatever happens, as for inexact numbers, nothing is to be raised.
    return Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def _decimal(q):
    return Decimal(q.numerator) / Decimal(q.denominator)


def _exp_minus(gap):
    return _decimal(-gap).exp()


def _widened(q, digits):
    """Return bounds with a relative distance from q of 10^-digits."""
    error = q / 10**digits
    return q - error, q + error


def _decide(bounds, dtype):
    """Return what bounds(digits) rounds to, with as many digits as that takes."""
    digits = FIRST_DIGITS
    while True:
        low, high = (round_to(q, dtype) for q in bounds(digits))
        if low == high and math.copysign(1, low) == math.copysign(1, high):
            return low
        digits *= 2


def softmax(scores, picked, dtype):
    """Return the shares of some of the scores."""
    row = Slice(scores)

    def share(gap):
        def bounds(digits):
            (low, high), (rest_low, rest_high) = (
                row.term(gap, digits),
                row.others(digits),
            )
            return low / (row.winners + rest_high), high / (row.winners + rest_low)

        return _decide(bounds, dtype)

    share = functools.cache(share)
    return [
        0.0 if scores[i] == -math.inf else share(row.top - Fraction(float(scores[i])))
        for i in picked
    ]


def log_softmax(scores, picked, dtype):
    """Return the logarithms of the shares of some of the scores."""
    row = Slice(scores)

    def log_share(gap):
        def bounds(digits):
            low, high = row.log(digits)
            return gap + low, gap + high

        value = _decide(bounds, dtype)
        # An exact 0 is +0; what rounds to 0 is negative.
        return -value if row.log(FIRST_DIGITS)[1] or gap else 0.0

    log_share = functools.cache(log_share)
    return [
        -math.inf
        if scores[i] == -math.inf
        else log_share(row.top - Fraction(float(scores[i])))
        for i in picked
    ]


def logsumexp(scores, picked, dtype):
    """Return the log-sum-exp, as a list of one number."""
    row = Slice(scores)

    def bounds(digits):
        low, high = row.log(digits)
        return row.top + low, row.top + high

    return [_decide(bounds, dtype)]


def sigmoid(score, dtype):
    """Return the sigmoid of a score, its share beside 0."""
    return softmax([score, 0.0], [0], dtype)[0]
