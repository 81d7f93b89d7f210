"""Explorers: their functions compared with the library's, and their controls."""

import json
from itertools import combinations

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from playwright.sync_api import expect

import softmax_lib
from helpers import digits, engine
from softmax_lib._kernels import exponential
from tools import digit_scores, drawings

PAGE = "book/explorers.html"
NAMES = ["temperature", "simplex", "sigmoid", "overflow", "log_softmax"]
NAMES += ["gradients", "reliability", "attention", "predict", "predict_doubled"]
NAMES += ["pieces", "term"]
DRAGGED = "svg.explorer-draggable"
RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def compute(open_pages):
    """Call a function of an explorer on each of many lists of arguments."""
    page = open_pages(PAGE)

    def compute(name, function, arguments, dtype=float):
        return np.asarray(
            page.evaluate(
                """([name, called, all]) =>
                    all.map((each) => Explorer.arithmetic[name][called](...each))""",
                [name, function, arguments],
            ),
            dtype,
        )

    return compute


def place(page, name):
    return page.locator(f'[data-explorer="{name}"]')


def spoken(page, name, after=None):
    """Return the sentence of an explorer, once it differs from `after`."""
    output = place(page, name).locator("output")
    if after is not None:
        expect(output).not_to_have_text(after)
    expect(output).not_to_have_attribute("aria-busy", "true")
    return output.inner_text()


def drag(page, how, start, end):
    """Drag with the mouse or a finger; yield after pressing and after releasing."""
    path = [
        (start[0] + (end[0] - start[0]) * i / 4, start[1] + (end[1] - start[1]) * i / 4)
        for i in range(5)
    ]
    if how == "mouse":
        page.mouse.move(*start)
        page.mouse.down()
        yield
        for point in path:
            page.mouse.move(*point)
        page.mouse.up()
    else:
        finger = page.context.new_cdp_session(page)

        def touch(kind, *points):
            points = [{"x": x, "y": y} for x, y in points]
            event = {"type": f"touch{kind}", "touchPoints": points}
            finger.send("Input.dispatchTouchEvent", event)

        touch("Start", start)
        yield
        for point in path:
            touch("Move", point)
        touch("End")
    yield


@pytest.mark.parametrize("explorer", ["temperature", "simplex"])
def test_shares_are_those_of_the_library(compute, explorer):
    scores = RNG.uniform(-800, 800, (300, 3)) * RNG.choice([0.01, 1.0], (300, 1))
    temperatures = 2.0 ** RNG.uniform(-3, 3, 300)
    arguments = list(zip(scores.tolist(), temperatures.tolist(), strict=True))
    shown = compute(explorer, "softmax", arguments)
    assert_array_equal(shown, softmax_lib.softmax(scores / temperatures[:, None]))


def test_dragging_in_the_triangle_is_softmax_backwards(compute):
    shares = RNG.dirichlet([1.0, 1.0, 1.0], 200)
    scores = compute("simplex", "scoresOf", [[p.tolist()] for p in shares])
    assert_allclose(softmax_lib.softmax(scores), shares, rtol=1e-12)
    assert_allclose(scores.sum(axis=1), 0, atol=1e-12)
    outside = compute("simplex", "inside", [[[1.4, -0.2, -0.2]], [[-3.0, 2.0, 2.0]]])
    assert np.all(outside > 0)
    assert_allclose(outside.sum(axis=1), 1)


