"""Line breaks at formulas within sentences."""

import pytest

# Formulas followed by a punctuation mark that is on the next line.
APART = """() => [...document.querySelectorAll("span.math")].filter((formula) => {
    const next = formula.nextSibling;
    if (!/^[,.;:!?)]/.test(next?.data ?? "")) return false;
    const mark = document.createRange();
    mark.setStart(next, 0);
    mark.setEnd(next, 1);
    const end = formula.getBoundingClientRect().right;
    return mark.getBoundingClientRect().left < end - 1;
}).map((formula) => formula.textContent)"""


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_no_line_begins_with_the_mark_after_a_formula(open_page, width):
    page = open_page(
        "notebooks/05_log_softmax.html", viewport={"width": width, "height": 900}
    )
    assert page.evaluate(APART) == []
