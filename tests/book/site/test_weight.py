"""How much a page loads, how far it shifts meanwhile, and for how long it is busy."""

import gzip
import json
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from conftest import PHONE, SITE, WIDE

MOST = 500_000  # bytes, compressed
LARGEST_SHIFT = 0.05
# Milliseconds of a processor, so that others who keep it busy do not count. A page has
# no task over 200 on two cores that do nothing else.
LONGEST_TASK = 400
TRIES = 3  # a font that comes late moves a line or two
COMPRESSED = {".png", ".woff2"}

OBSERVE = """
window.shift = 0;
new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) shift += value;
}).observe({ type: "layout-shift", buffered: true });
"""
# What has to be drawn after the last change has been drawn two frames later.
SETTLED = """async () => {
    await document.fonts.ready;
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
    await new Promise((done) => setTimeout(done, 300));
    return shift;
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = partial(Quiet, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@cache
def compressed(path):
    content = (SITE / path).read_bytes()
    whole = (SITE / path).suffix in COMPRESSED
    return len(content if whole else gzip.compress(content))


def visit(browser, url, viewport):
    """Return the paths that a page loads, its shift and its longest task."""
    context = browser.new_context(viewport=viewport)
    page = context.new_page()
    loaded = set()
    page.on("request", lambda request: loaded.add(urlsplit(request.url).path[1:]))
    page.add_init_script(OBSERVE)
    browser.start_tracing(page=page, categories=["toplevel"])
    page.goto(url, wait_until="load")
    shift = page.evaluate(SETTLED)
    trace = json.loads(browser.stop_tracing())
    context.close()
    tasks = [event.get("tdur", 0) / 1000 for event in trace["traceEvents"]]
    assert any(tasks)
    return loaded, shift, max(tasks)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_page_is_light_still_and_quick(browser, address, name, viewport):
    shifts, tasks = [], []
    for _ in range(TRIES):
        loaded, shift, longest = visit(browser, address + name, viewport)
        shifts.append(shift)
        tasks.append(longest)
        if shift < LARGEST_SHIFT and longest < LONGEST_TASK:
            break
    weights = {path: compressed(path) for path in loaded}
    assert sum(weights.values()) <= MOST, weights
    assert min(shifts) < LARGEST_SHIFT
    assert min(tasks) < LONGEST_TASK


def test_only_the_search_loads_its_index(open_page):
    page = open_page("notebooks/01_formula.html")
    assert not [url for url in page.requests if "searchindex" in url]


@pytest.mark.parametrize(
    ("opened", "scripts"),
    [
        ("book/glossary.html", set()),
        ("book/preface.html", {"explorer.js", "temperature.js"}),
    ],
)
def test_explorers_are_loaded_where_they_stand(open_page, opened, scripts):
    page = open_page(opened)
    loaded = [url.partition("?")[0] for url in page.requests]
    assert {url.rpartition("/")[2] for url in loaded if "/explorers/" in url} == scripts