def test_sigmoid_and_two_classes_are_those_of_the_library(compute):
    x = np.concatenate([RNG.uniform(-8, 8, 200), [-745.0, -40.0, 0.0, 40.0, 710.0]])
    shown = compute("sigmoid", "sigmoid", [[v] for v in x.tolist()])
    assert_array_equal(shown, softmax_lib.sigmoid(x))
    pairs = RNG.uniform(-6, 6, (200, 2))
    shown = compute("sigmoid", "softmax", [[pair] for pair in pairs.tolist()])
    assert_array_equal(shown, softmax_lib.softmax(pairs))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_overflow_rounds_as_numpy_does(compute, dtype):
    format = dtype.__name__
    x = RNG.normal(size=400) * 10.0 ** RNG.uniform(-50, 50, 400)
    x = np.concatenate([x, RNG.normal(size=400) * 10.0 ** RNG.uniform(-9, 5, 400)])
    x = np.concatenate([x, [0.0, 65519.9, 65520.0, 2.0**-25, 2.0**-24 * 1.5]])
    with np.errstate(over="ignore", under="ignore"):
        right = x.astype(dtype).astype(np.float64)
    shown = compute("overflow", "round", [[v, format] for v in x.tolist()])
    assert_array_equal(shown, right)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_overflow_names_the_right_limits(compute, dtype):
    (limits,) = compute("overflow", "limits", [[dtype.__name__]], dtype=object)
    tiny = np.finfo(dtype).smallest_normal

    def rounded_exp(v):
        with np.errstate(all="ignore"):
            return dtype(np.exp(v))

    step = 1e-9
    assert rounded_exp(limits["zero"] - step) == 0 < rounded_exp(limits["zero"] + step)
    assert rounded_exp(limits["subnormal"] + step) >= tiny
    assert np.exp(limits["subnormal"] - step) < tiny
    assert np.isfinite(rounded_exp(limits["infinite"] - step))
    assert np.isinf(rounded_exp(limits["infinite"] + step))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_naive_fails_where_numpy_does_and_the_shift_repairs_it(compute, dtype):
    x = np.concatenate([np.arange(-800, 801, 7), np.arange(-24, 24)]).astype(float)
    scores = x[:, None] - np.array([0.0, 1.0, 3.0])
    arguments = [[s, dtype.__name__] for s in scores.tolist()]
    with np.errstate(all="ignore"):
        terms = np.exp(scores).astype(dtype)
        right = terms / terms.sum(axis=1, keepdims=True, dtype=dtype)
    rtol = 4 * float(np.finfo(dtype).eps)
    assert_allclose(compute("overflow", "naive", arguments), right, rtol=rtol)
    exact = softmax_lib.softmax(scores)
    assert_allclose(compute("overflow", "shifted", arguments), exact, rtol=rtol)


def test_log_softmax_keeps_what_the_library_keeps(compute):
    d = np.arange(0, 121, 0.5)
    arguments = [[v] for v in d.tolist()]
    pairs = np.stack([0 * d, -d], axis=1).astype(np.float32)
    shown = compute("log_softmax", "logSoftmax", arguments, np.float32)
    assert_array_equal(shown, softmax_lib.log_softmax(pairs))

    with np.errstate(divide="ignore"):
        right = np.log(softmax_lib.softmax(pairs))
    shown = compute("log_softmax", "logOfSoftmax", arguments)
    assert_allclose(shown, right, rtol=3e-7)
    shown = compute("log_softmax", "minusLogSumExp", arguments, np.float32)
    assert_array_equal(shown, pairs - softmax_lib.logsumexp(pairs)[:, None])


SCORES_AND_STEPS = [
    *zip(RNG.uniform(-8, 8, (100, 3)).tolist(), RNG.uniform(0, 8, 100), strict=True),
    ([0.0, 40.0, 0.0], 1.0),
]


def test_gradients_and_losses_are_those_of_the_library(compute):
    for scores, step in SCORES_AND_STEPS:
        loss, slopes = softmax_lib.cross_entropy_and_grad(np.array(scores), 1)
        (shown,) = compute("gradients", "gradient", [[scores]])
        assert_allclose(shown, slopes, rtol=2e-15)
        (shown,) = compute("gradients", "loss", [[scores]])
        assert_allclose(shown, loss, rtol=1e-15)
        (shown,) = compute("gradients", "after", [[scores, step]])
        assert_allclose(shown, scores - step * slopes, rtol=1e-14, atol=1e-14)


def test_steps_are_those_of_the_chapter(open_page):
    page = open_page(PAGE)
    scores, target = np.array([2.0, 1.0, -1.0]), np.array([0.0, 1.0, 0.0])
    for _ in range(3):
        p = softmax_lib.softmax(scores)
        before = spoken(page, "gradients")
        assert "cat {:.3f}, dog {:.3f}, boat {:.3f}, and".format(*p) in before
        assert f"the loss is {-np.log(p[1]):.3f}." in before
        scores = scores - (p - target)
        place(page, "gradients").get_by_role("button", name="take the step").click()
        assert spoken(page, "gradients", after=before).startswith("The step was taken.")


