"""The module that the pages run has the library's bits, in a browser."""

import base64
import platform

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
from fused import exact_fma
from numpy.testing import assert_array_equal

import softmax_lib
from softmax_lib import textbook
from tools.wasm import script

SCRIPTS = script.SCRIPT, script.SCRIPT.with_name("library.js")
LENGTHS = [*range(1, 71), 127, 128, 129, 1000, 5000]
FORMATS = ["float16", "float32", "float64"]
KINDS = 24  # of rows, for each length

# Call a function on rows of n numbers each, for all n; numbers travel as text.
RUN = """([name, format, arrays]) => {
    const unpack = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return arrays.map(([n, text]) => {
        const scores = new Float64Array(unpack(text).buffer);
        const triple = (_, i) => scores.subarray(3 * i, 3 * i + 3);
        const triples = () => Array.from({ length: scores.length / 3 }, triple);
        const given = name === "fma" ? triples() : scores;
        const results = Float64Array.from(Library[name](given, format, n));
        const bytes = new Uint8Array(results.buffer);
        let packed = "";
        for (let i = 0; i < bytes.length; i += 4096) {
            packed += String.fromCharCode(...bytes.subarray(i, i + 4096));
        }
        return btoa(packed);
    });
}"""


# A browser without relaxed SIMD, and a processor whose instruction rounds twice.
REFUSE = "WebAssembly.validate = () => false;"
ROUND_TWICE = """(() => {
    const { instantiate } = WebAssembly;
    let forms = 0;
    WebAssembly.instantiate = async (bytes) => {
        const made = await instantiate(bytes);
        const { exports } = made.instance;
        if (forms++) return made;
        const fma_float64 = (x, out, n) => {
            const numbers = new Float64Array(exports.memory.buffer);
            for (let i = 0; i < n; i++) {
                const [a, b, c] = [0, n, 2 * n].map((k) => numbers[x / 8 + k + i]);
                numbers[out / 8 + i] = a * b + c;
            }
        };
        return { instance: { exports: { ...exports, fma_float64 } } };
    };
})();"""


def has_fma():
    """Return whether this processor rounds a * b + c once."""
    if platform.machine() in ("aarch64", "arm64"):
        return True
    return llvm.get_host_cpu_features().get("fma", False)


CHOSEN = "Library.started.then(() => Library.hasFusedMultiplyAdd())"


@pytest.fixture(scope="module", params=["fma", "without fma"])
def compute(request, browser, tmp_path_factory):
    """Call a function of one form of the module on arrays of rows."""
    fused = request.param == "fma"
    if fused and not has_fma():
        pytest.skip("the second form was not tested: this processor has no fma")
    page = tmp_path_factory.mktemp("wasm") / "page.html"
    tags = "".join(f'<script src="{path.as_uri()}"></script>' for path in SCRIPTS)
    page.write_text(f"<!doctype html>{tags}", encoding="utf-8")
    context = browser.new_context()
    opened = context.new_page()
    if not fused:
        opened.add_init_script(REFUSE)
    opened.goto(page.as_uri())
    chosen = opened.evaluate(CHOSEN)
    assert chosen == fused

    def compute(name, dtype, arrays):
        sent = [
            [a.shape[-1], base64.b64encode(a.astype(np.float64).tobytes()).decode()]
            for a in arrays
        ]
        results = opened.evaluate(RUN, [name, np.dtype(dtype).name, sent])
        found = [np.frombuffer(base64.b64decode(r)) for r in results]
        for result in found:
            rounded = result.astype(dtype)
            assert_array_equal(rounded.astype(np.float64), result)
        return [result.astype(dtype) for result in found]

    yield compute
    context.close()


def test_an_instruction_that_rounds_twice_is_not_used(browser, tmp_path):
    page = tmp_path / "page.html"
    tags = "".join(f'<script src="{path.as_uri()}"></script>' for path in SCRIPTS)
    page.write_text(f"<!doctype html>{tags}", encoding="utf-8")
    context = browser.new_context()
    opened = context.new_page()
    opened.add_init_script(ROUND_TWICE)
    opened.goto(page.as_uri())
    assert opened.evaluate(CHOSEN) is False
    (share,) = softmax_lib.softmax(np.array([0.7, 1.5]))[:1].tolist()
    assert opened.evaluate("Library.softmax([0.7, 1.5], 'float64')[0]") == share
    context.close()


