"""Number formats: their ranges, and the spacing of their numbers."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    for_page_and_phone,
    on_phone,
    plain,
    signed,
    width,
)


@for_page_and_phone
def bands(rows, names, *, xlabel, ticks):
    """Draw one bar for each entry of `rows`, a dict of name: five edges.

    `names` label the four segments between the edges, above the first bar. The axis
    is linear around 0 and logarithmic outside, with colours and scale as in the
    explorer of the same bars. A phone shows every second one of the `ticks`.
    """
    _, ax = plt.subplots(figsize=(width(), 1.0 + 0.62 * len(rows)))
    ax.set_xscale("asinh", linear_width=1)
    scale = ax.xaxis.get_transform()
    colours = GREY + "40", ORANGE + "8c", GREEN + "47", RED + "52"
    for y, edges in enumerate(rows.values()):
        ax.barh(y, np.diff(edges), 0.42, edges[:-1], color=colours)
        sides = {"right": -2, "left": 2, "center": 0}
        for edge, side in zip(edges[1:-1], sides, strict=True):
            ax.annotate(
                signed(edge, 1),
                (edge, y + 0.27),
                (sides[side], 0),
                textcoords="offset points",
                ha=side,
                va="top",
                size=9.5,
            )
    ends = scale.transform(next(iter(rows.values())))
    middles = scale.inverted().transform((ends[1:] + ends[:-1]) / 2)
    for middle, name in zip(middles, names, strict=True):
        ax.text(middle, -0.3, name, ha="center", va="bottom")
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.3, -0.9))
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xticks(ticks[:: 2 if on_phone() else 1])
    ax.xaxis.set_major_formatter(plain)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.minorticks_off()
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


@for_page_and_phone
def number_line(ticks, units, errors):
    """Draw numbers as ticks, with `units` (start: text) above and `errors` below.

    An error is (exact, computed, text), drawn as an arrow from one to the other.
    """
    _, ax = plt.subplots(figsize=(width(), 2.0 if on_phone() else 1.9))
    ax.hlines(0, min(ticks), max(ticks), color="black", linewidth=1)
    ax.vlines(ticks, -0.12, 0.12, color="black", linewidth=1.2)
    ends = [*units, max(ticks)]
    for end in ends:
        ax.text(end, 0.2, f"{end:g}", ha="center", va="bottom")
    spans = zip(units.values(), ends[:-1], ends[1:], strict=True)
    for text, start, end in spans:
        bracket = [start + 0.02, end - 0.02]
        ax.plot(bracket, [0.58, 0.58], "|-", color=BLUE, linewidth=1)
        if on_phone():
            text = text.replace("= ", "=\n")
        ax.text((start + end) / 2, 0.7, text, ha="center", color=BLUE)
    for exact, computed, text in errors:
        arrow = {"arrowstyle": "->", "color": RED, "linewidth": 1.8}
        ends = (computed, -0.32), (exact, -0.32)
        ax.annotate("", *ends, arrowprops=arrow)
        ax.plot(*ends[1], "o", color=RED, markersize=5)
        middle = (exact + computed) / 2
        ax.text(middle, -0.45, text, ha="center", va="top", color=RED)
    ax.set_ylim(-0.85, 1.2 if on_phone() else 0.95)
    ax.axis("off")