@pytest.mark.parametrize("T", [0.5, 1.0, 2.1, 8.0])
def test_bins_of_certainty_are_those_of_the_chapter(compute, T):
    behind, right = digit_scores.read()
    certainty = softmax_lib.softmax(-behind / 100 / T).max(axis=1)
    (shown,) = compute("reliability", "certainties", [[T]])
    assert_array_equal(shown, certainty)

    which = np.digitize(certainty, np.linspace(0, 1, 11)[1:-1])
    (bins,) = compute("reliability", "bins", [[T]], dtype=object)
    assert [b["place"] for b in bins] == np.unique(which).tolist()
    for b in bins:
        here = which == b["place"]
        assert b["count"] == here.sum()
        assert np.isclose(b["certainty"], certainty[here].mean())
        assert np.isclose(b["right"], right[here].mean())
        interval = digits.wilson(right[here].sum(), here.sum())
        assert_allclose([b["low"], b["high"]], interval, rtol=1e-13, atol=1e-15)


def test_a_line_of_certainty_follows_the_mouse(open_page):
    page = open_page(PAGE)
    before = spoken(page, "reliability")
    assert "it is too sure by" in before
    svg = place(page, "reliability").locator(DRAGGED)
    svg.scroll_into_view_if_needed()
    ticks = svg.locator("g").first
    left, right = (
        ticks.locator(f"text:text-is('{tick}')").last.bounding_box() for tick in "01"
    )
    _, flags = digit_scores.read()
    start = left["x"] + left["width"] / 2
    end = right["x"] + right["width"] / 2
    page.mouse.click(start + flags.mean() * (end - start), left["y"] - 150)
    after = spoken(page, "reliability", after=before)
    said = float(after.split(" says ")[1].split()[0])
    assert abs(said - flags.mean()) < 0.02


def test_a_guess_always_shares_one_whole(compute):
    shares = [*RNG.dirichlet([1.0, 1.0, 1.0], 100), np.array([1.0, 0.0, 0.0])]
    for p, share in zip(shares, RNG.uniform(0, 1, 101), strict=True):
        (shown,) = compute("predict", "withShare", [[p.tolist(), 0, float(share)]])
        assert shown[0] == share
        assert np.isclose(shown.sum(), 1)
        if p[2] > 0:
            assert np.isclose(shown[1] / shown[2], p[1] / p[2])


def test_softmax_answers_a_guess_when_it_is_asked(open_page):
    page = open_page("notebooks/01_formula.html")
    before = spoken(page, "predict")
    assert before == "Your guess: cat 0.333, dog 0.333, boat 0.333."
    place(page, "predict").get_by_role("button", name="run softmax").click()
    after = spoken(page, "predict", after=before)
    p = softmax_lib.softmax([2.0, 1.0, -1.0])
    assert "gives cat {:.3f}, dog {:.3f}, boat {:.3f}:".format(*p) in after
    assert f"for the cat your guess is {p[0] - 1 / 3:.3f} away" in after
    assert f"has {np.e:.2f} times the dog's share; in your guess it has 1.00" in after

    doubled = spoken(page, "predict_doubled")
    assert "cat {:.3f}, dog {:.3f}, boat {:.3f}.".format(*p) in doubled
    place(page, "predict_doubled").get_by_role("button", name="run softmax").click()
    after_doubled = spoken(page, "predict_doubled", after=doubled)
    p = softmax_lib.softmax([4.0, 2.0, -2.0])
    assert "gives cat {:.3f}, dog {:.3f}, boat {:.3f}:".format(*p) in after_doubled
    assert f"has {np.e**2:.2f} times the dog's share" in after_doubled
    place(page, "predict").get_by_role("button", name="start again").click()
    assert spoken(page, "predict", after=after) == before


def test_attention_is_that_of_the_chapter(compute):
    keys = np.array([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0]])
    values = np.array([10.0, 20.0, 30.0])
    queries = np.vstack(
        [RNG.uniform(-4.5, 4.5, (100, 2)), [[0, 0], [3, 0], [1.5, 1.5]]]
    )
    scores = queries @ keys.T / np.sqrt(2)
    arguments = [[q] for q in queries.tolist()]
    assert_array_equal(compute("attention", "scoresOf", arguments), scores)
    shares = softmax_lib.softmax(scores)
    assert_array_equal(compute("attention", "weights", arguments), shares)
    assert_allclose(compute("attention", "answer", arguments), shares @ values)


