"""From a vector to one number."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from softmax_lib._vector.arithmetic import emit_maximum
from softmax_lib._vector.type import INT32, indices


def _halves(builder, v):
    """Return the two halves of a vector."""
    half = v.type.count // 2
    undefined = ir.Constant(v.type, ir.Undefined)
    return (
        builder.shuffle_vector(v, undefined, indices(range(half))),
        builder.shuffle_vector(v, undefined, indices(range(half, 2 * half))),
    )


def _tree_reduce(combine):
    """Return an emitter that combines the halves of a vector down to one number."""

    def emit(context, builder, sig, args):
        v = args[0]
        while v.type.count > 1:
            v = combine(builder, *_halves(builder, v))
        return builder.extract_element(v, INT32(0))

    return emit


@intrinsic
def reduce_max(typingctx, a):
    """Return the largest lane."""
    return a.dtype(a), _tree_reduce(emit_maximum)


@intrinsic
def reduce_sum(typingctx, a):
    """Return the sum of the lanes, added pairwise."""
    return a.dtype(a), _tree_reduce(ir.IRBuilder.fadd)


@intrinsic
def reduce_and(typingctx, bits):
    """Return the bits that are set in every lane."""
    return bits.dtype(bits), _tree_reduce(ir.IRBuilder.and_)


@intrinsic
def lane0(typingctx, a):
    """Return the first lane."""

    def emit(context, builder, sig, args):
        return builder.extract_element(args[0], INT32(0))

    return a.dtype(a), emit


@intrinsic
def any_of(typingctx, mask):
    """Return whether a mask holds in any lane."""

    def emit(context, builder, sig, args):
        bits = builder.bitcast(args[0], ir.IntType(mask.count))
        return builder.icmp_unsigned("!=", bits, bits.type(0))

    return types.boolean(mask), emit


@intrinsic
def reduce_sum_compensated(typingctx, a, origin):
    """Return the sum of float64 lanes and its rounding error.

    Halves are added by Knuth's TwoSum, which keeps the errors. Lanes that come from
    float32 (the dtype of origin) are added without any rounding.
    """

    def emit(context, builder, sig, args):
        v, lost = args[0], None
        if origin.dtype == types.float32:
            plain = _tree_reduce(ir.IRBuilder.fadd)(context, builder, sig, args)
            zero = context.get_constant(types.float64, 0.0)
            return context.make_tuple(builder, sig.return_type, [plain, zero])
        while v.type.count > 1:
            v, error = _two_sum(builder, *_halves(builder, v))
            if lost is not None:
                error = builder.fadd(error, builder.fadd(*_halves(builder, lost)))
            lost = error
        results = [builder.extract_element(part, INT32(0)) for part in (v, lost)]
        return context.make_tuple(builder, sig.return_type, results)

    return types.UniTuple(types.float64, 2)(a, origin), emit


def _two_sum(builder, x, y):
    """Emit x + y and its error; see `double_double.two_sum`."""
    s = builder.fadd(x, y)
    t = builder.fsub(s, x)
    left = builder.fsub(x, builder.fsub(s, t))
    return s, builder.fadd(left, builder.fsub(y, t))
