"""Figures show what they say: lengths agree with numbers, panels with each other.

The tests read the pictures that the notebooks store, the wide one and the one for
phones: paths, ticks, and texts, which Matplotlib writes into comments.
"""

import copy
import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import nbformat
import numpy as np
import pytest
from fontTools.ttLib import TTFont

from tools.notebooks import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
PHONE = re.compile(r'<g class="for-phone"[^>]*>\s*(<svg.*?</svg>)\s*</g>', re.DOTALL)
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?")
TICK = re.compile(r"−?\d+(?:\.\d*[1-9])?|\$\\mathdefault\{10\^\{-?\d+\}\}\$")
PIXEL = 0.5
FONT = TTFont(NOTEBOOKS / "helpers" / "figures" / "font" / "figures.ttf").getBestCmap()

# Figures with several scales, and why. Each panel has a numbered axis.
DIFFERENT = {
    "fig-01-steps": "scores and exponentials have no limit, shares have",
    "fig-02-neurons": "the largest exponential is 25 times the largest score",
    "fig-02-fruits": "scores and exponentials have no limit, shares have",
    "fig-03-labels": "scores have no limit, shares have",
    "fig-06-hint": "the share of a class, and the slope of that share",
}


@dataclass
class Axis:
    """The numbered ticks of an axis: places and, where written, values."""

    places: list = field(default_factory=list)
    values: list = field(default_factory=list)
    texts: list = field(default_factory=list)

    def scale(self):
        """Return points per unit and the place of 0, or None without two numbers.

        Logarithmic axes are read as powers of ten.
        """
        known = [
            (v, p)
            for v, p in zip(self.values, self.places, strict=True)
            if v is not None
        ]
        if len(known) < 2:
            return None
        values, places = np.array(known).T
        unit, zero = np.polyfit(values, places, 1)
        return (
            (unit, zero) if np.allclose(unit * values + zero, places, atol=1) else None
        )


@dataclass
class Panel:
    """What one panel of a figure shows."""

    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    bars: list = field(default_factory=list)
    tracks: list = field(default_factory=list)
    marks: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    texts: list = field(default_factory=list)


def tick_value(text):
    """Return the number that a tick shows; of a power of ten, the exponent."""
    power = re.search(r"10\^\{(-?\d+)\}", text)
    if power:
        return float(power[1])
    return float(text.replace("−", "-")) if NUMBER.fullmatch(text) else None


def comment(element):
    """Return the first text that is written inside an element."""
    for part in element.iter():
        if part.tag is ET.Comment:
            return part.text.strip()
    return ""


def corners(path):
    if path is None:
        return np.empty((0, 2))
    points = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path.get("d"))
    return np.array(points, float)


def read_axis(group, letter, axis):
    for tick in group.iter(f"{SVG}g"):
        if re.match(rf"{letter}tick_", tick.get("id", "")):
            axis.texts.append(comment(tick))
            mark = next(tick.iter(f"{SVG}use"), None)
            if mark is None or mark.get(letter) is None:
                continue
            axis.places.append(float(mark.get(letter)))
            axis.values.append(tick_value(comment(tick)))


def read_panel(group):
    panel = Panel()
    for part in group:
        name = part.get("id", "") if isinstance(part.tag, str) else ""
        if name.startswith("matplotlib.axis_"):
            which = "xy"[(int(name.rsplit("_", 1)[1]) - 1) % 2]
            read_axis(part, which, getattr(panel, which))
        elif name.startswith("patch_") or name == "track":
            points = corners(part.find(f"{SVG}path"))
            filled = "fill: none" not in part.find(f"{SVG}path").get("style", "")
            if filled and len(points) == 4:
                bars = panel.tracks if name == "track" else panel.bars
                bars.append((points[0, 0], points[1, 0], points[:, 1].mean()))
        elif name.startswith("line2d_"):
            uses = list(part.iter(f"{SVG}use"))
            panel.marks += [(float(u.get("x")), float(u.get("y"))) for u in uses]
            path = part.find(f"{SVG}path")
            points = corners(path)
            upright = len(points) == 2 and points[0, 0] == points[1, 0]
            if upright and not uses:
                panel.lines.append(points[0, 0])
        elif name.startswith("text_"):
            panel.texts.append(comment(part))
    return panel


