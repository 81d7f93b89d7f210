"""Scanned digits with their labels and the form that each was written on."""

import numpy as np
from sklearn.datasets import load_digits

# The index of the first picture of each form. All forms have the same sequence
# of labels, apart from a few missing pictures.
FORMS = (
    0,
    130,
    256,
    386,
    516,
    646,
    776,
    906,
    1029,
    1157,
    1287,
    1415,
    1545,
    1667,
)

# Drawn by hand for this book: # is full ink, + half.
LETTERS = {
    "A": "   ##   |  #++#  |  #  #  | +#  #+ | ###### | #    # |##    ##|#      #",
    "E": " ###### | #+     | #      | #####  | #      | #      | #+     | ###### ",
    "H": " #    # | #    # | #    # | ###### | #    # | #    # | #    # | #    # ",
    "K": " #   #+ | #  #+  | # #+   | ##+    | ##+    | # #+   | #  #+  | #   #+ ",
    "M": "#      #|##    ##|# #  # #|# +##+ #|#  ++  #|#      #|#      #|#      #",
    "T": "########|   ##   |   ##   |   ##   |   ##   |   ##   |   ##   |   ##   ",
    "W": "#      #|#      #|#      #|#  ++  #|# +##+ #|# #  # #|##    ##|#      #",
    "X": "#      #| #    # |  #  #  |   ##   |   ##   |  #  #  | #    # |#      #",
}


def load():
    """Return pictures (n, 8, 8) from 0 to 1, their labels, and their forms."""
    data = load_digits()
    form = np.searchsorted(
        FORMS, np.arange(len(data.target)), side="right"
    )
    return data.images / 16, data.target, form - 1


def letters():
    """Return pictures of letters, in the format of the digits."""
    ink = {" ": 0.0, "+": 0.5, "#": 1.0}
    return np.array(
        [
            [[ink[c] for c in row] for row in text.split("|")]
            for text in LETTERS.values()
        ]
    )


def wilson(hits, n, z=1.96):
    """Return Wilson's interval for an accuracy, of which `hits` of `n` were seen.

    Its ends are the accuracies a that lie `z` standard errors, sqrt(a (1 - a) / n),
    away from hits / n. It never leaves [0, 1].
    """
    hits, n = np.asarray(hits, float), np.asarray(n, float)
    centre = (hits + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(hits * (n - hits) / n + z**2 / 4)
    return centre - half, centre + half
