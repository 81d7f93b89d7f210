"""Check that the site has a page for every entry of _toc.yml; say where it is."""

import sys
from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

SITE = Path("_build/html")


def main():
    entries = parse_toc_yaml("_toc.yml")
    missing = [name for name in entries if not (SITE / f"{name}.html").is_file()]
    if missing:
        return f"_toc.yml names pages that were not built: {', '.join(missing)}"
    print(
        f"{len(list(entries))} pages. Open {(SITE / 'index.html').resolve().as_uri()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
