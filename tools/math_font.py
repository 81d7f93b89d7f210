"""Write the part of a mathematical font that the book may need.

    python tools/math_font.py STIXTwoMath-Regular.ttf

keeps the letters of Latin and Greek, in all styles that formulas have, and the signs
of `SIGNS`. The MATH table stays, from which browsers take spaces, sizes and the pieces
of tall brackets. `make fonts` gets the font, and what compresses it.
"""

import string
import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

TARGET = Path("book", "_static", "fonts", "stix-two-math.woff2")
GREEK = "αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ"
SIGNS = (
    "!&'()*+,-./:;<=>?[]{}|_^~\u00a0¬±·×ˆˇ˜´`¯‖…′″‴→←↦∀∃∇∈∉∏∑−∓√∞∣∥∩∪∫∼≈≔≠≡≤≥≪≫⊂⊆⋅⋆⋮⋯⋱"
    "⌈⌉⌊⌋⟨⟩⏞⏟ℝℓℎ"
)
STYLES = {"italic": 0x1D434, "italic Greek": 0x1D6FC, "bold": 0x1D400, "sans": 0x1D5A0}
PRIMES = range(0x2032, 0x2035)
LENGTHS = {"italic": 52, "italic Greek": 32, "bold": 52, "sans": 26}


def characters():
    """Return the numbers of all characters that are kept."""
    kept = {*map(ord, SIGNS + GREEK + "ΓΔΘΛΞΠΣΦΨΩ" + string.ascii_letters)}
    kept |= {*map(ord, string.digits)}
    for style, first in STYLES.items():
        kept |= set(range(first, first + LENGTHS[style]))
    return kept


def draw_primes_as_scripts(font):
    """Map primes, which formulas only have as scripts, to the shapes made for that.

    The font offers them by its feature `ssty`, which browsers do not use, and which
    would double its size.
    """
    table = font["GSUB"].table
    (feature,) = {
        f.Feature.LookupListIndex[0]
        for f in table.FeatureList.FeatureRecord
        if f.FeatureTag == "ssty"
    }
    shapes = {}
    for part in table.LookupList.Lookup[feature].SubTable:
        shapes |= getattr(part, "ExtSubTable", part).alternates
    for characters in font["cmap"].tables:
        for prime in PRIMES:
            name = characters.cmap.get(prime)
            if name in shapes:  # not yet: tables share their maps
                characters.cmap[prime] = shapes[name][0]


def space(constants):
    """Give scripts one height, whatever their letter, and fractions in a line less."""
    constants.SubscriptBaselineDropMin.Value = -40
    # The others as in TeX's own fonts.
    constants.SuperscriptBaselineDropMax.Value = 386
    constants.FractionNumeratorShiftUp.Value = 394
    constants.FractionDenominatorShiftDown.Value = 345
    constants.FractionNumeratorGapMin.Value = 50
    constants.FractionDenominatorGapMin.Value = 50
    # Room between a letter and the bar of a root.
    constants.RadicalVerticalGap.Value = 120


def add_small_root(font):
    """Make the smallest root sign smaller, and keep the two smallest only.

    Browsers let a sign that is too large hang below the line, and leave room for the
    widest there is.
    """
    root, larger = font.getBestCmap()[0x221A], "radical.larger"
    variants = font["MATH"].table.MathVariants
    place = variants.VertGlyphCoverage.glyphs.index(root)
    construction = variants.VertGlyphConstruction[place]
    small, large = construction.MathGlyphVariantRecord[:2]
    glyphs, (advance, _) = font.getGlyphSet(), font["hmtx"][root]
    drawn = {}
    for name, (across, up) in {root: (0.9, 0.77), larger: (1, 1)}.items():
        pen = TTGlyphPen(glyphs)
        glyphs[root].draw(TransformPen(pen, (across, 0, 0, up, 0, 0)))
        drawn[name] = pen.glyph(), round(across * advance), up
    font.setGlyphOrder([*font.getGlyphOrder(), larger])
    height = small.AdvanceMeasurement
    for record, (name, (glyph, width, up)) in zip(
        (small, large), drawn.items(), strict=True
    ):
        font["glyf"][name] = glyph
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = width, glyph.xMin
        record.VariantGlyph, record.AdvanceMeasurement = name, round(up * height)
    construction.MathGlyphVariantRecord = [small, large]
    construction.GlyphAssembly = None


def main(source):
    """Write the font, and say how large it is."""
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = []
    font = subset.load_font(source, options)
    draw_primes_as_scripts(font)
    space(font["MATH"].table.MathConstants)
    add_small_root(font)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    subset.save_font(font, TARGET, options)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
