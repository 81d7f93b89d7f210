"""The page where readers try their own scores."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import mpmath
import numpy as np
import pytest
from playwright.sync_api import expect
from test_pages import AT_ONCE, findings

import softmax_lib
from helpers import exact

PAGE = "book/try.html"
CHAPTER = Path(__file__).parents[3] / "notebooks" / "13_layouts.ipynb"
CALL = "([name, args]) => Explorer.arithmetic.try[name](...args)"
FORMATS = ["float16", "float32", "float64"]


@pytest.fixture(scope="module")
def page(open_pages):
    return open_pages(PAGE)


def call(page, name, *args):
    return page.evaluate(CALL, [name, list(args)])


def rows(dtype):
    """Return rows of scores, short and long, whose shares are of all sizes."""
    rng = np.random.default_rng(11)
    for n in (1, 2, 3, 17, 60):
        for spread in (1e-8, 1.0, 30.0, 300.0):
            yield (rng.normal(size=n) * spread).astype(dtype).astype(float)
    yield np.array([0.0, -700.0, -740.0, -5000.0])
    yield np.array([5e-324, -5e-324, 0.0])
    yield np.full(7, -0.3)


def test_exact_shares_have_30_right_digits(page):
    for x in rows("float64"):
        with mpmath.workdps(60):
            right = exact.softmax(x)
            for written, share in zip(
                call(page, "exactly", x.tolist()), right, strict=True
            ):
                assert len(written.partition("e")[0].replace(".", "").lstrip("0")) == 30
                assert abs(mpmath.mpf(written) / share - 1) < mpmath.mpf("5.1e-30")


def test_shares_beyond_every_format_are_0_and_undefined_ones_are_none(page):
    assert call(page, "exactly", [0.0, -1e6, -1e308])[1:] == ["0", "0"]
    for x in ("[NaN, 1]", "[Infinity, 1]", "[-Infinity, -Infinity]"):
        found = page.evaluate(f"Explorer.arithmetic.try.exactly({x})")
        assert found == [None, None]
    assert page.evaluate("Explorer.arithmetic.try.exactly([-Infinity, 1])")[0] == "0"


@pytest.mark.parametrize("dtype", FORMATS)
def test_errors_are_those_that_the_book_measures(page, dtype):
    rng = np.random.default_rng(3)
    for x in rows(dtype):
        right = exact.softmax(x)
        results = np.array([float(r) for r in right]) * rng.uniform(
            0.999, 1.001, x.size
        )
        results = results.astype(dtype)
        found = call(page, "errors", results.astype(float).tolist(), x.tolist(), dtype)
        expected = [float(e) for e in exact.ulps(results, right)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_bits_are_written_as_python_writes_them(page):
    rng = np.random.default_rng(4)
    x = rng.normal(size=200) * 10.0 ** rng.uniform(-320, 300, 200)
    x = [*x.tolist(), 0.0, 1.0, -1.5, 5e-324, -2.2e-308, 1.7976931348623157e308]
    assert [call(page, "hex", value) for value in x] == [v.hex() for v in x]
    assert page.evaluate("Explorer.arithmetic.try.hex(-0)") == (-0.0).hex()


def test_input_is_read(page):
    assert call(page, "parse", "1, −2;3e-1\n[.5 +4. 1E3]") == {
        "lines": [[1, -2, 0.3], [0.5, 4, 1000]]
    }
    lines = page.evaluate(
        "Explorer.arithmetic.try.parse('inf -inf nan').lines[0].map(String)"
    )
    assert lines == ["Infinity", "-Infinity", "NaN"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no number yet"]),
        ("1 2 abc", ["Number 3, “abc”,", "only inf and nan"]),
        ("1 2\n3 1.2.3", ["Number 2 of line 2, “1.2.3”,", "more than one point"]),
        ("0x1p3", ["“0x1p3”", "hexadecimal"]),
        ("1e", ["“1e”", "exponent has no digits"]),
        ("50%", ["“50%”", "percent"]),
        ("--1", ["“--1”", "a number has digits"]),
        ("1 2\n3", ["Line 2 has 1 number and line 1 has 2"]),
        ("1 " * 2001, ["2,001 numbers", "at most 2,000"]),
        ("1 " * 60_000, ["120,000 characters", "at most 100,000"]),
    ],
)
def test_what_is_no_number_is_named_with_the_reason(page, text, words):
    problem = call(page, "parse", text)["problem"]
    for word in words:
        assert word in problem


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("axis", ["lines", "columns", "all"])
def test_the_library_is_the_library(page, dtype, axis):
    x = np.random.default_rng(6).normal(size=(4, 5)) * 20
    scores = (x.astype(dtype) / np.dtype(dtype).type(0.7)).astype(dtype)
    along = {"lines": 1, "columns": 0, "all": None}[axis]
    right = softmax_lib.softmax(scores, axis=along)
    entries = call(page, "shares", x.tolist(), dtype, axis, 0.7)
    assert [e["score"] for e in entries] == scores.astype(float).ravel().tolist()
    assert [e["values"][2] for e in entries] == right.astype(float).ravel().tolist()
    assert max(e["errors"][2] for e in entries) <= 2


def test_the_page_begins_with_a_result(open_page):
    page = open_page(PAGE)
    output = page.locator(".explorer output")
    expect(output).to_contain_text("In float32 the naive formula is off by at most")
    right = softmax_lib.softmax(np.array([0.7, 1.5, 4.8], np.float32))
    cells = page.locator(".try-results tr[class=library] code").all_inner_texts()
    assert cells == [float(share).hex() for share in right]
    assert not page.problems


def printed_bits():
    """Return what the chapter on the engine printed: format -> hexadecimal floats."""
    cells = json.loads(CHAPTER.read_text("utf-8"))["cells"]
    outputs = (o for cell in cells for o in cell.get("outputs", ()))
    texts = ("".join(o["text"]) for o in outputs if "text" in o)
    lines = re.findall(r"(?m)^(float\d\d): ((?:0x1\.\w+p-\d+ ?){3})$", "\n".join(texts))
    return {name: values.split() for name, values in lines}


def test_bits_are_those_that_the_notebook_printed(open_page):
    printed = printed_bits()
    assert printed.keys() == {"float32", "float64"}
    page = open_page(PAGE)
    for name, bits in printed.items():
        page.get_by_label("format").select_option(name)
        expect(page.locator(".explorer output")).to_contain_text(f"In {name} ")
        shown = page.locator(".try-results tr[class=library] code").all_inner_texts()
        assert shown == bits


def test_typing_changes_the_result_and_the_address(open_page):
    page = open_page(PAGE)
    page.get_by_label("scores, in one line").fill("1000 999\n0 1")
    page.get_by_label("format").select_option("float64")
    page.get_by_label("softmax of").select_option("columns")
    output = page.locator(".explorer output")
    expect(output).to_contain_text("the naive formula fails for 2 of 4 numbers")
    address = page.evaluate("location.hash")
    assert "format=float64" in address
    assert "axis=columns" in address
    page.get_by_label("scores, in one line").fill("1 zwei")
    expect(output).to_contain_text("Number 2, “zwei”, is no number")
    expect(page.locator(".try-results")).to_be_hidden()
    assert not page.problems

    sent = open_page(PAGE, query=address)
    assert sent.get_by_label("scores, in one line").input_value() == "1000 999\n0 1"
    assert sent.get_by_label("softmax of").input_value() == "columns"
    expect(sent.locator(".explorer output")).to_contain_text("fails for 2 of 4")
    assert not sent.problems


def test_examples_are_what_they_are_called(open_page):
    page = open_page(PAGE)
    output = page.locator(".explorer output")
    for name, words in (
        ("too large for the naive formula", "the naive formula fails for 3 of 3"),
        ("losers in float16", "In float16 the naive formula is off by at most"),
        ("a shift that costs digits", "the shifted formula is off by at most 1"),
        ("a table by columns", "In float32"),
        ("a low temperature", "In float32"),
    ):
        page.get_by_role("button", name=name).click()
        expect(output).to_contain_text(words)
    for button in page.locator(".explorer-buttons button:visible").all():
        button.click()
        expect(page.locator(".try-results tbody tr").first).to_be_visible()
    assert not page.problems


def test_an_address_with_nonsense_is_forgiven(open_page):
    page = open_page(PAGE, query="#format=float8&axis=7&T=no&x=1+2")
    assert page.get_by_label("format").input_value() == "float32"
    output = page.locator(".explorer output")
    expect(output).to_contain_text("The temperature, “no”, has to be a number above 0.")
    assert not page.problems


def test_a_thousand_numbers_work_and_ten_million_stop_nothing(open_page):
    page = open_page(PAGE)
    numbers = np.random.default_rng(8).normal(size=1000).round(3)
    field = page.get_by_label("scores, in one line")
    field.fill(" ".join(map(str, numbers)))
    page.get_by_role("button", name="show all 1000").click()
    assert page.locator(".try-results tbody").count() == 1000
    assert page.evaluate("location.hash") == ""
    spent = field.evaluate("""(field) => {
        const text = "1.25 ".repeat(1e7);
        const data = new DataTransfer();
        data.setData("text", text);
        const start = performance.now();
        field.dispatchEvent(new ClipboardEvent("paste", {
            clipboardData: data, bubbles: true, cancelable: true }));
        return performance.now() - start;
    }""")
    assert spent < 2000
    output = page.locator(".explorer output")
    expect(output).to_contain_text("50,000,000 characters")
    assert not page.problems


CHAPTERS = {
    "04_stability": "the naive formula fails for 3 of 3",
    "05_log_softmax": "In float32 the naive formula is off by at most",
    "10_mistakes": "In float64 the naive formula is off by at most",
}
BOX = '[data-explorer="try"]'


@pytest.fixture(params=CHAPTERS)
def chapter(request):
    return request.param


def given(page):
    """Return the scores and the format that a chapter gives to its box."""
    state = parse_qs(page.locator(BOX).get_attribute("data-state"))
    return [float(word) for word in state["x"][0].split()], state["format"][0]


def test_a_chapter_opens_a_box_with_its_own_scores(open_page, chapter):
    page = open_page(f"notebooks/{chapter}.html")
    scores, dtype = given(page)
    source = json.loads((CHAPTER.parent / f"{chapter}.ipynb").read_text("utf-8"))
    code = "\n".join("".join(c["source"]) for c in source["cells"])
    lists = re.findall(r"np\.array\(\[([-\d., ]+)\]", code)
    assert scores in [[float(v) for v in x.split(",") if v.strip()] for x in lists]

    box = page.locator(BOX)
    assert box.locator("textarea").count() == 0
    page.locator("details", has=box).locator("summary").press("Enter")
    output = box.locator("output")
    expect(output).to_contain_text(CHAPTERS[chapter])
    right = softmax_lib.softmax(np.array(scores, dtype))
    shown = box.locator("tr[class=library] code").all_inner_texts()
    assert shown == [float(share).hex() for share in right]

    box.get_by_label("scores, in one line").fill("1 2 4 8")
    expect(box.locator("tbody")).to_have_count(4)
    assert page.evaluate("location.hash") == ""
    link = box.get_by_role("link")
    link.click()
    page.wait_for_url("**/book/try.html#*")
    expect(page.get_by_label("scores, in one line")).to_have_value("1 2 4 8")
    assert page.get_by_label("format").input_value() == dtype
    assert not page.problems


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_box_is_accessible_fits_a_phone_and_is_not_printed(open_page, chapter, theme):
    page = open_page(
        f"notebooks/{chapter}.html",
        color_scheme=theme,
        viewport={"width": 320, "height": 640},
    )
    page.locator("details", has=page.locator(BOX)).locator("summary").click()
    expect(page.locator(f"{BOX} textarea")).to_be_visible()
    page.add_style_tag(content=AT_ONCE)
    assert not findings(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="start again").last.scroll_into_view_if_needed()
    page.emulate_media(media="print")
    expect(page.locator(BOX)).to_be_hidden()
    expect(page.locator("details", has=page.locator(BOX))).to_be_hidden()
    assert not page.problems
