"""Run the measurements of `make bench` as on a processor with AVX2 and no AVX-512.

Usage: python -m benchmarks.without_avx512 [seconds a cell], on x86-64 under Linux, with
a C compiler and objdump.

The library and most peers are told by variables. ONNX Runtime asks the processor: in a
copy of it a trap stands in the place of each instruction CPUID, and `cpuid_trap.c`
answers.
"""

import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent

# AVX2 is what all these have in common.
VARIABLES = {
    "NUMBA_CPU_NAME": "x86-64-v3",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}

CPUID, TRAP = b"\x0f\xa2", b"\xcc\x90"
LOADED = 1


def with_traps(library):
    """Put a trap in the place of each CPUID of a shared library; return how many."""
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    content = bytearray(library.read_bytes())
    places = [int(a, 16) for a in re.findall(r"(?m)^ *([0-9a-f]+):\tcpuid", listing)]
    for address in places:
        at = offset_of(address, content)
        assert content[at : at + 2] == CPUID
        content[at : at + 2] = TRAP
    library.write_bytes(content)
    return len(places)


def offset_of(address, content):
    """Return where in an ELF file the byte of an address is."""
    (start,), (count,) = (
        struct.unpack_from(kind, content, at) for kind, at in (("<Q", 32), ("<H", 56))
    )
    for k in range(count):
        kind, _, offset, begin, _, size, _, _ = struct.unpack_from(
            "<IIQQQQQQ", content, start + 56 * k
        )
        if kind == LOADED and begin <= address < begin + size:
            return offset + address - begin
    raise ValueError(f"got address {address:#x}, which is in no part of the file")


def main():
    """Prepare the copy and run the measurements."""
    found = Path(importlib.util.find_spec("onnxruntime").origin).parent
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copy = shutil.copytree(found, folder / "onnxruntime")
        for library in copy.glob("capi/onnxruntime_pybind11_state*.so"):
            print(f"{with_traps(library)} traps in {library.name}")
        answers = folder / "cpuid_trap.so"
        compiler = "cc", "-O1", "-shared", "-fPIC", HERE / "cpuid_trap.c", "-o", answers
        subprocess.run(compiler, check=True)
        paths = os.pathsep.join([str(folder), str(HERE.parent)])
        told = VARIABLES | {"LD_PRELOAD": str(answers), "PYTHONPATH": paths}
        command = [sys.executable, "-m", "benchmarks.run", *sys.argv[1:]]
        subprocess.run(command, env=os.environ | told, check=True)


if __name__ == "__main__":
    main()
