"""The look of every figure, and the few kinds of figure that the book draws.

Ink is black on nothing: the site turns it light in dark mode. Colours are those
of Okabe and Ito, which colour-blind readers can tell apart, and lines are named
where they end rather than in a legend. A function draws and returns nothing, so
that the figure is all that a cell shows.
"""

import re

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
)
GREY = "#767676"
PALE = "#d4d4d4"

# Nothing is transparent, so that pictures turn with the page's theme.
INK = LinearSegmentedColormap.from_list(
    "ink", ["#00000000", "#000000ff"]
)
BLUES = LinearSegmentedColormap.from_list("blues", [BLUE + "00", BLUE])
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    [(0, RED), (0.5, RED + "00"), (0.5, BLUE + "00"), (1, BLUE)],
)

plt.rcParams.update(
    {
        "figure.figsize": (7.2, 3.2),
        "figure.constrained_layout.use": True,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.labelsize": 11,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": "black",
        "ytick.labelcolor": "black",
        "font.size": 10.5,
        "lines.linewidth": 2.2,
        "lines.solid_capstyle": "round",
    }
)


def as_svg(figure):
    """Return a figure as SVG, the same on every machine for the same data.

    The layout's last digits vary from run to run. So coordinates are rounded, and
    ids, which are hashes of them, become numbers.
    """
    text = print_figure(figure, fmt="svg", metadata={"Date": None})
    ids = {}
    text = re.sub(
        r"\b[a-z][0-9a-f]{10}\b",
        lambda m: ids.setdefault(m[0], f"id{len(ids)}"),
        text,
    )
    return re.sub(r' d="[^"]*"', _rounded, text)


def _rounded(path):
    return re.sub(
        r"-?\d+\.?\d*",
        lambda n: f"{round(float(n[0]), 2) + 0.0:g}",
        path[0],
    )


set_matplotlib_formats("svg")
get_ipython().display_formatter.formatters["image/svg+xml"].for_type(
    Figure, as_svg
)


def bars(labels, panels, *, digits=2, winner=None, colour=BLUE):
    """Draw one panel of bars for each entry of `panels`, a dict of title: values.

    Every bar carries its value to `digits` decimals (an int, or one for each
    panel); the bar with the index `winner` is the one in full colour.
    """
    digits = (
        [digits] * len(panels) if isinstance(digits, int) else digits
    )
    _, axes = plt.subplots(
        1,
        len(panels),
        squeeze=False,
        figsize=(7.2, 0.9 + 0.42 * len(labels)),
        sharey=True,
    )
    for ax, (title, values), places in zip(
        axes[0], panels.items(), digits, strict=True
    ):
        values = [float(v) for v in values]
        faded = [
            colour if winner is None or i == winner else colour + "80"
            for i in range(len(values))
        ]
        drawn = ax.barh(labels, values, color=faded, height=0.66)
        ax.bar_label(
            drawn, [_signed(v, places) for v in values], padding=4
        )
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_title(title)
        # Room for the numbers beside the bars, on both sides where both are used.
        low, high = min(0.0, *values), max(0.0, *values)
        room = 0.38 * (high - low)
        ax.set_xlim(low - room * (low < 0), high + room * (high > 0))
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(left=False, bottom=False, labelbottom=False)
    axes[0, 0].invert_yaxis()


def curves(
    x,
    lines,
    *,
    xlabel,
    ylabel,
    ylim=None,
    dashed=(),
    marks=(),
    scale="linear",
    yscale=None,
):
    """Draw each entry of `lines`, a dict of name: values over x, named at its end.

    `dashed` holds the names drawn dashed, `marks` points (x, y, text) to point at.
    `scale` is that of both axes, `yscale` that of the upright one alone.
    """
    _, ax = plt.subplots()
    ax.set(xscale=scale, yscale=yscale or scale)
    _named_lines(ax, x, lines, dashed)
    if yscale == "log":
        low, high = ax.get_ylim()
        subs = (1, 2, 5) if high < 100 * low else (1,)
        ax.yaxis.set_major_locator(LogLocator(subs=subs))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
    for px, py, text in marks:
        ax.plot(px, py, "o", color="black", markersize=5)
        ax.annotate(
            text, (px, py), xytext=(8, -12), textcoords="offset points"
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=ylim)
    _spread_names(ax)


def panels(x, panels, *, xlabel, ylabel=None, sharey=False, rings=None):
    """Draw one panel of curves for each entry of `panels`, a dict of title: lines.

    `lines` is a dict of name: values over x, as in `curves`. `rings` holds, by
    title, points (x, y) that do not belong to their curve.
    """
    figure, axes = plt.subplots(
        1, len(panels), squeeze=False, figsize=(7.2, 2.8), sharey=sharey
    )
    figure.get_layout_engine().set(wspace=0.06)
    for ax, (title, lines) in zip(axes[0], panels.items(), strict=True):
        _named_lines(ax, x, lines)
        for point in (rings or {}).get(title, ()):
            ax.plot(
                *point, "o", mfc="white", mec="black", clip_on=False
            )
        ax.set(title=title, xlabel=xlabel)
        _spread_names(ax)
    axes[0, 0].set_ylabel(ylabel)


