"""Times in copies: multiples of the time of a copy, rounded as coarsely as they are."""

import math

import numpy as np

from helpers import show

STEPS = np.array([1, 1.5, 2, 3, 5, 7, 10])


def coarse(ratio):
    """Round a ratio to 1, 1.5, 2, 3, 5 or 7 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(ratio))
    step = STEPS[abs(STEPS - ratio / power).argmin()]
    return float(f"{step * power:.2g}")


def in_copies(columns):
    """Show columns of times, each as multiples of its copy's."""
    table = {"in copies": list(next(iter(columns.values())))}
    for title, times in columns.items():
        ratios = [t / times["copy"] for t in times.values()]
        table[title] = list(map(coarse, ratios))
    return show.table(table, digits="g")
