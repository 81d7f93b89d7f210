"""Draw one class from scores, after some of them have been cut off.

All functions take one list of scores and work inside `@njit`. A score of -inf
belongs to a class that cannot be drawn.
"""

import numpy as np
from numba import njit

from softmax_lib import softmax

kernel = njit(cache=True, error_model="numpy", fastmath=False)


@kernel
def draw(scores, at):
    """Draw a class in proportion to its share; `at` is a random number in [0, 1).

    Returns -1 if there is no class to draw, or if a score is NaN.
    """
    shares = softmax(scores)
    total = 0.0
    for share in shares:
        total += share
    chosen, so_far = -1, 0.0
    for i in range(shares.size):
        if shares[i] > 0:
            # It stays chosen if rounding leaves nothing above the goal.
            chosen = i
            so_far += shares[i]
            if so_far > at * total:
                break
    return chosen


@kernel
def top_k(scores, k):
    """Keep the `k` largest scores; of equal ones, the first."""
    kept = np.full_like(scores, -np.inf)
    for i in np.argsort(-scores, kind="mergesort")[:k]:
        kept[i] = scores[i]
    return kept


@kernel
def top_p(scores, part):
    """Keep the fewest scores whose shares add up to `part` or more."""
    if part >= 1:
        return scores.copy()
    shares = softmax(scores)
    kept = np.full_like(scores, -np.inf)
    before = 0.0
    for i in np.argsort(-scores, kind="mergesort"):
        if before >= part:
            break
        kept[i] = scores[i]
        before += shares[i]
    return kept
