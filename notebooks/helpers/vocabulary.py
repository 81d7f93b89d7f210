"""The loss of a last layer with very many words, in chunks of the words.

The layer gives word j the score hidden @ words[j]. The table of all scores is never
there, only that of one chunk of words. Arrays are float64.
"""

from pathlib import Path

import numpy as np
from numba import njit

from softmax_lib import log_sigmoid, logsumexp, sigmoid

# Compiled code is cached on disk, together with the library functions that it
# calls; `make clean` removes it.
kernel = njit(cache=True, error_model="numpy", fastmath=False)

TEXT = Path(__file__).with_name("prose.txt")


@kernel
def scores_of_others(hidden, words, targets, start):
    """Return the scores of a chunk of words, with -inf for the targets."""
    scores = hidden @ words.T
    for i in range(targets.size):
        if 0 <= targets[i] - start < words.shape[0]:
            scores[i, targets[i] - start] = -np.inf
    return scores


@kernel
def losses_in_chunks(hidden, words, targets, chunk):
    """Return the lead of each target over all other words, and its loss."""
    others = np.full((2, targets.size), -np.inf)
    for start in range(0, words.shape[0], chunk):
        part = words[start : start + chunk]
        scores = scores_of_others(hidden, part, targets, start)
        others[1] = logsumexp(scores, -1)
        others[0] = logsumexp(others, 0)
    own = (hidden * words[targets]).sum(axis=-1)
    leads = own - others[0]
    return leads, -log_sigmoid(leads)


@kernel
def gradients_in_chunks(hidden, words, targets, chunk, leads):
    """Return the gradients of the sum of the losses: of hidden and of words."""
    to_hidden = np.zeros_like(hidden)
    to_words = np.zeros_like(words)
    own = (hidden * words[targets]).sum(axis=-1)
    totals = own - log_sigmoid(leads)
    for start in range(0, words.shape[0], chunk):
        part = words[start : start + chunk]
        scores = scores_of_others(hidden, part, targets, start)
        shares = np.exp(scores - totals.reshape((-1, 1)))
        to_hidden += shares @ part
        to_words[start : start + chunk] = shares.T @ hidden
    missing = sigmoid(-leads)
    for i in range(targets.size):
        to_hidden[i] -= missing[i] * words[targets[i]]
        to_words[targets[i]] -= missing[i] * hidden[i]
    return to_hidden, to_words
