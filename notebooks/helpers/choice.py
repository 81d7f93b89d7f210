"""Nested logit: softmax among groups, and softmax inside each group.

Inside group g the scores are divided by its scale; the group enters the choice among
groups with its scale times the log-sum-exp of these. A scale of 1 is plain softmax.
Arrays are float64.
"""

import numpy as np
from numba import njit

from softmax_lib import log_softmax, logsumexp

kernel = njit(cache=True, error_model="numpy", fastmath=False)


@kernel
def nested_log_shares(x, groups, scales):
    """Return the logarithm of the share of each option."""
    levels, inside = np.empty(scales.size), np.empty(x.size)
    for g in range(scales.size):
        members = np.flatnonzero(groups == g)
        divided = x[members] / scales[g]
        levels[g] = scales[g] * logsumexp(divided)
        inside[members] = log_softmax(divided)
    return inside + log_softmax(levels)[groups]
