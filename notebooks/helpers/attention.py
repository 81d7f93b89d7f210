"""Attention in blocks of keys, forwards and backwards, written as loops.

No function here holds more scores than one block of one query has. All arrays are
float64. Query i sees the first `seen[i]` keys: all of them if it is their number,
none if it is 0, and those up to its own place if it is i + 1.
"""

import numpy as np
from numba import njit

from softmax_lib import logsumexp, softmax

# Compiled code is cached on disk, together with the library functions that it
# calls; `make clean` removes it.
kernel = njit(cache=True, error_model="numpy", fastmath=False)


@kernel
def attend(queries, keys, values, seen, scale, block):
    """Return the answer and the log-sum-exp of the scores for each query.

    A query that sees no key has the answer 0 and the log-sum-exp -inf.
    """
    answers = np.zeros((queries.shape[0], values.shape[1]))
    totals = np.full(queries.shape[0], -np.inf)
    pair = np.empty(2)
    for i in range(queries.shape[0]):
        for start in range(0, seen[i], block):
            part = slice(start, min(start + block, seen[i]))
            scores = scale * (keys[part] @ queries[i])
            answer = softmax(scores) @ values[part]
            pair[:] = totals[i], logsumexp(scores)
            old, new = softmax(pair)
            answers[i] = old * answers[i] + new * answer
            totals[i] = logsumexp(pair)
    return answers, totals


@kernel
def attend_backwards(
    queries, keys, values, seen, scale, block, answers, totals, slopes
):
    """Return the gradients of the queries, the keys and the values.

    `slopes` is the gradient with respect to the answers; `answers` and `totals`
    are what `attend` returned.
    """
    to_queries = np.zeros_like(queries)
    to_keys = np.zeros_like(keys)
    to_values = np.zeros_like(values)
    for i in range(queries.shape[0]):
        mean = slopes[i] @ answers[i]
        for start in range(0, seen[i], block):
            part = slice(start, min(start + block, seen[i]))
            scores = scale * (keys[part] @ queries[i])
            shares = np.exp(scores - totals[i])
            own = values[part] @ slopes[i]
            to_scores = scale * shares * (own - mean)
            to_queries[i] += to_scores @ keys[part]
            to_keys[part] += np.outer(to_scores, queries[i])
            to_values[part] += np.outer(shares, slopes[i])
    return to_queries, to_keys, to_values
