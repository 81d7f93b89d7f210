"""Bars, one panel for each list of values."""

import matplotlib.pyplot as plt

from figures.style import BLUE, GREY, signed


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
        numbers = [signed(v, places) for v in values]
        ax.bar_label(drawn, numbers, padding=4)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_title(title)
        # Room for the numbers beside the bars, on both sides where both are used:
        # a digit is 0.09 inches wide, and the panels have 6.3 inches together.
        low, high = min(0.0, *values), max(0.0, *values)
        part = (
            (0.09 * max(map(len, numbers)) + 0.12) * len(panels) / 6.3
        )
        room = (
            (high - low) * part / (1 - part * ((low < 0) + (high > 0)))
        )
        ax.set_xlim(low - room * (low < 0), high + room * (high > 0))
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(
            left=False, bottom=False, labelbottom=False, pad=6
        )
    axes[0, 0].invert_yaxis()