def merged(parts):
    """Merge maxima, sums and mixes as the formula says, in float32."""
    maxima, sums, mixes = np.float32(parts).T
    # The module's float32 exponential is rounded correctly.
    factors = np.exp((maxima - maxima.max()).astype(float)).astype(np.float32)
    total = mix = np.float32(0)
    for factor, s, a in zip(factors, sums, mixes, strict=True):
        total, mix = total + factor * s, mix + factor * a
    return [maxima.max(), total, mix]


def in_every_order(parts):
    if len(parts) == 1:
        return parts
    ends = []
    for i, j in combinations(range(len(parts)), 2):
        rest = [part for k, part in enumerate(parts) if k not in (i, j)]
        ends += in_every_order([*rest, merged([parts[i], parts[j]])])
    return ends


PIECES = """([query, cuts]) => {
    const of = Explorer.arithmetic.pieces;
    const numbers = (all) => all.map((p) => [p.maximum, p.sum, p.mix, p.answer]);
    const scores = of.scoresOf(query);
    const parts = of.piecesOf(scores, cuts);
    const ends = numbers(of.everyOrder(parts));
    const keys = scores.map((_, i) => of.piece(scores, i, i + 1));
    const library = of.ofLibrary(scores);
    const results = [...ends.map((end) => end[3]), library];
    const errors = results.map((answer) => of.errorOf(answer, scores));
    const exact = of.exactly(scores);
    return { keys: numbers(keys), parts: numbers(parts), ends, library, errors, exact };
}"""
SEVERAL = [
    (query, sorted(RNG.choice(np.arange(1, 16), 3, replace=False).tolist()))
    for query in [2.0, *RNG.uniform(-4, 4, 40).tolist(), 0.0]
]


def test_pieces_merge_as_the_theorem_says(open_pages):
    page = open_pages(PAGE)
    different, worst = 0, 0
    for query, cuts in SEVERAL:
        shown = page.evaluate(PIECES, [query, cuts])
        keys = np.float32(shown["keys"])[:, :3]
        assert_array_equal(keys[:, 1], 1)
        parts = [merged(part) for part in np.split(keys, cuts)]
        assert_array_equal(np.float32(shown["parts"])[:, :3], np.float32(parts))
        ends = np.float32(in_every_order(parts))
        assert len(ends) == 18
        assert_array_equal(np.float32(shown["ends"])[:, :3], ends)
        answers = np.float32(shown["ends"])[:, 3]
        assert_array_equal(answers, ends[:, 2] / ends[:, 1])
        assert set(ends[:, 0]) == {keys[:, 0].max()}
        different += len(set(answers)) > 1

        p = softmax_lib.softmax(keys[:, 0]).astype(float)
        assert shown["library"] == np.float32(p @ keys[:, 2].astype(float))
        exact = softmax_lib.softmax(keys[:, 0].astype(float)) @ keys[:, 2].astype(float)
        assert np.isclose(float(shown["exact"]), exact, rtol=1e-14)
        results = [*answers.astype(float), shown["library"]]
        errors = np.abs(np.array(results) - exact) / np.spacing(np.float32(exact))
        assert_allclose(shown["errors"], errors, atol=1e-5)
        worst = max(worst, *shown["errors"])
    assert different > len(SEVERAL) // 2
    assert worst < 16


def test_pieces_are_merged_by_buttons_and_cut_again(open_page):
    page = open_page(PAGE)
    pieces = place(page, "pieces")
    rows = pieces.locator("table").first.locator("tbody tr")
    before = spoken(page, "pieces")
    names = ["A", "B", "C", "D"], ["A", "BD", "C"], ["AC", "BD"], ["ACBD"]
    pressed = ["B and D", "A and C", "AC and BD"]
    said = before
    for step, left in zip([None, *pressed], names, strict=True):
        if step:
            pieces.get_by_role("button", name=f"merge {step}", exact=True).focus()
            page.keyboard.press("Enter")
            said = spoken(page, "pieces", after=said)
            assert said.startswith(f"{step} were merged. ")
            assert pieces.locator("button:focus").count() == 1
        assert rows.locator("th").all_inner_texts() == left
        pairs = len(left) * (len(left) - 1) // 2
        assert pieces.get_by_role("button", name="merge").count() == pairs
    answer = said.split("the answer is ")[1].split(". ")[0]
    listed = pieces.locator("table").last.locator("td:first-of-type").all_inner_texts()
    assert answer in listed

    cut = pieces.get_by_label("cut 2")
    cut.focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    said = spoken(page, "pieces", after=said)
    assert "pieces of 4, 7, 1 and 4 keys" in said  # the next cut stops it
    assert cut.input_value() == "11"
    assert rows.count() == 4
    pieces.get_by_role("button", name="start again").click()
    assert spoken(page, "pieces", after=said) == before
    assert not page.problems


