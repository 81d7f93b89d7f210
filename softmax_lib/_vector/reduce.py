"""From a vector to one number."""

from llvmlite import ir
from numba import types

from softmax_lib._vector.arithmetic import emit_maximum
from softmax_lib._vector.type import INT32, emitted, halves


def _tree_reduce(builder, v, combine):
    """Emit the combination of the halves of a vector, down to one number."""
    while v.type.count > 1:
        v = combine(builder, *halves(builder, v))
    return builder.extract_element(v, INT32(0))


@emitted(lambda a: a.dtype)
def reduce_max(context, builder, kinds, a):
    """Return the largest lane."""
    return _tree_reduce(builder, a, emit_maximum)


@emitted(lambda a: a.dtype)
def reduce_sum(context, builder, kinds, a):
    """Return the sum of the lanes, added pairwise."""
    return _tree_reduce(builder, a, ir.IRBuilder.fadd)


@emitted(lambda bits: bits.dtype)
def reduce_and(context, builder, kinds, bits):
    """Return the bits that are set in every lane."""
    return _tree_reduce(builder, bits, ir.IRBuilder.and_)


@emitted(lambda a: a.dtype)
def lane0(context, builder, kinds, a):
    """Return the first lane."""
    return builder.extract_element(a, INT32(0))


@emitted(lambda mask: types.boolean)
def any_of(context, builder, kinds, mask):
    """Return whether a mask holds in any lane."""
    bits = builder.bitcast(mask, ir.IntType(kinds[0].count))
    return builder.icmp_unsigned("!=", bits, bits.type(0))


@emitted(lambda a, origin: types.UniTuple(types.float64, 2))
def reduce_sum_compensated(context, builder, kinds, a, origin):
    """Return the sum of two float64 lanes or more, and its rounding error.

    Halves are added by Knuth's TwoSum, which keeps the errors. Lanes that come from
    float32 (the dtype of origin) are added without any rounding.
    """
    if kinds[1].dtype == types.float32:
        total = _tree_reduce(builder, a, ir.IRBuilder.fadd)
        parts = [total, context.get_constant(types.float64, 0.0)]
    else:
        lost = None
        while a.type.count > 1:
            a, error = _two_sum(builder, *halves(builder, a))
            if lost is not None:
                error = builder.fadd(error, builder.fadd(*halves(builder, lost)))
            lost = error
        parts = [builder.extract_element(part, INT32(0)) for part in (a, lost)]
    return context.make_tuple(builder, types.UniTuple(types.float64, 2), parts)


def _two_sum(builder, x, y):
    """Emit x + y and its error; see `double_double.two_sum`."""
    s = builder.fadd(x, y)
    t = builder.fsub(s, x)
    left = builder.fsub(x, builder.fsub(s, t))
    return s, builder.fadd(left, builder.fsub(y, t))
