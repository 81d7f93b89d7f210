"""Vectors to and from memory: whole, in part, and number by number."""

from llvmlite import ir
from numba import types

from softmax_lib._jit import inlined
from softmax_lib._layout import has_wide_registers
from softmax_lib._vector.type import (
    INT32,
    NegatedPointer,
    Vector,
    call_llvm,
    element,
    emit_splat,
    emitted,
    full_vector,
    halves,
    indices,
    spread,
    suffix,
    vector_length,
)


@emitted(lambda array: types.CPointer(array.dtype) if array != types.none else array)
def data_pointer(context, builder, kinds, array):
    """Return a pointer to the numbers of a C-contiguous array; of None, None.

    Kernels pass pointers on, and not arrays: arrays are reference counted at every
    call, which costs more than a short row.
    """
    if kinds[0] == types.none:
        return array
    return context.make_array(kinds[0])(context, builder, array).data


@emitted(lambda pointer: NegatedPointer(pointer.dtype))
def negated(context, builder, kinds, pointer):
    """Return the pointer as one whose numbers are read with the opposite sign."""
    return pointer


# --- emitters --------------------------------------------------------------------


def _read(builder, kind, value):
    return builder.fneg(value) if isinstance(kind, NegatedPointer) else value


def _address(builder, pointer, index, vector):
    return builder.bitcast(builder.gep(pointer, [index]), vector.llvm.as_pointer())


