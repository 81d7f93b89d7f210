"""Execute every notebook in place and bring it into its normal form.

The normal form has the cells, their outputs and the metadata that the book uses, and
nothing that changes from run to run.
"""

import ast
import copy
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
KEPT_IN_CELLS = {"tags", "mystnb"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def prompt(source):
    """Return what the page says in place of a folded cell."""
    tree = ast.parse(source)
    last = ast.unparse(tree.body[-1])
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        return "Checks: all passed"
    if all(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body):
        return "Show the imports"
    if last.startswith("figures."):
        return "Show the drawing code"
    if last.startswith("show.table("):
        return "Show the code of the table"
    return "Show the call that prints this"


def folded(cell):
    """Return the metadata of a folded cell, with the words of its two prompts."""
    words = prompt(cell.source)
    hide = words.replace("Show", "Hide")
    mystnb = cell.metadata.get("mystnb", {}) | {
        "code_prompt_hide": hide,
        "code_prompt_show": words,
    }
    return cell.metadata | {"mystnb": dict(sorted(mystnb.items()))}


def normalised(notebook):
    """Return a copy of a notebook in its normal form."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in sorted(cell.metadata.items()) if k in KEPT_IN_CELLS}
        )
        cell.source = cell.source.strip("\n")
        if cell.cell_type != "code":
            continue
        if "hide-input" in cell.metadata.get("tags", ()):
            cell.metadata = nbformat.from_dict(folded(cell))
        count += 1
        cell.execution_count = count
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return notebook


def joined(outputs):
    """Return outputs with adjacent parts of a stream merged.

    Where a stream is split depends on when the kernel flushes it.
    """
    whole = []
    for output in outputs:
        last = whole[-1] if whole else None
        if last and output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def measured(notebook):
    """Return the outputs that differ from run to run, by cell and source."""
    return {
        (cell.id, cell.source): cell.outputs
        for cell in notebook.cells
        if "nbval-ignore-output" in cell.metadata.get("tags", ()) and cell.outputs
    }


def execute(path):
    """Run a notebook from top to bottom and store it in its normal form.

    Measured outputs stay as they are stored, so that a second run changes nothing. To
    measure again, or after changing such a cell, clear its outputs first.
    """
    notebook = nbformat.read(path, as_version=4)
    before = measured(copy.deepcopy(notebook))
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    for cell in notebook.cells:
        if (cell.id, cell.source) in before:
            cell.outputs = before[cell.id, cell.source]
    path.write_text(nbformat.writes(normalised(notebook)) + "\n", encoding="utf-8")
    return path.name


def main(names):
    paths = [Path(n) for n in names] or sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    with ThreadPoolExecutor(2) as pool:
        for name in pool.map(execute, paths):
            print(name)


if __name__ == "__main__":
    main(sys.argv[1:])
