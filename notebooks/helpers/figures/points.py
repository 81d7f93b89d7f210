"""Errors and intervals, drawn as points."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    COLOURS,
    GREY,
    for_page_and_phone,
    grid,
    on_phone,
)


@for_page_and_phone
def points(x, clouds, heights, *, xlabel, ylabel, line):
    """Draw each entry of `clouds`, a dict of name: values over x, as points.

    `heights` gives the height of each name at the right edge; `line` is (x, y, text).
    """
    _, ax = plt.subplots()
    style = {"marker": "o", "markersize": 3, "markeredgewidth": 0}
    *bound, text = line
    end = bound[0][-1]
    for colour, (name, y) in zip(COLOURS, clouds.items(), strict=False):
        ax.plot(x, y, color=colour, linestyle="", **style)
        where = end * 1.03, heights[name]
        # Half a name below the height 0 would cover the numbers of the axis.
        side = "center" if heights[name] else "bottom"
        if on_phone():
            name = name.replace(" ", "\n")
        ax.text(*where, name, color=colour, va=side)
    ax.plot(*bound, color=GREY, linewidth=1, linestyle="--")
    ax.text(end * 1.03, bound[1][-1], text, color=GREY, va="center")
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, end), ylim=(0, None))
    grid(ax)


@for_page_and_phone
def intervals(groups, *, xlabel, ylabel, line=None):
    """Draw points with their intervals, one panel for each entry of `groups`.

    An entry is title: (values, low, high), drawn over 1, 2, 3, ...; `line` is
    a dict of title: height for a dashed line across the panel.
    """
    _, axes = plt.subplots(1, len(groups), squeeze=False, sharey=True)
    for ax, colour, (title, (values, low, high)) in zip(
        axes[0], COLOURS, groups.items(), strict=False
    ):
        number = np.arange(1, len(values) + 1)
        ax.vlines(number, low, high, color=colour, linewidth=1.6)
        ax.plot(number, values, "o", color=colour, markersize=5)
        if line:
            ax.axhline(line[title], color="black", ls="--", lw=1)
        ticks = number[:: 4 if on_phone() else 2]
        ax.set(title=title, xlabel=xlabel, xticks=ticks)
        grid(ax)
    axes[0, 0].set_ylabel(ylabel)
