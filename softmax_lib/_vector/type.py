"""The vector type: 16 float32 or 8 float64 that act as one number.

Numba leaves it to LLVM to discover that a loop may run on vectors, and LLVM refuses as
soon as the order of a sum matters, which is all that a compensated sum is about. So
kernels use vectors explicitly: a value of type `Vector` is one LLVM vector of 64 bytes,
which LLVM splits on processors whose registers are shorter.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic, models, register_model

from softmax_lib._layout import VECTOR_BYTES

INT32 = ir.IntType(32)


class Vector(types.Type):
    """The Numba type of `count` numbers of type `dtype`."""

    def __init__(self, dtype, count):
        self.dtype = dtype
        self.count = count
        super().__init__(name=f"Vector({dtype}, {count})")

    @property
    def llvm(self):
        """The LLVM vector type."""
        return ir.VectorType(element(self.dtype), self.count)


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """Represented by itself, so that it stays in a register."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, fe_type.llvm)


class NegatedPointer(types.Type):
    """A pointer whose numbers are read with the opposite sign."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"NegatedPointer({dtype})")


@register_model(NegatedPointer)
class NegatedPointerModel(models.PrimitiveModel):
    """Represented by the pointer."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, element(fe_type.dtype).as_pointer())


def element(dtype):
    """Return the LLVM type of one lane."""
    if dtype == types.float32:
        return ir.FloatType()
    if dtype == types.float64:
        return ir.DoubleType()
    return ir.IntType(1 if dtype == types.boolean else dtype.bitwidth)


def full_vector(dtype):
    """Return the type of a whole vector of dtype."""
    return Vector(dtype, VECTOR_BYTES * 8 // dtype.bitwidth)


def bits_type(vector):
    """Return the type of integers as wide as the lanes of a vector."""
    ints = types.int32 if vector.dtype == types.float32 else types.int64
    return Vector(ints, vector.count)


def common_type(*kinds):
    """Return the only vector type among kinds, else None."""
    found = {kind for kind in kinds if isinstance(kind, Vector)}
    return found.pop() if len(found) == 1 else None


def spread(context, builder, value, kind, wanted):
    """Return value as a vector of type wanted: a plain number in every lane."""
    if isinstance(kind, Vector):
        return value
    scalar = context.cast(builder, value, kind, wanted.dtype)
    undefined = ir.Constant(wanted.llvm, ir.Undefined)
    one = builder.insert_element(undefined, scalar, INT32(0))
    return builder.shuffle_vector(one, undefined, indices([0] * wanted.count))


def indices(lanes):
    """Return a constant vector of lane numbers."""
    lanes = list(lanes)
    return ir.Constant(ir.VectorType(INT32, len(lanes)), lanes)


def call_llvm(builder, name, result, args):
    """Call an LLVM intrinsic by its full name."""
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, kind, name), args
    )


def suffix(vector):
    """Return the part of an intrinsic's name that spells the vector type."""
    letter = "f" if isinstance(vector.dtype, types.Float) else "i"
    return f"v{vector.count}{letter}{vector.dtype.bitwidth}"


# --- constants -------------------------------------------------------------------


@intrinsic
def vector_length(typingctx, like):
    """Return how many numbers of the type of a pointer fit in one vector."""
    count = full_vector(like.dtype).count

    def emit(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(like), emit


def constant(float32, float64):
    """Return a function of vectors and pointers: the constant of their dtype."""
    table = {types.float32: float32, types.float64: float64}

    @intrinsic
    def pick(typingctx, like):
        value = table[like.dtype]
        kind = types.float64 if isinstance(value, float) else types.int64

        def emit(context, builder, sig, args):
            return context.get_constant(kind, value)

        return kind(like), emit

    return pick


def length_of(size):
    """Return a function of pointers that gives how many numbers `size` bytes hold."""
    return constant(size // 4, size // 8)


def polynomial(float32, float64):
    """Return a function that evaluates the polynomial of the dtype of a vector.

    By Horner's rule in the square, for pairs of coefficients: half as long a chain of
    dependent operations. Coefficients run from the constant term upwards.
    """
    table = {types.float32: float32, types.float64: float64}

    @intrinsic
    def evaluate(typingctx, x):
        def emit(context, builder, sig, args):
            def fma(*operands):
                return call_llvm(builder, f"llvm.fmuladd.{suffix(x)}", x.llvm, operands)

            coefficients = [ir.Constant(x.llvm, [c] * x.count) for c in table[x.dtype]]
            square = builder.fmul(args[0], args[0])
            value = None
            for low in reversed(range(0, len(coefficients), 2)):
                pair = coefficients[low]
                if low + 1 < len(coefficients):
                    pair = fma(coefficients[low + 1], args[0], pair)
                value = pair if value is None else fma(value, square, pair)
            return value

        return x(x), emit

    return evaluate


# --- the compiler ----------------------------------------------------------------


@intrinsic
def noinline(typingctx):
    """Keep the function that calls this from being inlined.

    In one large function LLVM runs out of registers and loads every constant anew in
    every round of a loop (a fifth slower).
    """

    def emit(context, builder, sig, args):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def stack_alloc(typingctx, like, size):
    """Return a pointer to `size` bytes on the stack, of the dtype of like.

    Where like is None, return None.
    """
    if like == types.none:
        return like(like, size), lambda context, builder, sig, args: args[0]
    if not isinstance(size, types.IntegerLiteral):
        raise RequireLiteralValue("size")

    def emit(context, builder, sig, args):
        number = element(like.dtype)
        count = size.literal_value * 8 // like.dtype.bitwidth
        with builder.goto_entry_block():
            block = builder.alloca(ir.ArrayType(number, count))
            block.align = VECTOR_BYTES
        return builder.bitcast(block, number.as_pointer())

    return types.CPointer(like.dtype)(like, size), emit
