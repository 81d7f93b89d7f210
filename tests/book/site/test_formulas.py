"""Formulas: how they are typeset, and line breaks at those within sentences."""

import pytest

# Formulas followed by a punctuation mark that is on the next line.
APART = """() => [...document.querySelectorAll(".with-mark > .math")]
.filter((formula) => {
    const next = formula.nextSibling;
    if (!next) return false;
    const mark = document.createRange();
    mark.setStart(next, 0);
    mark.setEnd(next, 1);
    const padding = parseFloat(getComputedStyle(formula).paddingRight);
    const end = formula.getBoundingClientRect().right - padding;
    return mark.getBoundingClientRect().left < end - 1;
}).map((formula) => formula.textContent)"""
FONTS = {"STIX Two Math", "Source Code Pro"}


def test_formulas_are_typeset_with_the_fonts_of_the_book(open_page, name):
    page = open_page(name)
    formulas = page.locator(".math")
    assert page.locator(".math > math").count() == formulas.count()
    assert not page.locator("merror").count()
    # A letter that is missing from the font would come from one of the system's.
    browser = page.context.new_cdp_session(page)
    browser.send("DOM.enable")
    browser.send("CSS.enable")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    found = browser.send("DOM.querySelectorAll", {"nodeId": root, "selector": "math"})
    for node in found["nodeIds"]:
        used = browser.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        others = [font for font in used if font["familyName"] not in FONTS]
        assert not others, browser.send("DOM.getOuterHTML", {"nodeId": node})


def test_numbers_of_formulas_are_links(open_page):
    page = open_page("notebooks/01_formula.html")
    number = page.locator("div.math:has(math) > .eqno").first
    place = page.locator("div.math[id]").first.get_attribute("id")
    assert number.locator("a").get_attribute("href") == f"#{place}"
    reference = page.locator(f"a.reference[href='#{place}']").first
    assert reference.inner_text() == number.inner_text().removesuffix("#")


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_no_line_begins_with_the_mark_after_a_formula(open_page, width):
    page = open_page(
        "notebooks/05_log_softmax.html", viewport={"width": width, "height": 900}
    )
    assert page.locator(".with-mark").count() > 50
    assert page.evaluate(APART) == []
