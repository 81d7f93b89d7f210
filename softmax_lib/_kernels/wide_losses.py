r"""The loss and the gradient of one slice in `wide` numbers.

They have the form of `soft_targets`, with the coefficients :math:`c_k = w_k t_k`. A
label stands for probabilities of which one is 1.
"""

import math
from collections import namedtuple

from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import wide

# What all slices have in common. Without probabilities there are labels, and an empty
# weight means 1.
Given = namedtuple("Given", "x probabilities labels weight ignored smoothing n inner")

# The numbers of a slice begin at start and are inner apart; row counts slices.
Slice = namedtuple("Slice", "row start")

# Where the maximum of a slice is, the total of the other terms, that of all, its
# logarithm.
Sums = namedtuple("Sums", "at top others total log")

# --- coefficients ----------------------------------------------------------------


@inlined
def slice_at(given, row):
    """Return a slice of an array with the class axis between two others."""
    block, place = row // given.inner, row % given.inner
    return Slice(row, block * given.n * given.inner + place)


@inlined
def weight_of(given, k):
    """Return the weight of a class."""
    return float(given.weight[k]) if given.weight.size else 1.0


@inlined
def counts(given, s):
    """Return whether a slice counts."""
    if given.probabilities.size:
        return True
    y = given.labels[s.row]
    if y == given.ignored:
        return False
    return given.smoothing != 0.0 or weight_of(given, y) != 0.0


@inlined
def support(given, s):
    """Return the classes outside which all coefficients are 0."""
    if given.probabilities.size or given.smoothing != 0.0:
        return range(given.n)
    return range(given.labels[s.row], given.labels[s.row] + 1)


@inlined
def probability(given, s, k):
    """Return the probability of a class before smoothing."""
    if given.probabilities.size:
        return float(given.probabilities[s.start + k])
    return 1.0 if given.labels[s.row] == k else 0.0


@inlined
def rough_coefficient(given, s, k):
    """Return c_k in float64, for its size and sign."""
    p = probability(given, s, k) * (1.0 - given.smoothing)
    return weight_of(given, k) * (p + given.smoothing / given.n)


@outlined
def coefficient(given, s, k):
    """Return c_k."""
    c = wide.from_float(probability(given, s, k))
    if given.smoothing != 0.0:
        c = wide.multiply(c, wide.from_parts(1.0, -given.smoothing))
        by = wide.from_float(given.smoothing)
        c = wide.add(c, wide.divide(by, wide.from_float(float(given.n))))
    if given.weight.size:
        c = wide.multiply(c, wide.from_float(float(given.weight[k])))
    return c


@outlined
def weight_sum(given):
    """Return the divisor of a mean."""
    if given.probabilities.size:
        return wide.from_float(float(given.probabilities.size // given.n))
    total = wide.from_float(0.0)
    for y in given.labels:
        if y != given.ignored:
            total = wide.add(total, wide.from_float(weight_of(given, y)))
    return total


# --- one slice -------------------------------------------------------------------


@outlined
def sums_of_slice(given, s):
    """Return the sums of a slice, and whether its maximum is finite."""
    x, top, at, is_finite = given.x, -math.inf, 0, True
    for k in range(given.n):
        score = float(x[s.start + k * given.inner])
        is_finite = is_finite and score < math.inf
        if score > top:
            top, at = score, k
    others = wide.from_float(0.0)
    is_finite = is_finite and top > -math.inf
    if is_finite:
        for k in range(given.n):
            score = float(x[s.start + k * given.inner])
            # Most scores are too low to count, if this is called at all.
            if k != at and score - top > -wide.REACH:
                others = wide.add(others, wide.exp_difference(score, top))
    total = wide.add(wide.from_float(1.0), others)
    return Sums(at, top, others, total, wide.log1p(others)), is_finite


@outlined
def infinite_loss(given, s):
    """Return the loss of a slice if a score of -inf makes it infinite, else 0."""
    loss = 0.0
    for k in support(given, s):
        if given.x[s.start + k * given.inner] == -math.inf:
            c = rough_coefficient(given, s, k)
            loss += math.copysign(math.inf, c) if c != 0.0 else 0.0
    return loss


@outlined
def finite_loss(given, s, sums):
    """Return sum_k c_k (top - x_k + log), where it is not infinite."""
    loss = wide.from_float(0.0)
    for k in support(given, s):
        c = coefficient(given, s, k)
        if not wide.is_zero(c):
            gap = wide.difference(sums.top, float(given.x[s.start + k * given.inner]))
            loss = wide.add(loss, wide.multiply(c, wide.add(gap, sums.log)))
    return loss


@outlined
def write_gradient(given, s, sums, divisor, grad):
    """Write ((C - c_k) p_k - c_k (1 - p_k)) / divisor."""
    every, others = wide.from_float(0.0), wide.from_float(0.0)
    for k in range(given.n):
        c = coefficient(given, s, k)
        every = wide.add(every, c)
        if k != sums.at:
            others = wide.add(others, c)
    for k in range(given.n):
        at = s.start + k * given.inner
        c = coefficient(given, s, k)
        if k == sums.at:
            rest = sums.others
            entry = others
        else:
            term = wide.exp_difference(float(given.x[at]), sums.top)
            rest = wide.subtract(sums.total, term)
            entry = wide.multiply(wide.subtract(every, c), term)
        entry = wide.subtract(entry, wide.multiply(c, rest))
        grad[at] = quotient(entry, wide.multiply(sums.total, divisor))


@inlined
def quotient(a, b):
    """Return a / b in float64; 0 over 0 is 0, and any other number is infinite."""
    if wide.is_zero(a):
        return 0.0
    if wide.is_zero(b):
        return math.copysign(math.inf, wide.to_float(a))
    return wide.to_float(wide.divide(a, b))
