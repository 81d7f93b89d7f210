"""Bars, one panel for each list of values, on scales that can be compared."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

from helpers.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    PALE,
    breadth,
    folded,
    for_page_and_phone,
    on_phone,
    plain,
    signed,
    width,
)

# Inches: beside a number, beside the labels, and for an arrow between panels.
GAP, MARGIN, ARROW = 0.1, 0.22, 0.95
SHARE = "share"


@dataclass
class Panel:
    """One panel, with its ends in data units and the rest in inches."""

    title: str
    values: np.ndarray
    texts: list[str]
    kind: str  # panels of one kind have one scale
    low: float
    high: float
    arrow: float = 0.0
    left: float = 0.0
    right: float = 0.0
    unit: float = 0.0

    @property
    def range(self):
        """Return the length of the axis that bars need."""
        return self.high - self.low

    @property
    def inches(self):
        """Return the width of the panel."""
        bars = self.range * self.unit
        return self.arrow + self.left + bars + self.right


@for_page_and_phone
def bars(
    labels,
    panels,
    *,
    digits=2,
    shares=(),
    own=(),
    between=(),
    by_class=False,
):
    """Draw one panel of bars for each entry of `panels`, a dict of title: values.

    All panels have one scale, except those that `shares` and `own` name. Shares are
    drawn on a pale track from 0 to 1; a panel in `own` has a separate scale, which
    its numbered axis shows. `between` holds a text for each step from a panel to the
    next, written at an arrow.

    Every bar carries its value to `digits` decimals (an int, or one for each
    panel). With `by_class` each label has its own colour, as lines in `curves`
    have.
    """
    parts = _panels(panels, digits, shares, own)
    place = width() - max(map(breadth, labels)) - MARGIN
    columns = _columns(parts, place) if on_phone() else len(parts)
    rows = len(parts) // columns
    if rows == 1:
        _fill_row(parts, place, ARROW if between else 0.0)
    else:
        _fill_rows(parts, place / columns)
    bar = 0.3 if rows > 1 else 0.42
    row = 0.72 + bar * len(labels)
    figure, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(width(), 0.3 + rows * row),
        sharey=True,
        width_ratios=[p.inches for p in parts[:columns]],
    )
    figure.get_layout_engine().set(
        hspace=0.06 if rows > 1 else 0, wspace=0, w_pad=0
    )
    colours = COLOURS[: len(labels)] if by_class else BLUE
    for ax, part in zip(axes.flat, parts, strict=True):
        _draw(ax, part, labels, colours)
    for ax, part, text in zip(
        axes.flat[1:], parts[1:], between, strict=False
    ):
        _arrow(ax, part, text, below=rows > 1)
    axes[0, 0].invert_yaxis()


def _panels(panels, digits, shares, own):
    if isinstance(digits, int):
        digits = [digits] * len(panels)
    parts = []
    for (title, values), places in zip(
        panels.items(), digits, strict=True
    ):
        values = np.asarray(values, float)
        texts = [signed(v, places) for v in values]
        kind = title if title in own else ""
        ends = min(0.0, *values), max(0.0, *values)
        if title in shares:
            kind, ends = SHARE, (0.0, 1.0)
        part = Panel(title, values, texts, kind, *ends)
        for text, value in zip(texts, values, strict=True):
            side = "left" if value < 0 else "right"
            room = max(getattr(part, side), breadth(text) + 2 * GAP)
            setattr(part, side, room)
        parts.append(part)
    return parts


def _fill_row(parts, place, arrow):
    """Set the scales of panels that stand side by side.

    Panels of one kind are as wide as their values need on one scale; all kinds have
    on average the same width for their bars.
    """
    for part in parts[1:]:
        part.arrow = arrow
    rest = place - sum(p.inches for p in parts)
    for part in parts:
        kin = [p for p in parts if p.kind == part.kind]
        if part.kind == SHARE:
            kin = [part]
        ranges = sum(p.range for p in kin)
        part.unit = rest * len(kin) / len(parts) / ranges


def _fill_rows(parts, place):
    """Set the scales of panels that stand in several rows, all equally wide."""
    for part in parts:
        kin = [p for p in parts if p.kind == part.kind]
        part.low = min(p.low for p in kin)
        part.high = max(p.high for p in kin)
    for part in parts:
        part.left = max(p.left for p in parts if p.kind == part.kind)
    right = max(p.right for p in parts)
    for part in parts:
        part.right = right
        part.unit = (place - part.left - right) / part.range


def _columns(parts, place):
    """Return how many panels fit in a row if bars keep half of the width."""
    need = max(p.left + p.right for p in parts)
    return max(
        n
        for n in range(1, len(parts) + 1)
        if len(parts) % n == 0 and (n == 1 or n * need < place / 2)
    )


def _draw(ax, part, labels, colours):
    if part.kind == SHARE:
        track = {"color": PALE, "alpha": 0.45, "gid": "track"}
        ax.barh(labels, 1.0, height=0.66, **track)
    ax.barh(labels, part.values, color=colours, height=0.66)
    for y, (value, text) in enumerate(
        zip(part.values, part.texts, strict=True)
    ):
        end = 1.0 if part.kind == SHARE else value
        ax.annotate(
            text,
            (end, y),
            (-4 if value < 0 else 4, 0),
            textcoords="offset points",
            ha="right" if value < 0 else "left",
            va="center",
        )
    ax.axvline(0, color=GREY, linewidth=0.8)
    before = part.arrow + part.left
    ax.set_xlim(
        part.low - before / part.unit,
        part.high + part.right / part.unit,
    )
    title = folded(part.title, part.inches - part.arrow)
    ax.set_title(title, x=part.arrow / part.inches)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(left=False, pad=5)
    ax.tick_params(axis="x", labelcolor=GREY, length=2)
    step = _step(part.unit)
    if part.kind == SHARE:
        step = 0.5 if step <= 0.5 else 1.0
    first, last = np.ceil(part.low / step), np.floor(part.high / step)
    ax.set_xticks(step * np.arange(first, last + 1))
    ax.xaxis.set_major_formatter(plain)


def _step(unit):
    """Return the distance of ticks, which depends on the scale alone."""
    least = 0.3 / unit
    power = 10.0 ** np.floor(np.log10(least))
    return power * next(n for n in (1, 2, 5, 10) if n * power >= least)


def _arrow(ax, part, text, *, below):
    """Draw the step from the panel before: beside this panel, or above it."""
    if below:
        words = text.replace("\n", " ")
        ax.set_title(f"↓ {words}", loc="right", color=GREY)
        return
    end = 0.85 * ARROW / part.inches
    ax.annotate(
        "",
        (end, 0.5),
        (0.1 * ARROW / part.inches, 0.5),
        xycoords="axes fraction",
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "->", "color": GREY},
    )
    ax.annotate(
        text,
        (0.48 * ARROW / part.inches, 0.5),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        color=GREY,
        linespacing=1.1,
    )
