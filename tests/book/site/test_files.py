"""Tests of the built files that need no browser."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup
from conftest import SITE

from tools import dist

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "srcset"}


@cache
def soup(name):
    return BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(name):
    return {tag["id"] for tag in soup(name).find_all(id=True)} | {"", "top"}


def article(name):
    return soup(name).find("article") or soup(name)


def test_links_and_anchors_lead_somewhere(site, name):
    lost = []
    for tag in soup(name).find_all("a", href=True):
        target = urlsplit(tag["href"])
        if target.scheme or target.netloc:
            continue
        path, anchor = urldefrag(tag["href"])
        path = unquote(path.partition("?")[0])
        file = (site / name).parent.joinpath(path).resolve() if path else site / name
        if not file.is_file():
            lost.append(tag["href"])
        elif file.suffix == ".html" and anchor:
            other = file.relative_to(site.resolve()).as_posix()
            if unquote(anchor) not in anchors(other):
                lost.append(tag["href"])
    assert not lost


def test_nothing_is_loaded_from_another_host(name):
    page = soup(name)
    loads = [t[a] for t, a in ((t, LOADS[t.name]) for t in page(LOADS)) if t.get(a)]
    loads += [
        t["href"]
        for t in page("link", href=True)
        if {"stylesheet", "preload", "icon"} & set(t["rel"])
    ]
    assert not [url for url in loads if re.match(r"(\w+:)?//", url)]


def test_stylesheets_load_nothing_from_another_host(site):
    for sheet in site.rglob("*.css"):
        loads = re.findall(
            r"(?:url\(|@import)\s*[\"']?([^\"')]+)", sheet.read_text(encoding="utf-8")
        )
        assert not [u for u in loads if re.match(r"(\w+:)?//", u)], sheet


def test_images_have_an_alternative_text(name):
    for image in soup(name).find_all("img"):
        if not image.find_parent("article"):
            continue  # icons of the theme have text beside them
        alt = image.get("alt", "")
        assert len(alt) > 20, image["src"]
        assert " " in alt, alt
        assert not re.search(r"[0-9a-f]{16}|[\w-]+/[\w-]+\.\w+$", alt), alt


def test_every_figure_has_one_for_phones(site, name):
    for image in soup(name).select(".cell_output figure img"):
        source = image.find_previous_sibling("source")
        assert source, image["src"]
        for tag, address in ((image, image["src"]), (source, source["srcset"])):
            text = (site / name).parent.joinpath(address).read_text(encoding="utf-8")
            assert text.count("<svg") == 1, address
            wide, high = re.search(
                r'width="([\d.]+)pt" height="([\d.]+)pt"', text
            ).groups()
            assert abs(int(tag["width"]) - float(wide) * 4 / 3) < 1
            assert abs(int(tag["height"]) - float(high) * 4 / 3) < 1


def test_one_first_heading_and_no_level_skipped(name):
    levels = [int(t.name[1]) for t in soup(name)(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    in_article = [int(t.name[1]) for t in article(name)(re.compile("^h[1-6]$"))]
    assert all(deeper <= level + 1 for level, deeper in pairwise(in_article))


def test_title_and_description(name):
    page = soup(name)
    assert page.title.text.strip()
    assert page.html.get("lang") == "en"
    if name.startswith(("book/", "notebooks/", "index")):
        description = page.find("meta", attrs={"name": "description"})["content"]
        assert 40 <= len(description) <= 300
        assert page.find("meta", property="og:title")["content"]
        assert page.find("meta", property="og:description")["content"] == description


def test_index_is_the_preface():
    index, preface = soup("index.html"), soup("book/preface.html")
    assert index.article.get_text() == preface.article.get_text()
    assert index.title.text == preface.title.text


def test_the_preface_leads_to_something_to_do():
    (following,) = soup("book/preface.html").select(".right-next")
    assert following["href"] == "explorers.html"


def test_missing_page_is_a_page_of_the_book():
    page = soup("404.html")
    assert soup("book/preface.html").title.text in page.title.text
    assert page.select(".bd-sidebar-primary .toctree-l1 a[href='book/glossary.html']")
    assert page.find("meta", attrs={"name": "robots"})["content"] == "noindex"


def test_titles_differ():
    names = [p.relative_to(SITE).as_posix() for p in SITE.glob("*/*.html")]
    titles = [soup(n).title.text for n in names if not n.startswith("_")]
    assert len(set(titles)) == len(titles)


# No chapter explains these: the page with the error budget names the first, and the
# second are methods of a class that is explained.
# Those for Dask arrays are explained where their namesakes are.
UNEXPLAINED = "softmax_lib.dask.", "softmax_lib.exact.", "softmax_lib.running_total."


def test_each_function_leads_to_chapters():
    descriptions = soup("book/api.html").select("dl.py.function")
    assert len(descriptions) >= 12
    for description in descriptions:
        if description.dt["id"].startswith(UNEXPLAINED):
            continue
        says = description.select_one(".explained")
        assert says.text.startswith("Explained in"), description.dt["id"]
        assert says.select("a[href*='notebooks/']")


def test_each_chapter_leads_to_functions():
    chapters = sorted(SITE.glob("notebooks/[0-9]*.html"))
    assert chapters
    for chapter in chapters:
        page = soup(chapter.relative_to(SITE).as_posix())
        assert page.select("pre a.to-library"), chapter.name
    led = {
        link["href"].partition("#")[2]
        for chapter in chapters
        for link in soup(chapter.relative_to(SITE).as_posix()).select(
            ".in-the-library a"
        )
    }
    api = soup("book/api.html")
    described = {dt["id"] for dt in api.select("dl.py:is(.function, .class) > dt")}
    explained = {name for name in described if not name.startswith(UNEXPLAINED)}
    assert explained <= led <= described


def test_page_leads_on_and_offers_its_source(name):
    if not name.startswith(("book/", "notebooks/")):
        return
    page = soup(name)
    assert page.select(".prev-next-area a")
    source = page.select_one(".btn-download-source-button")["href"]
    assert (SITE / name).parent.joinpath(source).is_file()
    assert source.endswith(".ipynb") == name.startswith("notebooks/")


def test_the_printed_book_runs_every_explorer(site):
    head = BeautifulSoup(dist.one_page(), "html.parser").head
    scripts = [urlsplit(tag["src"]).path for tag in head.select(dist.EXPLORERS)]
    folders = [site / "_static" / name for name in ("wasm", "explorers")]
    files = [file for folder in folders for file in folder.glob("*.js")]
    assert sorted(Path(path).name for path in scripts) == sorted(f.name for f in files)
    assert [Path(path).stem for path in scripts[:3]] == [
        "module",
        "library",
        "explorer",
    ]
