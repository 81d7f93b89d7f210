"""Pairs of marks on one axis, each pair joined by an arrow."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    COLOURS,
    GREY,
    PALE,
    breadth,
    for_page_and_phone,
    signed,
    width,
)

HEAD = "-|>,head_width=0.28,head_length=0.55"
TEXT = {"textcoords": "offset points", "va": "center"}


@for_page_and_phone
def arrows(labels, start, end, texts, *, digits=2, share=False):
    """Draw an arrow from one value to another for each label.

    `start` and `end` are (name, values); the first is drawn as a dot, the second as a
    ring. `texts` are written above the arrows; where the marks leave no room between
    them, the arrow stands in the text. Values have `digits` decimals. With `share` the
    axis goes from 0 to 1, on a pale track. If all values of `end` are equal, they are
    one line instead of rings, labelled once.
    """
    (start_name, starts), (end_name, ends) = start, end
    starts, ends = np.asarray(starts, float), np.asarray(ends, float)
    one_line = np.ptp(ends) == 0
    _, ax = plt.subplots(figsize=(width(), 0.75 + 0.5 * len(labels)))
    if one_line:
        ax.axvline(ends[0], color=GREY, linewidth=1.2)
    colours = COLOURS[: len(labels)]
    low, high = min(*starts, *ends), max(*starts, *ends)
    room = breadth(signed(low, digits)) + 0.15
    place = width() - max(map(breadth, labels)) - 2 * room - 0.3
    unit = place / (high - low)
    rows = zip(starts, ends, texts, colours, strict=True)
    for y, (a, b, text, colour) in enumerate(rows):
        if share:
            ax.hlines(y, 0, 1, color=PALE, linewidth=8, alpha=0.45)
        short = abs(b - a) * unit < 0.2
        if not short:
            arrow = {
                "arrowstyle": HEAD,
                "color": colour,
                "linewidth": 1.8,
                "shrinkA": 0,
                "shrinkB": 0 if one_line else 4,
            }
            ax.annotate("", (b, y), (a, y), arrowprops=arrow)
        elif not one_line:
            text = f"← {text}" if b < a else f"{text} →"
        if not one_line:
            ax.plot(b, y, "o", mfc="white", mec=colour, markersize=7)
        ax.plot(a, y, "o", color=colour, markersize=7)
        spot, shift, ha = ((a + b) / 2, y), (0, 10), "center"
        if short and one_line:  # the line would cross the text
            spot, shift, ha = (b, y), (6, 0), "left"
        ax.annotate(text, spot, shift, ha=ha, color=colour, **TEXT)
        side = -1 if a <= b else 1
        _number(ax, a, y, side, digits)
        if not one_line:
            _number(ax, b, y, -side, digits)
    _name(ax, start_name, starts[0], ends[0])
    if one_line:
        end_name = f"{end_name}\n{signed(ends[0], digits)}"
    _name(ax, end_name, ends[0], starts[0])
    ax.set_xlim(low - room / unit, high + room / unit)
    ax.set_ylim(len(labels) - 0.4, -1.0)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(left=False, pad=5)
    ax.tick_params(axis="x", labelcolor=GREY, length=2)
    ax.spines[["left", "bottom"]].set_visible(False)


def _number(ax, x, y, side, digits):
    """Write a value on the left (-1) or the right (1) of its mark."""
    ha = "right" if side < 0 else "left"
    ax.annotate(signed(x, digits), (x, y), (8 * side, 0), ha=ha, **TEXT)


def _name(ax, text, x, other):
    """Write what a mark is above the first row, on the side of no arrow."""
    ha, gap = ("right", -4) if x < other else ("left", 4)
    ax.annotate(text, (x, -0.7), (gap, 0), ha=ha, color=GREY, **TEXT)
