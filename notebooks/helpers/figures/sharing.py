"""Rules and losses as curves with names beside them, and values in their ranges."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from helpers.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    for_page_and_phone,
    grid,
    on_phone,
    plain,
    width,
)


@for_page_and_phone
def named_curves(
    x, lines, *, xlabel, ylabel, ylim, grey=(), powers_of_two=False
):
    """Draw `lines`, a dict of name: (values over x, place of the name).

    A place is (x, y, side, end): unless `end` is None, a thin line leads from the name
    to the curve at x = end. Lines in `grey` are dashed. With `powers_of_two` the x axis
    is logarithmic, with ticks at every second power.
    """
    _, ax = plt.subplots()
    colours = iter((BLUE, ORANGE, GREEN, PURPLE))
    leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.8}
    for name, (y, (*at, side, end)) in lines.items():
        colour = GREY if name in grey else next(colours)
        dashes = "--" if name in grey else "-"
        ax.plot(x, y, color=colour, linestyle=dashes)
        style = {"color": colour, "va": "center", "ha": side}
        if end is None:
            ax.text(*at, name, **style)
            continue
        point = end, np.interp(end, x, y)
        leader["relpos"] = float(end > at[0]), 0.5
        ax.annotate(name, point, at, arrowprops=dict(leader), **style)
        ax.plot(*point, "o", color=GREY, markersize=3)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=ylim)
    if powers_of_two:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(FixedLocator(x[::2]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(plain)
    grid(ax)


@for_page_and_phone
def ranges(labels, values, ends, *, xlabel, names):
    """Draw a row for each label: a dot at its value, on a bar between its `ends`.

    `ends` holds all lower and all upper ends; `names` says above the rows what the
    dots and the bars are.
    """
    _, ax = plt.subplots(figsize=(width(), 1.1 + 0.36 * len(labels)))
    rows = np.arange(len(labels))
    low, high = ends
    ax.barh(rows, high - low, 0.36, low, color=ORANGE, alpha=0.55)
    ax.plot(values, rows, "o", color=BLUE, markersize=7)
    ax.set_yticks(rows, labels)
    edge = 0.04 * (high.max() - low.min())
    ax.set_xlim(low.min() - edge, high.max() + edge)
    ax.set(xlabel=xlabel, ylim=(len(labels) - 0.4, -0.6))
    for text, colour, at in zip(
        names, (BLUE, ORANGE), ("left", "right"), strict=True
    ):
        ax.set_title(text, loc=at, color=colour, size="medium")
    ax.grid(axis="x", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False, pad=5)
    if on_phone():
        ax.xaxis.get_major_locator().set_params(nbins=5)
