"""softmax_lib, imported for a machine with vectors of 16 bytes.

Kernels take the length of a vector from `_layout` when they are imported, so another
length has to be there before them.
"""

import importlib
import os
import re
import sys
import tempfile
import warnings
from importlib.util import find_spec, module_from_spec

VECTOR_BYTES = 16

CACHE = tempfile.TemporaryDirectory()

# IR as Numba writes it, for no processor in particular: optimised IR already assumes
# pointers of 8 bytes. The cache is a new one, since
# such code is for nobody else.
os.environ.update(
    NUMBA_OPT="0",
    NUMBA_CPU_NAME="generic",
    NUMBA_CPU_FEATURES="",
    NUMBA_CACHE_DIR=CACHE.name,
)
# Numba says that it cannot cache entries, which nobody asks it to.
warnings.filterwarnings("ignore", "Cannot cache compiled function")


def _import(name, edit):
    """Import a module whose source is edited first."""
    spec = find_spec(name)
    module = sys.modules[name] = module_from_spec(spec)
    source = edit(spec.loader.get_source(name))
    exec(compile(source, spec.origin, "exec"), module.__dict__)


def with_short_vectors(source):
    """Return the source of `_layout` with the other length."""
    edited, count = re.subn(
        r"(?m)^VECTOR_BYTES = \d+$", f"VECTOR_BYTES = {VECTOR_BYTES}", source
    )
    assert count == 1, "softmax_lib/_layout.py has no line VECTOR_BYTES = ..."
    return edited


# The package without its front doors, which would import the kernels.
_import("softmax_lib", lambda source: "")
_import("softmax_lib._layout", with_short_vectors)

OPTIONS = importlib.import_module("softmax_lib._jit").OPTIONS
v = importlib.import_module("softmax_lib._vector")
exponential, elementwise, operations = (
    importlib.import_module(f"softmax_lib._kernels.{name}")
    for name in ("exponential", "elementwise", "operations")
)
textbook = importlib.import_module("softmax_lib.textbook")
