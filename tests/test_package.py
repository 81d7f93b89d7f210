"""The modules of the package: who imports whom, how long they are, what is hashed."""

import ast
import compileall
import shutil
from functools import cache
from graphlib import TopologicalSorter

import pytest
from processes import PACKAGE, install, python

FILES = sorted(PACKAGE.rglob("*.py"))
# Docstrings that are reference pages take most of these.
LONG_FILES = {"activations.py", "losses.py", "running_total.py"}
MAX_LINES = 300


def module_name(path):
    """Return the name of a module, for the path of its file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


@cache
def imports(name):
    """Return the modules of the package that a module imports itself."""
    path = MODULES[name]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # A name is a module, or it is in one.
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else node.module)
    return frozenset(found & set(MODULES)) - {name}


def in_package(name, package):
    """Return whether a module is a package or lies in it."""
    return name == package or name.startswith(package + ".")


def test_imports_are_found():
    assert "softmax_lib._jit" in imports("softmax_lib._kernels.rows")
    assert "softmax_lib._vector.type" in imports("softmax_lib._vector.memory")
    assert "softmax_lib._kernels.row_loops" in imports("softmax_lib._kernels.rows")


def test_no_module_imports_itself_by_a_detour():
    order = TopologicalSorter({name: imports(name) for name in MODULES}).static_order()
    assert set(order) == set(MODULES)


# What the modules of each package may import of the others.
ALLOWED = {
    "softmax_lib._layout": [],
    "softmax_lib._jit": [],
    "softmax_lib._vector": ["softmax_lib._layout", "softmax_lib._jit"],
    "softmax_lib._kernels": [
        "softmax_lib._layout",
        "softmax_lib._jit",
        "softmax_lib._vector",
    ],
    "softmax_lib._exact": [
        "softmax_lib._arguments",
        "softmax_lib._threads",
        "softmax_lib._jit",
        "softmax_lib._vector",
        "softmax_lib._kernels.pairs",
    ],
}


@pytest.mark.parametrize("package", ALLOWED)
def test_lower_packages_import_no_higher_ones(package):
    allowed = [package, *ALLOWED[package]]
    members = [name for name in MODULES if in_package(name, package)]
    assert members
    for name in members:
        for other in imports(name):
            assert any(in_package(other, a) for a in allowed), f"{name}: {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short(path):
    if str(path.relative_to(PACKAGE)) not in LONG_FILES:
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= MAX_LINES


# --- the digest of compiled code -------------------------------------------------

# Front doors, and what is never compiled.
NOT_COMPILED = {
    "activations.py", "exact.py", "losses.py", "running_total.py", "textbook.py"
}  # fmt: skip
NOT_COMPILED |= {
    path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("dask/*.py")
}

DIGESTS = """
import sys
from pathlib import Path
from softmax_lib import _jit
here = Path(_jit.__file__).parent
assert here.parent == Path(sys.argv[1])
before = _jit.CODE_DIGEST
for path in sorted(here.rglob("*.py")):
    text = path.read_bytes()
    path.write_bytes(text + b"# Changed.\\n")
    print(path.relative_to(here).as_posix(), _jit._code_digest() != before)
    path.write_bytes(text)
    assert _jit._code_digest() == before
"""


def test_the_digest_covers_every_file_that_is_compiled(tmp_path):
    place = install(tmp_path)
    printed = python("-c", DIGESTS, place, PYTHONPATH=place).splitlines()
    covered = dict(line.split() for line in printed)
    assert set(covered) == {path.relative_to(PACKAGE).as_posix() for path in FILES}
    missing = {name for name, changed in covered.items() if changed == "False"}
    assert missing == NOT_COMPILED


def place_of(folder, how):
    """Copy a folder without sources, into an archive, or both; return the place."""
    copy = folder.with_name(how)
    shutil.copytree(folder, copy)
    if "pyc" in how:
        compileall.compile_dir(copy, legacy=True, quiet=1)
        for path in copy.rglob("*.py"):
            path.unlink()
    if "zip" not in how:
        return str(copy)
    archive = shutil.make_archive(str(copy), "zip", copy)
    shutil.rmtree(copy)
    return archive


WHERE = """
import sys
import softmax_lib
from softmax_lib import _jit, sigmoid
assert softmax_lib.__file__.startswith(sys.argv[1])
assert sigmoid(0.0) == 0.5
print(_jit.CODE_DIGEST.hex())
"""


@pytest.mark.parametrize("how", ["pyc", "zip", "pyc in zip"])
def test_the_digest_covers_what_is_imported_from_elsewhere(tmp_path, how):
    folder = tmp_path / "source"
    formula = folder / "softmax_lib" / "_kernels" / "logarithm.py"
    install(folder)

    def digest():
        place = place_of(folder, how)
        settings = {"PYTHONPATH": place, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        printed = python("-c", WHERE, place, HOME=str(tmp_path), **settings)
        shutil.rmtree(place, ignore_errors=True)
        return printed

    first = digest()
    assert digest() == first
    formula.write_text(formula.read_text(encoding="utf-8") + "\nchanged = True\n")
    assert digest() != first
