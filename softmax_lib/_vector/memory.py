"""Vectors to and from memory: whole, in part, and number by number."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from softmax_lib._jit import inlined
from softmax_lib._vector.type import (
    INT32,
    NegatedPointer,
    call_llvm,
    element,
    full_vector,
    indices,
    spread,
    suffix,
    vector_length,
)


@intrinsic
def data_pointer(typingctx, array):
    """Return a pointer to the numbers of a C-contiguous array; of None, None.

    Kernels pass pointers on, and not arrays: arrays are reference counted at every
    call, which costs more than a short row.
    """
    if array == types.none:
        return array(array), lambda context, builder, sig, args: args[0]

    def emit(context, builder, sig, args):
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), emit


@intrinsic
def negated(typingctx, pointer):
    """Return the pointer as one whose numbers are read with the opposite sign."""

    def emit(context, builder, sig, args):
        return args[0]

    return NegatedPointer(pointer.dtype)(pointer), emit


def as_intp(context, builder, sig, args, *which):
    """Return some arguments as machine integers."""
    return [context.cast(builder, args[k], sig.args[k], types.intp) for k in which]


def _address(builder, pointer, index, vector):
    return builder.bitcast(builder.gep(pointer, [index]), vector.llvm.as_pointer())


def _read(builder, kind, value):
    return builder.fneg(value) if isinstance(kind, NegatedPointer) else value


def alignment(vector):
    """Return how memory of vectors is aligned: as its numbers are, no more."""
    return vector.dtype.bitwidth // 8


def emit_load(builder, kind, vector, pointer, index):
    """Emit a load of a whole vector."""
    at = _address(builder, pointer, index, vector)
    return _read(builder, kind, builder.load(at, align=alignment(vector)))


def emit_store(builder, vector, pointer, index, value):
    """Emit a store of a whole vector."""
    at = _address(builder, pointer, index, vector)
    builder.store(value, at, align=alignment(vector))


def head_mask(context, builder, count, vector):
    """Return the mask of the first count lanes."""
    return _mask(context, builder, "<", range(vector.count), count, vector)


def tail_mask(context, builder, count, vector):
    """Return the mask of the last count lanes."""
    return _mask(context, builder, "<=", range(vector.count, 0, -1), count, vector)


def _mask(context, builder, relation, lanes, count, vector):
    numbers = indices(lanes)
    some = builder.trunc(count, INT32)
    limit = builder.insert_element(
        ir.Constant(numbers.type, ir.Undefined), some, INT32(0)
    )
    limit = builder.shuffle_vector(limit, limit, indices([0] * vector.count))
    return builder.icmp_signed(relation, numbers, limit)


def emit_masked_load(builder, kind, vector, pointer, index, mask, rest):
    """Emit a load of the lanes of a mask; the others are rest."""
    at = _address(builder, pointer, index, vector)
    name = f"llvm.masked.load.{suffix(vector)}.p0"
    operands = [at, INT32(alignment(vector)), mask, _read(builder, kind, rest)]
    return _read(builder, kind, call_llvm(builder, name, vector.llvm, operands))


def emit_masked_store(builder, vector, pointer, index, mask, value):
    """Emit a store of the lanes of a mask."""
    at = _address(builder, pointer, index, vector)
    name = f"llvm.masked.store.{suffix(vector)}.p0"
    operands = [value, at, INT32(alignment(vector)), mask]
    call_llvm(builder, name, ir.VoidType(), operands)


@intrinsic
def load(typingctx, pointer, index):
    """Return the vector of pointer[index], pointer[index + 1], ..."""
    vector = full_vector(pointer.dtype)

    def emit(context, builder, sig, args):
        (at,) = as_intp(context, builder, sig, args, 1)
        return emit_load(builder, pointer, vector, args[0], at)

    return vector(pointer, index), emit


@intrinsic
def store(typingctx, pointer, index, value):
    """Write a vector to pointer[index], pointer[index + 1], ..."""

    def emit(context, builder, sig, args):
        (at,) = as_intp(context, builder, sig, args, 1)
        emit_store(builder, value, args[0], at, args[2])
        return context.get_dummy_value()

    return types.void(pointer, index, value), emit


@intrinsic
def load_like(typingctx, pointer, index, like):
    """Return a vector of the type of like from pointer[index] on."""

    def emit(context, builder, sig, args):
        (at,) = as_intp(context, builder, sig, args, 1)
        return emit_load(builder, pointer, like, args[0], at)

    return like(pointer, index, like), emit


def _partial_load(name, mask, doc):
    def partial(typingctx, pointer, index, count, filler):
        vector = full_vector(pointer.dtype)

        def emit(context, builder, sig, args):
            at, some = as_intp(context, builder, sig, args, 1, 2)
            rest = spread(context, builder, args[3], sig.args[3], vector)
            kept = mask(context, builder, some, vector)
            return emit_masked_load(builder, pointer, vector, args[0], at, kept, rest)

        return vector(pointer, index, count, filler), emit

    partial.__name__, partial.__doc__ = name, doc
    return intrinsic(partial)


def _partial_store(name, mask, doc):
    def partial(typingctx, pointer, index, count, value):
        def emit(context, builder, sig, args):
            at, some = as_intp(context, builder, sig, args, 1, 2)
            kept = mask(context, builder, some, value)
            emit_masked_store(builder, value, args[0], at, kept, args[3])
            return context.get_dummy_value()

        return types.void(pointer, index, count, value), emit

    partial.__name__, partial.__doc__ = name, doc
    return intrinsic(partial)


load_head = _partial_load(
    "load_head", head_mask, "Load the first count lanes; the others are filler."
)
load_tail = _partial_load(
    "load_tail", tail_mask, "Load the last count lanes; the others are filler."
)
store_head = _partial_store(
    "store_head", head_mask, "Store the first count lanes of value."
)
store_tail = _partial_store(
    "store_tail", tail_mask, "Store the last count lanes of value."
)


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


@intrinsic
def load_scalar(typingctx, pointer, index):
    """Return the one number pointer[index]."""

    def emit(context, builder, sig, args):
        (at,) = as_intp(context, builder, sig, args, 1)
        return _read(builder, pointer, builder.load(builder.gep(args[0], [at])))

    return pointer.dtype(pointer, index), emit


@intrinsic
def store_scalar(typingctx, pointer, index, value):
    """Write one number to pointer[index]."""

    def emit(context, builder, sig, args):
        (at,) = as_intp(context, builder, sig, args, 1)
        number = context.cast(builder, args[2], sig.args[2], pointer.dtype)
        builder.store(number, builder.gep(args[0], [at]))
        return context.get_dummy_value()

    return types.void(pointer, index, value), emit


@intrinsic
def store_fields(typingctx, pointer, index, step, fields):
    """Write a tuple of vectors, `step` numbers apart, from pointer[index] on."""

    def emit(context, builder, sig, args):
        at, gap = as_intp(context, builder, sig, args, 1, 2)
        for k, kind in enumerate(fields.types):
            value = builder.extract_value(args[3], k)
            there = builder.add(at, builder.mul(gap, at.type(k)))
            start = builder.bitcast(args[0], element(kind.dtype).as_pointer())
            emit_store(builder, kind, start, there, value)
        return context.get_dummy_value()

    return types.void(pointer, index, step, fields), emit


@intrinsic
def load_fields(typingctx, pointer, index, step, like):
    """Return the tuple that `store_fields` wrote, of the type of like."""

    def emit(context, builder, sig, args):
        at, gap = as_intp(context, builder, sig, args, 1, 2)
        found = []
        for k, kind in enumerate(like.types):
            there = builder.add(at, builder.mul(gap, at.type(k)))
            start = builder.bitcast(args[0], element(kind.dtype).as_pointer())
            found.append(emit_load(builder, pointer, kind, start, there))
        return context.make_tuple(builder, like, found)

    return like(pointer, index, step, like), emit


@intrinsic
def count_to_boundary(typingctx, pointer, index, unit):
    """Return how many numbers from pointer[index] on lie before a multiple of unit.

    The unit is a power of two, in bytes.
    """
    size = pointer.dtype.bitwidth // 8

    def emit(context, builder, sig, args):
        at, step = as_intp(context, builder, sig, args, 1, 2)
        where = builder.ptrtoint(builder.gep(args[0], [at]), at.type)
        left = builder.and_(builder.neg(where), builder.sub(step, at.type(1)))
        return builder.udiv(left, at.type(size))

    return types.intp(pointer, index, unit), emit


@intrinsic
def same_pointer(typingctx, a, b):
    """Return whether two pointers are equal."""

    def emit(context, builder, sig, args):
        return builder.icmp_unsigned("==", *args)

    return types.boolean(a, b), emit


@intrinsic
def prefetch(typingctx, pointer, index):
    """Fetch the cache line of pointer[index], which may lie outside the array.

    Where pointer is None, do nothing.
    """

    def emit(context, builder, sig, args):
        if pointer == types.none:
            return context.get_dummy_value()
        (at,) = as_intp(context, builder, sig, args, 1)
        where = builder.bitcast(builder.gep(args[0], [at]), ir.IntType(8).as_pointer())
        to_read, to_keep, data = INT32(0), INT32(3), INT32(1)
        operands = [where, to_read, to_keep, data]
        call_llvm(builder, "llvm.prefetch.p0", ir.VoidType(), operands)
        return context.get_dummy_value()

    return types.void(pointer, index), emit
