"""Make the font of the figures from the site's sans-serif typeface.

Matplotlib reads TrueType alone. The licence keeps the name of the typeface for its
unchanged files, so the converted one has another name.
"""

import sys

from fontTools.ttLib import TTFont

NAME = "Softmax Figures"
NAMES = {1: NAME, 2: "Regular", 4: NAME, 6: NAME.replace(" ", "")}
COPYRIGHT, LICENCE = 0, 14
# The typeface leaves room for accents, and Matplotlib centres labels in that room. Here
# a line is as high as capitals and figures; lines keep their distance by the gap.
ASCENT, DESCENT, GAP = 0.66, -0.21, 0.28
# Matplotlib reads neither kerning nor substitutions from these.
UNUSED = ("BASE", "GDEF", "GPOS", "GSUB", "STAT")


def main(source, target):
    font = TTFont(source, recalcTimestamp=False)
    for table in UNUSED:
        del font[table]
    lines, em = font["OS/2"], font["head"].unitsPerEm
    lines.sTypoAscender = round(ASCENT * em)
    lines.sTypoDescender = round(DESCENT * em)
    lines.sTypoLineGap = round(GAP * em)
    names = font["name"]
    kept = [n for n in names.names if n.nameID in (COPYRIGHT, LICENCE)]
    names.names = kept
    for number, text in NAMES.items():
        names.setName(text, number, 3, 1, 0x409)
    font.flavor = None
    font.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