@engine.on_arrays
def steps_of_term(x, magic):
    r, rounded = exponential.reduce_argument(x, magic)
    return r, exponential.expm1(r), rounded, exponential.exp2i(rounded)


@pytest.fixture(scope="module")
def terms(open_pages):
    """Return scores, and the steps that the page takes from each to its term."""
    x = np.concatenate([RNG.uniform(-60, 88, 2000), RNG.uniform(-1, 1, 1000)])
    x = np.concatenate([x, [-60.0, 88.0, 1.0, 0.0, -0.0, 1e-30, -1e-9]])
    x = x.astype(np.float32)
    made = open_pages(PAGE).evaluate(
        "(all) => all.map((x) => Explorer.arithmetic.term.steps(x))", x.tolist()
    )
    return x, {name: np.float32([each[name] for each in made]) for name in made[0]}


def test_a_term_takes_the_steps_of_the_kernels(terms):
    x, shown = terms
    magic = np.float32(exponential.ROUNDING_MAGIC.values[0] + 127)
    r, g, rounded, power = steps_of_term(x, magic)
    one, part = np.float32(1), power * g
    right = {"r": r, "g": g, "rounded": rounded, "power": power, "part": part}
    right |= {"n": rounded - magic, "fraction": one + g, "term": power + part}
    for name, values in right.items():
        assert_array_equal(shown[name].view(np.int32), values.view(np.int32))
    first = exponential.LN2_HIGH.values[0]
    assert_array_equal(shown["high"], x.astype(float) - shown["n"] * first)


def test_a_term_has_the_bits_that_are_drawn(compute, terms):
    _, shown = terms
    for step in ("power", "fraction", "term"):
        bits = compute("term", "bitsOf", [[v] for v in shown[step].tolist()], str)
        assert list(bits) == [f"{w:032b}" for w in shown[step].view(np.uint32)]
    term, power, fraction = (
        shown[step].view(np.uint32) for step in ("term", "power", "fraction")
    )
    assert_array_equal(term & 0x7FFFFF, fraction & 0x7FFFFF)
    exponents = (power >> 23) - np.where(shown["fraction"] < 1, 1, 0)
    assert_array_equal(term >> 23, exponents)
    assert_array_equal(power >> 23, shown["n"] + 127)


def test_errors_of_a_term_are_measured_from_the_exact_exponential(compute, terms):
    x, shown = terms
    x, power, part, term = (
        a[::25].astype(float) for a in (x, *map(shown.get, ("power", "part", "term")))
    )
    errors = compute("term", "errors", [[v] for v in x.tolist()])
    digits = compute("term", "exactly", [[v] for v in x.tolist()], str)
    with mpmath.workdps(40):
        exact = [mpmath.exp(v) for v in x.tolist()]
        units = [mpmath.mpf(2) ** (mpmath.frexp(e)[1] - 24) for e in exact]
        for e, unit, row, *parts in zip(
            exact, units, errors, power + part, term, strict=True
        ):
            for error, value in zip(row, parts, strict=True):
                assert abs(error - abs(value - e) / unit) < 2e-6
        for e, text in zip(exact, digits, strict=True):
            assert abs(mpmath.mpf(text) / e - 1) < 1e-29
    assert errors.max(axis=0)[1] > 0.5 > errors.min()


def test_a_score_can_be_typed(open_page):
    page = open_page(PAGE)
    before = spoken(page, "term")
    field = place(page, "term").get_by_label("or type it")
    field.fill("-2.7")
    after = spoken(page, "term", after=before)
    assert "e to the −2.7 is 2 to the −4 times" in after
    field.fill("−50.5")
    after = spoken(page, "term", after=after)
    assert "e to the −50.5 is 2 to the −73 times" in after
    assert "one less in the term, since 1 + g is below 1" not in after
    field.fill("1000")
    after = spoken(page, "term", after=after)
    assert after.startswith("Type a score from −60 to 88")
    place(page, "term").get_by_role("button", name="start again").click()
    assert spoken(page, "term", after=after) == before
    assert not page.problems


