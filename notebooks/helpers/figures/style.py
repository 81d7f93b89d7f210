"""Style of all figures: colours, fonts, sizes, and the SVG that is stored."""

import functools
import re
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import AutoLocator, ScalarFormatter
from matplotlib_inline.backend_inline import set_matplotlib_formats

# Dark enough for text on a light page, light enough to be inverted on a dark one.
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

# Text is drawn as outlines: a picture on a page cannot use the fonts of the page, and
# JupyterLab has none of them. tools/figure_font.py made this font from the site's.
FONT = Path(__file__).with_name("font") / "figures.ttf"
font_manager.fontManager.addfont(FONT)
FAMILY = font_manager.FontProperties(fname=FONT).get_name()
# Matplotlib looks for all of these fonts, and warns of those that are not there.
MATHTEXT = [
    f"mathtext.{k}"
    for k in ("rm", "it", "bf", "bfit", "cal", "sf", "tt")
]

# The widths of a page and of a phone in portrait orientation, in inches.
PAGE, PHONE = 7.2, 3.4
FOR_PHONE = {
    "figure.figsize": (PHONE, 2.5),
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "lines.linewidth": 2.0,
}

# A notebook may be open on a dark ground, where black ink cannot be read. The site
# takes the paper away, since it turns the ink light in its dark theme.
PAPER = '<rect class="paper" width="100%" height="100%" fill="white"/>'
ROOT = re.compile(r"<svg [^>]*>")
ID = re.compile(r"\b[a-z][0-9a-f]{10}\b")
PLACE = re.compile(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)')
NUMBER = re.compile(r"-?\d+\.?\d*")

plt.rcParams.update(
    {
        "figure.figsize": (PAGE, 3.2),
        "figure.constrained_layout.use": True,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.prop_cycle": plt.cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.labelsize": 12,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": "black",
        "ytick.labelcolor": "black",
        "font.size": 11.5,
        "font.family": [FAMILY, "DejaVu Sans"],
        "mathtext.fontset": "custom",
        **dict.fromkeys(MATHTEXT, FAMILY),
        "lines.linewidth": 2.2,
        "lines.solid_capstyle": "round",
    }
)


def width():
    """Return the width of the figure that is being drawn, in inches."""
    return plt.rcParams["figure.figsize"][0]


def on_phone():
    """Return whether the figure that is being drawn is the one for phones."""
    return width() == PHONE


def breadth(text):
    """Return how wide a text is in the size of the figure's labels, in inches."""
    size = plt.rcParams["font.size"]
    font = font_manager.FontProperties(family=[FAMILY])
    lines = text.split("\n")
    return (
        max(
            TextPath((0, 0), line, size=size, prop=font)
            .get_extents()
            .width
            if line.strip()
            else 0.0
            for line in lines
        )
        / 72
    )


def folded(text, inches):
    """Break a title into lines of at most that width.

    Text in brackets stays together, on a separate line if necessary.
    """
    letter = 0.0066 * plt.rcParams["axes.titlesize"]
    text = text.replace(", ", ",\xa0").replace("([", " ([")
    lines = textwrap.fill(text, int(inches / letter))
    return lines.replace(" ([", "([").replace("\xa0", " ")


def for_page_and_phone(draw):
    """Decorate a function to draw its figure twice, for a page and for a phone.

    The text of a wide figure is too small to read when it is scaled to a phone. The
    narrow figure is hidden inside the wide one, and
    book/_ext/figures_for_phones.py extracts it.
    """

    @functools.wraps(draw)
    def both(*args, **options):
        args = [list(a) if isinstance(a, Iterator) else a for a in args]
        with plt.rc_context(FOR_PHONE):
            draw(*args, **options)
            narrow = plt.gcf()
            plt.close(narrow)
            tidy_ticks(narrow)
            text = stable_svg(narrow)
        draw(*args, **options)
        tidy_ticks(plt.gcf())
        plt.gcf().for_phone = text[text.index("<svg") :]

    return both


def as_svg(figure):
    """Return a figure as SVG on paper, with the figure for phones hidden in it."""
    text = stable_svg(figure)
    narrow = getattr(figure, "for_phone", "")
    hidden = f'<g class="for-phone" display="none">\n{narrow}</g>\n'
    if narrow:
        text = text.replace("</svg>", f"{hidden}</svg>")
    return ROOT.sub(rf"\g<0>\n {PAPER}", text, count=1)


def stable_svg(figure):
    """Return a figure as SVG, the same on every machine for the same data.

    The last digits of the layout vary from run to run, so coordinates are rounded.
    Ids, which are hashes of coordinates, are replaced by numbers. A digest of the
    figure precedes them, since a page may hold several figures.
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
    """Draw pale horizontal lines behind the data."""
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)


def plain(value, _position=None):
    """Format a tick as shortly as possible, without zeros at its end."""
    return f"{round(value, 12) + 0.0:.9g}".replace("-", "−")


def tidy_ticks(figure):
    """Give the linear axes of a figure one notation: round steps, no final zeros."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(plain)
            if isinstance(axis.get_major_locator(), AutoLocator):
                axis.get_major_locator().set_params(steps=[1, 2, 5, 10])


def signed(value, digits):
    """Format a number with a typographic minus sign, and 0 without a sign."""
    return f"{value:z.{digits}f}".replace("-", "−")


set_matplotlib_formats("svg")
get_ipython().display_formatter.formatters["image/svg+xml"].for_type(
    Figure, as_svg
)
