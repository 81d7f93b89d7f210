"""Bars, one panel for each list of values."""

import matplotlib.pyplot as plt

from helpers.figures.style import (
    BLUE,
    GREY,
    folded,
    for_page_and_phone,
    on_phone,
    signed,
    width,
)


@for_page_and_phone
def bars(labels, panels, *, digits=2, winner=None, colour=BLUE):
    """Draw one panel of bars for each entry of `panels`, a dict of title: values.

    Every bar carries its value to `digits` decimals (an int, or one for each
    panel). If `winner` is given, only the bar with that index has the full colour.
    """
    digits = (
        [digits] * len(panels) if isinstance(digits, int) else digits
    )
    numbers = [
        [signed(v, places) for v in map(float, values)]
        for values, places in zip(panels.values(), digits, strict=True)
    ]
    # Estimate the width of a letter; panels share the width beside the labels.
    letter = 0.0086 * plt.rcParams["font.size"]
    place = width() - letter * max(map(len, labels)) - 0.2
    rooms = [
        (letter * max(map(len, texts)) + 0.12) / place
        for texts in numbers
    ]
    columns = _columns(panels, rooms) if on_phone() else len(panels)
    rows = len(panels) // columns
    bar = 0.3 if rows > 1 else 0.42
    figure, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(width(), 0.4 + rows * (0.5 + bar * len(labels))),
        sharey=True,
    )
    figure.get_layout_engine().set(hspace=0.06)
    for ax, (title, values), texts, room in zip(
        axes.flat, panels.items(), numbers, rooms, strict=True
    ):
        values = [float(v) for v in values]
        faded = [
            colour if winner is None or i == winner else colour + "80"
            for i in range(len(values))
        ]
        drawn = ax.barh(labels, values, color=faded, height=0.66)
        ax.bar_label(drawn, texts, padding=4)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_title(folded(title, place / columns))
        # Room for the numbers, on each side of 0 that has bars.
        low, high, sides = _reach(values)
        part = room * columns
        room = (high - low) * part / (1 - part * sides)
        ax.set_xlim(low - room * (low < 0), high + room * (high > 0))
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(
            left=False, bottom=False, labelbottom=False, pad=6
        )
    axes[0, 0].invert_yaxis()


def _reach(values):
    """Return the ends of the bars, and on how many sides of 0 there are any."""
    low, high = min(0.0, *values), max(0.0, *values)
    return low, high, (low < 0) + (high > 0)


def _columns(panels, rooms):
    """Return how many panels fit in a row if bars keep half of the width."""
    need = max(
        room * _reach([float(v) for v in values])[2]
        for values, room in zip(panels.values(), rooms, strict=True)
    )
    return max(
        n
        for n in range(1, len(panels) + 1)
        if len(panels) % n == 0 and (n == 1 or n * need < 0.5)
    )
