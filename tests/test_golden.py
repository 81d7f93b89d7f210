"""Results are the same bits as before: hashes of all functions in every layout.

`python tests/test_golden.py` stores them anew, and raises the version of the bits. That
is due only where a result is meant to change, in a commit that says why.
"""

import hashlib
import json
import platform
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
import pytest
from numba import njit

import softmax_lib as sl

STORED = Path(__file__).with_name("golden.json")
CHANGES = Path(__file__).parents[1] / "CHANGELOG.md"
DTYPES = ("float32", "float64")
SPREADS = ((1.0, 0.0), (5.0, 3.0), (60.0, 0.0), (1e4, 1e5), (1e-3, -700.0))

# (shape, axes): lengths on both sides of each threshold of `_layout`.
ROWS = [
    ((rows, n), (-1,))
    for rows, n in (
        (7, 1), (7, 2), (40, 3), (5, 8), (5, 9), (40, 10), (5, 15), (5, 16), (5, 17),
        (100, 31), (9, 48), (13, 160), (14, 160), (20, 161), (4, 95), (4, 96), (4, 97),
        (6, 191), (6, 192), (6, 193), (9, 1000), (5, 2048), (5, 2049), (5, 4096),
        (5, 4097), (3, 65537), (2, 131073), (1, 32768), (1, 40001), (2, 300000),
    )
]  # fmt: skip
COLUMNS = [
    ((5, 3), (0,)), ((40, 17), (0,)), ((600, 13), (0,)), ((50, 31), (0,)),
    ((256, 64), (0,)), ((257, 1024), (0,)), ((300, 1024), (0,)), ((17, 4096), (0,)),
    ((3184, 128), (0,)), ((3185, 128), (0,)), ((5000, 33), (0,)), ((4000, 600), (0,)),
    ((3500, 1024), (0,)), ((6, 21, 40), (1,)), ((50, 10, 2), (1,)), ((8, 21, 96), (1,)),
    ((6, 7, 8), (0, 2, (0, 2), (0, 1), (1, 2), None)), ((5, 6, 7, 3), ((1, 3), (1, 2))),
]  # fmt: skip
CASES = ROWS + COLUMNS


def uniform(shape, seed):
    """Return numbers of [0, 1) that are the same on every machine (splitmix64)."""
    steps = np.arange(1, np.prod(shape, dtype=int) + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = (steps + np.uint64(seed) * np.uint64(10**9)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(11)) * 2.0**-53).reshape(shape)


def bell(shape, seed):
    """Return numbers that are spread roughly as normal ones are."""
    return sum(uniform(shape, 4 * seed + k) for k in range(4)) * 3.4 - 6.8


