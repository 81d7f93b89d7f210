"""What is done lane by lane: ``+ - * /``, comparisons, fma, bits and conversions.

A plain number beside a vector stands for that number in every lane.
"""

import operator

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, lower_builtin, type_callable

from softmax_lib._vector.type import (
    Vector,
    bits_type,
    call_llvm,
    common_type,
    full_vector,
    spread,
    suffix,
)


def _operator(op, on_floats, on_ints, comparison=False):
    """Define op for two vectors, and for a vector and a number."""

    @type_callable(op)
    def type_op(context):
        def typer(a, b):
            vector = common_type(a, b)
            if vector is not None and comparison:
                return Vector(types.boolean, vector.count)
            return vector

        return typer

    def lower(context, builder, sig, args):
        vector = common_type(*sig.args)
        a, b = _vectors(context, builder, vector, args, sig.args)
        emit = on_floats if isinstance(vector.dtype, types.Float) else on_ints
        return emit(builder, a, b)

    for kinds in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(op, *kinds)(lower)


def _vectors(context, builder, vector, args, kinds):
    return [
        spread(context, builder, value, kind, vector)
        for value, kind in zip(args, kinds, strict=True)
    ]


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


@intrinsic
def splat(typingctx, like, value):
    """Return a vector that holds value in every lane.

    It has the type of like, if that is a vector, and is a whole vector of the dtype of
    like, if that is a pointer.
    """
    vector = like if isinstance(like, Vector) else full_vector(like.dtype)

    def emit(context, builder, sig, args):
        return spread(context, builder, args[1], sig.args[1], vector)

    return vector(like, value), emit


@intrinsic
def splat_fields(typingctx, like, fields):
    """Return a named tuple of vectors of one lane with whole vectors in their place.

    Fields that are None stay None.
    """
    vector = full_vector(like.dtype)
    kinds = [kind if kind == types.none else vector for kind in fields.types]
    result = types.NamedTuple(kinds, fields.instance_class)
    if all(kind == vector for kind in kinds):
        result = types.NamedUniTuple(vector, len(kinds), fields.instance_class)

    def emit(context, builder, sig, args):
        found = []
        for k, kind in enumerate(fields.types):
            value = builder.extract_value(args[1], k)
            if kind != types.none:
                one = builder.extract_element(value, ir.IntType(32)(0))
                value = spread(context, builder, one, kind.dtype, vector)
            found.append(value)
        return context.make_tuple(builder, result, found)

    return result(like, fields), emit


@intrinsic
def one_lane(typingctx, value):
    """Return a number as a vector of one float64."""
    vector = Vector(types.float64, 1)

    def emit(context, builder, sig, args):
        return spread(context, builder, args[0], sig.args[0], vector)

    return vector(value), emit


@intrinsic
def one_lane_of(typingctx, like, value):
    """Return a number as a vector of one lane, of the dtype of like."""
    vector = Vector(like.dtype, 1)

    def emit(context, builder, sig, args):
        return spread(context, builder, args[1], sig.args[1], vector)

    return vector(like, value), emit


@intrinsic
def fma(typingctx, a, b, c):
    """Return a * b + c, rounded once where the processor has an instruction for it.

    Elsewhere it is rounded twice; where that is not enough, use `exact_fma`.
    """
    return _fused("fmuladd", a, b, c)


@intrinsic
def exact_fma(typingctx, a, b, c):
    """Return a * b + c, rounded once on every processor, slowly on some."""
    return _fused("fma", a, b, c)


def _fused(name, a, b, c):
    vector = common_type(a, b, c)

    def emit(context, builder, sig, args):
        operands = _vectors(context, builder, vector, args, sig.args)
        return call_llvm(
            builder, f"llvm.{name}.{suffix(vector)}", vector.llvm, operands
        )

    return vector(a, b, c), emit


def emit_maximum(builder, a, b):
    """Emit a where a > b, else b."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@intrinsic
def maximum(typingctx, a, b):
    """Return a where a > b, else b: a NaN in b stays, one in a does not."""
    vector = common_type(a, b)

    def emit(context, builder, sig, args):
        return emit_maximum(
            builder, *_vectors(context, builder, vector, args, sig.args)
        )

    return vector(a, b), emit


@intrinsic
def select(typingctx, mask, a, b):
    """Return a where mask holds, else b."""
    vector = common_type(a, b)

    def emit(context, builder, sig, args):
        x, y = _vectors(context, builder, vector, args[1:], sig.args[1:])
        return builder.select(args[0], x, y)

    return vector(mask, a, b), emit


@intrinsic
def fabs(typingctx, a):
    """Return |a|."""

    def emit(context, builder, sig, args):
        return call_llvm(builder, f"llvm.fabs.{suffix(a)}", a.llvm, args)

    return a(a), emit


@intrinsic
def to_bits(typingctx, a):
    """Return the bits of floating-point lanes as integers."""

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], bits_type(a).llvm)

    return bits_type(a)(a), emit


@intrinsic
def from_bits(typingctx, bits):
    """Return the floating-point lanes with the given bits."""
    dtype = types.float32 if bits.dtype == types.int32 else types.float64
    vector = Vector(dtype, bits.count)

    def emit(context, builder, sig, args):
        return builder.bitcast(args[0], vector.llvm)

    return vector(bits), emit


@intrinsic
def to_float64(typingctx, a):
    """Return the same numbers as float64."""
    vector = Vector(types.float64, a.count)

    def emit(context, builder, sig, args):
        if a.dtype == types.float64:
            return args[0]
        return builder.fpext(args[0], vector.llvm)

    return vector(a), emit


@intrinsic
def to_dtype_of(typingctx, like, a):
    """Return float64 lanes in the dtype of like, rounded if that is float32."""
    vector = Vector(like.dtype, a.count)

    def emit(context, builder, sig, args):
        if vector == a:
            return args[1]
        return builder.fptrunc(args[1], vector.llvm)

    return vector(like, a), emit
