"""Errors, intervals, reliability diagrams and strips, drawn as points."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    for_page_and_phone,
    grid,
    on_phone,
    width,
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
        if on_phone():
            name = name.replace(" ", "\n")
        ax.text(*where, name, color=colour, va="center")
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


@for_page_and_phone
def reliability(panels):
    """Draw the share of right answers over their certainty, with intervals.

    `panels` is a dict of title: (certainty, right, low, high, count), arrays with
    one entry for every bin. The counts are drawn below each panel.
    """
    _, axes = plt.subplots(
        2,
        len(panels),
        squeeze=False,
        sharex=True,
        sharey="row",
        figsize=(width(), 4.6),
        height_ratios=[3, 1],
    )
    for (top, below), (title, bins) in zip(
        axes.T, panels.items(), strict=True
    ):
        certainty, right, low, high, count = map(np.asarray, bins)
        top.plot(
            [0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1
        )
        top.vlines(certainty, low, high, color=BLUE, linewidth=1.6)
        top.plot(certainty, right, "o", color=BLUE, markersize=5)
        top.set(title=title, xlim=(0, 1.02), ylim=(-0.02, 1.02))
        below.vlines(certainty, 0, count, color=BLUE, linewidth=5)
        below.set(xlabel="certainty", ylim=(0, None))
        if on_phone():
            below.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        below.spines["left"].set_visible(False)
    axes[0, 0].set_ylabel("fraction right")
    axes[1, 0].set_ylabel("answers")


@for_page_and_phone
def strips(rows, *, xlabel, line, least=0.25):
    """Draw each entry of `rows`, a dict of name: {kind: value}, as points in a row.

    The scale is logarithmic. Values below `least` are drawn at `least`, values that
    are not finite at the right end. The kind of a row's largest value is written
    beside it; `line` is drawn dashed.
    """
    _, ax = plt.subplots(figsize=(width(), 0.9 + 0.45 * len(rows)))
    values = [np.array(list(kinds.values())) for kinds in rows.values()]
    flat = np.concatenate(values)
    end = 10 * flat[np.isfinite(flat)].max()
    ax.axvline(line, color=GREY, linewidth=1, linestyle="--")
    for y, (kinds, x) in enumerate(
        zip(rows.values(), values, strict=True)
    ):
        x = np.nan_to_num(x, nan=end, posinf=end).clip(least)
        colour = GREY if y else BLUE
        ax.scatter(x, [y] * x.size, 30, color=colour, alpha=0.6)
        ax.annotate(
            list(kinds)[x.argmax()],
            (x.max(), y),
            (8, 0),
            textcoords="offset points",
            va="center",
            size=9,
        )
    ax.set(xscale="log", xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlim(least / 1.5, 100 * end)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
