"""The look of every figure, and the few kinds of figure that the book draws.

Ink is black on nothing: the site turns it light in dark mode. Colours are those of
Okabe and Ito, darkened, which colour-blind readers can tell apart, and lines are
named where they end rather than in a legend. A function draws and returns nothing,
so that the figure is all that a cell shows.
"""

from helpers.figures.bars import bars
from helpers.figures.grids import heat, maps, matrix, pictures
from helpers.figures.lines import curves, loglog, panels, placed_curves
from helpers.figures.numbers import bands, number_line
from helpers.figures.points import (
    intervals,
    points,
    reliability,
    strips,
)

__all__ = [
    "bands",
    "bars",
    "curves",
    "heat",
    "intervals",
    "loglog",
    "maps",
    "matrix",
    "number_line",
    "panels",
    "pictures",
    "placed_curves",
    "points",
    "reliability",
    "strips",
]
