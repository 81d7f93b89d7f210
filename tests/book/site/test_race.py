"""The race in the chapter on speed, in the browser that runs the tests."""

import numpy as np
import pytest
from playwright.sync_api import expect

import softmax_lib

PAGE = "notebooks/11_speed.html"
LENGTHS = ["10", "100", "1,000", "10,000", "100,000"]
SHARES = "(bars) => bars.map((bar) => Number(bar.style.getPropertyValue('--share')))"


@pytest.fixture
def page(open_page):
    return open_page(PAGE, reduced_motion="reduce")


@pytest.fixture
def race(page):
    return page.locator('[data-explorer="race"]')


def test_the_loop_computes_softmax(page):
    x = np.random.default_rng(5).uniform(-10, 10, (50, 33))
    shown = page.evaluate(
        "(rows) => rows.map((row) => [...Explorer.arithmetic.race.loop(row)])",
        x.tolist(),
    )
    np.testing.assert_allclose(shown, softmax_lib.softmax(x), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_ways_arrive_on_all_rows(page, race, dtype):
    race.get_by_label("format").select_option(dtype)
    expect(race.locator("table")).to_be_hidden()
    race.get_by_role("button", name="start the race").click()
    expect(race.locator("output")).to_contain_text(f"In {dtype} the fastest is the ")
    headings = race.locator("tbody tr:first-child").all_inner_texts()
    assert headings == [f"rows of {n}" for n in LENGTHS]

    ways = race.locator("tbody tr:not(:first-child)")
    assert ways.count() == 3 * len(LENGTHS)
    speeds = race.locator("tbody td:last-child").all_inner_texts()
    speeds = np.array([float(s) for s in speeds])
    assert np.all(speeds > 0)
    shares = race.locator(".explorer-bar").evaluate_all(SHARES)
    np.testing.assert_allclose(shares, speeds / speeds.max(), rtol=0.01)
    assert not page.problems


def test_a_race_can_be_stopped_and_run_again(page, race):
    control = race.locator("button")
    control.press("Enter")
    expect(control).to_have_text("stop")
    control.press("Enter")
    expect(race.locator("output")).to_contain_text("Stopped.")
    assert race.locator("tbody").count() < len(LENGTHS)
    expect(control).to_have_text("race again")
    control.press("Enter")
    expect(race.locator("tbody")).not_to_have_count(0)
    control.press("Enter")
    expect(control).to_have_text("race again")
    assert not page.problems


@pytest.mark.parametrize("fused", [True, False])
def test_the_verdict_names_the_loop_where_it_wins(page, fused):
    results = [
        {"n": 10, "speeds": [40, 20, 10]},
        {"n": 1000, "speeds": [50, 60, 150]},
        {"n": 100_000, "speeds": [50, 60, 200]},
    ]
    verdict = (
        "([all, fused]) => Explorer.arithmetic.race.verdict(all, 'float32', fused)"
    )
    words = page.evaluate(verdict, [results, fused])
    assert "the JavaScript loop on rows of 10, the library on rows of 1,000" in words
    assert "the library is 0.3, 3.0 and 4.0 times as fast as the loop." in words
    assert ("is one instruction here" in words) == fused
    assert ("lacks the instruction" in words) == (not fused)
