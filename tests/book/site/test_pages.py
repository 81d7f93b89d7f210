"""Every page, opened from its file in both themes, and its controls."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PHONE
from playwright.sync_api import expect

AXE = Axe()
# axe would load stylesheets again, which a page opened from a file may not.
EVERYTHING = {"preload": False}
COLOURS = EVERYTHING | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}

# During a transition of colours their contrast is not the final one.
AT_ONCE = "*, ::before, ::after { transition: none !important }"

# axe is slow on pages with many elements. Repeated ones are removed: coloured tokens of
# code, and the letters of all formulas but the first.
THIN_OUT = """() => {
    const seen = new Set();
    for (const word of document.querySelectorAll("pre span[class]")) {
        if (seen.has(word.className)) word.replaceWith(word.textContent);
        seen.add(word.className);
    }
    for (const formula of [...document.querySelectorAll("math")].slice(1)) {
        formula.replaceChildren();
    }
}"""


def findings(page, options=EVERYTHING):
    """Return the findings that axe rates serious or critical."""
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in AXE.run(page, options=options).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


TOO_WIDE = """() => [...document.querySelectorAll("main *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth)
    .slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""


def fits(page):
    """Return whether a page fits its window, once explorers are redrawn."""
    width = "document.documentElement.scrollWidth"
    for _ in range(100):
        if page.evaluate(width) <= page.viewport_size["width"]:
            return True
        page.evaluate("new Promise(requestAnimationFrame)")
    return False


def test_page_is_quiet_accessible_and_fits_a_phone(open_page, name):
    page = open_page(name, color_scheme="light")
    page.add_style_tag(content=AT_ONCE)
    assert not page.problems
    assert not [u for u in page.requests if not u.startswith(("file:", "data:"))]

    page.evaluate(THIN_OUT)
    assert not findings(page)

    # The dark theme differs only in its colours.
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-theme=dark]").wait_for()
    assert not findings(page, COLOURS)

    page.set_viewport_size(PHONE)
    assert fits(page), page.evaluate(TOO_WIDE)
    assert not page.problems


def test_figures_and_formulas_are_whole_and_readable_on_a_phone(open_page):
    page = open_page("notebooks/06_gradients.html", viewport=PHONE)
    figures = page.evaluate("""async () => Promise.all(
        [...document.querySelectorAll("article figure img")].map(async (image) => {
            image.loading = "eager";
            await image.decode();
            return [image.currentSrc, image.clientWidth / image.naturalWidth];
        }))""")
    assert len(figures) > 5
    assert all(source.endswith("-narrow.svg") for source, _ in figures)
    assert all(0.8 < scale <= 1 for _, scale in figures)

    # A formula fits, or fades where it can be scrolled.
    page.wait_for_function("document.querySelector('.more-behind')")
    assert not page.evaluate("""() => [...document.querySelectorAll(".math")]
        .filter((formula) => formula.scrollWidth > formula.clientWidth + 2)
        .filter((formula) => !formula.matches(".more-behind"))
        .map((formula) => formula.textContent)""")


def test_scrollable_elements_fade_at_their_cut_edge(open_page):
    page = open_page("notebooks/01_formula.html", viewport=PHONE)
    wide = page.locator("pre.more-behind").first
    cell = page.locator(f"id={wide.get_attribute('id')}")
    cell.evaluate("(pre) => (pre.scrollLeft = 20)")
    expect(cell).to_have_class(re.compile(r"\bmore-before\b"))
    cell.evaluate("(pre) => (pre.scrollLeft = pre.scrollWidth)")
    expect(cell).not_to_have_class(re.compile(r"\bmore-behind\b"))


def test_solution_opens_from_the_keyboard(open_page):
    page = open_page("notebooks/01_formula.html")
    solution = page.locator(".solution").first
    inside = solution.locator("section").first
    solution.locator(".toggle-button").focus()
    expect(inside).to_be_hidden()
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()


def test_theme_can_be_changed(open_page):
    page = open_page("book/preface.html", color_scheme="light")
    for _ in range(3):
        page.locator(".theme-switch-button:visible").click()
        if page.locator("html").get_attribute("data-theme") == "dark":
            break
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_contents_of_the_page_lead_to_its_sections(open_page):
    page = open_page("notebooks/01_formula.html")
    link = page.locator(".page-toc a.nav-link").nth(3)
    link.click()
    heading = page.locator(link.get_attribute("href")).locator("h2").first
    expect(heading).to_be_in_viewport()
    expect(link).to_have_class(re.compile(r"\bactive\b"))


# Icons without a picture in icons.css, which would be squares.
BARE = """() => [...document.querySelectorAll(".fas, .fab, .fa-solid, .fa-brands")]
    .filter((icon) => !getComputedStyle(icon).getPropertyValue("--icon"))
    .map((icon) => icon.className)"""


# Signs of a font of icons, which pages do not load. The contents of a page have one
# while a note in the margin stands in their place.
SIGNS = """() => {
    document.querySelector(".bd-sidebar-secondary").classList.add("hide");
    return [...document.querySelectorAll("body *")].filter((e) =>
        ["::before", "::after"].some((part) =>
            /[\\ue000-\\uf8ff]/.test(getComputedStyle(e, part).content)))
        .map((e) => e.className);
}"""


def test_every_icon_has_a_picture(open_page):
    page = open_page("notebooks/01_formula.html")
    assert page.locator(".fas, .fa-solid").count() > 10
    assert page.evaluate(BARE) == []
    assert page.evaluate(SIGNS) == []


def test_listings_of_the_library_are_not_cut_off(open_page):
    page = open_page("notebooks/12_term.html")
    assert page.locator(".cell_output .highlight-python").count() > 10
    assert not page.evaluate("""() =>
        [...document.querySelectorAll(".cell_output .highlight-python pre")]
            .filter((pre) => pre.scrollWidth > pre.clientWidth)
            .map((pre) => pre.textContent)""")


@pytest.mark.parametrize("width", [320, 768, 1000, 1200, 1280])
def test_notes_in_the_margin_are_inside_the_window(open_page, width):
    page = open_page(
        "notebooks/09_layers.html", viewport={"width": width, "height": 800}
    )
    note = page.locator("aside.margin").bounding_box()
    code = page.locator("pre", has_text="def attention_in_pieces").bounding_box()
    assert note["x"] + note["width"] <= width
    assert (note["x"] > code["x"] + code["width"]) == (width >= 1200)


def test_formulas_in_tables_are_whole(open_page):
    page = open_page("book/notation.html")
    assert page.locator("td .math").count() > 20
    assert page.locator("td .more-behind").count() == 0


def test_short_cells_of_tables_are_not_broken_on_a_phone(open_page):
    page = open_page("notebooks/11_speed.html", viewport=PHONE)
    for text in ("AVX-512", "1 × 5,000,000"):
        cells = page.locator("td > p", has_text=text)
        heights = cells.evaluate_all("(all) => all.map((cell) => cell.clientHeight)")
        assert len(heights) > 2 and len(set(heights)) == 1


def test_search_finds_a_word(open_page):
    page = open_page("search.html", query="?q=temperature")
    results = page.locator("#search-results li a")
    results.filter(has_text="The formula").first.wait_for()
    results.filter(has_text="Glossary > temperature").first.wait_for()
    assert not page.problems


def test_navigation_is_not_printed(open_page):
    page = open_page("notebooks/01_formula.html")
    page.emulate_media(media="print")
    expect(page.locator(".bd-sidebar-primary")).to_be_hidden()
    expect(page.locator(".bd-header-article")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
