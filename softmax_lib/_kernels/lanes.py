"""A vector type for kernels: sixteen float32 or eight float64 that act as one number.

Numba leaves it to the compiler to discover that a loop may run on vectors, and
the compiler refuses as soon as the order of a sum matters, which is exactly
what a compensated sum is about. So the kernels say it themselves: a value of
type `Lanes` is one 64-byte LLVM vector, ``+ - * /`` act lane by lane, a plain
number among them stands for a vector filled with it, and the functions below
are all there is besides. LLVM splits the vectors on machines with shorter ones.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
    type_callable,
)

BYTES = 64
"""One cache line, and the longest vector of today's machines."""


SCRATCH = 200 << 10
"""Bytes on the stack where a kernel may lay numbers out anew.

Twice that is within the smallest stack in use, half a MiB of a macOS thread.
"""


class Lanes(types.Type):
    """The Numba type of `count` numbers of type `dtype` side by side."""

    def __init__(self, dtype, count):
        self.dtype = dtype
        self.count = count
        super().__init__(name=f"Lanes({dtype}, {count})")

    @property
    def llvm(self):
        """The LLVM vector type."""
        return ir.VectorType(_element(self.dtype), self.count)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Kept in a vector register: the value is its own representation."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, fe_type.llvm)


def _element(dtype):
    if dtype == types.float32:
        return ir.FloatType()
    if dtype == types.float64:
        return ir.DoubleType()
    return ir.IntType(1 if dtype == types.boolean else dtype.bitwidth)


def lanes_of(dtype):
    """Return the type of one full vector of dtype."""
    return Lanes(dtype, BYTES * 8 // dtype.bitwidth)


def _bits_of(kind):
    return Lanes(
        types.int32 if kind.dtype == types.float32 else types.int64, kind.count
    )


def _common(*kinds):
    """Return the vector type among kinds, None when there is none or two."""
    found = {kind for kind in kinds if isinstance(kind, Lanes)}
    return found.pop() if len(found) == 1 else None


def _fill(context, builder, value, kind, wanted):
    """Return value as a vector of type wanted: a plain number in every lane."""
    if isinstance(kind, Lanes):
        return value
    scalar = context.cast(builder, value, kind, wanted.dtype)
    one = builder.insert_element(
        ir.Constant(wanted.llvm, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), wanted.count), [0] * wanted.count)
    return builder.shuffle_vector(one, ir.Constant(wanted.llvm, ir.Undefined), zeros)


def _call(builder, name, result, args):
    """Call an LLVM intrinsic, its overload spelt out from the types in name."""
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, kind, name), args
    )


def _suffix(kind):
    letter = "f" if isinstance(kind.dtype, types.Float) else "i"
    return f"v{kind.count}{letter}{kind.dtype.bitwidth}"


# --- operators -------------------------------------------------------------------


def _operator(op, on_floats, on_ints, comparison=False):
    """Give op a meaning for Lanes with Lanes and for Lanes with a number."""

    @type_callable(op)
    def type_op(context):
        def typer(a, b):
            lanes = _common(a, b)
            if lanes is not None:
                return Lanes(types.boolean, lanes.count) if comparison else lanes
            return None

        return typer

    def lower(context, builder, sig, args):
        lanes = _common(*sig.args)
        a, b = (
            _fill(context, builder, v, kind, lanes)
            for v, kind in zip(args, sig.args, strict=True)
        )
        emit = on_floats if isinstance(lanes.dtype, types.Float) else on_ints
        return emit(builder, a, b)

    for kinds in ((Lanes, Lanes), (Lanes, types.Number), (types.Number, Lanes)):
        lower_builtin(op, *kinds)(lower)


_operator(operator.add, ir.IRBuilder.fadd, ir.IRBuilder.add)
_operator(operator.sub, ir.IRBuilder.fsub, ir.IRBuilder.sub)
_operator(operator.mul, ir.IRBuilder.fmul, ir.IRBuilder.mul)
_operator(operator.truediv, ir.IRBuilder.fdiv, None)
_operator(operator.lshift, None, ir.IRBuilder.shl)
_operator(operator.rshift, None, ir.IRBuilder.ashr)
_operator(operator.and_, None, ir.IRBuilder.and_)
for _op, _sign in (
    (operator.gt, ">"),
    (operator.lt, "<"),
    (operator.ge, ">="),
    (operator.eq, "=="),
):
    _operator(
        _op,
        lambda builder, a, b, sign=_sign: builder.fcmp_ordered(sign, a, b),
        lambda builder, a, b, sign=_sign: builder.icmp_signed(sign, a, b),
        comparison=True,
    )


