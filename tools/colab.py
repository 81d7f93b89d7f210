"""Write copies of the notebooks for Colab, with a first cell that fetches the rest.

Colab opens a notebook by itself, without the helper modules and without the library.
`python tools/colab.py FOLDER REPOSITORY` writes copies into a folder that get both
from the repository; `.github/workflows/publish.yml` puts them on the branch
`colab`, to which the site's buttons link.
"""

import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
FETCH = """\
# Colab has the notebook alone: fetch the library and the helper modules.
!git clone --quiet --depth 1 {repository} /content/book
%pip install --quiet "softmax_lib[dask] @ file:///content/book"
%pip install --quiet distributed mpmath threadpoolctl zarr
%cd -q /content/book/notebooks
import sys

sys.path.insert(0, "/content/book/notebooks")"""


def prepared(notebook, repository):
    """Return a notebook without outputs and with the fetching cell first."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    fetch = new_code_cell(FETCH.format(repository=repository), id="fetch")
    notebook.cells.insert(0, fetch)
    nbformat.validate(notebook)
    return notebook


def main(folder, repository):
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = prepared(nbformat.read(path, as_version=4), repository)
        nbformat.write(notebook, Path(folder, path.name))


if __name__ == "__main__":
    main(*sys.argv[1:])