def rows(n, dtype):
    """Return rows of n scores: of all sizes, equal ones, and with special values."""
    rng = np.random.default_rng(n)
    big = float(np.finfo(dtype).max)
    tiny = float(np.finfo(dtype).smallest_subnormal)
    x = rng.normal(size=(KINDS, n)) * 10.0 ** rng.uniform(-4, 3, (KINDS, 1))
    x[0] = 0.3
    x[1] = -0.0
    x[2] = tiny * rng.integers(-9, 9, n)
    x[3] *= 0.2 * big / (1.0 + np.abs(x[3]).max())
    x[4] = -np.inf
    for row, value in ((5, np.nan), (6, np.inf), (7, -np.inf), (8, -0.0), (9, big)):
        x[row, rng.integers(n, size=1 + n // 9)] = value
    # A winner far above the others, where the logarithm of its share is tiny.
    for row in range(10, 15):
        x[row] = -rng.uniform(10, 760)
        x[row, rng.integers(n)] = rng.uniform(-1, 1)
    x[15] = np.round(x[15])
    with np.errstate(over="ignore"):
        return x.astype(dtype)


def assert_same_bits(found, right):
    """Compare bits; one NaN is as good as another."""
    right = np.ravel(right)
    assert_array_equal(found, right)
    numbers = ~np.isnan(right)
    assert_array_equal(np.signbit(found[numbers]), np.signbit(right[numbers]))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(
    "function", ["softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid"]
)
def test_results_have_the_bits_of_the_library(compute, function, dtype):
    arrays = [rows(n, dtype) for n in LENGTHS]
    results = compute(function, dtype, arrays)
    for x, found in zip(arrays, results, strict=True):
        assert_same_bits(found, getattr(softmax_lib, function)(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fma_has_the_bits_of_the_library(compute, dtype):
    limits = np.finfo(dtype)
    rng = np.random.default_rng(3)
    special = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, limits.smallest_subnormal]
    grid = [g.ravel() for g in np.meshgrid(special, special, special)]
    far = limits.maxexp / 3
    a, b = (rng.normal(size=16384) * 2.0 ** rng.uniform(-far, far, 16384) for _ in "ab")
    near = rng.choice([1.0, 1.0 + limits.eps, 1 / limits.eps, limits.eps], a.size)
    parts = zip((a, b, -a * b * near), grid, strict=True)
    a, b, c = (np.concatenate(pair).astype(dtype) for pair in parts)
    a, b, c = (np.append(x, np.ones(-x.size % 16, dtype)) for x in (a, b, c))
    right = np.empty_like(a)
    exact_fma(a, b, c, right)
    triples = np.stack([a, b, c], axis=-1)
    assert_same_bits(*compute("fma", dtype, [triples]), right)


def test_a_row_alone_has_the_bits_that_it_has_among_others(compute):
    x = rows(37, "float32")
    (together,) = compute("softmax", "float32", [x])
    assert_same_bits(np.concatenate(compute("softmax", "float32", x)), together)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("formula", ["naive_softmax", "shifted_softmax"])
def test_textbook_is_the_same_up_to_the_exponential(compute, formula, dtype):
    # Elsewhere the exponential is that of the system; here it is another one. Each has
    # an error below 1 ULP, and the sum of n of them rounds n times.
    for n in (1, 2, 3, 10, 50, 300):
        for x in rows(n, dtype):
            with np.errstate(all="ignore"):
                right = getattr(textbook, formula)(x)
            (found,) = compute(formula, dtype, [x])
            assert_array_equal(np.isfinite(found), np.isfinite(right))
            finite = np.isfinite(right)
            far = np.abs(found - right.astype(dtype))[finite]
            tiny = 2 * np.finfo(dtype).smallest_subnormal
            assert np.all(far <= right[finite] * (n + 4) * np.finfo(dtype).eps + tiny)


def test_exponential_in_float32_is_rounded_correctly(compute):
    x = np.random.default_rng(1).uniform(-105, 90, 100_000).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        right = np.exp(x.astype(np.float64)).astype(np.float32)
    assert_array_equal(*compute("exp", "float32", [x]), right)


def test_exponential_in_float64_is_within_two_thirds_of_an_ulp(compute):
    x = np.random.default_rng(2).uniform(-700, 709, 2000)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 710.0, -746.0, 1e300])
    found, limits = compute("exp", "float64", [x, special])
    with mpmath.workdps(40):
        errors = [
            abs(mpmath.mpf(f) - mpmath.exp(value)) / np.spacing(f)
            for f, value in zip(found.tolist(), x.tolist(), strict=True)
        ]
    assert max(errors) < 2 / 3
    assert_array_equal(limits, [1, 1, np.inf, 0, np.nan, np.inf, 0, np.inf])


def test_float16_rounds_as_numpy_does(compute):
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float64)
    finite = np.unique(every[np.isfinite(every)])
    middles = (finite[1:] + finite[:-1]) / 2
    near = [middles, middles * (1 + 1e-12), middles * (1 - 1e-12)]
    x = np.concatenate([every, *near, [65519.99, 65520.0, 1e300, -1e300, 5e-324]])
    with np.errstate(over="ignore", invalid="ignore"):
        right = x.astype(np.float16)
    assert_same_bits(*compute("round", "float16", [x]), right)


@pytest.mark.parametrize("formula", ["naive_softmax", "shifted_softmax"])
def test_float16_formulas_round_every_step(compute, formula):
    def rounded(values):
        with np.errstate(all="ignore"):
            return np.asarray(values, np.float64).astype(np.float16)

    for x in rows(9, "float16"):
        with np.errstate(all="ignore"):
            scores = x if formula == "naive_softmax" else x - x.max()
            terms = rounded(np.exp(scores.astype(np.float64)))
            total = np.float16(0)
            for term in terms:
                total = np.float16(total + term)
            right = terms / total
        assert_same_bits(*compute(formula, "float16", [x]), right)
