"""Write the downloads into dist: the site, the notebooks, a PDF, and the package.

The PDF is printed by a browser from one page with all articles of the built site. It
has the site's fonts, formulas and links, bookmarks and tags, and needs no TeX.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from posixpath import normpath

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
DIST = ROOT / "dist"
# The scripts of explorers, and of the library that they run.
EXPLORERS = "script:is([src*='/wasm/'], [src*='/explorers/'])"
LONG = 24  # longer blocks of code, and longer tables, may break across pages
README = """\
The notebooks of "Softmax, from the formula to the machine", and in `helpers` the
modules that they share. In this folder:

    pip install "softmax_lib[book]"
    jupyter lab

LICENSE is the licence of the code, LICENSE-text that of the text and the figures.

JupyterLab shows the figures of a notebook once its cells have run.
"""

sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "book" / "site")]
import browser as browsers  # noqa: E402

from tools.pdf import smaller  # noqa: E402


def archive(name, folder, files):
    """Write files of a folder into a zip that unpacks into one folder."""
    DIST.mkdir(exist_ok=True)
    with zipfile.ZipFile(DIST / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(files):
            target.write(file, PurePosixPath(name, file.relative_to(folder).as_posix()))
    return target


def site():
    """Archive the whole site; index.html opens from the folder."""
    archive("softmax-book", SITE, (f for f in SITE.rglob("*") if f.is_file()))


def notebooks():
    """Archive the notebooks, the helper modules and the stored measurements."""
    name, folder = "softmax-notebooks", ROOT / "notebooks"
    helpers = [*(folder / "helpers").rglob("*.py"), *(folder / "helpers").glob("*.txt")]
    helpers += (folder / "helpers" / "figures" / "font").iterdir()
    archive(name, folder, [*folder.glob("*.ipynb"), *helpers])
    with zipfile.ZipFile(DIST / f"{name}.zip", "a", zipfile.ZIP_DEFLATED) as target:
        for file in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
            target.write(file, f"{name}/results/{file.name}")
        for licence in ("LICENSE", "LICENSE-text"):
            target.write(ROOT / licence, f"{name}/{licence}")
        target.writestr(f"{name}/README.txt", README)


def packages():
    """Build the source distribution, and from it the wheel, with what is installed."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)


def one_page():
    """Return all articles as one HTML document, with links between them."""
    pages = [f"{name}.html" for name in parse_toc_yaml(str(ROOT / "_toc.yml"))]
    whole = BeautifulSoup((SITE / pages[0]).read_text("utf-8"), "html.parser")
    body = whole.find("article")
    body.clear()
    headings = {}
    for page in pages:
        opened = BeautifulSoup((SITE / page).read_text("utf-8"), "html.parser")
        article = opened.article
        for script in opened.head.select(EXPLORERS):
            if not whole.head.find("script", src=script["src"]):
                whole.head.append(script)
        headings[page] = article.h1.get_text().removesuffix("#").strip()
        for tag in article(id=True):
            tag["id"] = f"{page}:{tag['id']}"
        for tag in article("a", href=True):
            tag["href"] = inward(page, tag["href"], pages)
        for tag in article("source"):
            tag.decompose()  # figures for phones
        for tag in article(["img", "script"], src=True):
            tag["src"] = "../" + normpath(f"{page}/../{tag['src']}")
        for tag in article(class_="dropdown"):
            tag["class"].remove("dropdown")  # a printed solution is unfolded
        for fold in article("details", class_="hide"):
            if "Checks" in fold.summary.get_text():
                fold["open"] = ""
        for cell in article(class_="cell_input"):
            if cell.get_text().count("\n") > LONG:
                cell["class"].append("long")  # may break across pages
        for table in article("table"):
            if len(table("tr")) > LONG:
                table["class"] = [*table.get("class", []), "long"]
        article.name = "div"
        article["class"] = "printed-page"
        article["id"] = page
        body.append(article)
    body.find(class_="printed-page").append(contents(whole, headings))
    whole.html["data-theme"] = whole.html["data-mode"] = "light"
    return str(whole)


def contents(whole, headings):
    """Return a table of contents without the first page."""
    box = whole.new_tag("section", attrs={"class": "printed-contents"})
    box.append(title := whole.new_tag("h2"))
    title.string = "Contents"
    box.append(listing := whole.new_tag("ul"))
    for page, heading in list(headings.items())[1:]:
        listing.append(item := whole.new_tag("li"))
        item.append(link := whole.new_tag("a", href=f"#{page}"))
        link.string = heading
    return box


def inward(page, link, pages):
    """Turn a link to another page into a link within the combined document."""
    if re.match(r"\w+:", link):
        return link
    path, _, anchor = link.partition("#")
    target = normpath(f"{page}/../{path}") if path else page
    if target not in pages:
        return link
    return f"#{target}:{anchor}" if anchor else f"#{target}"


def pdf():
    """Print the PDF; return False if CI has no browser to print it."""
    file = SITE / "_static" / "print.html"
    file.write_text(one_page(), encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = browsers.launch(playwright)
            if browser is None:
                print("No PDF: there is no browser to print it.")
                return os.environ.get("CI") != "true"
            page = browser.new_page(color_scheme="light")
            page.set_default_timeout(browsers.PATIENCE)
            page.goto(file.as_uri())
            page.evaluate(browsers.READY)
            printed = page.pdf(
                format="A4",
                prefer_css_page_size=True,
                print_background=True,
                outline=True,
                tagged=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=(
                    '<span class="pageNumber" style="font: 8pt sans-serif; '
                    'color: #555; margin: auto"></span>'
                ),
            )
            browser.close()
    finally:
        file.unlink()
    (DIST / "softmax-book.pdf").write_bytes(smaller(printed))
    return True


def main():
    """Write all downloads from scratch."""
    shutil.rmtree(DIST, ignore_errors=True)
    site()
    notebooks()
    packages()
    well = pdf()
    for file in sorted(DIST.iterdir()):
        print(f"{file.stat().st_size / 1e6:6.1f} MB  {file.relative_to(ROOT)}")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
