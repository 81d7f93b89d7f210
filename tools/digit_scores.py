"""Store the scores of chapter 08's test pictures, which its explorer divides.

`python tools/digit_scores.py` runs the chapter as far as it is needed and writes
book/_static/explorers/digit_scores.js.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = ROOT / "notebooks" / "08_probability.ipynb"
STORED = ROOT / "book" / "_static" / "explorers" / "digit_scores.js"
TEMPLATE = """\
/* Made by tools/digit_scores.py, not by hand: ten scores for each test picture of
   chapter 08, as hundredths below the largest of the ten, and whether the network was
   right about the picture. */
"use strict";

const DigitScores = {
  right: "%s",
  behind: [
%s
  ],
};
"""

sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]


def computed():
    """Return what the chapter computes: scores below the largest, and what is right."""
    names = {}
    for cell in json.loads(CHAPTER.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
        if "right" in names:
            break
    scores, right = (names[name][names["test"]] for name in ("scores", "right"))
    behind = scores.max(axis=1, keepdims=True) - scores
    return np.rint(100 * behind).astype(int), right


def write(behind, right):
    """Store scores and what is right."""
    rows = "\n".join(f"    {json.dumps(row.tolist())}," for row in behind)
    flags = "".join(map(str, right.astype(int)))
    STORED.write_text(TEMPLATE % (flags, rows), encoding="utf-8")


def read():
    """Return what is stored."""
    text = STORED.read_text("utf-8")
    flags = re.search(r'right: "([01]+)"', text)[1]
    rows = re.findall(r"(?m)^ +(\[.*\]),$", text)
    behind = np.array([json.loads(row) for row in rows])
    return behind, np.array(list(flags)) == "1"


if __name__ == "__main__":
    write(*computed())
