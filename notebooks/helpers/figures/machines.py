"""What is split over machines: a table, the digits of numbers, results by split."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from helpers.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    PALE,
    for_page_and_phone,
    on_phone,
    plain,
    width,
)


@for_page_and_phone
def split_table(rows, names, sent, whole):
    """Draw a table in upright parts, the totals of each part, and those of all.

    `rows` names the rows of the table, `names` its parts; `sent` is what is written
    at the arrows from the totals of parts to those of all, and `whole` below these.
    """
    high = 4.4 if on_phone() else 3.9
    _, ax = plt.subplots(figsize=(width(), high))
    n, wide, gap = len(names), 1.0, 0.18
    centres = np.arange(n) * (wide + gap) + wide / 2
    middle = centres.mean()
    for x, name, colour in zip(centres, names, COLOURS, strict=False):
        _cells(ax, x, 2.0, wide, colour, columns=8)
        ax.text(x, 3.28, name, ha="center", va="bottom", color=colour)
        _cells(ax, x, 0.95, 0.14, colour)
        _arrow(ax, (x, 1.95), (x, 1.62), colour)
        side = 0.14 * (x - middle)
        start, end = (x, 0.9), (middle + side, 0.12)
        _arrow(ax, start, end, colour)
    _cells(ax, middle, -0.55, 0.14, GREY)
    ax.text(centres[0] - wide / 2, 0.38, sent, va="center")
    ax.text(middle + 0.2, -0.24, whole, va="center")
    ax.text(-0.12, 2.6, rows, rotation=90, ha="center", va="center")
    ax.set(
        xlim=(-0.3, centres[-1] + wide / 2 + 0.05), ylim=(-0.65, 4.1)
    )
    ax.axis("off")


def _cells(ax, x, y, wide, colour, columns=1):
    """Draw four rows of cells, their middle at x, from y upwards."""
    left, step = x - wide / 2, wide / columns
    for row in range(4):
        for column in range(columns):
            corner = left + column * step, y + 0.15 + row * 0.27
            low = y + row * 0.15 if columns == 1 else corner[1]
            size = step, 0.15 if columns == 1 else 0.27
            ax.add_patch(
                Rectangle(
                    (corner[0], low),
                    *size,
                    facecolor=colour + "30",
                    edgecolor=colour,
                    linewidth=0.7,
                )
            )


def _arrow(ax, start, end, colour):
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.3}
    ax.annotate("", end, start, arrowprops=style)


@for_page_and_phone
def columns_of_bits(bits, names, edges, labels, *, xlabel):
    """Draw rows of bits, the highest power of two on the left.

    `bits` has 1, 0 and, where a number has no bit, -1. It is a dict of power: bits
    of all rows. `edges` are the powers where columns begin; bits below the last of
    them are drawn as cut off. `labels` name the columns.
    """
    powers = np.array(sorted(bits, reverse=True))
    table = np.array([bits[k] for k in powers]).T
    kept = powers >= edges[-1]
    shade = np.where(table < 0, 0, np.where(kept, 1, 3) + (table > 0))
    inks = ["#00000000", BLUE + "38", BLUE, ORANGE + "38", ORANGE]
    high = 0.34 * len(names) + 1.1
    _, ax = plt.subplots(figsize=(width(), high))
    for y, colours in enumerate(shade):
        starts = np.flatnonzero(np.diff(colours, prepend=-1))
        ends = np.append(starts[1:], len(colours))
        # From the highest bit of a run downwards.
        runs = [
            (powers[a] + 1, a - b)
            for a, b in zip(starts, ends, strict=True)
        ]
        ax.broken_barh(
            runs,
            (y + 0.1, 0.8),
            facecolors=[inks[colours[a]] for a in starts],
        )
    for edge in edges:
        ax.axvline(edge, color="black", linewidth=1)
    starts = [powers[0] + 1, *edges]
    ends = [*edges, powers[-1]]
    for start, end, label in zip(starts, ends, labels, strict=True):
        ax.text((start + end) / 2, -0.15, label, ha="center")
    ax.set(xlabel=xlabel, xlim=(powers[0] + 1, powers[-1]))
    ax.set(ylim=(len(names), -0.15 - 0.9))
    ax.set_yticks(np.arange(len(names)) + 0.5, names)
    ax.xaxis.set_major_formatter(plain)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


@for_page_and_phone
def deals(rows, *, xlabel):
    """Draw each entry of `rows`, a dict of name: values, as strokes in a row.

    The more often a value is there, the darker is its stroke.
    """
    _, ax = plt.subplots(figsize=(width(), 0.9 + 0.75 * len(rows)))
    for y, (values, colour) in enumerate(
        zip(rows.values(), COLOURS, strict=False)
    ):
        at, count = np.unique(values, return_counts=True)
        alpha = 0.35 + 0.65 * count / count.max()
        inks = [(*to_rgb(colour), a) for a in alpha]
        ax.vlines(at, y - 0.3, y + 0.3, inks, linewidth=1.4)
    if on_phone():
        rows = [name.replace(", ", ",\n") for name in rows]
    ax.set_yticks(range(len(rows)), list(rows))
    ax.axvline(0, color=PALE, linewidth=1, zorder=0)
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