def loglog(x, lines, *, xlabel, ylabel):
    """Draw `curves` with both axes in powers of ten."""
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


def heat(rows, columns, panels, *, xlabel, ylabel, digits=2):
    """Draw one matrix for each entry of `panels`, a dict of title: matrix.

    Blue is positive, orange negative, paler the nearer to 0, on one scale for
    all panels; every field carries its value.
    """
    _, axes = plt.subplots(
        1, len(panels), squeeze=False, figsize=(7.2, 2.6), sharey=True
    )
    largest = max(np.abs(matrix).max() for matrix in panels.values())
    for ax, (title, matrix) in zip(
        axes[0], panels.items(), strict=True
    ):
        colour = np.where(
            matrix[..., None] < 0, to_rgb(ORANGE), to_rgb(BLUE)
        )
        alpha = 0.7 * np.abs(matrix)[..., None] / largest
        ax.pcolormesh(np.concatenate([colour, alpha], axis=-1))
        for (i, j), value in np.ndenumerate(matrix):
            ax.text(
                j + 0.5,
                i + 0.5,
                _signed(value, digits),
                ha="center",
                va="center",
            )
        ax.set(title=title, xlabel=xlabel, aspect="equal")
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_ylabel(ylabel)


def bands(rows, names, *, xlabel, linear=5):
    """Draw one bar for each entry of `rows`, a dict of name: five edges.

    The four pieces between the edges have the `names`, written over the top bar.
    The axis is linear from -linear to linear and logarithmic outside.
    """
    _, ax = plt.subplots(figsize=(7.2, 1.0 + 0.62 * len(rows)))
    ax.set_xscale("symlog", linthresh=linear)
    scale = ax.xaxis.get_transform()
    for y, edges in enumerate(rows.values()):
        colours = [c + "90" for c in (GREY, ORANGE, SKY, RED)]
        ax.barh(y, np.diff(edges), 0.42, edges[:-1], color=colours)
        sides = "right", "left", "center"
        for edge, side in zip(edges[1:-1], sides, strict=True):
            text = _signed(edge, 1)
            ax.text(edge, y + 0.27, text, ha=side, va="top", size=9)
    ends = scale.transform(next(iter(rows.values())))
    middles = scale.inverted().transform((ends[1:] + ends[:-1]) / 2)
    for middle, name in zip(middles, names, strict=True):
        ax.text(middle, -0.3, name, ha="center", va="bottom")
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.3, -0.9))
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xticks([-1000, -100, -10, 0, 10, 100, 1000])
    ax.set_yticks(range(len(rows)), list(rows))
    ax.xaxis.set_major_formatter("{x:.0f}")
    ax.minorticks_off()
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


def number_line(ticks, units, errors):
    """Draw numbers as ticks, the `units` (start: text) above, `errors` below.

    An error is (exact, computed, text), drawn as an arrow from one to the other.
    """
    _, ax = plt.subplots(figsize=(7.2, 1.9))
    ax.hlines(0, min(ticks), max(ticks), color="black", linewidth=1)
    ax.vlines(ticks, -0.12, 0.12, color="black", linewidth=1.2)
    ends = [*units, max(ticks)]
    for end in ends:
        ax.text(end, 0.2, f"{end:g}", ha="center", va="bottom")
    spans = zip(units.values(), ends[:-1], ends[1:], strict=True)
    for text, start, end in spans:
        bracket = [start + 0.02, end - 0.02]
        ax.plot(bracket, [0.58, 0.58], "|-", color=BLUE, linewidth=1)
        ax.text((start + end) / 2, 0.7, text, ha="center", color=BLUE)
    for exact, computed, text in errors:
        arrow = {"arrowstyle": "->", "color": RED, "linewidth": 1.8}
        ends = (computed, -0.32), (exact, -0.32)
        ax.annotate("", *ends, arrowprops=arrow)
        ax.plot(*ends[1], "o", color=RED, markersize=5)
        middle = (exact + computed) / 2
        ax.text(middle, -0.45, text, ha="center", va="top", color=RED)
    ax.set_ylim(-0.85, 0.95)
    ax.axis("off")


