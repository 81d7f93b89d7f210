"""The archive of notebooks that `make dist` writes."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "softmax-notebooks"
IMPORTS = """
from helpers import digits, exact, figures, measured, network, show
for found in measured.results().values():
    print(*found)"""


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """Return the folder that the archive unpacks into."""
    spec = importlib.util.spec_from_file_location("dist", ROOT / "tools" / "dist.py")
    dist = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dist)
    monkeypatch.setattr(dist, "DIST", tmp_path)
    dist.notebooks()
    with zipfile.ZipFile(tmp_path / f"{NAME}.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / NAME


def test_archive_holds_every_chapter_and_nothing_hidden(unpacked):
    chapters = sorted(p.name for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert sorted(p.name for p in unpacked.glob("*.ipynb")) == chapters
    assert not list(unpacked.rglob(".*"))
    assert {p.name for p in unpacked.iterdir()} - set(chapters) == {
        "README.txt",
        "helpers",
        "requirements.txt",
        "results",
    }


def test_helpers_and_stored_results_are_found_in_the_archive(unpacked, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--ipython-dir", tmp_path, "-c", IMPORTS],
        cwd=unpacked,
        capture_output=True,
        text=True,
    )
    assert "by_size" in done.stdout, done.stderr
