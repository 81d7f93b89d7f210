"""The kinds of figure that the book has, in one style.

Figures are black on white paper. The site takes the paper away, and inverts the ink in
dark mode. Colours are a darkened Okabe-Ito palette, which colour-blind readers can tell
apart. Lines are labelled at their ends rather than in a legend. The functions return
None, so that a cell shows nothing but the figure.
"""

from helpers.figures.arrows import arrows
from helpers.figures.bars import bars
from helpers.figures.calibration import reliability
from helpers.figures.drawn import densities, ranked
from helpers.figures.grids import (
    heat,
    maps,
    matrix,
    pictures,
    regions,
)
from helpers.figures.information import stand_ins, stretches
from helpers.figures.lines import curves, loglog, panels, placed_curves
from helpers.figures.looks import dependence, looks
from helpers.figures.machines import (
    columns_of_bits,
    deals,
    split_table,
)
from helpers.figures.numbers import bands, number_line
from helpers.figures.points import intervals, points
from helpers.figures.sharing import named_curves, ranges
from helpers.figures.stacked import stacked
from helpers.figures.strips import strips
from helpers.figures.territories import territories

__all__ = [
    "arrows",
    "bands",
    "bars",
    "columns_of_bits",
    "curves",
    "deals",
    "densities",
    "dependence",
    "heat",
    "intervals",
    "loglog",
    "looks",
    "maps",
    "matrix",
    "named_curves",
    "number_line",
    "panels",
    "pictures",
    "placed_curves",
    "points",
    "ranges",
    "ranked",
    "regions",
    "reliability",
    "split_table",
    "stacked",
    "stand_ins",
    "stretches",
    "strips",
    "territories",
]
