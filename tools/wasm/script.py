"""The script that carries the module to the pages, and what it was made from.

It holds the bytes, since a page that was opened from a file may fetch nothing. Beside
them stand the versions that made them and a digest of the sources: from other sources
comes another module.
"""

import ast
import base64
import gzip
import hashlib
import json
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "book" / "_static" / "wasm" / "module.js"
MAKERS = "numba", "llvmlite"
TEMPLATE = """\
/* Made by `make wasm`, not by hand: the kernels of softmax_lib as a WebAssembly module,
   packed by gzip. */
"use strict";

const LibraryModule = {};
"""
STORED = re.compile(r"const LibraryModule = (\{.*\});", re.DOTALL)


def makers():
    """Return what decides about the bytes beside the sources."""
    python = ".".join(platform.python_version_tuple()[:2])
    machine = f"{platform.system()} {platform.machine()}"
    return {name: version(name) for name in MAKERS} | {
        "python": python,
        "machine": machine,
    }


def sources():
    """Return the files that the module was made from, once it has been."""
    loaded = (
        Path(module.__spec__.origin)
        for name, module in sys.modules.items()
        if name.startswith(("softmax_lib.", "tools.wasm."))
    )
    return sorted(path.relative_to(ROOT).as_posix() for path in loaded)


def digest(paths):
    """Return a digest of what sources say, without comments and docstrings."""
    total = hashlib.sha256()
    for path in paths:
        tree = ast.parse(ROOT.joinpath(path).read_text("utf-8"))
        total.update(repr((path, meaning(tree))).encode())
    return total.hexdigest()


def meaning(node):
    """Return a syntax tree as tuples that are the same in all versions of Python."""
    if isinstance(node, list):
        return tuple(meaning(part) for part in node if not is_text(part))
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node))
    present = (pair for pair in fields if pair[1] not in (None, []))
    kind = type(node).__name__
    return (kind, *((name, meaning(value)) for name, value in present))


def is_text(node):
    """Return whether a statement is a string, as docstrings are."""
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant and isinstance(node.value.value, str)


def as_text(edits):
    """Return edits as they are stored."""
    return [f"{start} {end} {new.hex()}" for start, end, new in edits]


def write(module, edits):
    """Store a module and its second form, right after they were made."""
    paths = sources()
    packed = gzip.compress(module, mtime=0)
    content = {
        "madeBy": makers(),
        "sources": paths,
        "digest": digest(paths),
        "relaxed": as_text(edits),
        "bytes": base64.b64encode(packed).decode(),
    }
    SCRIPT.write_text(TEMPLATE.format(json.dumps(content, indent=2)), encoding="utf-8")
    print(f"{len(module)} bytes, {len(packed)} packed: {SCRIPT.relative_to(ROOT)}")


def read():
    """Return what is stored, and the module's bytes."""
    found = json.loads(STORED.search(SCRIPT.read_text("utf-8"))[1])
    return found, gzip.decompress(base64.b64decode(found["bytes"]))
