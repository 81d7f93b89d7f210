"""The look of every figure, and the few kinds of figure that the book draws.

Ink is black on nothing: the site turns it light in dark mode. Colours are those
of Okabe and Ito, which colour-blind readers can tell apart, and lines are named
where they end rather than in a legend. A function draws and returns nothing, so
that the figure is all that a cell shows.
"""

import matplotlib.pyplot as plt
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

# Fixed ids and no date: the same data gives the same file, byte for byte.
set_matplotlib_formats("svg", metadata={"Date": None})
plt.rcParams.update(
    {
        "svg.hashsalt": "softmax",
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
            drawn, [f"{v:.{places}f}" for v in values], padding=4
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


def curves(x, lines, *, xlabel, ylabel, ylim=None, dashed=(), marks=()):
    """Draw each entry of `lines`, a dict of name: values over x, named at its end.

    `dashed` holds the names drawn dashed, `marks` points (x, y, text) to point at.
    """
    _, ax = plt.subplots()
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
    for px, py, text in marks:
        ax.plot(px, py, "o", color="black", markersize=5)
        ax.annotate(
            text, (px, py), xytext=(8, -12), textcoords="offset points"
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x[0], x[-1]), ylim=ylim)
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
