"""Heat maps, matrices of counts, contour maps and small pictures."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from helpers.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    folded,
    for_page_and_phone,
    on_phone,
    plain,
    signed,
    width,
)

REGIONS = (BLUE, GREEN, ORANGE, PURPLE)

# 0 is transparent, so that pictures have the background of the page's theme.
INK = LinearSegmentedColormap.from_list(
    "ink", ["#00000000", "#000000ff"]
)
CONTOURS = (0.1, 0.5, 0.9)
BLUES = LinearSegmentedColormap.from_list("blues", [BLUE + "00", BLUE])
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    [(0, ORANGE), (0.5, ORANGE + "00"), (0.5, BLUE + "00"), (1, BLUE)],
)


@for_page_and_phone
def heat(
    rows, columns, panels, *, xlabel, ylabel, digits=2, aspect="equal"
):
    """Draw one matrix for each entry of `panels`, a dict of title: matrix.

    Positive values are blue and negative ones orange, paler towards 0, on one
    scale for all panels; every cell shows its value, and has an edge since 0 has no
    colour. With the `aspect` "auto" the cells fill the width of the figure.
    """
    shape, high = (1, len(panels)), 2.6
    if on_phone():
        shape, high = (len(panels), 1), 2.1 * len(panels)
    _, axes = plt.subplots(
        *shape, squeeze=False, figsize=(width(), high), sharey=True
    )
    largest = max(np.abs(matrix).max() for matrix in panels.values())
    for ax, (title, matrix) in zip(
        axes.flat, panels.items(), strict=True
    ):
        colour = np.where(
            matrix[..., None] < 0, to_rgb(ORANGE), to_rgb(BLUE)
        )
        alpha = 0.7 * np.abs(matrix)[..., None] / largest
        ax.pcolormesh(
            np.concatenate([colour, alpha], axis=-1),
            edgecolors=PALE,
            linewidth=0.6,
        )
        for (i, j), value in np.ndenumerate(matrix):
            ax.text(
                j + 0.5,
                i + 0.5,
                signed(value, digits),
                ha="center",
                va="center",
            )
        ax.set(title=title, xlabel=xlabel, aspect=aspect)
        ax.set_xticks(np.arange(len(columns)) + 0.5, columns)
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)
    axes[0, 0].invert_yaxis()
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)


@for_page_and_phone
def matrix(counts, labels, *, xlabel, ylabel):
    """Draw a square matrix of counts, shaded by each cell's share of its row."""
    counts = np.asarray(counts)
    _, ax = plt.subplots(
        figsize=(3.4, 3.2) if on_phone() else (5.6, 4.6)
    )
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


@for_page_and_phone
def maps(
    x, y, panels, *, xlabel, ylabel, dots=None, names=None, points=()
):
    """Draw contours for each entry of `panels`, a dict of title: values over (y, x).

    The contours are at 0.1, 0.5 and 0.9; the ground is darker where values are
    larger. `dots` holds groups of points by title and name, `names` the position of
    each name, `points` marks (x, y, text), which are labelled in the first panel.
    """
    shape = (
        (len(panels), 1) if on_phone() and dots else (1, len(panels))
    )
    size = width(), shape[0] * (0.9 + 0.72 * width() / shape[1])
    _, axes = plt.subplots(
        *shape, squeeze=False, sharey=True, figsize=size
    )
    first = axes[0, 0]
    for ax, (title, values) in zip(
        axes.flat, panels.items(), strict=True
    ):
        for name, group in (dots or {}).get(title, {}).items():
            (drawn,) = ax.plot(*np.transpose(group), ".", markersize=4)
            ax.text(*names[name], name, color=drawn.get_color())
        # The darker, the larger the value; light enough for text and dots.
        shades = [GREY + alpha for alpha in ("00", "18", "30", "48")]
        edges = (-np.inf, *CONTOURS, np.inf)
        ax.contourf(x, y, values, edges, colors=shades, zorder=0)
        lines = ax.contour(
            x, y, values, CONTOURS, colors="black", linewidths=1.2
        )
        ends = [line[0][len(line[0]) // 4] for line in lines.allsegs]
        size = 8.5 if on_phone() else None
        ax.clabel(lines, fmt=plain, manual=ends, fontsize=size)
        for px, py, text in points:
            ax.plot(px, py, "X", color="black", markersize=8)
            if ax is first:
                ax.text(px, py - 0.9, text, ha="center")
        title = folded(title, 0.8 * width() / shape[1])
        ax.set(title=title, xlabel=xlabel)
        ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.locator_params(nbins=5, prune="both")
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)


@for_page_and_phone
def pictures(images, titles=None, *, columns=10, signed=False):
    """Draw small pictures in rows, each with its title below.

    With `signed`, positive values are blue and negative ones orange.
    """
    if on_phone():
        columns = columns // 2
    rows = -(-len(images) // columns)
    size = width() / columns
    lines = max((t.count("\n") + 1 for t in titles or ()), default=0)
    _, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(width(), rows * (size + 0.18 * lines)),
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


@for_page_and_phone
def regions(x, y, panels, names, *, xlabel, ylabel):
    """Draw which of `names` each panel has at (y, x), on logarithmic axes.

    `panels` is a dict of title: whole numbers over (y, x), the positions of names.
    Each name stands in the middle of its largest region.
    """
    shape = (len(panels), 1) if on_phone() else (1, len(panels))
    size = width(), 3.0 * shape[0]
    _, axes = plt.subplots(
        *shape, squeeze=False, sharey=True, figsize=size
    )
    for ax, (title, values) in zip(
        axes.flat, panels.items(), strict=True
    ):
        for k, name in enumerate(names):
            there = values == k
            if there.any():
                style = {"colors": REGIONS[k], "alpha": 0.4}
                ax.contourf(x, y, there, [0.5, 1.5], **style)
                i, j = _middle(there)
                words = name.replace(" ", "\n")
                ax.text(x[j], y[i], words, ha="center", va="center")
        ax.set(title=title, xlabel=xlabel, xscale="log", yscale="log")
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)


def _middle(mask):
    """Return the point of a region that is farthest from its edge."""
    inside, last = np.pad(mask, 1), None
    while inside.any():
        last = inside
        rows = inside[:-2, 1:-1] & inside[2:, 1:-1]
        columns = inside[1:-1, :-2] & inside[1:-1, 2:]
        inside = np.pad(inside[1:-1, 1:-1] & rows & columns, 1)
    points = np.argwhere(last[1:-1, 1:-1])
    away = np.abs(points - points.mean(axis=0)).sum(axis=1)
    return points[away.argmin()]
