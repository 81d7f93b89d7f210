"""Every claim has a verdict, a cell that shows it, and an assertion that checks it."""

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = {
    "claim-true": "True.",
    "claim-if": "True, with a condition.",
    "claim-false": "False.",
}
BLOCK = re.compile(r"^:::\{admonition\} (\d+) · (.+)\n((?:.*\n)*?):::$", re.MULTILINE)
TARGET = re.compile(r"^\(claim-(\d\d)\)=$", re.MULTILINE)
LINK = re.compile(r"\{ref\}`[^`<]+<claim-(\d\d)>`")
COMMENT = re.compile(r"^# claim (\d+)$")


def problems(page, notebooks):
    """Return the problems of a page of claims and of the notebooks behind it."""
    blocks = {int(n): body for n, _, body in BLOCK.findall(page)}
    found = []
    if list(blocks) != list(range(1, len(blocks) + 1)):
        found.append("the claims are not numbered from 1 without a gap")
    if page.count(":::{admonition}") != len(blocks):
        found.append("a block is not a claim")
    for n, body in blocks.items():
        found += [f"claim {n} has {p}" for p in of_page(n, body)]
    targets, shown, checked = Counter(), set(), set()
    for notebook in notebooks:
        chapter = cells_of(notebook)
        targets.update(chapter[0])
        shown |= chapter[1]
        # A check counts in the chapter that shows the claim.
        checked |= chapter[2] & set(chapter[0])
    for n in sorted(blocks.keys() | targets.keys()):
        if n not in blocks:
            found.append(f"claim {n} has no block")
        if targets[n] != 1:
            found.append(f"claim {n} has {targets[n]} targets")
        elif n not in shown:
            found.append(f"claim {n} has no output right after its target")
        if n not in checked:
            found.append(f"claim {n} has no check")
    return found


def of_page(n, body):
    """Yield the parts that a block of the page lacks."""
    kinds = re.findall(r"^:class: claim (\S+)$", body, re.MULTILINE)
    stated = re.findall(r"^\*\*(.+?)\*\*$", body, re.MULTILINE)
    if len(kinds) != 1 or kinds[0] not in VERDICTS:
        yield "no verdict"
    elif stated != [VERDICTS[kinds[0]]]:
        yield "a verdict in words that is not the one of its class"
    if f":name: verdict-{n:02d}\n" not in body:
        yield "no name with its number"
    if LINK.findall(body) != [f"{n:02d}"]:
        yield "no link to its cell, or another one's"
    if len(body.split("**\n")[-1].split("{ref}")[0].split()) < 6:
        yield "no reason"


def cells_of(notebook):
    """Return a notebook's targets, those with an output, and its checked claims."""
    targets, shown = [], set()
    here = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            here = [int(n) for n in TARGET.findall(cell.source)]
            targets += here
        elif cell.cell_type == "code" and cell.outputs:
            shown.update(here)
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    return targets, shown, checks_of(last.source)


def checks_of(source):
    """Return the claims with a comment on the line above an assertion."""
    asserting = {
        statement.lineno
        for statement in ast.parse(source).body
        if any(isinstance(node, ast.Assert) for node in ast.walk(statement))
    }
    lines = enumerate(source.split("\n"), start=1)
    comments = ((COMMENT.match(text), number) for number, text in lines)
    return {int(m[1]) for m, number in comments if m and number + 1 in asserting}


def stored():
    """Read the page and the notebooks of this book."""
    page = (ROOT / "book" / "claims.md").read_text(encoding="utf-8")
    paths = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    return page, [nbformat.read(path, as_version=4) for path in paths]


def test_every_claim_is_shown_and_checked():
    page, notebooks = stored()
    assert len(BLOCK.findall(page)) >= 29
    assert problems(page, notebooks) == []


def cell_with(notebooks, text, kind):
    """Return notebook and index of the only cell that matches a pattern."""
    places = [
        (notebook, i)
        for notebook in notebooks
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == kind and re.search(text, cell.source, re.MULTILINE)
    ]
    assert len(places) == 1
    return places[0]


def no_verdict(page, notebooks):
    return page.replace("claim claim-if\n:name: verdict-07", "claim\n:name: verdict-07")


def other_words(page, notebooks):
    block = page[page.index(":name: verdict-07") :]
    return page.replace(
        block, block.replace("**True, with a condition.**", "**False.**", 1)
    )


def no_link(page, notebooks):
    return page.replace("<claim-07>", "<claim-08>")


def no_target(page, notebooks):
    notebook, i = cell_with(notebooks, r"^\(claim-07\)=$", "markdown")
    source = notebook.cells[i].source
    notebook.cells[i].source = source.replace("(claim-07)=", "")
    return page


def two_targets(page, notebooks):
    notebooks[3].cells[0].source += "\n\n(claim-07)=\nAgain."
    return page


def no_output(page, notebooks):
    notebook, i = cell_with(notebooks, r"^\(claim-07\)=$", "markdown")
    for cell in notebook.cells[i + 1 :]:
        if cell.cell_type == "markdown":
            break
        cell.outputs = []
    return page


def prose_between(page, notebooks):
    notebook, i = cell_with(notebooks, r"^\(claim-07\)=$", "markdown")
    notebook.cells.insert(i + 1, nbformat.v4.new_markdown_cell("By the way."))
    return page


def no_comment(page, notebooks):
    notebook, i = cell_with(notebooks, "^# claim 7$", "code")
    source = notebook.cells[i].source
    notebook.cells[i].source = source.replace("# claim 7\n", "# claim 70\n")
    return page


def no_assertion(page, notebooks):
    notebook, i = cell_with(notebooks, "^# claim 7$", "code")
    source = notebook.cells[i].source
    notebook.cells[i].source = source.replace("# claim 7\n", "# claim 7\nprint()\n")
    return page


def no_block(page, notebooks):
    notebooks[3].cells[0].source += "\n\n(claim-99)=\nAgain."
    return page


@pytest.mark.parametrize(
    "broken",
    [
        no_verdict,
        other_words,
        no_link,
        no_target,
        two_targets,
        no_output,
        prose_between,
        no_comment,
        no_assertion,
        no_block,
    ],
)
def test_notices(broken):
    page, notebooks = stored()
    changed = broken(page, notebooks)
    claim = 99 if broken is no_block else 7
    assert any(f"claim {claim} " in p for p in problems(changed, notebooks))
