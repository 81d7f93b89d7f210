"""The WebAssembly module belongs to the library's code, and its fma is exact."""

import base64
import ctypes
import subprocess
import sys

import llvmlite.binding as llvm
import numpy as np
import pytest
from fused import exact_fma
from numpy.testing import assert_array_equal

from tools.wasm import fma, link, script

HOW = "the kernels, or what compiles them, have changed: run `make wasm`"
LIMIT = 60_000  # bytes, compressed


def test_module_was_made_from_these_sources():
    found, _ = script.read()
    assert {"softmax_lib/textbook.py", "tools/wasm/fma.py"} < set(found["sources"])
    assert script.digest(found["sources"]) == found["digest"], HOW


def test_module_is_small():
    found, _ = script.read()
    assert len(base64.b64decode(found["bytes"])) <= LIMIT


def test_second_form_differs_in_the_bodies_of_fma():
    found, _ = script.read()
    size, *bodies = (edit.split()[-1] for edit in found["relaxed"])
    assert len(size) == 6
    # Eleven bytes after their length: no locals, three arguments, the instruction, end.
    arguments = "0b00200020012002"
    assert sorted(bodies) == [arguments + "fd85020b", arguments + "fd87020b"]


def test_digest_is_of_code_and_not_of_comments(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "ROOT", tmp_path)
    path = tmp_path / "kernel.py"

    def digest(text):
        path.write_text(text)
        return script.digest(["kernel.py"])

    first = digest('def f(x):\n    """Add 1."""\n    return x + 1\n')
    assert digest("def f(x):  # why\n    return (x + 1)\n") == first
    assert digest("def f(x):\n    return x + 2\n") != first


def test_making_it_again_gives_the_same_bytes():
    found, module = script.read()
    if found["madeBy"] != script.makers():
        pytest.skip(f"made by {found['madeBy']}")
    code = "import sys; from tools.wasm import build, script; "
    code += "made, edits = build.build(); "
    code += "print(*script.as_text(edits), sep=',', file=sys.stderr); "
    code += "sys.stdout.buffer.write(made)"
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=script.ROOT, capture_output=True, check=True
    )
    assert made.stdout == module, HOW
    assert made.stderr.decode().splitlines()[-1].split(",") == found["relaxed"], HOW


# --- fma -------------------------------------------------------------------------

LANES = {32: 4, 64: 2}
NUMBERS = {32: ctypes.c_float, 64: ctypes.c_double}
LOOP = """
define void @all(ptr %a, ptr %b, ptr %c, ptr %out, i64 %n) {{
entry:
  br label %next
next:
  %i = phi i64 [0, %entry], [%j, %next]
  %pa = getelementptr {kind}, ptr %a, i64 %i
  %pb = getelementptr {kind}, ptr %b, i64 %i
  %pc = getelementptr {kind}, ptr %c, i64 %i
  %po = getelementptr {kind}, ptr %out, i64 %i
  %x = load {kind}, ptr %pa, align 4
  %y = load {kind}, ptr %pb, align 4
  %z = load {kind}, ptr %pc, align 4
  %r = call {kind} @fma.v{count}f{bits}({kind} %x, {kind} %y, {kind} %z)
  store {kind} %r, ptr %po, align 4
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %n
  br i1 %more, label %next, label %done
done:
  ret void
}}
"""


def operands(bits, dtype):
    """Return numbers of all sizes, with sums that cancel, ties, and special values."""
    rng = np.random.default_rng(5)
    n, far = 40_000, {32: 35, 64: 160}[bits]
    a, b = (rng.normal(size=n) * 2.0 ** rng.uniform(-far, far, n) for _ in "ab")
    c = -a * b * rng.choice([1.0, 1.0 + 1e-7, 2.0**24, 2.0**-24, 2.0**53, 2.0**-53], n)
    a, b, c = (x.astype(dtype) for x in (a, b, c))
    # Few bits: products and sums in the middle of two numbers.
    few = [rng.integers(-9, 10, n) * 2.0 ** rng.integers(-30, 30, n) for _ in "abc"]
    # Products in the middle of two numbers, where a tiny one decides.
    digits = np.finfo(dtype).nmant + 1
    u, w = 2.0 ** -(digits // 2), 2.0 ** (digits // 2 - digits)
    signs = [rng.choice([-1.0, 1.0], n) for _ in "abc"]
    tie = [1 + u, 1 + w * rng.choice([1, 3], n), 2.0 ** rng.integers(-100, -60, n)]
    tie = [sign * part for sign, part in zip(signs, tie, strict=True)]
    with np.errstate(under="ignore"):
        tiny = np.finfo(dtype).smallest_subnormal
        low = [rng.normal(size=n) * 2.0 ** rng.uniform(-26, 2, n) for _ in "abc"]
        smallest = 2.0 ** np.floor(np.log2(float(tiny)) / 2)
        low = [low[0] * smallest, low[1] * smallest * 8, low[2] * 8 * float(tiny)]
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, float(tiny), -1.5]
    grid = [g.ravel() for g in np.meshgrid(special, special, special)]
    parts = zip((a, b, c), few, tie, low, grid, strict=True)
    whole = [np.concatenate([p.astype(dtype) for p in group]) for group in parts]
    extra = -whole[0].size % 64
    return [np.concatenate([w, np.ones(extra, dtype)]) for w in whole]


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("times", [1, 4])
def test_fma_without_an_instruction_is_exact(bits, times):
    count = LANES[bits] * times
    kind = f"<{count} x {fma.FLOATS[bits]}>"
    text = fma.module({(count, bits)}) + LOOP.format(kind=kind, count=count, bits=bits)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    module = llvm.parse_assembly(text)
    dtype = np.dtype(f"f{bits // 8}")
    a, b, c = operands(bits, dtype)
    result, right = np.empty_like(a), np.empty_like(a)
    with llvm.create_mcjit_compiler(module, machine) as engine:
        engine.finalize_object()
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64)
        place = engine.get_function_address("all")
        call(place)(*(x.ctypes.data for x in (a, b, c, result)), a.size // count)
    exact_fma(a, b, c, right)
    assert_array_equal(result, right)
    numbers = ~np.isnan(right)
    assert_array_equal(np.signbit(result[numbers]), np.signbit(right[numbers]))
    subnormal = np.abs(right) < np.finfo(dtype).smallest_normal
    assert np.count_nonzero(subnormal & (right != 0)) > 1000


# --- link ------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 63, 64, 127, 128, 16384, 2**31])
def test_numbers_are_written_as_they_are_read(n):
    assert link.Reader(link.unsigned(n)).unsigned() == n


def test_signed_numbers_keep_their_sign():
    # From the specification: a positive number never ends in a byte with the sign bit.
    assert link.signed(63) == b"\x3f"
    assert link.signed(64) == b"\xc0\x00"
    assert link.signed(-64) == b"\x40"
    assert link.signed(-65) == b"\xbf\x7f"


def test_a_function_that_is_not_there_is_refused():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple("wasm32-unknown-unknown")
    machine = target.create_target_machine()
    text = """target triple = "wasm32-unknown-unknown"
declare i32 @missing()
define i32 @f() {
  %r = call i32 @missing()
  ret i32 %r
}"""
    made = machine.emit_object(llvm.parse_assembly(text))
    with pytest.raises(AssertionError, match="missing"):
        link.link(made, ["f"])
