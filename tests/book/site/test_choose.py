"""Guesses in words, before a formula runs."""

import numpy as np
import pytest
from playwright.sync_api import expect
from test_pages import AT_ONCE, findings

import softmax_lib
from softmax_lib import textbook

STABILITY = "notebooks/04_stability.html"
LOGARITHMS = "notebooks/05_log_softmax.html"
PLACES = {"choose_naive": STABILITY, "choose_log": LOGARITHMS}


def solved(page, name):
    """Return the results, the right numbers and the answers that fit them."""
    rows = page.evaluate(f"Explorer.arithmetic.{name}.solve()")
    return [[row[key] for row in rows] for key in ("result", "right", "answer")]


def test_naive_formula_gives_what_it_gives_in_python(open_page):
    page = open_page(STABILITY)
    scores = np.array([100, 89, 0], np.float32)
    results, right, answers = solved(page, "choose_naive")
    np.testing.assert_array_equal(results, textbook.naive_softmax(scores))
    np.testing.assert_array_equal(right, softmax_lib.softmax(scores))
    assert answers == ["nan", "nan", "0"]


def test_logarithms_are_those_that_the_chapter_prints(open_page):
    page = open_page(LOGARITHMS)
    scores = np.array([20, 0, -90], np.float32)
    with np.errstate(divide="ignore"):
        too_late = np.log(softmax_lib.softmax(scores))
    results, right, answers = solved(page, "choose_log")
    np.testing.assert_allclose(results, too_late, rtol=1e-6)
    np.testing.assert_array_equal(right, softmax_lib.log_softmax(scores))
    assert answers == ["0", "what is right", "−∞"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("guess", PLACES)
def test_guesses_are_made_and_judged_by_keyboard(open_page, guess, theme):
    page = open_page(PLACES[guess], color_scheme=theme, reduced_motion="reduce")
    place = page.locator(f'[data-explorer="{guess}"]')
    output = place.locator("output")
    expect(output).to_have_text("You have guessed 0 of 3.")
    place.get_by_role("radio").first.focus()
    for _ in range(3):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Tab")
    expect(output).to_have_text("You have guessed 3 of 3.")
    expect(place.get_by_role("button", name="run it")).to_be_focused()
    page.keyboard.press("Enter")
    answers = solved(page, guess)[2]
    expect(output).to_contain_text(f"You foresaw {answers.count('nan')} of 3.")
    told = place.locator(".choose-told").all_inner_texts()
    assert [t[0] for t in told] == ["✓" if a == "nan" else "✗" for a in answers]

    group = place.get_by_role("group", name="score 0", exact=True)
    group.get_by_role("radio", name=answers[scores_of(place).index("score 0")]).check()
    expect(output).to_contain_text(f"You foresaw {answers.count('nan') + 1} of 3.")
    page.add_style_tag(content=AT_ONCE)
    assert not findings(page)
    assert not page.problems

    place.get_by_role("button", name="start again").click()
    expect(output).to_have_text("You have guessed 0 of 3.")
    assert place.locator("input:checked").count() == 0
    assert not "".join(place.locator(".choose-told").all_inner_texts())


def scores_of(place):
    return place.locator("legend").all_inner_texts()


@pytest.mark.parametrize("guess", PLACES)
def test_guesses_fit_a_phone(open_page, guess):
    page = open_page(PLACES[guess], viewport={"width": 320, "height": 640})
    place = page.locator(f'[data-explorer="{guess}"]')
    place.get_by_role("button", name="run it").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