def read(svg):
    """Return the panels of a picture."""
    builder = ET.TreeBuilder(insert_comments=True)
    root = ET.fromstring(svg, ET.XMLParser(target=builder))
    groups = root.iter(f"{SVG}g")
    return [read_panel(g) for g in groups if g.get("id", "").startswith("axes_")]


def figures():
    """Yield name, kind of drawing and both pictures of every figure of the book."""
    for path in PATHS:
        for cell in nbformat.read(path, as_version=4).cells:
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
            for output in cell.get("outputs", ()):
                svg = output.get("data", {}).get("image/svg+xml")
                if svg:
                    called = re.findall(r"figures\.(\w+)\(", cell.source)
                    narrow = PHONE.search(svg)
                    assert narrow, f"{name} has no picture for phones"
                    yield name, called, PHONE.sub("", svg), narrow[1]


DRAWN = list(figures())
SVGS = {
    f"{name}-{size}": svg
    for name, _, wide, narrow in DRAWN
    for size, svg in (("wide", wide), ("narrow", narrow))
}
PICTURES = [
    (key, name, called, read(SVGS[key]))
    for name, called, _, _ in DRAWN
    for key in (f"{name}-wide", f"{name}-narrow")
]
BARS = {key: panels for key, _, called, panels in PICTURES if "bars" in called}
ARROWS = {key: panels for key, _, called, panels in PICTURES if "arrows" in called}
STACKED = {key: panels for key, _, called, panels in PICTURES if "stacked" in called}
SQUARE = {key: panels for key, _, called, panels in PICTURES if "reliability" in called}
SEVERAL = {key: (name, panels) for key, name, _, panels in PICTURES if len(panels) > 1}


@pytest.mark.parametrize(("name", "wide"), [(name, wide) for name, _, wide, _ in DRAWN])
def test_a_figure_is_on_paper_in_a_notebook(name, wide):
    assert wide.count('class="paper"') == 1


@pytest.mark.parametrize("key", SVGS)
def test_texts_are_in_the_typeface_of_the_figures(key):
    svg = SVGS[key]
    texts = re.findall(r"<!-- (.*?) -->", svg)
    foreign = set("".join(texts)) - set(map(chr, FONT))
    assert ('"DejaVuSans' in svg) == bool(foreign), foreign


@pytest.mark.parametrize(("key", "panels"), [(key, p) for key, _, _, p in PICTURES])
def test_ticks_have_one_notation(key, panels):
    for text in (t for p in panels for t in p.x.texts + p.y.texts):
        assert TICK.fullmatch(text) or not re.match(r"[-−.$\d]", text), text


def number(text):
    """Return a printed number, and half a unit of its last digit."""
    return float(text.replace("−", "-")), 0.5 * 10.0 ** -len(text.partition(".")[2])


def check_bars(panel):
    unit, zero = panel.x.scale()
    numbers = [t for t in panel.texts if NUMBER.fullmatch(t)]
    assert len(numbers) == len(panel.bars) > 1
    for (start, end, _), text in zip(panel.bars, numbers, strict=True):
        value, rounding = number(text)
        assert start == pytest.approx(zero, abs=PIXEL)
        assert end - zero == pytest.approx(value * unit, abs=PIXEL + rounding * unit)
    for start, end, _ in panel.tracks:
        assert start == pytest.approx(zero, abs=PIXEL)
        assert end - zero == pytest.approx(unit, abs=PIXEL)


@pytest.mark.parametrize("key", BARS)
def test_bars_are_as_long_as_their_numbers_say(key):
    for panel in BARS[key]:
        check_bars(panel)