def scores(shape, dtype, spread, seed):
    """Return scores with ties, a winner, NaN and both infinities, for big enough rows.

    The last quarter of the slices along the last axis is left as it was drawn.
    """
    scale, offset = spread
    x = (offset + scale * bell(shape, seed)).astype(dtype)
    rows = x.reshape(-1, x.shape[-1])
    n = rows.shape[1]
    if len(rows) >= 4:
        rows[0, 0] = -np.inf
        rows[0, n // 2 :] = rows[0, n // 2]
        rows[1, n // 3] = offset + 30 * scale
        rows[2, -1] = (np.nan, np.inf)[seed % 2]
        rows[3] = -np.inf if seed % 3 else 0.0
    return x


class Digest:
    """A hash of arrays in which every NaN is the same."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, *results):
        for a in results:
            a = np.array(a, order="C")
            self._hash.update(f"{a.dtype}{a.shape}".encode())
            a[np.isnan(a)] = np.nan
            self._hash.update(a.tobytes())

    def text(self):
        return self._hash.hexdigest()[:16]


AXIS_FUNCTIONS = {f.__name__: f for f in (sl.softmax, sl.log_softmax, sl.logsumexp)}


@njit
def softmax_inside(x, axis):
    return sl.softmax(x, axis)


@njit
def log_softmax_inside(x, axis):
    return sl.log_softmax(x, axis)


@njit
def logsumexp_inside(x, axis):
    return sl.logsumexp(x, axis)


INSIDE = {
    "softmax": softmax_inside,
    "log_softmax": log_softmax_inside,
    "logsumexp": logsumexp_inside,
}


def along_axis(name, dtype, shape, axis, inside=False):
    """Return the hash of a function along an axis."""
    digest = Digest()
    function = INSIDE[name] if inside else AXIS_FUNCTIONS[name]
    large = np.prod(shape) > 400_000
    for seed, spread in enumerate(SPREADS[1:3] if large else SPREADS):
        digest.add(function(scores(shape, dtype, spread, seed), axis))
    return digest.text()


LOSS_SHAPES = [
    ((7, 1), 1), ((40, 10), 1), ((9, 100), 1), ((14, 160), 1), ((70, 1000), 1),
    ((5, 5000), 1), ((2, 131073), 1), ((40, 17), 0), ((300, 1024), 0),
    ((3185, 128), 0), ((6, 21, 40), 1), ((13,), 0),
]  # fmt: skip


def labelled(dtype, shape, axis, seed):
    """Return scores, labels, rows of probabilities and weights of classes."""
    x = scores(shape, dtype, SPREADS[seed], seed)
    n = shape[axis]
    rows = shape[:axis] + shape[axis + 1 :]
    labels = (uniform(rows, 50 + seed) * n).astype(np.int64)
    targets = uniform(shape, 60 + seed).astype(dtype)
    weight = uniform((n,), 70 + seed).astype(dtype)
    return x, labels, targets, weight


def losses(dtype, shape, axis):
    """Return the hash of cross-entropy and its gradient in all their forms."""
    digest = Digest()
    for seed in range(len(SPREADS)):
        x, labels, targets, weight = labelled(dtype, shape, axis, seed)
        both = sl.cross_entropy_and_grad
        digest.add(sl.cross_entropy(x, labels, axis, reduction="none"))
        digest.add(*both(x, labels, axis, reduction="none"))
        digest.add(*both(x, labels, axis, weight=weight, ignore_index=0))
        digest.add(*both(x, labels, axis, weight=weight, label_smoothing=0.1))
        digest.add(*both(x, targets, axis, reduction="sum"))
        digest.add(*both(x, targets, axis, reduction="none", label_smoothing=0.2))
    return digest.text()


def weighted_losses(dtype):
    """Return the hash of each loss and gradient, with weights of both signs."""
    digest = Digest()
    for shape, axis in LOSS_SHAPES[:5]:
        for seed in range(len(SPREADS)):
            x, labels, targets, weight = labelled(dtype, shape, axis, seed)
            options = {"weight": (weight - 0.25) * 8.0 ** (seed * 20 - 40)}
            for given in (labels, targets):
                for reduction in ("none", "mean"):
                    options["reduction"] = reduction
                    digest.add(*sl.cross_entropy_and_grad(x, given, axis, **options))
    return digest.text()


@njit
def both_inside(x, labels, axis, weight):
    first = sl.cross_entropy_and_grad(x, labels, axis, reduction="none")
    second = sl.cross_entropy_and_grad(x, labels, axis, ignore_index=0, weight=weight)
    third = sl.cross_entropy_and_grad(
        x, labels, axis, weight=weight, label_smoothing=0.1
    )
    loss = sl.cross_entropy(x, labels, axis, reduction="none")
    return loss, first[0], first[1], second[0], second[1], third[0], third[1]


both_outside = both_inside.py_func


def _plain(result):
    # A single number leaves compiled code as a Python float.
    return result if np.ndim(result) else float(result)


def vjps(dtype, shape, axis):
    """Return the hash of what softmax and log-softmax pass back."""
    digest = Digest()
    for seed in range(len(SPREADS)):
        x = scores(shape, dtype, SPREADS[seed], seed)
        g = bell(shape, 90 + seed).astype(dtype)
        digest.add(sl.softmax_vjp(sl.softmax(x, axis), g, axis))
        digest.add(sl.log_softmax_vjp(sl.log_softmax(x, axis), g, axis))
    return digest.text()


def entries(dtype):
    """Return the hash of the functions of each entry, of several lengths."""
    digest = Digest()
    for n in (1, 7, 8, 15, 16, 17, 1000, 20001, 70001):
        for scale in (1.0, 30.0, 800.0):
            x = (scale * bell((n,), n)).astype(dtype)
            x[-1] = (0.0, -0.0, np.inf, -np.inf, np.nan)[n % 5]
            digest.add(sl.sigmoid(x), sl.log_sigmoid(x))
    return digest.text()


def converted():
    """Return the hash of what is widened, converted, masked or strided first."""
    digest = Digest()
    x = bell((40, 300), 5)
    some = uniform((40, 300), 6) < 0.7
    for a in (x.astype(np.float16), (9 * x).astype(np.int8), x.T, x[::-2, ::3]):
        digest.add(*(f(a) for f in AXIS_FUNCTIONS.values()), sl.sigmoid(a))
    digest.add(*(f(x, where=some) for f in AXIS_FUNCTIONS.values()))
    digest.add(sl.softmax(x, out=x.copy()), sl.logsumexp(x, keepdims=True))
    return digest.text()


def weighted():
    """Return the hash of log-sum-exp with factors, of one sign and of both."""
    x, b = 40 * bell((30, 200), 7), bell((30, 200), 8)
    digest = Digest()
    digest.add(sl.logsumexp(x, b=abs(b)), sl.logsumexp(x, axis=0, b=b * b))
    digest.add(*sl.logsumexp(x, b=b, return_sign=True))
    digest.add(*sl.logsumexp(x / 40, axis=0, b=b, return_sign=True))
    return digest.text()


def computed():
    """Yield every case: a name and a call that returns its hash."""
    for dtype in DTYPES:
        for name in AXIS_FUNCTIONS:
            for shape, axes in CASES:
                for axis in axes:
                    yield (
                        f"{name} {dtype} {shape} {axis}",
                        lambda a=(name, dtype, shape, axis): along_axis(*a),
                    )
        for shape, axis in LOSS_SHAPES:
            yield (
                f"losses {dtype} {shape} {axis}",
                lambda a=(dtype, shape, axis): losses(*a),
            )
            yield (
                f"vjps {dtype} {shape} {axis}",
                lambda a=(dtype, shape, axis): vjps(*a),
            )
        yield f"weighted losses {dtype}", lambda a=dtype: weighted_losses(a)
        yield f"entries {dtype}", lambda a=dtype: entries(a)
    yield "converted", converted
    yield "weighted", weighted


COMPUTED = dict(computed())


def _has_fma():
    features = llvmlite.binding.get_host_cpu_features()
    return features.get("fma") or platform.machine() in ("arm64", "aarch64")


pytestmark = pytest.mark.skipif(
    not _has_fma(), reason="without a fused multiply-add the last digits differ"
)
MORE_THREADS = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread only"
)


@pytest.fixture(scope="module")
def stored():
    return json.loads(STORED.read_text(encoding="utf-8"))


def test_every_case_is_stored(stored):
    assert list(stored) == ["version", *COMPUTED]


def test_the_version_of_the_bits_is_in_the_changelog(stored):
    assert f"**New bits** (version {stored['version']})" in CHANGES.read_text("utf-8")


@pytest.mark.parametrize("name", COMPUTED)
def test_one_thread(name, stored):
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert COMPUTED[name]() == stored[name]
    finally:
        numba.set_num_threads(before)


LARGE = [
    f"{name} {dtype} {shape} {axis}"
    for dtype in DTYPES
    for names, cases in ((AXIS_FUNCTIONS, CASES), (("losses", "vjps"), LOSS_SHAPES))
    for name in names
    for shape, axes in cases
    for axis in (axes if isinstance(axes, tuple) else (axes,))
    if np.prod(shape) >= 1 << 15
]


@MORE_THREADS
@pytest.mark.parametrize("name", [*LARGE, "entries float32", "entries float64"])
def test_several_threads(name, stored):
    assert COMPUTED[name]() == stored[name]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", AXIS_FUNCTIONS)
def test_inside_njit(name, dtype, stored):
    for shape, axes in CASES:
        for axis in axes:
            if isinstance(axis, int):
                found = along_axis(name, dtype, shape, axis, inside=True)
                assert found == stored[f"{name} {dtype} {shape} {axis}"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_losses_inside_njit(dtype):
    for shape, axis in LOSS_SHAPES[:-1]:
        for seed in range(len(SPREADS)):
            x, labels, _, weight = labelled(dtype, shape, axis, seed)
            inside, outside = Digest(), Digest()
            inside.add(*map(_plain, both_inside(x, labels, axis, weight)))
            outside.add(*map(_plain, both_outside(x, labels, axis, weight)))
            assert inside.text() == outside.text(), (shape, axis, seed)


def store():
    """Store all hashes anew; new bits have the next version."""
    before = json.loads(STORED.read_text())
    now = {name: hash_of() for name, hash_of in COMPUTED.items()}
    changed = any(before.get(name, found) != found for name, found in now.items())
    version = before["version"] + changed
    STORED.write_text(json.dumps({"version": version, **now}, indent=0))


if __name__ == "__main__":
    store()
