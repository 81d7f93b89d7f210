"""Reliability diagrams."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    GREY,
    for_page_and_phone,
    grid,
    on_phone,
    width,
)

LIMITS = (-0.02, 1.02)
TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
# Where the line may have its name; the second is for points in the way of the first.
NAME_AT = 0.13, 0.68


@for_page_and_phone
def reliability(panels):
    """Draw the fraction of right answers over their certainty, with intervals.

    `panels` is a dict of title: (certainty, right, low, high, count), arrays with
    one entry for every bin. A diagram is a square, so that the line of a calibrated
    network rises at 45 degrees. Below it a bar for each bin carries the number of
    its answers, on one scale for all panels. Bins of the same size are numbered
    once.
    """
    side = 2.75 if on_phone() else 3.0
    rows, columns = 2, len(panels)
    if on_phone():
        rows, columns = 2 * len(panels), 1
    figure, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        sharex=True,
        figsize=(
            min(width(), 0.65 + columns * (side + 0.25)),
            (1.5 * side + 0.9) * rows / 2,
        ),
        height_ratios=[1, 0.32] * (rows // 2),
    )
    figure.get_layout_engine().set(wspace=0.06, hspace=0.02)
    most = max(bins[-1].max() for bins in panels.values())
    gaps = np.concatenate(
        [np.diff(bins[0]) for bins in panels.values()]
    )
    thick = min(5.0, *(0.6 * gaps * side * 72))
    for i, (title, bins) in enumerate(panels.items()):
        top, below = (axes.T if columns > 1 else axes.reshape(-1, 2))[i]
        certainty, right, low, high, count = map(np.asarray, bins)
        _diagram(top, certainty, right, low, high)
        _counts(below, certainty, count, most, thick)
        top.set_title(title)
        if on_phone() or i == 0:
            top.set_ylabel("fraction right")
            below.set_ylabel("answers")


def _diagram(ax, certainty, right, low, high):
    ax.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    text = {
        "color": GREY,
        "rotation": 45,
        "ha": "center",
        "va": "center",
    }
    at, elsewhere = NAME_AT
    if ((np.abs(certainty - at) < 0.12) & (high > certainty)).any():
        at = elsewhere
    ax.text(at, at + 0.05, "calibrated", **text)
    ax.vlines(certainty, low, high, color=BLUE, linewidth=1.6)
    ax.plot(certainty, right, "o", color=BLUE, markersize=5)
    ax.set(xlim=LIMITS, ylim=LIMITS, yticks=TICKS, anchor="S")
    ax.set_box_aspect(1)
    grid(ax)


def _counts(ax, certainty, count, most, thick):
    ax.vlines(certainty, 0, count, color=BLUE, linewidth=thick)
    style = {"textcoords": "offset points", "size": 8}
    sizes = sorted(set(count.tolist()))
    if sizes[-1] - sizes[0] <= 1:
        text = " or ".join(map(str, sizes)) + " in each bin"
        ax.annotate(text, (0, most), (0, 5), **style)
    else:
        for x, n in zip(certainty, count, strict=True):
            ax.annotate(n, (x, n), (0, 3), ha="center", **style)
    ax.set(xlabel="certainty", ylim=(0, 1.25 * most), xticks=TICKS)
    ax.set(yticks=[], anchor="N")
    ax.set_box_aspect(0.28)
    ax.tick_params(labelbottom=True)
    ax.spines["left"].set_visible(False)
