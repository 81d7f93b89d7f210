"""Finish the built site: check that every page exists, and write index.html."""

import re
import sys
from pathlib import Path
from posixpath import join, normpath

from sphinx_external_toc.parsing import parse_toc_yaml

SITE = Path("_build/html")
ADDRESS = re.compile(
    r'(?P<before>\b(?:href|src|srcset|action)=")(?!\w+:)(?P<path>[^"#?]+)'
)


def front_door(first):
    """Return the first page as it reads in the folder of the site."""
    folder = first.rpartition("/")[0]

    def moved(address):
        return address["before"] + normpath(join(folder, address["path"]))

    page = ADDRESS.sub(moved, (SITE / first).read_text(encoding="utf-8"))
    # Links to the page itself, and what its scripts start from.
    page = page.replace('data-content_root="../"', 'data-content_root="./"')
    return page.replace("`../_static/fonts/", "`_static/fonts/")


def main():
    """Fail when a page of _toc.yml was not built; print the address of the site."""
    contents = parse_toc_yaml("_toc.yml")
    missing = [name for name in contents if not (SITE / f"{name}.html").is_file()]
    if missing:
        return f"_toc.yml names pages that were not built: {', '.join(missing)}"
    index = SITE / "index.html"
    index.write_text(front_door(f"{contents.root.docname}.html"), encoding="utf-8")
    print(f"{len(list(contents))} pages. Open {index.resolve().as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
