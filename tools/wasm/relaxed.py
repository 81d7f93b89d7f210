"""The second form of the module, in which fma is one instruction.

Relaxed SIMD has an instruction for a * b + c, which rounds once or twice, as suits the
processor. Where it rounds once, it does what the functions of `fma` do. The two forms
differ in the bodies of these functions alone: the second is stored as what is replaced
in the first.

LLVM knows the instruction too, but where it may use relaxed SIMD, its maxima are
relaxed as well: what they make of NaN and of -0 depends on the processor.
"""

from tools.wasm.link import CODE, END, HEADER, Reader, unsigned

NO_LOCALS = unsigned(0)
THREE_ARGUMENTS = b"\x20\0\x20\1\x20\2"  # local.get
RELAXED_MADD = {"fma.v4f32": b"\xfd\x85\x02", "fma.v2f64": b"\xfd\x87\x02"}


def edits(module, functions):
    """Return (start, end, bytes) of all that the second form replaces in the first."""
    file = Reader(module)
    file.take(len(HEADER))
    while file.byte() != CODE:
        file.take(file.unsigned())
    start = file.at
    size = file.unsigned()
    content = file.at
    places = []
    for _ in range(file.unsigned()):
        at = file.at
        file.take(file.unsigned())
        places.append((at, file.at))
    made = []
    for name, instruction in RELAXED_MADD.items():
        body = NO_LOCALS + THREE_ARGUMENTS + instruction + END
        made.append((*places[functions[name]], unsigned(len(body)) + body))
    size += sum(len(new) - (end - at) for at, end, new in made)
    return sorted([(start, content, unsigned(size)), *made])
