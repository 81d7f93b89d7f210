"""The error bounds that `softmax_lib.exact` rests on, and its roundings."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from formulas import Formula

from softmax_lib._exact import first as f
from softmax_lib._exact import second as p
from softmax_lib._exact.finish import to_float64
from softmax_lib._exact.rounding import signed_sticky_sum
from softmax_lib._exact.third import round_to
from softmax_lib._kernels import pairs as q
from softmax_lib._kernels.pairs import Pair

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@pytest.fixture(autouse=True)
def _many_bits():
    with mpmath.workprec(300):
        yield


def worst(found, true):
    """Return the largest relative error."""
    return max(float(abs(a / b - 1)) for a, b in zip(found, true, strict=True))


def exact(numbers):
    return [mpmath.mpf(float(x)) for x in numbers]


def pairs(hi, lo):
    return [a + b for a, b in zip(exact(hi), exact(lo), strict=True)]


# --- the first path --------------------------------------------------------------


@Formula
def terms(x, top, _, __):
    params = f.params_of(top)
    return f.term(x, params), params.magic, params.shift


def test_terms_of_float32():
    rng = np.random.default_rng(1)
    tops = rng.choice(
        [0.0, 1.0, -0.35, 88.0, 499.9, -499.9, 501.0, -700.0, 1e5, -1e30], 4000
    )
    tops = (tops * rng.choice([1, rng.uniform(0.9, 1)], tops.size)).astype(np.float32)
    gaps = rng.uniform(0, 110, tops.size) * rng.choice([1.0, 0.01, 1e-5], tops.size)
    x = (tops - gaps.astype(np.float32)).astype(np.float32).astype(float)
    # Tiny scores, and those next to the borders between two powers of two.
    x[:500] = rng.normal(size=500) * 10.0 ** rng.uniform(-40, -1, 500)
    borders = (np.arange(-80, 80) + 0.5) * np.log(2)
    x[500:660], tops[500:660] = borders.astype(np.float32), 60
    tops[:500] = 0.5
    found, magic, shift = terms(x, tops.astype(float))
    n = f.MAGIC + 1023.0 - magic
    true = [
        mpmath.exp(a - b) / mpmath.mpf(2) ** int(k)
        for a, b, k in zip(exact(x), exact(shift), n, strict=True)
    ]
    assert worst(found, true) < 2.2 * f.UNIT


@Formula
def logs(c, t, _, __):
    return (f.log_total(c, t),)


def test_logarithms_of_totals():
    rng = np.random.default_rng(2)
    c = rng.choice([1.0, 1.0, 2.0, 3.0, 1e6], 6000)
    t = rng.choice([1.0, 10.0, 1e5], c.size) * rng.uniform(0, 1, c.size)
    t[::2] *= 10.0 ** -rng.uniform(0, 200, t[::2].size)
    t[:200] = np.sqrt(2) - 1 + rng.normal(size=200) * 1e-9
    (found,) = logs(c, t)
    true = [mpmath.log1p(a - 1 + b) for a, b in zip(exact(c), exact(t), strict=True)]
    assert worst(found, true) < 4 * f.UNIT
    # Without losers it is exactly 0.
    assert logs(np.ones(16), np.zeros(16))[0].tolist() == [0.0] * 16


@Formula
def bounds_of_two(x, top, _, __):
    params = f.params_of(top)
    t, largest = f.term(x, params), f.term(top, params)
    one = 0.0 * t + 1.0
    shares = f.share_bounds(t, 1.0 / (t + largest), f.share_error(1.0))
    return shares + f.log_bounds(one, t, params, top, 1.0)


def test_bounds_of_shares_and_logarithms():
    rng = np.random.default_rng(9)
    tops = rng.uniform(-90, 90, 3000).astype(np.float32).astype(float)
    gaps = rng.uniform(0, 100, tops.size) * rng.choice([1.0, 0.01], tops.size)
    x = (tops - gaps).astype(np.float32).astype(float)
    low, high, log_low, log_high = map(exact, bounds_of_two(x, tops))
    u = f.UNIT
    for k, (a, b) in enumerate(zip(exact(x), exact(tops), strict=True)):
        term = mpmath.exp(a - b)
        share, log = term / (1 + term), mpmath.log1p(term)
        assert low[k] <= share <= high[k]
        assert log_low[k] <= log <= log_high[k]
        # They are not idle.
        assert high[k] - low[k] < 35 * u * share
        assert log_high[k] - log_low[k] < 51 * u * log


# --- the second path -------------------------------------------------------------


@Formula
def exponentials(x, top, _, __):
    gap = p.gap(x, top)
    e = q.exponential(gap)
    one = q.one_plus(e.g)
    return e.n, e.g.hi, e.g.lo, one.hi, one.lo, gap.hi, gap.lo


def test_exponentials_of_pairs():
    rng = np.random.default_rng(3)
    top = rng.normal(size=4000) * 10.0 ** rng.uniform(-10, 3, 4000)
    gaps = rng.uniform(0, 780, top.size) * rng.choice([1.0, 0.01, 1e-8], top.size)
    x = top - gaps
    found = exponentials(x, top)
    n, d_hi, d_lo, hi, lo, gap_hi, gap_lo = found
    exact_gaps = [b - a for a, b in zip(exact(top), exact(x), strict=True)]
    assert pairs(gap_hi, gap_lo) == exact_gaps
    assert (abs(d_hi) < 0.4143).all()
    powers = [mpmath.mpf(2) ** -int(k) for k in n]
    true = [mpmath.exp(g) * q for g, q in zip(exact_gaps, powers, strict=True)]
    assert worst(pairs(hi, lo), true) < 2.0**-95
    kept = d_hi != 0
    short = [t - 1 for t, k in zip(true, kept, strict=True) if k and abs(t - 1) < 1e-3]
    d = [v for v, t in zip(pairs(d_hi, d_lo), true, strict=True)
         if t != 1 and abs(t - 1) < 1e-3]  # fmt: skip
    if short:
        assert max(float(abs(a - b)) for a, b in zip(d, short, strict=True)) < 2.0**-95


@Formula
def logs_of_pairs(hi, lo, _, __):
    log = p.log_one_plus(Pair(hi, lo))
    return log.hi, log.lo


def test_logarithms_of_pairs():
    rng = np.random.default_rng(4)
    hi = rng.uniform(0, 1, 6000) * 10.0 ** rng.uniform(-90, 9, 6000)
    hi[:1000] = rng.uniform(0.2, 0.6, 1000)
    lo = hi * rng.uniform(-1, 1, hi.size) * 2.0**-54
    found = pairs(*logs_of_pairs(hi, lo))
    true = [mpmath.log1p(t) for t in pairs(hi, lo)]
    assert worst(found, true) < 2.0**-94


@Formula
def quotients(a, b, c, d):
    pair = q.divide(Pair(a, b), Pair(c, d))
    product = q.multiply(Pair(a, b), Pair(c, d))
    total = q.add(Pair(a, b), Pair(c, d))
    return pair.hi, pair.lo, product.hi, product.lo, total.hi, total.lo


def test_arithmetic_of_pairs():
    rng = np.random.default_rng(5)
    a, c = rng.uniform(0.1, 10, (2, 4000)) * 2.0 ** rng.integers(-60, 60, (2, 4000))
    b, d = (x * rng.uniform(-1, 1, x.size) * 2.0**-54 for x in (a, c))
    found = quotients(a, b, c, d)
    both = list(zip(pairs(a, b), pairs(c, d), strict=True))
    w = 2.0**-106
    assert worst(pairs(*found[:2]), [x / y for x, y in both]) < 15 * w
    assert worst(pairs(*found[2:4]), [x * y for x, y in both]) < 7 * w
    assert worst(pairs(*found[4:6]), [x + y for x, y in both]) < 3 * w


# --- roundings -------------------------------------------------------------------


@Formula
def sticky(a, b, _, __):
    return (signed_sticky_sum(a, b),)


def test_sums_rounded_to_odd_and_then_to_float32():
    rng = np.random.default_rng(6)
    # Midpoints of float32, subnormal ones among them, and numbers far below.
    a = np.ldexp(rng.integers(2**24, 2**25, 4000) * 1.0, rng.integers(-175, 100, 4000))
    a *= rng.choice([-1, 1], a.size)
    b = rng.normal(size=a.size) * 10.0 ** -rng.uniform(0, 250, a.size) * abs(a)
    b[::50] = 0
    (found,) = sticky(a, b)
    with np.errstate(all="ignore"):
        narrow = found.astype(np.float32)
    exactly = [Fraction(x) + Fraction(y) for x, y in zip(a, b, strict=True)]
    assert narrow.tolist() == [round_to(q, FLOAT32) for q in exactly]
    inexact = np.array([Fraction(x) != q for x, q in zip(found, exactly, strict=True)])
    assert (found.view(np.int64)[inexact] & 1).all()


@Formula
def last_rounding(hi, lo, n, _):
    return (to_float64(None, hi, lo, n),)


def test_the_last_rounding_to_float64():
    rng = np.random.default_rng(7)
    hi = rng.uniform(0.3, 2, 6000)
    lo = hi * rng.uniform(-1, 1, hi.size) * 2.0**-54
    n = rng.integers(-1100, 1, hi.size).astype(float)
    n[::2] = rng.integers(-1080, -1015, n[::2].size)
    # Midpoints of subnormal numbers, and what lies beside them.
    few = rng.integers(1, 2**12, 1000) * 2.0**-12
    hi[:1000], n[:1000] = few, -1063.0
    lo[:1000] = rng.choice([-1e-18, 1e-18, 1e-30], 1000) * few
    (found,) = last_rounding(hi, lo, n)
    for k in range(hi.size):
        q = (Fraction(hi[k]) + Fraction(lo[k])) * Fraction(2) ** int(n[k])
        assert found[k] == round_to(q, FLOAT64)


def test_round_to():
    rng = np.random.default_rng(8)
    x = rng.normal(size=3000) * 10.0 ** rng.uniform(-50, 40, 3000)
    x[:6] = 0.0, 2.0**-149, 2.0**-150, 1.5 * 2.0**-149, 2.0**128, 2.0**128 - 2.0**103
    with np.errstate(over="ignore"):
        expected = x.astype(np.float32).tolist()
    assert [round_to(Fraction(v), FLOAT32) for v in x] == expected
    assert [round_to(Fraction(v), FLOAT64) for v in x] == x.tolist()
    for v in x:
        third = Fraction(v) / 3
        assert round_to(third, FLOAT64) == float(third)
