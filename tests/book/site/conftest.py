"""The built site, and one browser for all tests of it."""

from pathlib import Path

import browser as browsers
import pytest
from playwright.sync_api import expect, sync_playwright

SITE = Path(__file__).parents[3] / "_build" / "html"
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts
)


expect.set_options(timeout=browsers.PATIENCE)


def pytest_generate_tests(metafunc):
    """Run a test that asks for `name` on every page."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", PAGES or ["index.html"])


@pytest.fixture(scope="session")
def site():
    assert SITE.joinpath("index.html").is_file(), "run `make book` first"
    return SITE


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        started = browsers.launch(playwright)
        if started is None:
            pytest.skip("no browser")
        yield started
        started.close()


@pytest.fixture(scope="module")
def open_pages(browser, site):
    yield from opener(browser, site)


@pytest.fixture
def open_page(browser, site):
    yield from opener(browser, site)


def opener(browser, site):
    """Yield a function that opens a page from its file and records its problems."""
    contexts = []

    def open_page(name, *, query="", init_script="", **options):
        context = browser.new_context(**{"viewport": WIDE, **options})
        context.set_default_timeout(browsers.PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(init_script)
        page.problems = []
        page.requests = []
        page.on(
            "console",
            lambda m: m.type in ("error", "warning") and page.problems.append(m.text),
        )
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        address = (site / name).as_uri() + query
        page.goto(address, wait_until="load")
        if options.get("java_script_enabled", True):
            page.evaluate(browsers.READY)
        return page

    yield open_page
    for context in contexts:
        context.close()


WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}
