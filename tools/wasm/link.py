"""An object file for WebAssembly becomes a module, without a linker.

LLVM writes the final indices into the object file of a module that calls nothing
outside itself. What is left to do: to define the memory and the stack pointer, which
the object file imports, and to name the exports.
"""

PAGE = 65536
STACK_BYTES = PAGE
# Sections in the order that a module has to have.
TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT = range(1, 8)
START, ELEMENT, CODE, DATA, DATA_COUNT = range(8, 13)
ORDER = (TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT,
         DATA_COUNT, CODE, DATA)  # fmt: skip
HEADER = b"\0asm\1\0\0\0"
# Kinds of symbols, of imports and exports, and the flag of a symbol that is undefined.
SYMBOL_TABLE, FUNCTION_SYMBOL, DATA_SYMBOL, SECTION_SYMBOL = 8, 0, 1, 3
EXPORTED_FUNCTION, EXPORTED_MEMORY, EXPORTED_GLOBAL = b"\0", b"\2", b"\3"
UNDEFINED, HAS_NAME = 0x10, 0x40
I32, I32_CONST, END = b"\x7f", b"\x41", b"\x0b"


def unsigned(n):
    """Return n >= 0 as LEB128."""
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def signed(n):
    """Return n as signed LEB128."""
    out = b""
    while not -64 <= n < 64:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n & 127])


def text(name):
    return unsigned(len(name)) + name.encode()


class Reader:
    """Reads numbers and names from bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def __bool__(self):
        return self.at < len(self.data)

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def unsigned(self):
        n = shift = 0
        while True:
            byte = self.byte()
            n |= (byte & 127) << shift
            if byte < 128:
                return n
            shift += 7

    def text(self):
        return self.take(self.unsigned()).decode()


def functions_of(linking):
    """Return the indices of the functions in the linking section, by their names."""
    indices = {}
    assert linking.unsigned() == 2, "another version of object files"
    while linking:
        kind, part = linking.byte(), Reader(linking.take(linking.unsigned()))
        if kind != SYMBOL_TABLE:
            continue
        for _ in range(part.unsigned()):
            symbol, flags = part.byte(), part.unsigned()
            if symbol == DATA_SYMBOL:
                name = part.text()
                assert not flags & UNDEFINED, f"undefined: {name}"
                for _ in range(3):
                    part.unsigned()
            elif symbol == SECTION_SYMBOL:
                part.unsigned()
            else:
                index = part.unsigned()
                if flags & UNDEFINED and not flags & HAS_NAME:
                    continue  # it has the name of an import
                name = part.text()
                if symbol == FUNCTION_SYMBOL:
                    indices[name] = index
    return indices


def check_imports(section):
    """Make sure that nothing but the memory and the stack pointer is imported."""
    for _ in range(section.unsigned()):
        _, name, kind = section.text(), section.text(), section.byte()
        assert name in ("__linear_memory", "__stack_pointer"), f"imported: {name}"
        if kind == EXPORTED_MEMORY[0]:
            if section.unsigned():
                section.unsigned()
            section.unsigned()
        else:
            section.take(2)


def end_of_data(section):
    """Return how many bytes of memory the constants fill, from 0 on."""
    end = 0
    for _ in range(section.unsigned()):
        assert (section.unsigned(), section.take(1)) == (0, I32_CONST)
        start = section.unsigned()
        assert section.take(1) == END
        end = max(end, start + len(section.take(section.unsigned())))
    return end


def link(object_file, exports):
    """Return a module that exports its memory and the named functions.

    Memory holds the constants, the stack, and from `__heap_base` on nothing. Returned
    too are the indices of all functions, by their names.
    """
    file = Reader(object_file)
    assert file.take(len(HEADER)) == HEADER
    sections, functions = {}, {}
    while file:
        kind, content = file.byte(), file.take(file.unsigned())
        if kind:
            sections[kind] = content
            continue
        custom = Reader(content)
        if custom.text() == "linking":
            functions = functions_of(custom)
    check_imports(Reader(sections.pop(IMPORT)))
    data = end_of_data(Reader(sections[DATA])) if DATA in sections else 0
    heap = (data + STACK_BYTES + 63) & ~63
    number = I32_CONST + signed(heap) + END
    sections[MEMORY] = unsigned(1) + b"\0" + unsigned(-(-heap // PAGE) + 1)
    # The stack grows downwards from the heap, and may change; the heap's start may not.
    sections[GLOBAL] = unsigned(2) + I32 + b"\1" + number + I32 + b"\0" + number
    named = [
        (text("memory"), EXPORTED_MEMORY + unsigned(0)),
        (text("__heap_base"), EXPORTED_GLOBAL + unsigned(1)),
        *((text(n), EXPORTED_FUNCTION + unsigned(functions[n])) for n in exports),
    ]
    sections[EXPORT] = unsigned(len(named)) + b"".join(map(b"".join, named))
    module = HEADER + b"".join(
        bytes([kind]) + unsigned(len(sections[kind])) + sections[kind]
        for kind in ORDER
        if kind in sections
    )
    return module, functions
