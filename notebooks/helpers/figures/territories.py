"""Which class has the largest share where, with the examples it was learned from."""

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    COLOURS,
    for_page_and_phone,
    on_phone,
    width,
)


@for_page_and_phone
def territories(across, up, panels, examples, *, xlabel, ylabel):
    """Shade the territory of each class, a panel for each entry of `panels`.

    `panels` is a dict of title: scores over the grid of `across` and `up`, of shape
    (up, across, classes); `examples` is a dict of name: points (n, 2), in the order of
    the classes.
    """
    shape, high = (1, len(panels)), 3.3
    if on_phone():
        shape, high = (len(panels), 1), 2.7 * len(panels)
    _, axes = plt.subplots(
        *shape,
        squeeze=False,
        sharex=True,
        sharey=True,
        figsize=(width(), high),
    )
    for ax, (title, scores) in zip(
        axes.flat, panels.items(), strict=True
    ):
        for k, (colour, (name, points)) in enumerate(
            zip(COLOURS, examples.items(), strict=False)
        ):
            lead = scores[..., k] - np.delete(scores, k, -1).max(-1)
            grid = across, up, lead
            ax.contourf(
                *grid, levels=[0, np.inf], colors=[colour], alpha=0.16
            )
            ax.contour(
                *grid, levels=[0], colors="black", linewidths=0.8
            )
            ax.plot(*points.T, "o", color=colour, markersize=2.6)
            middle = points.mean(axis=0)
            ax.annotate(
                name,
                (middle[0], points[:, 1].min()),
                (0, -6),
                textcoords="offset points",
                ha="center",
                va="top",
                color=colour,
            )
        ax.set(
            title=title,
            xlim=(across[0], across[-1]),
            ylim=(up[0], up[-1]),
        )
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
