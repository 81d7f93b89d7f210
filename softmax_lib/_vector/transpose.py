"""Squares of numbers, as many rows as a vector has lanes: copied rows to columns."""

from llvmlite import ir

from softmax_lib._vector.memory import (
    emit_load,
    emit_masked_load,
    emit_store,
    emit_store_part,
    head_mask,
)
from softmax_lib._vector.type import emitted, full_vector, indices


def _transpose(builder, rows):
    """Return the columns of a square.

    Within parts of 128 bits first, and then part by part: every processor has
    instructions for such steps.
    """
    count = len(rows)
    part = count // 4

    def zipped(a, b, unit, half):
        picks = []
        for base in range(0, count, part):
            for k in range(base + half, base + half + part // 2, unit):
                picks += range(k, k + unit)
                picks += range(count + k, count + k + unit)
        return builder.shuffle_vector(a, b, indices(picks))

    def parts(a, b, *chosen):
        picks = [p * part + k for p in chosen for k in range(part)]
        return builder.shuffle_vector(a, b, indices(picks))

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


def _places(builder, at, step, count):
    """Return the indices at, at + step, ..."""
    return [builder.add(at, builder.mul(step, at.type(k))) for k in range(count)]


def _counts(builder, rows, columns, vector):
    """Return `columns` for each of `rows` rows, and 0 for the rest."""
    none = rows.type(0)
    inside = [builder.icmp_signed(">", rows, rows.type(k)) for k in range(vector.count)]
    return [builder.select(condition, columns, none) for condition in inside]


@emitted()
def load_transposed(
    context, builder, kinds, source, at, step, rows, columns, block, to, pace
):
    """Copy a square of an array to a block, its rows to columns.

    The rows begin at source[at] and lie `step` apart. `rows` rows of `columns` numbers
    are read; the rest of the square is 0. The columns are written whole, from block[to]
    on, `pace` apart.
    """
    vector = full_vector(*kinds)
    zeros = ir.Constant(vector.llvm, [0.0] * vector.count)
    places = _places(builder, at, step, vector.count)
    counts = _counts(builder, rows, columns, vector)
    masks = [head_mask(builder, count, vector) for count in counts]
    found = [
        emit_masked_load(builder, kinds[0], vector, source, place, mask, zeros)
        for place, mask in zip(places, masks, strict=True)
    ]
    places = _places(builder, to, pace, vector.count)
    for place, column in zip(places, _transpose(builder, found), strict=True):
        emit_store(builder, vector, block, place, column)


@emitted()
def store_transposed(
    context, builder, kinds, block, at, pace, target, to, step, rows, columns
):
    """Copy a square of a block back to an array: the inverse of `load_transposed`."""
    vector = full_vector(*kinds)
    places = _places(builder, at, pace, vector.count)
    found = [emit_load(builder, kinds[0], vector, block, place) for place in places]
    places = _places(builder, to, step, vector.count)
    counts = _counts(builder, rows, columns, vector)
    rows = _transpose(builder, found)
    for place, count, row in zip(places, counts, rows, strict=True):
        emit_store_part(builder, vector, target, place, count, row)
