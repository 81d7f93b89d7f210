"""a * b + c, rounded once, as LLVM IR for a machine without such an instruction.

The product is exact as a pair of numbers (Dekker, 1971), and so is the error of a sum
(Knuth). What is added last is rounded to odd: its last bit says whether something was
lost before, so that the last sum rounds as it should (Boldo and Melquiond, 2008).
"""

from llvmlite import ir

VECTOR_BITS = 128
FLOATS = {32: ir.FloatType(), 64: ir.DoubleType()}
INT32, INT64 = ir.IntType(32), ir.IntType(64)

# A product that underflows would lose digits. Where all is smaller than this, it is
# computed 2^600 times as large.
TINY, SCALE = 2.0**-900, 2.0**600
# Half of the smallest number, on that scale: a result may lie in the middle of two.
MIDDLE = 2.0**-1075 * 2.0**300 * 2.0**300


class Float64Lanes:
    """Arithmetic on vectors of `count` float64, as IR."""

    def __init__(self, builder, count):
        self.builder = builder
        self.floats = ir.VectorType(FLOATS[64], count)
        self.ints = ir.VectorType(INT64, count)

    def all(self, number, kind=None):
        kind = kind or self.floats
        return ir.Constant(kind, [number] * kind.count)

    def add(self, a, b):
        return self.builder.fadd(a, b)

    def sub(self, a, b):
        return self.builder.fsub(a, b)

    def mul(self, a, b):
        return self.builder.fmul(a, b)

    def size(self, a):
        """Return |a|."""
        cleared = self.all(2**63 - 1, self.ints)
        bits = self.builder.and_(self.builder.bitcast(a, self.ints), cleared)
        return self.builder.bitcast(bits, self.floats)

    def two_sum(self, a, b):
        """Return a + b and its error."""
        s = self.add(a, b)
        back = self.sub(s, a)
        return s, self.add(self.sub(a, self.sub(s, back)), self.sub(b, back))

    def split(self, a):
        """Return a as a sum of two numbers of 26 bits."""
        times = self.mul(a, self.all(2.0**27 + 1))
        high = self.sub(times, self.sub(times, a))
        return high, self.sub(a, high)

    def two_product(self, a, b):
        """Return a * b and its error."""
        high = self.mul(a, b)
        (p, q), (u, v) = self.split(a), self.split(b)
        low = self.sub(self.mul(p, u), high)
        for x, y in ((p, v), (q, u), (q, v)):
            low = self.add(low, self.mul(x, y))
        return high, low

    def to_odd(self, s, error):
        """Return s + error rounded to odd, where s is that sum rounded to nearest.

        If something was lost and the last bit of s is 0, go to the neighbour of s on
        the side of the error, whose last bit is 1.
        """
        build, one = self.builder, self.all(1, self.ints)
        bits, other = (build.bitcast(x, self.ints) for x in (s, error))
        differ = build.ashr(build.xor(bits, other), self.all(63, self.ints))
        step = build.or_(differ, one)  # 1, or -1 where the signs differ
        even = build.icmp_signed("==", build.and_(bits, one), self.all(0, self.ints))
        lost = build.fcmp_unordered("!=", error, self.all(0.0))
        step = build.select(build.and_(even, lost), step, self.all(0, self.ints))
        return build.bitcast(build.add(bits, step), self.floats)

    def unless_simple(self, raw, result, a, b, c):
        """Return the result, or a * b + c where the raw one is infinite, NaN or 0.

        There the plain formula is right, and has the right sign.
        """
        plain = self.add(self.mul(a, b), c)
        zero = self.builder.fcmp_ordered("==", raw, self.all(0.0))
        # An infinity less itself is NaN.
        rest = self.sub(raw, raw)
        nan = self.builder.fcmp_unordered("uno", rest, rest)
        return self.builder.select(self.builder.or_(zero, nan), plain, result)

    def is_below(self, a, limit):
        return self.builder.fcmp_ordered("<", self.size(a), self.all(limit))


def _fma_float64(lanes, a, b, c):
    build = lanes.builder
    tiny = build.and_(lanes.is_below(lanes.mul(a, b), TINY), lanes.is_below(c, TINY))
    scale = build.select(tiny, lanes.all(SCALE), lanes.all(1.0))
    back = build.select(tiny, lanes.all(1.0 / SCALE), lanes.all(1.0))
    high, low = lanes.two_product(lanes.mul(a, scale), b)
    t, t_low = lanes.two_sum(lanes.mul(c, scale), low)
    s, s_low = lanes.two_sum(high, t)
    result, error = lanes.two_sum(s, lanes.to_odd(*lanes.two_sum(t_low, s_low)))
    small = lanes.mul(result, back)
    # Made small again, the result is rounded twice. That goes wrong where it lay in the
    # middle of two numbers, and the error says on which side of the middle.
    rest = lanes.sub(result, lanes.mul(small, scale))
    middle = build.fcmp_ordered("==", lanes.size(rest), lanes.all(MIDDLE))
    beyond = build.fcmp_ordered(">", lanes.mul(rest, error), lanes.all(0.0))
    step = lanes.mul(lanes.mul(rest, lanes.all(2.0)), back)
    wrong = build.and_(build.and_(tiny, middle), beyond)
    small = build.select(wrong, lanes.add(small, step), small)
    return lanes.unless_simple(result, small, a, b, c)


def _fma_float32(lanes, a, b, c):
    # The product of two float32 is a float64.
    result = lanes.to_odd(*lanes.two_sum(lanes.mul(a, b), c))
    return lanes.unless_simple(result, result, a, b, c)


def _define(module, bits):
    """Define fma for one vector of a register."""
    count = VECTOR_BITS // bits
    kind = ir.VectorType(FLOATS[bits], count)
    function = ir.Function(
        module, ir.FunctionType(kind, [kind] * 3), f"fma.v{count}f{bits}"
    )
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    lanes = Float64Lanes(builder, count)
    operands = list(function.args)
    if bits == 32:
        operands = [builder.fpext(x, lanes.floats) for x in operands]
        result = _fma_float32(lanes, *operands)
    else:
        result = _fma_float64(lanes, *operands)
    builder.ret(result if bits == 64 else builder.fptrunc(result, kind))
    return function


def _define_in_parts(module, whole, count, bits):
    """Define fma for vectors of another length, by vectors of a register."""
    step = VECTOR_BITS // bits
    kind = ir.VectorType(FLOATS[bits], count)
    function = ir.Function(
        module, ir.FunctionType(kind, [kind] * 3), f"fma.v{count}f{bits}"
    )
    function.attributes.add("alwaysinline")
    builder = ir.IRBuilder(function.append_basic_block())
    result = ir.Constant(kind, ir.Undefined)
    for start in range(0, count, step):
        lanes = [min(start + k, count - 1) for k in range(step)]
        picked = ir.Constant(ir.VectorType(INT32, step), lanes)
        parts = [builder.shuffle_vector(x, x, picked) for x in function.args]
        part = builder.call(whole, parts)
        for k in range(min(step, count - start)):
            number = builder.extract_element(part, INT32(k))
            result = builder.insert_element(result, number, INT32(start + k))
    builder.ret(result)


def module(kinds):
    """Return IR that defines fma.vNfB for pairs of N lanes and B bits."""
    made = ir.Module("fma")
    for bits in sorted({bits for _, bits in kinds}):
        whole = _define(made, bits)
        for count in sorted(n for n, b in kinds if b == bits):
            if count * bits != VECTOR_BITS:
                _define_in_parts(made, whole, count, bits)
    return str(made)
