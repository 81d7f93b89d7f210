"""Where attention looks: shares over the words of texts, and who depends on whom."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    for_page_and_phone,
    on_phone,
    width,
)


@for_page_and_phone
def looks(rows, texts, *, ylabel):
    """Draw the shares that queries give to the words of each text.

    `texts` is a list of (words, shares); a row of `shares` belongs to an entry of
    `rows`. The shares of a row add up to 1, and all fields have one scale.
    """
    words = [len(text) for text, _ in texts]
    if on_phone():
        grid = {
            "nrows": len(texts),
            "figsize": (width(), 1.55 * len(texts)),
        }
    else:
        grid = {
            "ncols": len(texts),
            "figsize": (width(), 1.1 + 0.34 * len(rows)),
            "width_ratios": words,
            "sharey": True,
        }
    figure, axes = plt.subplots(**grid, squeeze=False)
    figure.get_layout_engine().set(wspace=0.05)
    for ax, (text, shares) in zip(axes.flat, texts, strict=True):
        _fields(
            ax,
            np.asarray(shares),
            max(words) if on_phone() else len(text),
        )
        ax.set_xticks(np.arange(len(text)) + 0.5, text)
        ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
        ax.xaxis.tick_top()
        ax.tick_params("x", labelsize=8.5 if on_phone() else 9.5)
    for ax in axes.flat if on_phone() else axes.flat[:1]:
        ax.set_ylabel(ylabel)


def _fields(ax, shares, columns):
    """Shade one field for each share, which is written in it."""
    for (i, j), share in np.ndenumerate(shares):
        field = plt.Rectangle(
            (j, i),
            1,
            1,
            facecolor=(BLUE, 0.75 * share),
            edgecolor=PALE,
            linewidth=0.6,
        )
        ax.add_patch(field)
        ax.text(
            j + 0.5, i + 0.5, f"{share:.2f}", ha="center", va="center"
        )
    ax.set(xlim=(0, columns), ylim=(len(shares), 0))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)


@for_page_and_phone
def dependence(panels, expected, *, rows, xlabel, ylabel):
    """Draw which answers depend on which keys, a panel for each entry of `panels`.

    `panels` is a dict of title: booleans, `expected` holds the booleans of a right
    result. A dependence that should not be is marked with !, a missing one with a
    hollow field.
    """
    columns = 2 if on_phone() else len(panels)
    count = -(-len(panels) // columns)
    _, axes = plt.subplots(
        count,
        columns,
        squeeze=False,
        figsize=(width(), (1.5 if on_phone() else 1.7) * count),
    )
    for ax, (title, found) in zip(
        axes.flat, panels.items(), strict=True
    ):
        for (i, j), there in np.ndenumerate(found):
            wrong = there and not expected[i, j]
            box = plt.Rectangle(
                (j + 0.08, i + 0.08),
                0.84,
                0.84,
                facecolor=(ORANGE if wrong else BLUE)
                if there
                else "none",
                alpha=0.75 if there else 1.0,
                edgecolor=GREY
                if expected[i, j] and not there
                else "none",
                linestyle="--",
            )
            ax.add_patch(box)
            if wrong:
                ax.text(
                    j + 0.5, i + 0.53, "!", ha="center", va="center"
                )
        n = found.shape[1]
        ax.set(
            xlim=(0, n),
            ylim=(len(found), 0),
            aspect="equal",
            xlabel=xlabel,
        )
        ax.set_title(title, size=9.5)
        ax.set_xticks(np.arange(n) + 0.5, np.arange(n) + 1)
        ax.set_yticks(np.arange(len(found)) + 0.5, rows)
        ax.spines[:].set(visible=True, color=PALE)
        ax.tick_params(length=0)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
