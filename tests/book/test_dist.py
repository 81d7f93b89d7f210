"""What `make dist` writes: the archive of notebooks, and the package."""

import ast
import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

import softmax_lib
from tools import pdf

ROOT = Path(__file__).resolve().parents[2]
NAME = "softmax-notebooks"
IMPORTS = """
from helpers import digits, exact, figures, measured, network, show
for found in measured.results().values():
    print(*found)"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Return tools/dist.py, which writes to a temporary folder."""
    spec = importlib.util.spec_from_file_location("dist", ROOT / "tools" / "dist.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.DIST = tmp_path_factory.mktemp("dist")
    return module


@pytest.fixture
def unpacked(dist, tmp_path):
    """Return the folder that the archive unpacks into."""
    dist.notebooks()
    with zipfile.ZipFile(dist.DIST / f"{NAME}.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / NAME


def test_archive_holds_every_chapter_and_nothing_hidden(unpacked):
    chapters = sorted(p.name for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert sorted(p.name for p in unpacked.glob("*.ipynb")) == chapters
    assert not list(unpacked.rglob(".*"))
    assert {p.name for p in unpacked.iterdir()} - set(chapters) == {
        "LICENSE",
        "LICENSE-text",
        "README.txt",
        "helpers",
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


# --- the package -----------------------------------------------------------------

PACKAGE = f"softmax_lib-{softmax_lib.__version__}"


@pytest.fixture(scope="module")
def built(dist):
    """Return the folder with the wheel and the source distribution."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BOOK_REPOSITORY", raising=False)
        patch.delenv("BOOK_URL", raising=False)
        dist.packages()
    return dist.DIST


@pytest.fixture(scope="module")
def wheel(built):
    """Return the files of the wheel, by name."""
    with zipfile.ZipFile(built / f"{PACKAGE}-py3-none-any.whl") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def source(built, tmp_path_factory):
    """Return the folder that the source distribution unpacks into."""
    place = tmp_path_factory.mktemp("source")
    with tarfile.open(built / f"{PACKAGE}.tar.gz") as archive:
        # The filter came with Python 3.11.4.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(place, **safely)
    return place / PACKAGE


def files(folder, pattern="*"):
    """Return the files in a folder as text, without what Python makes of them."""
    found = (p.relative_to(ROOT) for p in (ROOT / folder).rglob(pattern) if p.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_library_and_its_licence(wheel):
    about = f"{PACKAGE}.dist-info/"
    assert {name for name in wheel if not name.startswith(about)} == files(
        "softmax_lib"
    )
    licence = wheel[about + "licenses/LICENSE"]
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_package_names_no_address_that_nobody_knows(wheel):
    about = message_from_bytes(wheel[f"{PACKAGE}.dist-info/METADATA"])
    assert about["Version"] == softmax_lib.__version__
    assert about.get_all("Project-URL") is None
    page = about.get_payload()
    assert "# Softmax" in page
    # A link into the repository would lead nowhere.
    assert "](" not in page.replace("](https:", "")


def test_the_package_links_to_its_repository_where_there_is_one():
    spec = importlib.util.spec_from_file_location("own", ROOT / "tools" / "metadata.py")
    metadata = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(metadata)
    there = "https://example.org/somebody/softmax"
    page = metadata.readme("![a](b/c.png) and [d](E.md), [f](https://g)", there, "1.2")
    assert page == (
        f"![a]({there}/raw/v1.2/b/c.png) and [d]({there}/blob/v1.2/E.md), [f](https://g)"
    )
    assert metadata.urls(there, "https://example.org/book") == {
        "Documentation": "https://example.org/book",
        "Source": there,
        "Issues": f"{there}/issues",
        "Changelog": f"{there}/blob/main/CHANGELOG.md",
    }
    assert metadata.urls("", None) == {}


def test_the_source_holds_what_its_tests_need(source):
    there = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}
    tests = {name for name in files("tests") if not name.startswith("tests/book/")}
    assert files("softmax_lib") | tests <= there
    assert not any(name.startswith(("tests/book/", "book/")) for name in there)
    assert not [p for p in source.rglob("*") if p.is_symlink()]


def imported(path):
    """Return the modules that a file imports, and what it imports of them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_the_tests_of_the_source_import_is_in_it(source):
    def modules(folder, pattern="*.py"):
        paths = (p.relative_to(folder) for p in folder.rglob(pattern))
        return {".".join(p.with_suffix("").parts) for p in paths}

    # Where pytest looks: its setting `pythonpath`, and the folders of test files.
    places = ("", "notebooks", "tests", "tests/kernels", "tests/vector")
    here = set().union(*(modules(ROOT / place) for place in places))
    there = set().union(*(modules(source / place) for place in places))
    needed = {name for path in source.rglob("*.py") for name in imported(path)} & here
    assert {"benchmarks.oracle", "helpers.exact", "processes"} <= needed
    assert needed <= there


def test_the_package_can_be_built_again_from_its_source(source, wheel, tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, tmp_path, source], check=True, capture_output=True)
    with zipfile.ZipFile(tmp_path / f"{PACKAGE}-py3-none-any.whl") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == wheel


# --- how it is published ---------------------------------------------------------

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}


def test_the_package_names_the_pythons_that_it_is_tested_on(wheel):
    about = message_from_bytes(wheel[f"{PACKAGE}.dist-info/METADATA"])
    python = "Programming Language :: Python :: "
    named = [c.removeprefix(python) for c in about.get_all("Classifier")]
    tested = WORKFLOWS["test"]["jobs"]["library"]["strategy"]["matrix"]["python"]
    assert tested == [name for name in named if re.fullmatch(r"3\.\d+", name)]
    assert about["Requires-Python"] == f">={tested[0]}"
    oldest, newest = WORKFLOWS["test"]["jobs"]["package"]["strategy"]["matrix"][
        "include"
    ]
    assert [oldest["python"], newest["python"]] == [tested[0], tested[-1]]
    bounds = {need.split("extra")[0] for need in about.get_all("Requires-Dist")}
    for pin in oldest["libraries"].split():
        assert pin.replace("==", ">=").removesuffix(".*") in bounds


def test_a_tag_is_published_after_the_tests_and_without_a_password():
    jobs = WORKFLOWS["publish"]["jobs"]
    package = jobs["package"]
    assert package["permissions"] == {"id-token": "write"}
    assert package["needs"] == "archives"
    assert jobs["archives"]["needs"] == "test"
    assert jobs["archives"]["if"] == "github.ref_type == 'tag'"
    assert package["steps"][-1]["with"] == {"attestations": True}


def test_actions_are_pinned():
    used = [
        step["uses"]
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        for step in job.get("steps", ())
        if "uses" in step
    ]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) for name in used)


