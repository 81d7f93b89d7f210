"""From the entries to the bytes of the module."""

import re

import llvmlite.binding as llvm

from tools.wasm import entries, fma, relaxed
from tools.wasm.link import link

TRIPLE = "wasm32-unknown-unknown"
FEATURES = "+simd128,+bulk-memory,+sign-ext,+nontrapping-fptoint,+mutable-globals"

COUNTING = re.compile(r"(?ms)^define \w+ void @(NRT_(?:inc|dec)ref)\(.*?^}")
# A kernel makes one array at most, its result, which lies where the page wants it. No
# array has an owner: nothing is counted, nothing freed.
ALLOCATION = """
@result = global ptr null
@block = internal global { i64, ptr, ptr, ptr, i64, ptr } zeroinitializer
define noalias ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %place = load ptr, ptr @result
  %taken = icmp eq ptr %place, null
  br i1 %taken, label %again, label %first
again:
  call void @llvm.trap()
  unreachable
first:
  store ptr null, ptr @result
  %data = getelementptr { i64, ptr, ptr, ptr, i64, ptr }, ptr @block, i32 0, i32 3
  store ptr %place, ptr %data
  ret ptr @block
}
declare void @llvm.trap()
"""
# Operations that other processors or their libraries have, and what stands for them.
FMA = re.compile(r"@llvm\.(?:fma|fmuladd)\.v(\d+)f(\d+)")
EXPONENTIALS = {"@llvm.exp.f64": "@libm.exp", "@llvm.exp.f32": "@libm.expf"}
LLVM_TYPES = {"float32": "float", "float64": "double"}


def back_end():
    """Return LLVM's machine for WebAssembly."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(TRIPLE)
    return target.create_target_machine(
        cpu="generic", features=FEATURES, opt=3, reloc="static", codemodel="default"
    )


class Linker:
    """Parts of a module in LLVM IR, made for another machine than Numba thought."""

    def __init__(self, machine):
        self.head = (
            f'target datalayout = "{machine.target_data}"\ntarget triple = "{TRIPLE}"\n'
        )
        self.whole = llvm.parse_assembly(self.head + ALLOCATION)
        self.fma_kinds = set()

    def add(self, text, extra=""):
        """Add IR that Numba wrote, and more that belongs to it."""
        text = re.sub(r"(?m)^target .*\n", "", text)
        text = COUNTING.sub(r"define internal void @\1(ptr %p) { ret void }", text)
        for name, ours in EXPONENTIALS.items():
            text = text.replace(f"{name}(", f"{ours}(")
        self.fma_kinds |= {(int(n), int(bits)) for n, bits in FMA.findall(text)}
        text = FMA.sub(r"@fma.v\1f\2", text)
        # The two kinds of fma became one, which may be declared once.
        lines, seen = [], set()
        for line in text.splitlines():
            if line.startswith("declare") and "@fma.v" in line:
                line = line.partition(" #")[0]
                if line in seen:
                    continue
                seen.add(line)
            lines.append(line)
        self.link("\n".join(lines) + extra)

    def link(self, text):
        self.whole.link_in(llvm.parse_assembly(self.head + text))


def exported(name, inner, lengths):
    """Return IR of a function that a page calls: (x, out, lengths...) -> status."""
    arguments = ["ptr %x", "ptr %out", *(f"i32 %n{k}" for k in range(lengths))]
    arguments = ", ".join(arguments)
    return f"""
@result = external global ptr
define i32 @{name}({arguments}) {{
  store ptr %out, ptr @result
  %none = alloca ptr
  %error = alloca ptr
  %status = call i32 @{inner}(ptr %none, ptr %error, {arguments})
  ret i32 %status
}}
"""


def called_as(name, inner, kind):
    """Return IR of a function of one number, under the name that kernels call it by."""
    return f"""
define {kind} @{name}({kind} %x) noinline {{
  %value = alloca {kind}
  %error = alloca ptr
  %status = call i32 @{inner}(ptr %value, ptr %error, {kind} %x)
  %result = load {kind}, ptr %value
  ret {kind} %result
}}
"""


def build():
    """Return the module's bytes, and what its second form replaces in them."""
    machine = back_end()
    parts = Linker(machine)
    names = []
    for entry in entries.ENTRIES:
        for dtype in entry.dtypes:
            name = entry.export_name(dtype)
            text, inner = entries.compiled(entry, dtype)
            parts.add(text, exported(name, inner, entry.lengths))
            names.append(name)
    for name, kind, dispatcher in entries.EXPONENTIALS:
        text, inner = entries.ir_of(dispatcher)
        parts.add(text, called_as(name, inner, LLVM_TYPES[kind]))
    parts.link(fma.module(parts.fma_kinds))
    optimise(parts.whole, machine, names)
    module, functions = link(machine.emit_object(parts.whole), names)
    return module, relaxed.edits(module, functions)


def optimise(module, machine, exports):
    """Run LLVM's passes, for few bytes: vectors are in the kernels already."""
    for value in [*module.functions, *module.global_variables]:
        if not value.is_declaration and value.name not in exports:
            value.linkage = "internal"
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
