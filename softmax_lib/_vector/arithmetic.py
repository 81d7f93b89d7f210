"""What is done lane by lane: ``+ - * /``, comparisons, fma, bits and conversions.

A plain number beside a vector stands for that number in every lane.
"""

import operator

from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable

from softmax_lib._vector.type import (
    INT32,
    Vector,
    bits_type,
    call_llvm,
    common_type,
    emit_splat,
    emitted,
    full_vector,
    named_intrinsic,
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
for _name, _sign in {"gt": ">", "lt": "<", "ge": ">=", "eq": "=="}.items():
    _operator(
        getattr(operator, _name),
        lambda builder, a, b, sign=_sign: builder.fcmp_ordered(sign, a, b),
        lambda builder, a, b, sign=_sign: builder.icmp_signed(sign, a, b),
        comparison=True,
    )


def _lanewise(function):
    """Make an intrinsic of a function that emits LLVM IR for vectors of one type."""

    def typed(typingctx, *kinds):
        vector = common_type(*kinds)

        def emit(context, builder, sig, args):
            values = _vectors(context, builder, vector, args, kinds)
            return function(builder, vector, *values)

        return vector(*kinds), emit

    return named_intrinsic(typed, function, skipped=2)


@_lanewise
def fma(builder, vector, a, b, c):
    """Return a * b + c, rounded once where the processor has an instruction for it.

    Elsewhere it is rounded twice; where that is not enough, use `exact_fma`.
    """
    name = f"llvm.fmuladd.{suffix(vector)}"
    return call_llvm(builder, name, vector.llvm, [a, b, c])


@_lanewise
def exact_fma(builder, vector, a, b, c):
    """Return a * b + c, rounded once on every processor, slowly on some."""
    return call_llvm(builder, f"llvm.fma.{suffix(vector)}", vector.llvm, [a, b, c])


def emit_maximum(builder, a, b):
    """Emit a where a > b, else b."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@_lanewise
def maximum(builder, vector, a, b):
    """Return a where a > b, else b: a NaN in b stays, one in a does not."""
    return emit_maximum(builder, a, b)


@_lanewise
def select(builder, vector, mask, a, b):
    """Return a where mask holds, else b."""
    return builder.select(mask, a, b)


@_lanewise
def fabs(builder, vector, a):
    """Return |a|."""
    return call_llvm(builder, f"llvm.fabs.{suffix(vector)}", vector.llvm, [a])


# --- conversions -----------------------------------------------------------------


def _splat_type(like, value):
    return like if isinstance(like, Vector) else full_vector(like)


@emitted(_splat_type)
def splat(context, builder, kinds, like, value):
    """Return a vector that holds value in every lane.

    It has the type of like, if that is a vector, and is a whole vector of the dtype of
    like, if that is a pointer.
    """
    return spread(context, builder, value, kinds[1], _splat_type(*kinds))


def _splat_fields_type(like, fields):
    vector, cls = full_vector(like), fields.instance_class
    kinds = [kind if kind == types.none else vector for kind in fields.types]
    if all(kind == vector for kind in kinds):
        return types.NamedUniTuple(vector, len(kinds), cls)
    return types.NamedTuple(kinds, cls)


@emitted(_splat_fields_type)
def splat_fields(context, builder, kinds, like, fields):
    """Return a named tuple of vectors of one lane with whole vectors in their place.

    Fields that are None stay None.
    """
    result = _splat_fields_type(*kinds)
    found = []
    for k, kind in enumerate(result.types):
        value = builder.extract_value(fields, k)
        if kind != types.none:
            one = builder.extract_element(value, INT32(0))
            value = emit_splat(builder, one, kind.count)
        found.append(value)
    return context.make_tuple(builder, result, found)


@emitted(lambda value: Vector(types.float64, 1))
def one_lane(context, builder, kinds, value):
    """Return a number as a vector of one float64."""
    return spread(context, builder, value, kinds[0], Vector(types.float64, 1))


@emitted(lambda like, value: Vector(like.dtype, 1))
def one_lane_of(context, builder, kinds, like, value):
    """Return a number as a vector of one lane, of the dtype of like."""
    return spread(context, builder, value, kinds[1], Vector(kinds[0].dtype, 1))


@emitted(bits_type)
def to_bits(context, builder, kinds, a):
    """Return the bits of floating-point lanes as integers."""
    return builder.bitcast(a, bits_type(*kinds).llvm)


def _float_type(bits):
    dtype = types.float32 if bits.dtype == types.int32 else types.float64
    return Vector(dtype, bits.count)


@emitted(_float_type)
def from_bits(context, builder, kinds, bits):
    """Return the floating-point lanes with the given bits."""
    return builder.bitcast(bits, _float_type(*kinds).llvm)


@emitted(lambda a: Vector(types.float64, a.count))
def to_float64(context, builder, kinds, a):
    """Return the same numbers as float64."""
    if kinds[0].dtype == types.float64:
        return a
    return builder.fpext(a, Vector(types.float64, kinds[0].count).llvm)


@emitted(lambda like, a: Vector(like.dtype, a.count))
def to_dtype_of(context, builder, kinds, like, a):
    """Return float64 lanes in the dtype of like, rounded if that is float32."""
    if kinds[0].dtype == types.float64:
        return a
    return builder.fptrunc(a, Vector(types.float32, kinds[1].count).llvm)
