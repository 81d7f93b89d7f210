"""Values of several kinds, one row of points for each name."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    GREY,
    for_page_and_phone,
    on_phone,
    width,
)


@for_page_and_phone
def strips(rows, *, xlabel, line, text, least=0.25):
    """Draw each entry of `rows`, a dict of name: {kind: value}, as points in a row.

    The scale is logarithmic. Values below `least` are drawn at `least`, values that
    are not finite at the right end. The kind of a row's largest value is written
    at that point; `line` is drawn dashed, with `text` above it.
    """
    high = 0.58 if on_phone() else 0.45
    _, ax = plt.subplots(figsize=(width(), 0.9 + high * len(rows)))
    values = [np.array(list(kinds.values())) for kinds in rows.values()]
    flat = np.concatenate(values)
    end = 10 * flat[np.isfinite(flat)].max()
    ax.set(xscale="log", xlabel=xlabel, ylim=(len(rows) - 0.5, -0.9))
    ax.set_xlim(least / 1.5, end if on_phone() else 100 * end)
    ax.vlines(line, -0.55, len(rows), GREY, "dashed", linewidth=1)
    ax.text(line, -0.6, text, color=GREY, ha="center")
    for y, (kinds, x) in enumerate(
        zip(rows.values(), values, strict=True)
    ):
        x = np.nan_to_num(x, nan=end, posinf=end).clip(least)
        colour = GREY if y else BLUE
        ax.scatter(x, [y] * x.size, 30, color=colour, alpha=0.6)
        _name(ax, list(kinds)[x.argmax()], x.max(), y)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)


def _name(ax, kind, x, y):
    """Write a kind beside its point; on a phone above it, where there is room."""
    style = {"textcoords": "offset points", "size": 10}
    if not on_phone():
        ax.annotate(kind, (x, y), (8, 0), va="center", **style)
        return
    low, high = np.log(ax.get_xlim())
    left = 2 * np.log(x) < low + high
    shift, side = (5, "left") if left else (6, "right")
    ax.annotate(kind, (x, y), (shift, 6), ha=side, **style)
