"""Number formats: their ranges, and the spacing of their numbers."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    SKY,
    for_page_and_phone,
    on_phone,
    signed,
    width,
)


@for_page_and_phone
def bands(rows, names, *, xlabel, linear=5):
    """Draw one bar for each entry of `rows`, a dict of name: five edges.

    `names` label the four segments between the edges, above the first bar. The axis
    is linear from -linear to linear and logarithmic outside.
    """
    _, ax = plt.subplots(figsize=(width(), 1.0 + 0.62 * len(rows)))
    ax.set_xscale("symlog", linthresh=linear)
    scale = ax.xaxis.get_transform()
    for y, edges in enumerate(rows.values()):
        colours = [c + "90" for c in (GREY, ORANGE, SKY, RED)]
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
                size=9,
            )
    ends = scale.transform(next(iter(rows.values())))
    middles = scale.inverted().transform((ends[1:] + ends[:-1]) / 2)
    for middle, name in zip(middles, names, strict=True):
        ax.text(middle, -0.3, name, ha="center", va="bottom")
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.3, -0.9))
    ax.set_xlim(edges[0], edges[-1])
    powers = [10, 1000] if on_phone() else [10, 100, 1000]
    ax.set_xticks([-p for p in powers[::-1]] + [0] + powers)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.xaxis.set_major_formatter("{x:.0f}")
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
