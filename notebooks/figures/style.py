"""The look of every figure: colours, type, and what is stored of it."""

import re
import zlib

import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

# Dark enough to write a name in, and light enough to be turned for dark pages.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = COLOURS = (
    "#0072b2",
    "#a86400",
    "#00805d",
    "#c04a00",
    "#b0508a",
    "#56b4e9",
)
GREY = "#767676"
PALE = "#d4d4d4"

ID = re.compile(r"\b[a-z][0-9a-f]{10}\b")
PLACE = re.compile(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)')
NUMBER = re.compile(r"-?\d+\.?\d*")

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
    ids, which are hashes of them, become numbers: after a digest of the figure,
    since a page may hold several.
    """
    text = print_figure(figure, fmt="svg", metadata={"Date": None})
    text = PLACE.sub(_rounded, text)
    ids = {}
    text = ID.sub(lambda m: ids.setdefault(m[0], f"@{len(ids)}"), text)
    return text.replace("@", f"f{zlib.crc32(text.encode()):08x}-")


def _rounded(place):
    return NUMBER.sub(
        lambda n: f"{round(float(n[0]), 3) + 0.0:.7g}", place[0]
    )


def grid(ax):
    """Draw pale lines behind the data, to read heights by."""
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def signed(value, digits):
    """Write a number with a proper minus sign, and 0 without one."""
    return f"{value:z.{digits}f}".replace("-", "−")


set_matplotlib_formats("svg")
get_ipython().display_formatter.formatters["image/svg+xml"].for_type(
    Figure, as_svg
)
