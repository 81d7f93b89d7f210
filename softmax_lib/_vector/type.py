"""The vector type: 16 float32 or 8 float64 that act as one number.

Numba leaves it to LLVM to discover that a loop may run on vectors, and LLVM refuses as
soon as the order of a sum matters, which is all that a compensated sum is about. So
kernels use vectors explicitly: a value of type `Vector` is one LLVM vector of 64 bytes,
which LLVM splits on processors whose registers are shorter.
"""

import inspect

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic, models, register_model

from softmax_lib._layout import VECTOR_BYTES, has_wide_registers

INT32 = ir.IntType(32)


class Vector(types.Type):
    """The Numba type of `count` numbers of type `dtype`."""

    def __init__(self, dtype, count):
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")

    @property
    def llvm(self):
        """The LLVM vector type."""
        return ir.VectorType(element(self.dtype), self.count)


class NegatedPointer(types.CPointer):
    """A pointer whose numbers are read with the opposite sign."""


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """Represented by one LLVM vector, so that it stays in a register."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, fe_type.llvm)


register_model(NegatedPointer)(models.PointerModel)


def element(dtype):
    """Return the LLVM type of one lane."""
    floats = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
    bits = 1 if dtype == types.boolean else dtype.bitwidth
    return floats.get(dtype) or ir.IntType(bits)


def full_vector(like, *others):
    """Return the type of a whole vector of the dtype of a pointer."""
    return Vector(like.dtype, VECTOR_BYTES * 8 // like.dtype.bitwidth)


def bits_type(vector):
    """Return the type of integers as wide as the lanes of a vector."""
    ints = types.int32 if vector.dtype == types.float32 else types.int64
    return Vector(ints, vector.count)


def common_type(*kinds):
    """Return the only vector type of floats or integers among kinds, else None."""
    found = {k for k in kinds if isinstance(k, Vector) and k.dtype != types.boolean}
    return found.pop() if len(found) == 1 else None


# --- LLVM ------------------------------------------------------------------------


def indices(lanes):
    """Return a constant vector of lane numbers."""
    lanes = list(lanes)
    return ir.Constant(ir.VectorType(INT32, len(lanes)), lanes)


def halves(builder, v):
    """Emit the two halves of a vector."""
    half = v.type.count // 2
    parts = range(half), range(half, 2 * half)
    return [builder.shuffle_vector(v, v, indices(lanes)) for lanes in parts]


def emit_splat(builder, scalar, count):
    """Emit a vector of count lanes that all hold a number."""
    undefined = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    one = builder.insert_element(undefined, scalar, INT32(0))
    return builder.shuffle_vector(one, undefined, indices([0] * count))


def spread(context, builder, value, kind, vector):
    """Return a value as a vector: a plain number in every lane."""
    if isinstance(kind, Vector):
        return value
    scalar = context.cast(builder, value, kind, vector.dtype)
    return emit_splat(builder, scalar, vector.count)


def call_llvm(builder, name, result, args):
    """Call an LLVM intrinsic by its full name."""
    kind = ir.FunctionType(result, [a.type for a in args])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, args)


def suffix(vector):
    """Return the part of an intrinsic's name that spells the vector type."""
    return f"v{vector.count}f{vector.dtype.bitwidth}"


def emitted(result=lambda *kinds: types.void):
    """Return a decorator that makes an intrinsic of a function that emits LLVM IR.

    `result` gives its type for the types of the arguments. The function takes Numba's
    context, the builder, the types, and the values, plain integers among them as intp.
    """

    def decorate(function):
        def typed(typingctx, *kinds):
            found = [types.intp if isinstance(k, types.Integer) else k for k in kinds]

            def emit(context, builder, sig, args):
                values = [
                    context.cast(builder, value, a, b) if a != b else value
                    for value, a, b in zip(args, kinds, found, strict=True)
                ]
                emitted = function(context, builder, found, *values)
                return context.get_dummy_value() if emitted is None else emitted

            return result(*kinds)(*kinds), emit

        return named_intrinsic(typed, function, skipped=3)

    return decorate


def named_intrinsic(typed, function, skipped):
    """Return an intrinsic with the name, docstring and last parameters of function."""
    typed.__name__, typed.__doc__ = function.__name__, function.__doc__
    first, *others = inspect.signature(function).parameters.values()
    typed.__signature__ = inspect.Signature([first, *others[skipped - 1 :]])
    return intrinsic(typed)


# --- constants -------------------------------------------------------------------


def constant(float32, float64):
    """Return a function of vectors and pointers: the constant of their dtype.

    Python code finds both in its attribute `values`.
    """
    table = {types.float32: float32, types.float64: float64}

    def kind_of(like):
        return types.float64 if isinstance(table[like.dtype], float) else types.int64

    @emitted(kind_of)
    def pick(context, builder, kinds, like):
        return context.get_constant(kind_of(*kinds), table[kinds[0].dtype])

    pick.values = float32, float64
    return pick


def length_of(size):
    """Return a function of pointers that gives how many numbers `size` bytes hold."""
    return constant(size // 4, size // 8)


vector_length = length_of(VECTOR_BYTES)


def polynomial(float32, float64):
    """Return a function that evaluates the polynomial of the dtype of a vector.

    By Horner's rule in the square, for pairs of coefficients: half as long a chain of
    dependent operations. Coefficients run from the constant term upwards; Python code
    finds them in the attribute `values`.
    """
    table = {types.float32: float32, types.float64: float64}

    @emitted(common_type)
    def evaluate(context, builder, kinds, x):
        (vector,) = kinds

        def fma(*operands):
            name = f"llvm.fmuladd.{suffix(vector)}"
            return call_llvm(builder, name, vector.llvm, operands)

        coefficients = [
            ir.Constant(vector.llvm, [c] * vector.count) for c in table[vector.dtype]
        ]
        square = builder.fmul(x, x)
        value = None
        for low in reversed(range(0, len(coefficients), 2)):
            pair = coefficients[low]
            if low + 1 < len(coefficients):
                pair = fma(coefficients[low + 1], x, pair)
            value = pair if value is None else fma(value, square, pair)
        return value

    evaluate.values = float32, float64
    return evaluate


# --- the compiler ----------------------------------------------------------------


@emitted()
def noinline(context, builder, kinds):
    """Keep the function that calls this from being inlined.

    In one large function LLVM runs out of registers and loads every constant again in
    every round of a loop (a fifth slower). With few registers it also keeps sums on the
    stack. Where the caller left that unaligned they may cross cache lines, and a loop
    takes more than twice as long; so the stack is aligned first.
    """
    builder.function.attributes.add("noinline")
    if not has_wide_registers():
        builder.function.attributes.alignstack = VECTOR_BYTES


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
