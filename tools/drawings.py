"""Store what explorers draw before anyone touches them, for readers without scripts.

`python tools/drawings.py` writes book/_ext/drawings.json; a test asks for it when the
drawings have changed.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "book" / "_static"
STORED = ROOT / "book" / "_ext" / "drawings.json"
WIDTH = 460  # pixels: readable on a phone, where it is made smaller

# A drawing that stays as it is can't be dragged.
STILL = """(all) => all.map((picture) => {
    picture.querySelector("svg").removeAttribute("class");
    return picture.innerHTML;
}).join("")"""

sys.path[:0] = [str(ROOT / "tests" / "book" / "site"), str(ROOT / "book" / "_ext")]
import browser as browsers  # noqa: E402
import page_assets  # noqa: E402


def page(names):
    """Return a page that has nothing but explorers."""
    sheet = (STATIC / "explorers.css").as_uri()
    return "".join(
        [
            '<!doctype html><meta charset="utf-8">',
            f'<link rel="stylesheet" href="{sheet}">',
            f"<style>.explorer-picture {{ width: {WIDTH}px }}</style>",
            *(f'<div class="explorer" data-explorer="{name}"></div>' for name in names),
            *(
                f'<script src="{STATIC.as_uri()}/{script}"></script>'
                for script in page_assets.scripts(names)
            ),
        ]
    )


def drawings(browser, folder):
    """Return the pictures of each explorer as SVG."""
    pages = (ROOT / "book" / "explorers.md").read_text("utf-8")
    names = re.findall(r'data-explorer="(\w+)"', pages)
    path = Path(folder) / "explorers.html"
    path.write_text(page(names), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.goto(path.as_uri())
    opened.evaluate(browsers.READY)
    found = {
        name: opened.locator(
            f'[data-explorer="{name}"] .explorer-picture'
        ).evaluate_all(STILL)
        for name in names
    }
    context.close()
    return found


def main():
    """Draw and store."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = browsers.launch(playwright)
        text = json.dumps(drawings(browser, folder), indent=1)
        browser.close()
    STORED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
