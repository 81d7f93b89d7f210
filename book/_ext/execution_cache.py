"""Cache the outputs of notebooks between builds, but never those of older code.

The cache identifies a notebook by the code of its cells alone. So the name of the
cache's folder is a hash of everything else that an output depends on: the library,
the helper modules, the stored measurements, Python and the installed packages. When
one of them has changed, the next build starts with an empty cache.
"""

import hashlib
import platform
import shutil
from importlib import metadata
from pathlib import Path

SOURCES = (
    "softmax_lib/**/*.py",
    "notebooks/helpers/**/*.py",
    "notebooks/helpers/*.txt",
    "benchmarks/results/*.json",
)


def fingerprint(root):
    """Return a short hash of everything that the notebooks import."""
    digest = hashlib.sha256(platform.python_version().encode())
    for package in sorted(f"{d.name}=={d.version}" for d in metadata.distributions()):
        digest.update(package.encode())
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def point_cache_at_fingerprint(app, config):
    """Use a cache folder named by the fingerprint, and delete all others."""
    caches = Path(app.srcdir, "_build", "executed")
    current = caches / fingerprint(Path(app.srcdir))
    for other in caches.glob("*"):
        if other != current:
            shutil.rmtree(other)
    config.nb_execution_cache_path = str(current)


def setup(app):
    """Run before myst-nb reads the path of the cache."""
    app.connect("config-inited", point_cache_at_fingerprint, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