@pytest.mark.parametrize("explorer", NAMES)
def test_keyboard_moves_a_slider(open_page, explorer):
    page = open_page(PAGE)
    before = spoken(page, explorer)
    slider = place(page, explorer).locator("input").first
    slider.focus()
    shown = slider.get_attribute("aria-valuetext")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuetext", shown)
    assert spoken(page, explorer, after=before)
    assert not page.problems


@pytest.mark.parametrize("how", ["mouse", "finger"])
@pytest.mark.parametrize("explorer", NAMES)
def test_picture_can_be_dragged(open_page, explorer, how):
    page = open_page(PAGE, has_touch=how == "finger")
    before = spoken(page, explorer)
    svg = place(page, explorer).locator(DRAGGED).first
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    middle = box["y"] + box["height"] / 2
    start = box["x"] + box["width"] * 0.45, middle
    end = box["x"] + box["width"] * 0.55, middle + 5
    scrolled = page.evaluate("scrollY")
    for _ in drag(page, how, start, end):
        before = spoken(page, explorer, after=before)
    assert page.evaluate("scrollY") == scrolled
    assert not page.problems


@pytest.mark.parametrize("explorer", NAMES)
def test_dragging_selects_no_text(open_page, explorer):
    page = open_page(PAGE)
    svg = place(page, explorer).locator(DRAGGED).first
    svg.scroll_into_view_if_needed()
    for words in svg.locator("text").all():
        box = words.bounding_box()
        page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] + 40, box["y"] + box["height"] + 60)
        assert page.evaluate("String(getSelection())") == ""
        page.mouse.up()


# Move the first slider in steps; return how often the picture was drawn meanwhile, and
# whether the sentence that is seen was a new one after each step.
MOVE = """async (explorer) => {
    const slider = explorer.querySelector("input");
    const sentence = explorer.querySelector(".explorer-sentence > p");
    let drawn = 0;
    const count = new MutationObserver(() => (drawn += 1));
    const layer = explorer.querySelector("svg > :last-child");
    count.observe(layer, { childList: true });
    const said = [];
    for (let i = 0; i < 15; i++) {
        slider.stepUp(3);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        said.push(sentence.textContent);
        await null; // observers are told
    }
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return [drawn, new Set(said).size === said.length];
}"""


@pytest.mark.parametrize("explorer", NAMES)
def test_sentence_is_right_at_once_and_a_picture_is_drawn_once_a_frame(
    open_page, explorer
):
    page = open_page(PAGE)
    before = spoken(page, explorer)
    slider = place(page, explorer).locator("input").first
    slider.evaluate("(slider) => (slider.value = -2)")
    drawn, right = place(page, explorer).evaluate(MOVE)
    assert right
    assert 1 <= drawn <= 3
    seen = place(page, explorer).locator(".explorer-sentence > p").inner_text()
    assert spoken(page, explorer, after=before) == seen


ROOM = 8  # above and below the letters of a line


@pytest.mark.parametrize(
    "scores", [(0, 0, 0), (0.3, 0.1, -0.2), (0, 2, 2), (3, -3, 2.9)]
)
def test_names_in_the_triangle_stand_apart(open_page, scores):
    page = open_page(PAGE)
    triangle = place(page, "simplex")
    for slider, score in zip(triangle.locator("input").all(), scores, strict=True):
        slider.fill(str(score))
    page.evaluate("new Promise(requestAnimationFrame)")
    boxes = [e.bounding_box() for e in triangle.locator("svg text.small").all()]
    boxes += [triangle.locator("svg .handle").bounding_box()]
    for one, other in combinations(boxes, 2):
        assert (
            one["x"] + one["width"] <= other["x"]
            or other["x"] + other["width"] <= one["x"]
            or one["y"] + one["height"] <= other["y"] + ROOM
            or other["y"] + other["height"] <= one["y"] + ROOM
        )


def test_every_control_is_reached_by_tab(open_page):
    page = open_page(PAGE)
    controls = place(page, "temperature").locator("input, button")
    controls.first.focus()
    for control in controls.all():
        expect(control).to_be_focused()
        page.keyboard.press("Tab")