# --- memory ----------------------------------------------------------------------


@intrinsic
def memory(typingctx, array):
    """Return a pointer to the numbers of a C-contiguous array.

    Kernels hand pointers on, and not arrays: those are reference counted at every
    call, which costs more than a short row.
    """

    def emit(context, builder, sig, args):
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), emit


@intrinsic
def scratch(typingctx, like, size):
    """Return a pointer to so many bytes on the stack, of the type of like."""
    if not isinstance(size, types.IntegerLiteral):
        raise RequireLiteralValue("size")

    def emit(context, builder, sig, args):
        element = _element(like.dtype)
        count = size.literal_value * 8 // like.dtype.bitwidth
        with builder.goto_entry_block():
            block = builder.alloca(ir.ArrayType(element, count))
            block.align = BYTES
        return builder.bitcast(block, element.as_pointer())

    return types.CPointer(like.dtype)(like, size), emit


def _address(context, builder, pointer, index, index_kind, lanes):
    at = context.cast(builder, index, index_kind, types.intp)
    return builder.bitcast(builder.gep(pointer, [at]), lanes.llvm.as_pointer())


def _first(context, builder, count, kind, lanes):
    """Return the mask of the first count lanes."""
    ints = Lanes(types.int32, lanes.count)
    limit = _fill(context, builder, count, kind, ints)
    numbers = ir.Constant(ints.llvm, list(range(lanes.count)))
    return builder.icmp_signed("<", numbers, limit)


def _last(context, builder, count, kind, lanes):
    """Return the mask of the last count lanes."""
    ints = Lanes(types.int32, lanes.count)
    limit = _fill(context, builder, count, kind, ints)
    numbers = ir.Constant(ints.llvm, list(range(lanes.count, 0, -1)))
    return builder.icmp_signed("<=", numbers, limit)


