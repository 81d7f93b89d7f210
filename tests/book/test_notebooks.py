"""Notebooks are stored executed, in their normal form, without traces of a machine."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest

from tools.notebooks import NOTEBOOKS, normalised

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
# Paths, addresses and temporary names differ from machine to machine.
LOCAL = re.compile(
    r"(?<![\w.:/])/(home|Users|root|tmp|var|opt|mnt)/|\b[A-Z]:\\"
    r"|site-packages|0x[0-9a-f]{6}"
)

every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_the_book_holds_each():
    contents = (NOTEBOOKS.parent / "_toc.yml").read_text(encoding="utf-8")
    assert PATHS
    for path in PATHS:
        assert f"notebooks/{path.stem}\n" in contents


@every_notebook
def test_is_in_its_normal_form(path):
    stored = path.read_text(encoding="utf-8")
    again = nbformat.writes(normalised(nbformat.reads(stored, as_version=4))) + "\n"
    assert stored == again, "run `make notebooks` and commit the result"


@every_notebook
def test_every_cell_was_executed_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_nothing_printed_belongs_to_one_machine(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "stream" or output.name != "stderr"
            found = LOCAL.search(str(output))
            assert not found, f"{found.group()!r} in the output of:\n{cell.source}"


@every_notebook
def test_every_figure_is_named_captioned_and_described(path):
    text = path.read_text(encoding="utf-8")
    for cell in code_cells(path):
        kinds = {kind for o in cell.outputs for kind in o.get("data", {})}
        if not any(kind.startswith("image/") for kind in kinds):
            continue
        meta = cell.metadata.get("mystnb", {})
        figure, image = meta.get("figure", {}), meta.get("image", {})
        assert figure.get("name", "").startswith(f"fig-{path.stem[:2]}-"), cell.source
        assert len(figure.get("caption", "")) > 20, cell.source
        assert len(image.get("alt", "")) > 40, cell.source
        assert f"{{numref}}`{figure['name']}`" in text, f"{figure['name']} is unused"


@every_notebook
def test_what_a_figure_shows_is_asserted(path):
    cells = nbformat.read(path, as_version=4).cells
    figures = {
        c.metadata.get("mystnb", {}).get("figure", {}).get("name") for c in cells
    }
    checks = re.split(r"^# (?=fig-|claim )", cells[-2].source, flags=re.MULTILINE)
    checked = {part.split("\n")[0] for part in checks if "assert " in part}
    assert not figures - checked - {None}


def only_imports(cell):
    body = ast.parse(cell.source).body
    return all(isinstance(part, ast.Import | ast.ImportFrom) for part in body)


@every_notebook
def test_imports_are_one_cell(path):
    assert sum(map(only_imports, code_cells(path))) == 1


@every_notebook
def test_cells_are_short_and_narrow(path):
    for cell in code_cells(path):
        lines = cell.source.split("\n")
        assert max(map(len, lines)) <= 72, cell.source
        if "assert" not in cell.source and not only_imports(cell):
            assert len(lines) <= 15, cell.source


@every_notebook
def test_has_what_every_chapter_has(path):
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    assert ":class: objectives" in prose
    assert re.search(r"^\*.*\d+ minutes.*\*$", prose, re.MULTILINE)
    exercises = re.findall(r"\{exercise\}.*\n:label: (\S+)", prose)
    solutions = re.findall(r"\{solution-start\} (\S+)\n:class: dropdown", prose)
    assert len(exercises) >= 4
    assert exercises == solutions
    assert re.search(r"^## Summary$", prose, re.MULTILINE)
    assert "**Further reading.**" in prose
    heading, checks, summary = cells[-3:]
    assert re.match(r"## Checks\n", heading.source)
    assert checks.cell_type == "code" and "assert " in checks.source
    assert summary.source.startswith("## Summary\n")


def calls(node):
    """Return the calls inside a node, as text, without their arguments."""
    found = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    return [ast.unparse(call.func) for call in found]


@every_notebook
def test_what_only_dresses_a_result_is_folded(path):
    for cell in code_cells(path):
        tree = ast.parse(cell.source)
        last = ast.unparse(tree.body[-1])
        dresses = re.match(r"figures\.|show\.(?!facts\()", last)
        checks = "assert " in cell.source
        folded = "hide-input" in cell.metadata.get("tags", ())
        assert folded == bool(dresses or checks or only_imports(cell)), cell.source
    first = ast.parse(code_cells(path)[0].source)
    assert all(isinstance(n, ast.Import | ast.ImportFrom) for n in first.body)


@every_notebook
def test_nothing_is_computed_where_it_is_folded(path):
    trees = [ast.parse(cell.source) for cell in code_cells(path)]
    library = {
        alias.asname or alias.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("softmax_lib")
        for alias in node.names
    }
    for cell in code_cells(path):
        if (
            "hide-input" in cell.metadata.get("tags", ())
            and "assert" not in cell.source
        ):
            called = {call.split(".")[0] for call in calls(ast.parse(cell.source))}
            assert not called & (library | {"exact"}), cell.source


@every_notebook
def test_truth_is_told_in_words(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get(
                "text/plain", ""
            )
            assert not re.search(r"\b(True|False)\b", text), cell.source


def test_the_normal_form_drops_what_changes_from_run_to_run():
    notebook = nbformat.v4.new_notebook(
        metadata={"language_info": {"name": "python", "version": "3.99"}},
        cells=[
            nbformat.v4.new_code_cell(
                "1",
                execution_count=7,
                metadata={"tags": ["x"], "execution": {"iopub.status.busy": "now"}},
                outputs=[nbformat.v4.new_output("execute_result", {"text/plain": "1"})],
            )
        ],
    )
    notebook.cells[0].outputs[0].execution_count = 7
    cell = normalised(notebook).cells[0]
    assert cell.metadata == {"tags": ["x"]}
    assert cell.execution_count == cell.outputs[0].execution_count == 1
    assert "3.99" not in nbformat.writes(normalised(notebook))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import numpy as np\nfrom helpers import show", "Show the imports"),
        ("names = 1\nfigures.bars(names)", "Show the drawing code"),
        ("show.table({})", "Show the code of the table"),
        ("show.source(f)", "Show the call that prints this"),
        ("x = 1\nassert x", "Checks: all passed"),
    ],
)
def test_the_prompt_of_a_folded_cell_says_what_is_inside(source, words):
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["hide-input"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    prompts = normalised(notebook).cells[0].metadata.mystnb
    assert prompts.code_prompt_show == words
    assert prompts.code_prompt_hide == words.replace("Show", "Hide")


def test_one_changed_digit_makes_the_comparison_fail(tmp_path):
    cells = [
        nbformat.v4.new_code_cell(
            "0.125",
            execution_count=1,
            outputs=[
                nbformat.v4.new_output(
                    "execute_result", {"text/plain": stored}, execution_count=1
                )
            ],
        )
        for stored in ("0.125", "0.126")
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "changed.ipynb")
    printed = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "1 failed, 1 passed" in printed


def test_parts_of_a_stream_are_joined():
    def said(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    cell = nbformat.v4.new_code_cell("print()", outputs=[said("a\n"), said("b\n")])
    cell.outputs.append(said("c\n", "stderr"))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert [o.text for o in normalised(notebook).cells[0].outputs] == ["a\nb\n", "c\n"]