# Style, width and colour of the focus ring, and the colour of its background.
RING = """(element) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const paint = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const style = getComputedStyle(element);
    const box = getComputedStyle(element.closest(".explorer"));
    return [style.outlineStyle, parseFloat(style.outlineWidth),
            paint(style.outlineColor), paint(box.backgroundColor)];
}"""


def luminance(colour):
    c = np.array(colour) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focused_controls_have_a_visible_ring(open_page, theme):
    page = open_page(PAGE, color_scheme=theme, reduced_motion="reduce")
    for control in page.locator(".explorer").locator("input, button").all():
        control.focus()
        page.keyboard.press("Shift")  # rings are shown when the keyboard is used
        style, width, ring, around = control.evaluate(RING)
        assert style not in ("none", "hidden")
        assert width >= 2
        low, high = sorted([luminance(ring), luminance(around)])
        assert (high + 0.05) / (low + 0.05) >= 3


def test_first_sentences_make_their_point(open_page):
    page = open_page(PAGE)
    assert "cat 0.705, dog 0.259, boat 0.035" in spoken(page, "temperature")
    assert "gives the human 0.900250; sigmoid(2.2) is 0.900250" in spoken(
        page, "sigmoid"
    )
    assert "fails in float16 and float32;" in spoken(page, "overflow")
    assert "makes the winner's logarithm 0" in spoken(page, "log_softmax")
    assert "region of the cat" in spoken(page, "simplex")
    assert "the loss is 1.349. A step of 1.0" in spoken(page, "gradients")
    assert "At T = 1.00 the network says" in spoken(page, "reliability")
    assert "The query (1.5, 1.5) takes" in spoken(page, "attention")
    assert "Merged in 18 orders the maximum is 3 and" in spoken(page, "pieces")
    assert "hold n + 127 = 128 in 2ⁿ and in the term" in spoken(page, "term")
    assert "Your guess: cat 0.333" in spoken(page, "predict")
    assert "Your guess: cat 0.705" in spoken(page, "predict_doubled")


@pytest.mark.parametrize("explorer", ["temperature", "sigmoid"])
def test_adding_to_every_score_moves_no_share(open_page, explorer):
    page = open_page(PAGE)
    shares = spoken(page, explorer).split(" shares are ")[-1].split("gives ")[-1]
    before = spoken(page, explorer)
    place(page, explorer).get_by_role("button", name="add 1").click()
    after = spoken(page, explorer, after=before)
    assert after.endswith(shares)
    assert "went up by 1" in after


def test_reduced_motion_switches_transitions_off(open_page):
    page = open_page(PAGE, reduced_motion="reduce")
    style = (
        "getComputedStyle(document.querySelector('.explorer-bar')).transitionDuration"
    )
    assert page.evaluate(style) == "0s"


# A browser that has everything but the means to run the library.
WITHOUT = "delete window.WebAssembly"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_drawing_and_a_sentence_stay_where_the_library_cannot_run(open_page, scripts):
    page = open_page(PAGE, java_script_enabled=scripts, init_script=WITHOUT)
    for name in NAMES:
        explorer = place(page, name)
        assert "where JavaScript runs" in explorer.inner_text()
        assert explorer.locator("input").count() == 0
        for drawing in explorer.locator("svg").all():
            expect(drawing).to_be_visible()
            assert len(drawing.get_attribute("aria-label")) > 40
    assert not page.problems


def test_drawings_are_those_of_the_explorers(browser, tmp_path):
    stored = json.loads(drawings.STORED.read_text("utf-8"))
    assert stored == drawings.drawings(browser, tmp_path), "run tools/drawings.py"


def test_no_curve_crosses_a_name_at_the_start_on_a_phone(open_page):
    page = open_page(
        "notebooks/01_formula.html", viewport={"width": 390, "height": 800}
    )
    picture = page.locator('[data-explorer="temperature"] .explorer-picture')
    crossed = picture.evaluate("""(picture) => {
        const points = [...picture.querySelectorAll("polyline.curve")]
            .flatMap((curve) => [...curve.points]);
        return [...picture.querySelectorAll("text.label")].filter((name) => {
            const { x, y, width, height } = name.getBBox();
            const [top, bottom] = [y + 3, y + height - 3];  // the letters themselves
            return points.some((p) =>
                p.x > x && p.x < x + width && p.y > top && p.y < bottom);
        }).map((name) => name.textContent);
    }""")
    assert picture.locator("text.label").count() == 3
    assert not crossed
