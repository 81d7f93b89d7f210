"""No quantity is typed into prose: a cell prints it, or the code of the page holds it.

A number in a sentence cannot be checked, and is outdated when the code changes.
So a decimal number, a percentage, or a count of ULP, of times, of seconds or bytes
may stand in prose only

- if the same number stands in the code of the same page, as an input or a bound,
- if it is drawn in the figure that a caption or an alternative text describes,
- or if `ALLOWED` names it, with the reason.
"""

import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
# The numbers of the budget are compared with the library in test_budget.py.
PAGES = sorted({*(ROOT / "book").glob("*.md")} - {ROOT / "book" / "budget.md"})

NUMBER = r"\d[\d,]*(?:\.\d+)?(?:e[-−+]?\d+)?"
QUANTITY = re.compile(
    rf"(?<![\w.])(?:{NUMBER}(?=\s?(?:%|percent|×|‰|-fold)"
    r"|\s(?:ULP|times|ns|µs|ms|s|seconds?|hours?|[kKMG]i?B|bytes)\b)"
    r"|\d[\d,]*\.\d+(?:e[-−+]?\d+)?|\d+e[-−]?\d+)"
)

# Exceptions, with their reasons.
ALLOWED = {
    r"(Python|PyTensor|SciPy|CC BY) \d\.\d+": "a version",
    r"\(section \d+\.\d+\)": "a place in a book",
    r"16\.48|93\.15\s%": "quoted from an article, as what is to be checked",
    r"95\s%": "the level of an interval, which 1.96 standard errors stand for",
    r"0\.5 ULP": "half the distance of two floats: what rounding means",
    r"share 0\.8, that class is the true one in eight of ten": "an invented example",
    r"a 4, with a share of 0\.95": "an invented example, bet on at nineteen to one",
}


def prose_of(markdown):
    """Return Markdown without code, formulas, roles, targets and HTML."""
    kept, fences = [], []
    for line in markdown.split("\n"):
        fence = re.match(r"\s*(`{3,}|~{3,}|:{3,})(.*)$", line)
        if fence and not fence[2].strip() and fences and fences[-1][0] == fence[1]:
            fences.pop()
        elif fence and not (fences and fences[-1][1]):
            code = not re.match(r"\{(?!math|code)", fence[2].strip())
            fences.append((fence[1], code))
            kept.append("" if code else re.sub(r"^\{\S+\}", "", fence[2].strip()))
        elif not (fences and fences[-1][1]) and not re.match(r":\w+: \S*$", line):
            kept.append(line)
    text = "\n".join(kept)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    # A formula may contain numbers, but a number alone is not a formula.
    text = re.sub(r"\$([-−]?[\d.,]+)(\s*\\%)?\$", r"\1\2", text)
    text = re.sub(r"\$[^$]+\$", " ", text).replace("\\%", " %")
    text = re.sub(r"\{[\w:+-]+\}`[^`]*`|`[^`]*`|<[^>]*>|\]\([^)]*\)", " ", text)
    return text


def code_in(markdown):
    """Return the code blocks of a Markdown page."""
    return "\n".join(
        re.findall(r"^```\{?code.*?\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
    )


def value(text):
    return float(text.replace(",", "").replace("−", "-"))


def numbers_in_code(source):
    """Return the numbers of Python source, also those inside its strings."""
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NUMBER:
            number = token.string.replace("_", "")
            if re.fullmatch(NUMBER, number):
                found.add(value(number))
        elif token.type == tokenize.STRING:
            found.update(map(value, re.findall(NUMBER, token.string)))
    return found


def drawn_in(cell):
    """Return the numbers in the labels of figures, which SVG has in comments."""
    pictures = [o.get("data", {}).get("image/svg+xml", "") for o in cell.outputs]
    labels = re.findall(r"<!--(.*?)-->", "".join(map(str, pictures)))
    return {value(n) for label in labels for n in re.findall(NUMBER, label)}


def typed(prose, known):
    """Return the quantities of a text that are neither known nor allowed."""
    for pattern in ALLOWED:
        prose = re.sub(pattern, " ", prose)
    found = []
    for match in QUANTITY.finditer(prose):
        number = value(match.group())
        percent = re.match(r"\s?(?:%|percent)", prose[match.end() :])
        if number in known or (percent and round(number / 100, 12) in known):
            continue
        around = prose[max(0, match.start() - 30) : match.end() + 20]
        found.append(f"{match.group()} in “…{' '.join(around.split())}…”")
    return found


def typed_in_notebook(notebook):
    cells = notebook.cells
    source = [c.source for c in cells if c.cell_type == "code"]
    known = set().union(*map(numbers_in_code, source)) if source else set()
    found = []
    for cell in cells:
        if cell.cell_type == "markdown":
            found += typed(prose_of(cell.source), known)
        elif cell.cell_type == "code":
            meta = cell.metadata.get("mystnb", {})
            texts = meta.get("figure", {}).get("caption", ""), meta.get("image", {})
            about = f"{texts[0]}\n\n{texts[1].get('alt', '') if texts[1] else ''}"
            found += typed(prose_of(about), known | drawn_in(cell))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_quantity_is_typed_into_a_chapter(path):
    assert typed_in_notebook(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_no_quantity_is_typed_into_a_page(path):
    text = path.read_text(encoding="utf-8")
    assert typed(prose_of(text), numbers_in_code(code_in(text))) == []


def test_every_exception_is_still_needed():
    cells = [c for p in NOTEBOOKS for c in nbformat.read(p, as_version=4).cells]
    prose = [prose_of(c.source) for c in cells if c.cell_type == "markdown"]
    prose += [prose_of(p.read_text(encoding="utf-8")) for p in PAGES]
    for pattern in ALLOWED:
        assert re.search(pattern, "\n".join(prose)), f"nothing says {pattern} any more"


@pytest.mark.parametrize(
    "sentence",
    [
        "The error is 0.37 ULP.",
        "It is off by 3 ULP.",
        "It runs 7 times faster.",
        "It is 7× as fast.",
        "That takes 12 ms, or 3 seconds.",
        "In 42 % of the cases it fails.",
        "We count 1,234.5 of them.",
        "The rest is 1e-17.",
        "The accuracy is $0.97$.",
        "```{exercise} Title\n:label: x\n\nIs it 0.123?\n```",
        "````{admonition} Up to 0.123\nYes.\n````",
    ],
)
def test_finds(sentence):
    assert typed(prose_of(sentence), {5.0})


@pytest.mark.parametrize(
    "sentence",
    [
        "We give it the scores 0.7 and 70 %.",
        "In float32 and float64 there are 10 classes, on 3 axes.",
        "Here $e \\approx 2.718$ and $2^{-0.5}$.",
        "The call `softmax(x, 0.123)` and {ref}`ex-01-0.5`.",
        "```python\nx = 0.123\n```",
        "```{math}\n:label: eq\nx = 0.123\n```",
        "The project's folder needs Python 3.11 or newer.",
    ],
)
def test_leaves_alone(sentence):
    assert not typed(prose_of(sentence), {0.7})


def test_a_figure_vouches_for_its_own_numbers_only():
    def notebook(drawn):
        picture = {"image/svg+xml": f"<svg><!-- {drawn} --></svg>"}
        cell = nbformat.v4.new_code_cell(
            "draw()",
            outputs=[nbformat.v4.new_output("display_data", picture)],
            metadata={"mystnb": {"image": {"alt": "A bar of 0.71."}}},
        )
        return nbformat.v4.new_notebook(cells=[cell])

    assert typed_in_notebook(notebook("0.71")) == []
    assert len(typed_in_notebook(notebook("0.72"))) == 1