def emit_load(builder, kind, vector, pointer, index):
    """Emit a load of a whole vector, aligned as its numbers are."""
    at = _address(builder, pointer, index, vector)
    return _read(builder, kind, builder.load(at, align=vector.dtype.bitwidth // 8))


def emit_store(builder, vector, pointer, index, value):
    """Emit a store of a whole vector."""
    at = _address(builder, pointer, index, vector)
    builder.store(value, at, align=vector.dtype.bitwidth // 8)


def head_mask(builder, count, vector):
    """Return the mask of the first count lanes."""
    limit = emit_splat(builder, builder.trunc(count, INT32), vector.count)
    return builder.icmp_signed("<", indices(range(vector.count)), limit)


def tail_mask(builder, count, vector):
    """Return the mask of the last count lanes."""
    limit = emit_splat(builder, builder.trunc(count, INT32), vector.count)
    return builder.icmp_signed("<=", indices(range(vector.count, 0, -1)), limit)


def emit_masked_load(builder, kind, vector, pointer, index, mask, rest):
    """Emit a load of the lanes of a mask; the others are rest."""
    at = _address(builder, pointer, index, vector)
    name = f"llvm.masked.load.{suffix(vector)}.p0"
    operands = [at, INT32(vector.dtype.bitwidth // 8), mask, _read(builder, kind, rest)]
    return _read(builder, kind, call_llvm(builder, name, vector.llvm, operands))


def emit_masked_store(builder, vector, pointer, index, mask, value):
    """Emit a store of the lanes of a mask."""
    at = _address(builder, pointer, index, vector)
    name = f"llvm.masked.store.{suffix(vector)}.p0"
    operands = [value, at, INT32(vector.dtype.bitwidth // 8), mask]
    call_llvm(builder, name, ir.VoidType(), operands)


def emit_store_part(builder, vector, pointer, index, count, value, first=True):
    """Emit a store of the first count lanes of a vector, or of the last."""
    if has_wide_registers():
        mask = (head_mask if first else tail_mask)(builder, count, vector)
        emit_masked_store(builder, vector, pointer, index, mask, value)
    else:
        edge = index if first else builder.add(index, index.type(vector.count))
        _store_in_powers(builder, vector, pointer, edge, count, value, first)


def _store_in_powers(builder, vector, pointer, edge, count, value, first):
    """Emit stores of the first count lanes from edge on, or of the last up to it.

    Powers of two are stored, the largest first. With AVX2 a masked store of 64 bytes
    takes as long as twelve whole ones; with 128 bits it is a branch for each number.
    """

    def fits(size):
        return builder.icmp_signed(">=", count, count.type(size))

    def store(part):
        size = part.type.count
        at = edge if first else builder.sub(edge, edge.type(size))
        emit_store(builder, Vector(vector.dtype, size), pointer, at, part)

    size = vector.count
    with builder.if_else(fits(size)) as (all_lanes, some_lanes):
        with all_lanes:
            store(value)
        with some_lanes:
            while size > 1:
                size //= 2
                outer, inner = halves(builder, value)[:: 1 if first else -1]
                fit = fits(size)
                with builder.if_then(fit):
                    store(outer)
                value = builder.select(fit, inner, outer)
                done = builder.select(fit, count.type(size), count.type(0))
                count = builder.sub(count, done)
                edge = (builder.add if first else builder.sub)(edge, done)


# --- vectors ---------------------------------------------------------------------


@emitted(full_vector)
def load(context, builder, kinds, pointer, index):
    """Return the vector of pointer[index], pointer[index + 1], ..."""
    return emit_load(builder, kinds[0], full_vector(*kinds), pointer, index)


@emitted()
def store(context, builder, kinds, pointer, index, value):
    """Write a vector to pointer[index], pointer[index + 1], ..."""
    emit_store(builder, kinds[2], pointer, index, value)


def _partial(first):
    """Return a load and a store of the first lanes, or of the last."""
    mask = head_mask if first else tail_mask

    @emitted(full_vector)
    def load_part(context, builder, kinds, pointer, index, count, filler):
        """Load count lanes at one end of a vector; the others are filler."""
        vector = full_vector(*kinds)
        rest = spread(context, builder, filler, kinds[3], vector)
        lanes = mask(builder, count, vector)
        return emit_masked_load(builder, kinds[0], vector, pointer, index, lanes, rest)

    @emitted()
    def store_part(context, builder, kinds, pointer, index, count, value):
        """Store count lanes at one end of a vector."""
        emit_store_part(builder, kinds[3], pointer, index, count, value, first)

    return load_part, store_part


load_head, store_head = _partial(first=True)
load_tail, store_tail = _partial(first=False)


@inlined
def load_up_to(pointer, index, count):
    """Load a whole vector, or its first count lanes; the others are 0."""
    if count == vector_length(pointer):
        return load(pointer, index)
    return load_head(pointer, index, count, 0.0)


@inlined
def store_up_to(pointer, index, count, value):
    """Store a whole vector, or its first count lanes."""
    if count == vector_length(pointer):
        store(pointer, index, value)
    else:
        store_head(pointer, index, count, value)


def _fields(builder, pointer, index, step, fields):
    """Yield the type of each field, a pointer to it and its index."""
    for k, kind in enumerate(fields.types):
        start = builder.bitcast(pointer, element(kind.dtype).as_pointer())
        yield kind, start, builder.add(index, builder.mul(step, step.type(k)))


@emitted()
def store_fields(context, builder, kinds, pointer, index, step, fields):
    """Write a tuple of vectors, `step` numbers apart, from pointer[index] on."""
    places = _fields(builder, pointer, index, step, kinds[3])
    for k, (kind, start, at) in enumerate(places):
        emit_store(builder, kind, start, at, builder.extract_value(fields, k))


@emitted(lambda pointer, index, step, like: like)
def load_fields(context, builder, kinds, pointer, index, step, like):
    """Return the tuple that `store_fields` wrote, of the type of like."""
    found = [
        emit_load(builder, kinds[0], kind, start, at)
        for kind, start, at in _fields(builder, pointer, index, step, kinds[3])
    ]
    return context.make_tuple(builder, kinds[3], found)


# --- numbers and addresses -------------------------------------------------------


@emitted(lambda pointer, index: pointer.dtype)
def load_scalar(context, builder, kinds, pointer, index):
    """Return the one number pointer[index]."""
    return _read(builder, kinds[0], builder.load(builder.gep(pointer, [index])))


@emitted()
def store_scalar(context, builder, kinds, pointer, index, value):
    """Write one number to pointer[index]."""
    number = context.cast(builder, value, kinds[2], kinds[0].dtype)
    builder.store(number, builder.gep(pointer, [index]))


@emitted(lambda pointer, index, unit: types.intp)
def count_to_boundary(context, builder, kinds, pointer, index, unit):
    """Return how many numbers from pointer[index] on lie before a multiple of unit.

    The unit is a power of two, in bytes.
    """
    where = builder.ptrtoint(builder.gep(pointer, [index]), index.type)
    left = builder.and_(builder.neg(where), builder.sub(unit, unit.type(1)))
    return builder.udiv(left, left.type(kinds[0].dtype.bitwidth // 8))


@emitted(lambda a, b: types.boolean)
def same_pointer(context, builder, kinds, a, b):
    """Return whether two pointers are equal."""
    return builder.icmp_unsigned("==", a, b)


@emitted(lambda pointer, steps: pointer)
def shifted(context, builder, kinds, pointer, steps):
    """Return the pointer, moved by a number of steps; of None, None."""
    return pointer if kinds[0] == types.none else builder.gep(pointer, [steps])


@emitted()
def prefetch(context, builder, kinds, pointer, index):
    """Fetch the cache line of pointer[index], which may lie outside the array.

    Where pointer is None, do nothing.
    """
    if kinds[0] != types.none:
        where = builder.gep(pointer, [index])
        where = builder.bitcast(where, ir.IntType(8).as_pointer())
        to_read, to_keep, data = INT32(0), INT32(3), INT32(1)
        operands = [where, to_read, to_keep, data]
        call_llvm(builder, "llvm.prefetch.p0", ir.VoidType(), operands)