@pytest.mark.parametrize("key", STACKED)
def test_parts_stand_end_to_end_and_are_as_long_as_their_numbers_say(key):
    (panel,) = STACKED[key]
    numbers = [float(t) for t in panel.texts if NUMBER.fullmatch(t)]
    parts, wholes = numbers[: len(panel.bars)], numbers[len(panel.bars) :]
    start = min(start for start, _, _ in panel.bars)
    unit = sum(end - start for start, end, _ in panel.bars) / sum(parts)
    for (left, right, _), value in zip(panel.bars, parts, strict=True):
        assert right - left == pytest.approx(value * unit, abs=PIXEL)
    rows = sorted({y for _, _, y in panel.bars})
    for row, whole in zip(rows, wholes, strict=True):
        ends = sorted((left, right) for left, right, y in panel.bars if y == row)
        assert ends[0][0] == pytest.approx(start, abs=PIXEL)
        assert ends[-1][1] - start == pytest.approx(whole * unit, abs=PIXEL)
        for (_, right), (left, _) in itertools.pairwise(ends):
            assert right == pytest.approx(left, abs=PIXEL)


@pytest.mark.parametrize("key", SQUARE)
def test_a_calibrated_network_would_rise_at_45_degrees(key):
    diagrams = [p for p in SQUARE[key] if p.y.places]
    assert len(diagrams) == len(SQUARE[key]) / 2
    for panel in diagrams:
        assert len(panel.x.places) == len(panel.y.places) > 2
        assert np.ptp(panel.x.places) == pytest.approx(
            np.ptp(panel.y.places), abs=PIXEL
        )


def check_arrows(panel):
    unit, zero = panel.x.scale()
    numbers = [number(t) for t in panel.texts if NUMBER.fullmatch(t)]
    for place, _ in panel.marks:
        value = (place - zero) / unit
        assert any(
            value == pytest.approx(printed, abs=PIXEL / unit + rounding)
            for printed, rounding in numbers
        )
    printed = {abs(number(n)[0]) for text in panel.texts for n in NUMBER.findall(text)}
    for row in {y for _, y in panel.marks}:
        ends = [x for x, y in panel.marks if y == row] + panel.lines
        length = abs(ends[1] - ends[0]) / unit
        assert any(
            length == pytest.approx(n, abs=PIXEL / unit + 0.005) for n in printed
        )


@pytest.mark.parametrize("key", ARROWS)
def test_arrows_lead_from_number_to_number(key):
    (panel,) = ARROWS[key]
    check_arrows(panel)


def scales(axes):
    """Return the scales of axes, where each has numbers, or its neighbour's ticks."""
    found = []
    for axis in axes:
        scale = axis.scale()
        if scale is None and found and len(axis.places) > 1:
            same = [a for a in axes if a.scale() and a.places == axis.places]
            scale = same[0].scale() if same else None
        found.append(scale and scale[0])
    return [s for s in found if s is not None]


def is_one(units):
    return all(a == pytest.approx(b, rel=0.02) for a, b in itertools.pairwise(units))


@pytest.mark.parametrize("key", SEVERAL)
def test_panels_have_one_scale(key):
    name, panels = SEVERAL[key]
    x, y = (scales([getattr(p, a) for p in panels]) for a in "xy")
    if name not in DIFFERENT:
        assert is_one(x) and is_one(y)
        return
    # The tracks of shares can be compared in any case.
    assert len(x) == len(panels) or len(y) == len(panels)
    assert is_one([p.x.scale()[0] for p in panels if p.tracks])


def test_every_exception_has_several_scales():
    several = {
        name
        for name, panels in SEVERAL.values()
        for a in "xy"
        if not is_one(scales([getattr(p, a) for p in panels]))
    }
    assert set(DIFFERENT) == several


def test_a_bar_of_another_length_is_noticed():
    panel = copy.deepcopy(BARS["fig-01-temperature-wide"][1])
    start, end, row = panel.bars[1]
    panel.bars[1] = start, end + 2, row
    with pytest.raises(AssertionError):
        check_bars(panel)


def test_an_arrow_to_another_place_is_noticed():
    panel = copy.deepcopy(ARROWS["fig-05-unnormalised-wide"][0])
    x, y = panel.marks[0]
    panel.marks[0] = x + 5, y
    with pytest.raises(AssertionError):
        check_arrows(panel)


def test_two_scales_are_noticed():
    panels = [p.x for p in BARS["fig-02-neurons-narrow"]]
    assert len(scales(panels)) == 3 and not is_one(scales(panels))
    same = [p.x for p in BARS["fig-01-temperature-narrow"]]
    assert len(scales(same)) == 3 and is_one(scales(same))