def points(x, clouds, heights, *, xlabel, ylabel, line):
    """Draw each entry of `clouds`, a dict of name: values over x, as points.

    `heights` says where each name stands on the right; `line` is (x, y, text).
    """
    _, ax = plt.subplots()
    style = {"marker": "o", "markersize": 3, "markeredgewidth": 0}
    *bound, text = line
    end = bound[0][-1]
    for colour, (name, y) in zip(COLOURS, clouds.items(), strict=False):
        ax.plot(x, y, color=colour, linestyle="", **style)
        where = end * 1.01, heights[name]
        ax.text(*where, name, color=colour, va="center")
    ax.plot(*bound, color=GREY, linewidth=1, linestyle="--")
    ax.text(end * 1.01, bound[1][-1], text, color=GREY, va="center")
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, end), ylim=(0, None))
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def placed_curves(x, lines, *, xlabel, ylabel, ylim, log=False):
    """Draw `lines`, a dict of name: (values over x, place of the name as (x, y)).

    Later lines are thinner, so that those which coincide are both seen. With
    `log`, y runs in powers of ten: 0 falls out of the picture at the bottom,
    infinity at the top.
    """
    _, ax = plt.subplots()
    for i, (name, (y, place)) in enumerate(lines.items()):
        y = y.clip(max=10 * ylim[1])
        ax.plot(x, y, color=COLOURS[i], linewidth=4.2 - 1.3 * i)
        ax.text(*place, name, color=COLOURS[i], va="center")
    ax.set_yscale("log" if log else "linear")
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=ylim)
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def pictures(images, titles=None, *, columns=10, signed=False):
    """Draw small pictures in rows, ink on nothing, each with its title below.

    With `signed`, what is above 0 is blue and what is below 0 orange.
    """
    rows = -(-len(images) // columns)
    size = 7.2 / columns
    lines = max((t.count("\n") + 1 for t in titles or ()), default=0)
    _, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(7.2, rows * (size + 0.18 * lines)),
    )
    limit = np.abs(images).max() if signed else 1.0
    for ax, image, title in zip(
        axes.flat, images, titles or [""] * len(images), strict=False
    ):
        ax.imshow(
            image,
            cmap=SIGNED if signed else INK,
            vmin=-limit if signed else 0.0,
            vmax=limit,
            interpolation="none",
        )
        ax.set_xlabel(title, fontsize=9, labelpad=3)
        ax.spines[:].set(visible=True, color=PALE)
    for i, ax in enumerate(axes.flat):
        ax.set(xticks=[], yticks=[])
        ax.set_visible(i < len(images))


def matrix(counts, labels, *, xlabel, ylabel):
    """Draw a square table of counts; a cell is as dark as its share of the row."""
    counts = np.asarray(counts)
    _, ax = plt.subplots(figsize=(5.6, 4.6))
    shade = counts / counts.sum(axis=1, keepdims=True)
    ax.imshow(
        shade, cmap=BLUES, vmin=0.0, vmax=1.0, interpolation="none"
    )
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shade[i, j] > 0.5 else "black"
            ax.text(j, i, count, ha="center", va="center", color=colour)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(length=0)
    ax.spines[:].set(visible=True, color=PALE)


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
        ax.set(title=title, xlabel=xlabel, xticks=number[::2])
        ax.grid(axis="y", color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)
    axes[0, 0].set_ylabel(ylabel)


def reliability(panels):
    """Draw how often the answers of each certainty were right, with intervals.

    `panels` is a dict of title: (certainty, right, low, high, count), one entry
    of each array for every bin; below, how many answers each bin holds.
    """
    _, axes = plt.subplots(
        2,
        len(panels),
        squeeze=False,
        sharex=True,
        sharey="row",
        figsize=(7.2, 4.6),
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
        below.spines["left"].set_visible(False)
    axes[0, 0].set_ylabel("share that is right")
    axes[1, 0].set_ylabel("answers")


def _named_lines(ax, x, lines, dashed=()):
    for colour, (name, y) in zip(COLOURS, lines.items(), strict=False):
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
    ax.set_xlim(x[0], x[-1])
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def maps(
    x, y, panels, *, xlabel, ylabel, dots=None, names=None, points=()
):
    """Draw a map for each entry of `panels`, a dict of title: values over (y, x).

    Lines join equal values, at 0.1, 0.5 and 0.9. `dots` holds groups of points by
    title and name, `names` where to write each name, `points` marks (x, y, text),
    named in the first map.
    """
    size = (7.2, 0.9 + 5.2 / len(panels))
    _, axes = plt.subplots(1, len(panels), sharey=True, figsize=size)
    for ax, (title, values) in zip(axes, panels.items(), strict=True):
        for name, group in (dots or {}).get(title, {}).items():
            (drawn,) = ax.plot(*np.transpose(group), ".", markersize=4)
            ax.text(*names[name], name, color=drawn.get_color())
        lines = ax.contour(
            x,
            y,
            values,
            (0.1, 0.5, 0.9),
            colors="black",
            linewidths=1.4,
        )
        ends = [line[0][len(line[0]) // 4] for line in lines.allsegs]
        ax.clabel(lines, fmt="%g", manual=ends)
        for px, py, text in points:
            ax.plot(px, py, "X", color="black", markersize=8)
            ax.text(
                px, py - 0.9, text if ax is axes[0] else "", ha="center"
            )
        ax.set(title=title, xlabel=xlabel)
        ax.locator_params(nbins=5, prune="both")
    axes[0].set_ylabel(ylabel)


def _spread_names(ax, apart=13):
    """Push the names of lines that end close together `apart` points apart."""
    ax.figure.draw_without_rendering()  # settles the layout, and so the places
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


def _signed(value, digits):
    return f"{value:z.{digits}f}".replace("-", "−")
