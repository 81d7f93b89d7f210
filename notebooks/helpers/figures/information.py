"""Stretches that are cut into parts, and shares beside those that stand in for them."""

import matplotlib.pyplot as plt

from helpers.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    breadth,
    for_page_and_phone,
    grid,
    on_phone,
    width,
)


@for_page_and_phone
def stretches(rows, *, xlabel, xlim):
    """Draw parts of one stretch, a row for each entry of `rows`.

    An entry is title: [(name, start, end, whether it is picked)]. All rows have one
    scale, and a part in which its name has no room goes without.
    """
    high = (0.9 if on_phone() else 0.62) * len(rows) + 0.7
    _, ax = plt.subplots(figsize=(width(), high))
    inch = 0.8 * width() / (xlim[1] - xlim[0])
    for y, (title, parts) in enumerate(rows.items()):
        for name, start, end, picked in parts:
            ax.barh(
                y,
                end - start,
                left=start,
                height=0.62,
                color=BLUE if picked else PALE,
                edgecolor="white",
                linewidth=0.8,
            )
            if (end - start) * inch > breadth(name) + 0.04:
                ax.text(
                    (start + end) / 2,
                    y,
                    name,
                    ha="center",
                    va="center_baseline",
                    color="white" if picked else "black",
                )
        if on_phone():
            ax.text(xlim[0], y - 0.36, title, va="bottom", color=GREY)
    titles = [] if on_phone() else list(rows)
    ax.set_yticks(range(len(titles)), titles)
    ax.tick_params(axis="y", length=0, labelcolor=GREY)
    ax.spines["left"].set_visible(False)
    ax.set(xlabel=xlabel, xlim=xlim, ylim=(len(rows) - 0.6, -0.75))


@for_page_and_phone
def stand_ins(x, panels, *, xlabel, ylabel, names):
    """Draw shares as an area and those that stand in for them as a line.

    `panels` is a dict of title: (shares, those that stand in); `names` holds the two
    names with their places in the first panel, (x, y, name).
    """
    shape, high = (1, len(panels)), 2.9
    if on_phone():
        shape, high = (len(panels), 1), 2.3 * len(panels)
    _, axes = plt.subplots(
        *shape,
        squeeze=False,
        sharex=True,
        sharey=True,
        figsize=(width(), high),
    )
    top = 1.08 * max(y.max() for both in panels.values() for y in both)
    for ax, (title, (shares, others)) in zip(
        axes.flat, panels.items(), strict=True
    ):
        ax.fill_between(x, shares, color=PALE, linewidth=0)
        ax.plot(x, others, color=ORANGE)
        ax.set(title=title, xlim=(x[0], x[-1]), ylim=(0, top))
        grid(ax)
    for colour, (*place, name) in zip(
        (GREY, ORANGE), names, strict=True
    ):
        axes[0, 0].text(*place, name, color=colour)
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
