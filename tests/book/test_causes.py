"""A sentence that names a cause says which check would fail if it were another one.

From the chapter on layers on, a paragraph with "because" ends with a comment that
readers do not see, `<!-- shown by: name, ... -->`. Each name is one that the chapter's
checks use, or the label of a theorem, a figure, an equation, an exercise or a
reference.
"""

import re

import nbformat
import pytest
from test_notebooks import PATHS

CHAPTERS = [path for path in PATHS if path.stem[:2] >= "09"]
CAUSE = re.compile(r"\b(because|the reason|the cause|due to)\b", re.IGNORECASE)
SHOWN = re.compile(r"^<!-- shown by: (.+) -->$")
LABEL = re.compile(
    r"\(([\w-]+)\)=|:label: ([\w-]+)|name: ([\w-]+)|\{cite(?::t)?\}`(\w+)`"
)


def paragraphs(markdown):
    """Return the paragraphs of a text, each with the comment that ends it."""
    return re.split(r"\n\s*\n", markdown)


def names_of(block):
    lines = [SHOWN.match(line) for line in block.split("\n")]
    return [name.strip() for m in lines if m for name in m[1].split(",")]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_causes_are_shown(path):
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    figures = {
        c.metadata.get("mystnb", {}).get("figure", {}).get("name") for c in cells
    }
    labels = {label for found in LABEL.findall(prose) for label in found} | figures
    checks = cells[-2].source
    for block in paragraphs(prose):
        names = names_of(block)
        if CAUSE.search(re.sub(r"^<!-- .*$", "", block, flags=re.M)):
            assert names, f"which check shows this?\n{block}"
        for name in names:
            used = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", checks)
            assert used or name in labels, f"no check uses {name}:\n{block}"


def test_the_chapters_name_causes():
    found = [
        name
        for path in CHAPTERS
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for block in paragraphs(cell.source)
        for name in names_of(block)
    ]
    assert len(found) > 10
