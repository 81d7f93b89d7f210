"""Other ways to share: entmax, hinge, ratings, and networks that look for pairs.

Arrays are float64. Where a rule is softmax, the functions call the library.
"""

import mpmath
import numpy as np
from numba import njit

from softmax_lib import cross_entropy_and_grad, sigmoid, softmax

# Compiled code is cached on disk, together with the library functions that it
# calls; `make clean` removes it.
kernel = njit(cache=True, error_model="numpy", fastmath=False)

# Games between the seven teams of the American League East in 1987: a row has
# the wins of a team over each of the teams, which are in the same order.
TEAMS = (
    "Milwaukee",
    "Detroit",
    "Toronto",
    "New York",
    "Boston",
    "Cleveland",
    "Baltimore",
)
WINS = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)


@kernel
def entmax_row(x, alpha):
    """Return the shares of one list of scores, for an alpha from 1 to 2."""
    if alpha == 1.0:
        return softmax(x)
    z = (alpha - 1.0) * (x - x.max())
    power = 1.0 / (alpha - 1.0)
    # At -1 the sum is at least 1, since the winner alone has a share of 1.
    # It is convex, so Newton's step from there never goes too far.
    tau, following = -2.0, -1.0
    while following > tau:
        tau = following
        total, slope = 0.0, 0.0
        for v in z:
            if v > tau:
                term = (v - tau) ** (power - 1.0)
                total += term * (v - tau)
                slope += term * power
        following = tau + (total - 1.0) / slope
    shares = np.maximum(z - tau, 0.0) ** power
    return shares / shares.sum()


@kernel
def entmax(scores, alpha):
    """Return the shares of each row of a table of scores."""
    shares = np.empty_like(scores)
    for n in range(scores.shape[0]):
        shares[n] = entmax_row(scores[n], alpha)
    return shares


@kernel
def hinge_shares(scores, labels):
    """Give each row to its largest score, after one point for all but the truth."""
    shares = np.zeros_like(scores)
    for n in range(scores.shape[0]):
        raised = scores[n] + 1.0
        raised[labels[n]] -= 1.0
        shares[n, raised.argmax()] = 1.0
    return shares


def exact_entmax(x, alpha):
    """Entmax to 50 digits, by halving the interval of its threshold."""
    alpha = mpmath.mpf(alpha)
    x = [mpmath.mpf(float(v)) for v in x]
    z = [(alpha - 1) * (v - max(x)) for v in x]
    power = 1 / (alpha - 1)
    low, high = mpmath.mpf(-1), mpmath.mpf(0)
    for _ in range(180):
        tau = (low + high) / 2
        total = mpmath.fsum((v - tau) ** power for v in z if v > tau)
        low, high = (low, tau) if total < 1 else (tau, high)
    return [(v - low) ** power if v > low else mpmath.mpf(0) for v in z]


@kernel
def elo(winners, losers, players, step):
    """Return ratings that were moved after each game, in the order of the games."""
    ratings = np.zeros(players)
    for game in range(winners.size):
        i, j = winners[game], losers[game]
        surprise = sigmoid(ratings[j] - ratings[i])
        ratings[i] += step * surprise
        ratings[j] -= step * surprise
    return ratings


@kernel
def normalised(z):
    """Return the rows of a table at length 1, and their lengths."""
    lengths = np.sqrt((z * z).sum(axis=1)).reshape((-1, 1))
    return z / lengths, lengths


@kernel
def pairs_loss_and_grads(first, second, A, B, T):
    """Return the InfoNCE loss of a batch, and its gradients by A and B.

    Row i of `first` belongs to row i of `second`; each looks for the other.
    """
    a, a_lengths = normalised(first @ A)
    b, b_lengths = normalised(second @ B)
    scores = (a @ b.T) / T
    truth = np.arange(first.shape[0])
    loss, slopes = cross_entropy_and_grad(scores, truth)
    loss_back, slopes_back = cross_entropy_and_grad(
        scores.T.copy(), truth
    )
    slopes = (slopes + slopes_back.T) / 2.0
    to_a, to_b = (slopes @ b) / T, (slopes.T.copy() @ a) / T
    to_a -= a * (a * to_a).sum(axis=1).reshape((-1, 1))
    to_b -= b * (b * to_b).sum(axis=1).reshape((-1, 1))
    grads = first.T.copy() @ (to_a / a_lengths)
    grads_back = second.T.copy() @ (to_b / b_lengths)
    return (loss + loss_back) / 2.0, grads, grads_back
