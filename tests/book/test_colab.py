"""The copies of the notebooks that are made for Colab."""

import importlib.util
import re
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("colab", ROOT / "tools" / "colab.py")
colab = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(colab)
ADDRESS = "https://example.org/somebody/softmax"


def test_each_copy_begins_by_fetching_what_it_needs(tmp_path):
    colab.main(tmp_path, ADDRESS)
    originals = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert [p.name for p in sorted(tmp_path.iterdir())] == [p.name for p in originals]
    for path in originals:
        copy = nbformat.read(tmp_path / path.name, as_version=4)
        assert ADDRESS in copy.cells[0].source
        assert not any(cell.get("outputs") for cell in copy.cells)
        original = nbformat.read(path, as_version=4)
        assert [c.source for c in copy.cells[1:]] == [c.source for c in original.cells]


def test_everything_the_notebooks_import_is_fetched():
    """They are what the book needs, except those that Colab has already."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needs = project["optional-dependencies"]["book"]
    # The library's own extras are named after the folder it is installed from.
    needs = [need.replace("softmax_lib[", "/content/book[") for need in needs]
    names = {re.match(r"[\w/\[\]-]+", need).group() for need in needs}
    there = {"jupyterlab", "jupyterlab-myst", "matplotlib", "scipy", "scikit-learn"}
    assert all(name in colab.FETCH for name in names - there)
