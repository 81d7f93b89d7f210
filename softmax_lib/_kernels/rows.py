"""The layout of slices along the vectors: one row after the other."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels import row_loops as loops
from softmax_lib._kernels.accumulator import accumulate, reduce_total, zero_sum
from softmax_lib._kernels.exponential import scaled_exp
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.slices import TOP_EXPONENT_BIT, without_down


def row_statistic(op):
    """Return what gives the statistic of a row: its total, or the logarithm of that."""
    stores_terms = op.stores_terms

    @inlined
    def statistic(x, start, n, top, params, total):
        if stores_terms:
            return total
        return loops.row_log_total(x, start, n, top, params, total)

    return statistic


@inlined
def store_row_value(x, out, start, n, row, extreme, value):
    """Write the result of a row that is one number."""
    if math.isfinite(extreme):
        v.store_scalar(out, row, v.lane0(value))
    elif loops.holds_nan(x, start, n):
        v.store_scalar(out, row, math.nan)
    else:
        v.store_scalar(out, row, extreme)


def rows_loop(op):
    """Return the loop of an operation over rows first, ..., last - 1 of n numbers."""
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = loops.row_map(apply) if is_map else None
    statistic = row_statistic(op)

    @inlined
    def short_row(x, out, start, n, row):
        """Do a row that fits in one vector, which never leaves the registers."""
        scores = v.load_head(x, start, n, -math.inf)
        extreme = v.reduce_max(scores)
        top, finite, params, whole = loops.row_params(x, extreme)
        power, part = scaled_exp(scores, whole)
        total = reduce_total(accumulate(zero_sum(x), power, part))
        total = statistic(x, start, n, top, params, total)
        stats = finish(top, finite, params, total)
        if stores_terms:
            shares = apply(power + part, v.splat_fields(x, stats))
            v.store_head(out, start, n, shares)
        elif is_map:
            v.store_head(out, start, n, apply(scores, v.splat_fields(x, stats)))
        else:
            store_row_value(x, out, start, n, row, extreme, stats)

    def rows(x, out, n, first, last):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        begin, end = first * n, last * n
        if n <= v.vector_length(source):
            for row in range(first, last):
                short_row(source, target, row * n, n, row)
            return
        fits = n <= loops.IN_CACHE_LENGTH(source)
        terms = target if stores_terms else None
        later = None if stores_terms or not is_map else target
        next_max = -math.inf
        if stores_terms or fits:
            next_max = loops.row_max(source, begin, n)
        for start in range(begin, end, n):
            has_next = start + n < end
            extreme = next_max
            if is_map:
                touch_pages(source, target, start, n, end)
            if stores_terms or fits:
                top, finite, params, whole = loops.row_params(source, extreme)
                distance = loops.prefetch_distance(source, start, n, end)
                total, common = loops.sum_exp(
                    source, terms, start, n, top, whole, distance, later
                )
            else:
                extreme, total = loops.online_sum_exp(source, start, n)
                top, finite, params, _ = loops.row_params(source, extreme)
                common = 0
            total = statistic(source, start, n, top, params, total)
            stats = finish(top, finite, params, total)
            if not is_map:
                store_row_value(source, target, start, n, start // n, extreme, stats)
                if has_next and fits:
                    next_max = loops.row_max(source, start + n, n)
                continue
            stats = v.splat_fields(source, stats)
            if stores_terms:
                if has_next and common & TOP_EXPONENT_BIT(source):
                    normal = without_down(stats)
                    next_max = write(
                        target, target, start, n, normal, source, start + n
                    )
                else:
                    write(target, target, start, n, stats, None, 0)
                    if has_next:
                        next_max = loops.row_max(source, start + n, n)
            elif has_next and n <= loops.BLOCK_LENGTH(source):
                next_max = write(source, target, start, n, stats, source, start + n)
            else:
                # Three long rows at a time would thrash the cache.
                if has_next and fits:
                    next_max = loops.row_max(source, start + n, n)
                write(source, target, start, n, stats, None, 0)

    return rows
