"""What is drawn at random: densities, and shares with what is cut off."""

import matplotlib.pyplot as plt

from helpers.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    PALE,
    for_page_and_phone,
    grid,
    on_phone,
    width,
)


@for_page_and_phone
def densities(x, lines, *, xlabel, ylabel):
    """Draw each entry of `lines`, a dict of name: values over x, as a density.

    Names stand above the peaks. The last line is dashed, and named on its right side.
    """
    _, ax = plt.subplots()
    *names, last = lines
    for i, (name, colour) in enumerate(
        zip(names, COLOURS, strict=False)
    ):
        higher = 11 * (i % 2) if on_phone() else 0
        peak = lines[name].argmax()
        ax.plot(x, lines[name], color=colour)
        ax.annotate(
            name,
            (x[peak], lines[name][peak]),
            (0, 5 + higher),
            textcoords="offset points",
            ha="center",
            color=colour,
        )
    y = lines[last]
    side = y.argmax() + (y[y.argmax() :] > 0.55 * y.max()).sum()
    ax.plot(x, y, color="black", linestyle="--")
    ax.annotate(
        last,
        (x[side], y[side]),
        (8, 3),
        textcoords="offset points",
        color="black",
    )
    top = max(values.max() for values in lines.values())
    ax.set(
        xlabel=xlabel,
        ylabel=ylabel,
        xlim=(x[0], x[-1]),
        ylim=(0, (1.25 if on_phone() else 1.15) * top),
    )
    grid(ax)


@for_page_and_phone
def ranked(panels, *, xlabel):
    """Draw the largest shares as bars, one panel for each entry of `panels`.

    An entry is title: (names, shares, kept): the first `kept` bars are drawn in the
    full colour. Every bar carries its name.
    """
    shape, high = (1, len(panels)), 3.4
    if on_phone():
        shape, high = (len(panels), 1), 2.9 * len(panels)
    _, axes = plt.subplots(
        *shape, squeeze=False, sharex=True, figsize=(width(), high)
    )
    for ax, (title, (names, shares, kept)) in zip(
        axes.flat, panels.items(), strict=True
    ):
        places = range(len(shares))
        colours = [BLUE if i < kept else PALE for i in places]
        ax.barh(places, shares, color=colours, height=0.7)
        for i, (name, share) in enumerate(
            zip(names, shares, strict=True)
        ):
            ink = "black" if i < kept else GREY
            ax.annotate(
                name,
                (share, i),
                (4, 0),
                textcoords="offset points",
                va="center",
                color=ink,
            )
        ax.set(title=title, xlim=(0, 1), ylim=(len(shares) - 0.4, -0.6))
        ax.set_yticks([])
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.spines["left"].set_color(PALE)
        if on_phone():
            ax.tick_params(labelbottom=True)
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