def test_the_citation_names_those_who_hold_the_copyright():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (author,) = citation["authors"]
    for licence in ("LICENSE", "LICENSE-text"):
        holder = f"Copyright (c) 2026, {author['name']}"
        assert holder in (ROOT / licence).read_text(encoding="utf-8")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert citation["title"] == settings["title"]
    assert author["name"] == settings["author"]


# --- The PDF --------------------------------------------------------------------------


OBJECT = re.compile(rb"\d+ 0 obj\n(.*?)\nendobj\n", re.DOTALL)


def written(objects):
    """Return a PDF as browsers write it: its objects, and a table of their places."""
    text, places = b"%PDF-1.4\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, rows)
    end = b"trailer\n<</Size %d\n/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return text + table + end % (size, len(text))


def unpacked_stream(body):
    entries, data = body.split(b"stream\n", 1)
    return entries, zlib.decompress(data.removesuffix(b"\nendstream"))


def read_again(text):
    """Return the objects of a PDF with packed objects, found through its table."""

    def at(place):
        return OBJECT.match(text, place)[1]

    entries, table = unpacked_stream(at(pdf.table_start(text)))
    assert b"/W [1 4 2]" in entries and b"/Root 1 0 R" in entries
    found = {}
    for n in range(len(table) // 7):
        kind, place = table[7 * n], int.from_bytes(table[7 * n + 1 : 7 * n + 5], "big")
        if kind == pdf.PLACED:
            found[n] = at(place)
        elif kind == pdf.PACKED:
            index = int.from_bytes(table[7 * n + 5 : 7 * n + 7], "big")
            found[n] = place, index
    for n, spot in found.items():
        if isinstance(spot, tuple):
            entries, data = unpacked_stream(found[spot[0]])
            first = int(re.search(rb"/First (\d+)", entries)[1])
            numbers = list(map(int, data[:first].split()))
            starts = [*numbers[1::2], len(data) - first + 1]
            i = spot[1]
            assert numbers[2 * i] == n
            found[n] = data[first + starts[i] : first + starts[i + 1] - 1]
    return found


def test_a_smaller_pdf_has_the_same_objects():
    tags = [b"<</S /Span\n/K %d>>" % i for i in range(1000)]
    drawing = b"<</Length 4>>\nstream\n0 g\n\nendstream"
    objects = [b"<</Type /Catalog>>", drawing, *tags]
    before = written(objects)
    after = pdf.smaller(before)
    again = read_again(after)
    assert [again[n] for n in range(1, len(objects) + 1)] == objects
    assert len(after) < len(before) / 5
