"""Curves, labelled at their ends."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator

from helpers.figures.style import (
    COLOURS,
    GREY,
    for_page_and_phone,
    grid,
    on_phone,
    plain,
    width,
)


@for_page_and_phone
def curves(
    x,
    lines,
    *,
    xlabel,
    ylabel,
    ylim=None,
    dashed=(),
    grey=(),
    marks=(),
    spans=(),
    scale="linear",
    yscale=None,
):
    """Draw each entry of `lines`, a dict of name: values over x.

    `dashed` and `grey` hold the names of lines in that style, `marks` annotated
    points (x, y, text), `spans` distances (x, low, high, text) with the text on their
    left. `scale` applies to both axes, `yscale` to the y axis only.
    """
    _, ax = plt.subplots()
    ax.set(xscale=scale, yscale=yscale or scale)
    _named_lines(ax, x, lines, dashed, grey)
    if yscale == "log":
        low, high = ax.get_ylim()
        if high < 100 * low:
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter(plain)
        ax.yaxis.set_minor_formatter("")
    for px, py, text in marks:
        ax.plot(px, py, "o", color="black", markersize=5)
        ax.annotate(
            text, (px, py), xytext=(8, -12), textcoords="offset points"
        )
    for px, low, high, text in spans:
        arrow = {"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (px, low), (px, high), arrowprops=arrow)
        ax.annotate(
            text,
            (px, (low + high) / 2),
            (-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    _spread_names(ax)


@for_page_and_phone
def panels(x, panels, *, xlabel, ylabel=None, sharey=False, rings=None):
    """Draw one panel of curves for each entry of `panels`, a dict of title: lines.

    `lines` is a dict of name: values over x, as in `curves`. `rings` holds, by
    title, points (x, y) to be drawn as rings: they do not belong to the curve.
    """
    shape, high = (1, len(panels)), 2.8
    if on_phone() and any(map(any, panels.values())):  # names need room
        shape, high = (len(panels), 1), 2.3 * len(panels)
    figure, axes = plt.subplots(
        *shape, squeeze=False, figsize=(width(), high), sharey=sharey
    )
    figure.get_layout_engine().set(wspace=0.06)
    for ax, (title, lines) in zip(
        axes.flat, panels.items(), strict=True
    ):
        _named_lines(ax, x, lines)
        for point in (rings or {}).get(title, ()):
            ax.plot(
                *point, "o", mfc="white", mec="black", clip_on=False
            )
        ax.set(title=title, xlabel=xlabel)
        if on_phone() and shape[1] > 2:
            ax.xaxis.get_major_locator().set_params(nbins=2)
        _spread_names(ax)
    axes[0, 0].set_ylabel(ylabel)


def loglog(x, lines, *, xlabel, ylabel):
    """Draw `curves` with both axes logarithmic."""
    values = np.concatenate(
        [np.asarray(y, float) for y in lines.values()]
    )
    curves(
        x,
        lines,
        xlabel=xlabel,
        ylabel=ylabel,
        ylim=(values.min() / 1.6, values.max() * 1.6),
        scale="log",
    )


@for_page_and_phone
def placed_curves(x, lines, *, xlabel, ylabel, ylim, log=False):
    """Draw `lines`, a dict of name: (values over x, place of the name).

    A place is (x, y, side), where `side` is the horizontal alignment of the name.
    Later lines are thinner, so that lines which coincide remain visible. With `log`
    the y axis is logarithmic; 0 is below the picture and infinity above it.
    """
    _, ax = plt.subplots()
    for i, (name, (y, (*place, side))) in enumerate(lines.items()):
        y = y.clip(max=10 * ylim[1])
        style = {"color": COLOURS[i], "va": "center", "ha": side}
        ax.plot(x, y, color=COLOURS[i], linewidth=4.2 - 1.3 * i)
        ax.text(*place, name, **style)
    ax.set_yscale("log" if log else "linear")
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=ylim)
    grid(ax)


def _named_lines(ax, x, lines, dashed=(), grey=()):
    colours = iter(COLOURS)
    for name, y in lines.items():
        colour = GREY if name in grey else next(colours)
        ax.plot(
            x,
            y,
            color=colour,
            linestyle="--" if name in dashed else "-",
        )
        ax.annotate(
            name,
            (x[-1], y[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )
    if np.asarray(x).dtype.kind == "i" and ax.get_xscale() == "linear":
        ax.xaxis.get_major_locator().set_params(integer=True)
    if on_phone() and ax.get_xscale() == "linear":
        ax.xaxis.get_major_locator().set_params(nbins=4)
    ax.set_xlim(x[0], x[-1])
    grid(ax)


def _spread_names(ax, apart=13):
    """Move the labels of lines that end close together `apart` points apart."""
    ax.figure.draw_without_rendering()  # computes the layout, and with it positions
    names = [t for t in ax.texts if t.get_position() == (6, 0)]
    points = 72 / ax.figure.dpi
    names.sort(key=lambda t: ax.transData.transform(t.xy)[1])
    ends = [ax.transData.transform(t.xy)[1] * points for t in names]
    places = list(ends)
    for _ in range(50):
        for i in range(len(places) - 1):
            push = max(0, apart - (places[i + 1] - places[i])) / 2
            places[i] -= push
            places[i + 1] += push
    for name, end, place in zip(names, ends, places, strict=True):
        name.set_position((6, round(place - end, 2)))
