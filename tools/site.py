"""Finish the built site: check that every page exists, and write index.html."""

import re
import sys
from pathlib import Path

from sphinx_external_toc.parsing import parse_toc_yaml

SITE = Path("_build/html")


def front_door(first):
    """Return an index.html that redirects to the first page, with its metadata."""
    head = (SITE / first).read_text(encoding="utf-8").partition("</head>")[0]
    said = re.findall(r'<meta (?:name="description"|property="og:)[^>]*>', head)
    title = re.search(r"<title>.*?</title>", head, re.DOTALL)[0]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            title,
            *said,
            f'<meta http-equiv="refresh" content="0; url={first}">',
            "</head>",
            f'<body><p><a href="{first}">To the book</a></p></body>\n</html>\n',
        ]
    )


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
