"""The library's kernels as a WebAssembly module, for the pages of the book.

`python -m tools.wasm` makes it. Numba compiles the kernels to LLVM IR as it does for
any processor; LLVM, which llvmlite carries, makes an object file for WebAssembly of
that; `link` turns the object file into a module. No other compiler takes part.
"""
