"""Bars of several parts, end to end on one scale."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    COLOURS,
    GREY,
    for_page_and_phone,
    signed,
    width,
)


@for_page_and_phone
def stacked(labels, parts, *, digits=0):
    """Draw one bar for each label, of the values of `parts`, a dict of name: values.

    Each part of a bar carries its value to `digits` decimals; the names of the parts
    stand above the first bar, and the whole of a bar at its end.
    """
    _, ax = plt.subplots(figsize=(width(), 0.5 + 0.42 * len(labels)))
    start = np.zeros(len(labels))
    for colour, (name, values) in zip(
        COLOURS, parts.items(), strict=False
    ):
        values = np.asarray(values, float)
        drawn = ax.barh(labels, values, 0.66, start, color=colour)
        texts = [signed(v, digits) for v in values]
        ax.bar_label(drawn, texts, label_type="center", color="white")
        middle = start[0] + values[0] / 2
        ax.text(middle, -0.5, name, color=colour, ha="center")
        start += values
    for y, whole in enumerate(start):
        ax.annotate(
            signed(whole, digits),
            (whole, y),
            (5, 0),
            textcoords="offset points",
            va="center",
        )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set(xlim=(0, 1.08 * start.max()), ylim=(len(labels) - 0.5, -0.9))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(left=False, bottom=False, labelbottom=False, pad=6)