@intrinsic
def load(typingctx, pointer, index):
    """Return the lanes pointer[index], pointer[index + 1], ...."""
    lanes = lanes_of(pointer.dtype)

    def emit(context, builder, sig, args):
        at = _address(context, builder, args[0], args[1], sig.args[1], lanes)
        return builder.load(at, align=pointer.dtype.bitwidth // 8)

    return lanes(pointer, index), emit


@intrinsic
def load_like(typingctx, pointer, index, like):
    """Return as many lanes as like has, of its type, from pointer[index] on."""

    def emit(context, builder, sig, args):
        at = _address(context, builder, args[0], args[1], sig.args[1], like)
        return builder.load(at, align=pointer.dtype.bitwidth // 8)

    return like(pointer, index, like), emit


def _load_part(context, builder, lanes, pointer, index, count, masked, rest):
    """Emit a load of some lanes; index and count are intp, rest is what others get."""
    at = _address(context, builder, pointer, index, types.intp, lanes)
    mask = masked(context, builder, count, types.intp, lanes)
    align = ir.Constant(ir.IntType(32), lanes.dtype.bitwidth // 8)
    name = f"llvm.masked.load.{_suffix(lanes)}.p0"
    return _call(builder, name, lanes.llvm, [at, align, mask, rest])


def _partial_load(name, masked, doc):
    def partial(typingctx, pointer, index, count, filler):
        lanes = lanes_of(pointer.dtype)

        def emit(context, builder, sig, args):
            where, some = (
                context.cast(builder, args[k], sig.args[k], types.intp) for k in (1, 2)
            )
            rest = _fill(context, builder, args[3], sig.args[3], lanes)
            return _load_part(
                context, builder, lanes, args[0], where, some, masked, rest
            )

        return lanes(pointer, index, count, filler), emit

    partial.__name__, partial.__doc__ = name, doc
    return intrinsic(partial)


load_first = _partial_load(
    "load_first", _first, "Return like `load` the first count lanes; others are filler."
)
load_last = _partial_load(
    "load_last", _last, "Return like `load` the last count lanes; others are filler."
)


@intrinsic
def store(typingctx, pointer, index, value):
    """Write the lanes of value to pointer[index], pointer[index + 1], ..."""

    def emit(context, builder, sig, args):
        at = _address(context, builder, args[0], args[1], sig.args[1], value)
        builder.store(args[2], at, align=pointer.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(pointer, index, value), emit


def _store_part(context, builder, lanes, pointer, index, count, masked, value):
    """Emit a store of some lanes; index and count are intp."""
    at = _address(context, builder, pointer, index, types.intp, lanes)
    mask = masked(context, builder, count, types.intp, lanes)
    align = ir.Constant(ir.IntType(32), lanes.dtype.bitwidth // 8)
    name = f"llvm.masked.store.{_suffix(lanes)}.p0"
    _call(builder, name, ir.VoidType(), [value, at, align, mask])


def _partial_store(name, masked, doc):
    def partial(typingctx, pointer, index, count, value):
        def emit(context, builder, sig, args):
            where, some = (
                context.cast(builder, args[k], sig.args[k], types.intp) for k in (1, 2)
            )
            _store_part(context, builder, value, args[0], where, some, masked, args[3])
            return context.get_dummy_value()

        return types.void(pointer, index, count, value), emit

    partial.__name__, partial.__doc__ = name, doc
    return intrinsic(partial)


store_first = _partial_store(
    "store_first", _first, "Write like `store` the first count lanes of value."
)
store_last = _partial_store(
    "store_last", _last, "Write like `store` the last count lanes of value."
)


@intrinsic
def number(typingctx, pointer, index):
    """Return the one number pointer[index]."""

    def emit(context, builder, sig, args):
        at = context.cast(builder, args[1], sig.args[1], types.intp)
        return builder.load(builder.gep(args[0], [at]))

    return pointer.dtype(pointer, index), emit


@intrinsic
def put(typingctx, pointer, index, value):
    """Write one number to pointer[index]."""

    def emit(context, builder, sig, args):
        at = context.cast(builder, args[1], sig.args[1], types.intp)
        v = context.cast(builder, args[2], sig.args[2], pointer.dtype)
        builder.store(v, builder.gep(args[0], [at]))
        return context.get_dummy_value()

    return types.void(pointer, index, value), emit


@intrinsic
def until(typingctx, pointer, index, unit):
    """Return how many numbers from pointer[index] on lie before a multiple of unit.

    The unit is a power of two, of bytes in memory.
    """
    size = pointer.dtype.bitwidth // 8

    def emit(context, builder, sig, args):
        at, unit = (
            context.cast(builder, arg, kind, types.intp)
            for arg, kind in zip(args[1:], sig.args[1:], strict=True)
        )
        where = builder.ptrtoint(builder.gep(args[0], [at]), at.type)
        less = builder.sub(unit, ir.Constant(at.type, 1))
        left = builder.and_(builder.neg(where), less)
        return builder.udiv(left, ir.Constant(at.type, size))

    return types.intp(pointer, index, unit), emit


@intrinsic
def is_same(typingctx, a, b):
    """Return whether two pointers are the same."""

    def emit(context, builder, sig, args):
        return builder.icmp_unsigned("==", *args)

    return types.boolean(a, b), emit


@intrinsic
def prefetch(typingctx, pointer, index):
    """Ask for the cache line of pointer[index], which may lie outside the array.

    Nothing is asked for where pointer is None.
    """

    def emit(context, builder, sig, args):
        if pointer == types.none:
            return context.get_dummy_value()
        at = context.cast(builder, args[1], sig.args[1], types.intp)
        where = builder.bitcast(builder.gep(args[0], [at]), ir.IntType(8).as_pointer())
        to_read, to_keep, data = (ir.Constant(ir.IntType(32), k) for k in (0, 3, 1))
        _call(
            builder,
            "llvm.prefetch.p0",
            ir.VoidType(),
            [where, to_read, to_keep, data],
        )
        return context.get_dummy_value()

    return types.void(pointer, index), emit


# --- lane by lane ----------------------------------------------------------------


@intrinsic
def filled(typingctx, like, value):
    """Return lanes that all hold value, of the type of like (lanes or a pointer)."""
    lanes = like if isinstance(like, Lanes) else lanes_of(like.dtype)

    def emit(context, builder, sig, args):
        return _fill(context, builder, args[1], sig.args[1], lanes)

    return lanes(like, value), emit


@intrinsic
def fma(typingctx, a, b, c):
    """Return a * b + c, rounded once where the machine has an instruction for it.

    Elsewhere it is rounded twice; where that is one too many stands `exact_fma`.
    """
    return _fused("fmuladd", a, b, c)


@intrinsic
def exact_fma(typingctx, a, b, c):
    """Return a * b + c, rounded once on every machine, slowly on some."""
    return _fused("fma", a, b, c)


def _fused(name, a, b, c):
    lanes = _common(a, b, c)

    def emit(context, builder, sig, args):
        vectors = [
            _fill(context, builder, v, kind, lanes)
            for v, kind in zip(args, sig.args, strict=True)
        ]
        return _call(builder, f"llvm.{name}.{_suffix(lanes)}", lanes.llvm, vectors)

    return lanes(a, b, c), emit


def _larger(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@intrinsic
def larger(typingctx, a, b):
    """Return a where a > b, else b: a NaN in b stays, one in a does not."""
    lanes = _common(a, b)

    def emit(context, builder, sig, args):
        vectors = (
            _fill(context, builder, v, kind, lanes)
            for v, kind in zip(args, sig.args, strict=True)
        )
        return _larger(builder, *vectors)

    return lanes(a, b), emit


@intrinsic
def select(typingctx, mask, a, b):
    """Return a where mask holds, else b."""
    lanes = _common(a, b)

    def emit(context, builder, sig, args):
        x = _fill(context, builder, args[1], sig.args[1], lanes)
        y = _fill(context, builder, args[2], sig.args[2], lanes)
        return builder.select(args[0], x, y)

    return lanes(mask, a, b), emit


@intrinsic
def magnitude(typingctx, a):
    """Return |a|."""

    def emit(context, builder, sig, args):
        return _call(builder, f"llvm.fabs.{_suffix(a)}", a.llvm, [args[0]])

    return a(a), emit


@intrinsic
def to_bits(typingctx, a):
    """Return the bits of floating-point lanes as integers."""

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], _bits_of(a).llvm)

    return _bits_of(a)(a), emit


@intrinsic
def from_bits(typingctx, bits):
    """Return the floating-point lanes whose bits are given."""
    dtype = types.float32 if bits.dtype == types.int32 else types.float64
    lanes = Lanes(dtype, bits.count)

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], lanes.llvm)

    return lanes(bits), emit


@intrinsic
def widen(typingctx, a):
    """Return the same numbers as float64."""
    lanes = Lanes(types.float64, a.count)

    def emit(context, builder, sig, args):
        if a.dtype == types.float64:
            return args[0]
        return builder.fpext(args[0], lanes.llvm)

    return lanes(a), emit


@intrinsic
def narrowed(typingctx, like, a):
    """Return the float64 lanes a in the type of like, rounded if that is float32."""
    lanes = Lanes(like.dtype, a.count)

    def emit(context, builder, sig, args):
        if lanes == a:
            return args[1]
        return builder.fptrunc(args[1], lanes.llvm)

    return lanes(like, a), emit


@intrinsic
def single(typingctx, value):
    """Return one float64 as lanes, for formulas that are written for lanes."""
    lanes = Lanes(types.float64, 1)

    def emit(context, builder, sig, args):
        return _fill(context, builder, args[0], sig.args[0], lanes)

    return lanes(value), emit


# --- across lanes ----------------------------------------------------------------


def _half(builder, v, start, count):
    picks = ir.Constant(
        ir.VectorType(ir.IntType(32), count), list(range(start, start + count))
    )
    return builder.shuffle_vector(v, ir.Constant(v.type, ir.Undefined), picks)


def _across(combine):
    """Return an emitter that folds a vector in halves down to one number."""

    def emit(context, builder, sig, args):
        v = args[0]
        while v.type.count > 1:
            half = v.type.count // 2
            v = combine(
                builder, _half(builder, v, 0, half), _half(builder, v, half, half)
            )
        return builder.extract_element(v, ir.Constant(ir.IntType(32), 0))

    return emit


@intrinsic
def largest_of(typingctx, a):
    """Return the largest lane."""
    return a.dtype(a), _across(_larger)


@intrinsic
def sum_of(typingctx, a):
    """Return the sum of the lanes, added pairwise."""
    return a.dtype(a), _across(ir.IRBuilder.fadd)


@intrinsic
def common_bits(typingctx, bits):
    """Return the bits that are set in every lane."""
    return bits.dtype(bits), _across(ir.IRBuilder.and_)


@intrinsic
def first_of(typingctx, a):
    """Return the first lane."""

    def emit(context, builder, sig, args):
        return builder.extract_element(args[0], ir.Constant(ir.IntType(32), 0))

    return a.dtype(a), emit


@intrinsic
def any_of(typingctx, mask):
    """Return whether a mask holds in any lane."""

    def emit(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(mask.count))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(mask), emit


@intrinsic
def exact_sum_of(typingctx, a, origin):
    """Return the sum of the lanes and what rounding took from it, both float64.

    The lanes are folded in halves by Knuth's TwoSum, whose errors are kept. Lanes
    that come from float32 (the type of origin) are added without any rounding.
    """

    def emit(context, builder, sig, args):
        v = args[0]
        if origin.dtype == types.float32:
            plain = _across(ir.IRBuilder.fadd)(context, builder, sig, args)
            zero = context.get_constant(types.float64, 0.0)
            return context.make_tuple(builder, sig.return_type, [plain, zero])
        lost = None
        while v.type.count > 1:
            half = v.type.count // 2
            x, y = _half(builder, v, 0, half), _half(builder, v, half, half)
            s = builder.fadd(x, y)
            t = builder.fsub(s, x)
            error = builder.fadd(
                builder.fsub(x, builder.fsub(s, t)), builder.fsub(y, t)
            )
            if lost is not None:
                error = builder.fadd(
                    error,
                    builder.fadd(
                        _half(builder, lost, 0, half), _half(builder, lost, half, half)
                    ),
                )
            v, lost = s, error
        zero = ir.Constant(ir.IntType(32), 0)
        return context.make_tuple(
            builder,
            sig.return_type,
            [builder.extract_element(v, zero), builder.extract_element(lost, zero)],
        )

    return types.UniTuple(types.float64, 2)(a, origin), emit


# --- squares ---------------------------------------------------------------------


def _mixed(builder, a, b, picks):
    """Return the lanes of a and b, one after the other, that picks names."""
    kind = ir.VectorType(ir.IntType(32), len(picks))
    return builder.shuffle_vector(a, b, ir.Constant(kind, picks))


def _columns(builder, rows):
    """Return the columns of a square, given its rows.

    Within parts of 128 bits first, and then part by part: for such steps there are
    instructions on every machine.
    """
    count = len(rows)
    part = count // 4

    def zipped(a, b, unit, half):
        picks = []
        for base in range(0, count, part):
            for k in range(base + half, base + half + part // 2, unit):
                picks += range(k, k + unit)
                picks += range(count + k, count + k + unit)
        return _mixed(builder, a, b, picks)

    def parts(a, b, *chosen):
        return _mixed(
            builder, a, b, [p * part + k for p in chosen for k in range(part)]
        )

    unit = 1
    while unit < part:
        pairs = [(rows[i], rows[i + unit]) for i in range(count) if not i & unit]
        rows = [zipped(*ab, unit, half) for ab in pairs for half in (0, part // 2)]
        unit *= 2
    columns = [None] * count
    for i in range(part):
        a, b, c, d = rows[i::part]
        for at, chosen in ((0, (0, 1, 4, 5)), (2, (2, 3, 6, 7))):
            ab, cd = parts(a, b, *chosen), parts(c, d, *chosen)
            columns[at * part + i] = parts(ab, cd, 0, 2, 4, 6)
            columns[(at + 1) * part + i] = parts(ab, cd, 1, 3, 5, 7)
    return columns


@intrinsic
def turn(typingctx, source, at, step, rows, columns, target, there, pace):
    """Copy a square, its rows to columns.

    The rows lie `step` apart from source[at] on; of them, and of the numbers in each,
    only so many are read, and the rest is 0. The columns go to target[there] and on,
    `pace` apart, whole.
    """
    lanes = lanes_of(source.dtype)

    def emit(context, builder, sig, args):
        at, step, rows, columns, there, pace = (
            context.cast(builder, args[k], sig.args[k], types.intp)
            for k in (1, 2, 3, 4, 6, 7)
        )
        found = []
        zeros = ir.Constant(lanes.llvm, [0.0] * lanes.count)
        for k in range(lanes.count):
            index = builder.add(at, builder.mul(step, at.type(k)))
            some = builder.select(
                builder.icmp_signed(">", rows, at.type(k)), columns, at.type(0)
            )
            found.append(
                _load_part(context, builder, lanes, args[0], index, some, _first, zeros)
            )
        for k, column in enumerate(_columns(builder, found)):
            index = builder.add(there, builder.mul(pace, at.type(k)))
            address = _address(context, builder, args[5], index, types.intp, lanes)
            builder.store(column, address, align=lanes.dtype.bitwidth // 8)
        return context.get_dummy_value()

    kinds = (source, at, step, rows, columns, target, there, pace)
    return types.void(*kinds), emit


@intrinsic
def turn_back(typingctx, source, at, pace, target, there, step, rows, columns):
    """Copy a square, its columns to rows: the other way round than `turn`.

    Only so many rows, and of each so many numbers, are written.
    """
    lanes = lanes_of(source.dtype)

    def emit(context, builder, sig, args):
        at, pace, there, step, rows, columns = (
            context.cast(builder, args[k], sig.args[k], types.intp)
            for k in (1, 2, 4, 5, 6, 7)
        )
        found = []
        for k in range(lanes.count):
            index = builder.add(at, builder.mul(pace, at.type(k)))
            address = _address(context, builder, args[0], index, types.intp, lanes)
            found.append(builder.load(address, align=lanes.dtype.bitwidth // 8))
        for k, row in enumerate(_columns(builder, found)):
            index = builder.add(there, builder.mul(step, at.type(k)))
            some = builder.select(
                builder.icmp_signed(">", rows, at.type(k)), columns, at.type(0)
            )
            _store_part(context, builder, lanes, args[3], index, some, _first, row)
        return context.get_dummy_value()

    kinds = (source, at, pace, target, there, step, rows, columns)
    return types.void(*kinds), emit


# --- the compiler ----------------------------------------------------------------


@intrinsic
def kept_apart(typingctx):
    """Keep the function that calls this from being inlined.

    In one large function the compiler runs out of registers and loads every constant
    anew in every round of a loop.
    """

    def emit(context, builder, sig, args):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit


# --- tables of constants ---------------------------------------------------------


def constant(float32, float64):
    """Return a function of lanes that gives the constant for their type."""
    table = {types.float32: float32, types.float64: float64}

    @intrinsic
    def pick(typingctx, like):
        value = table[like.dtype]
        kind = types.float64 if isinstance(value, float) else types.int64

        def emit(context, builder, sig, args):
            return context.get_constant(kind, value)

        return kind(like), emit

    return pick


def polynomial(float32, float64):
    """Return a function that evaluates the polynomial for its type.

    By Horner's rule in the square, for pairs of coefficients: half as long a chain of
    operations that wait for each other. They run from the constant term upwards.
    """
    table = {types.float32: float32, types.float64: float64}

    @intrinsic
    def evaluate(typingctx, x):
        def emit(context, builder, sig, args):
            coefficients = [ir.Constant(x.llvm, [c] * x.count) for c in table[x.dtype]]
            kind = f"llvm.fmuladd.{_suffix(x)}"
            square = builder.fmul(args[0], args[0])
            value = None
            for low in reversed(range(0, len(coefficients), 2)):
                pair = coefficients[low]
                if low + 1 < len(coefficients):
                    pair = _call(
                        builder, kind, x.llvm, [coefficients[low + 1], args[0], pair]
                    )
                if value is None:
                    value = pair
                else:
                    value = _call(builder, kind, x.llvm, [value, square, pair])
            return value

        return x(x), emit

    return evaluate


@intrinsic
def width(typingctx, like):
    """Return how many numbers of the type of a pointer fit in one vector."""
    count = lanes_of(like.dtype).count

    def emit(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(like), emit
