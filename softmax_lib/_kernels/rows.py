"""The layout of slices along the vectors: one row after the other."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._kernels import row_loops as loops
from softmax_lib._kernels import row_sums
from softmax_lib._kernels.accumulator import accumulate, reduce_total, zero_sum
from softmax_lib._kernels.exponential import scaled_exp
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.slices import TOP_EXPONENT_BIT, without_down


def row_statistic(op):
    """Return what gives the statistic of a row: its total, or the logarithm of that."""
    stores_terms = op.stores_terms

    @inlined
    def statistic(x, row, top, params, total):
        if stores_terms:
            return total
        return row_sums.row_log_total(x, row, top, params, total)

    return statistic


@inlined
def store_row_value(x, out, row, extreme, value):
    """Write the result of a row that is one number."""
    at = row.start // row.n
    if math.isfinite(extreme):
        v.store_scalar(out, at, v.lane0(value))
    elif loops.holds_nan(x, row.start, row.n):
        v.store_scalar(out, at, math.nan)
    else:
        v.store_scalar(out, at, extreme)


def rows_loop(op):
    """Return the loop of an operation over rows first, ..., last - 1 of n numbers."""
    _, read, stores_terms, finish, apply = op
    is_map = apply is not None
    write = loops.row_map(apply) if is_map else None
    statistic = row_statistic(op)

    @inlined
    def short_row(x, out, row):
        """Do a row that fits in one vector, which never leaves the registers."""
        start, n, _ = row
        scores = v.load_head(x, start, n, -math.inf)
        extreme = v.reduce_max(scores)
        top, finite, params, whole = loops.row_params(x, extreme)
        power, part = scaled_exp(scores, whole)
        total = reduce_total(accumulate(zero_sum(x), power, part))
        stats = finish(top, finite, params, statistic(x, row, top, params, total))
        if is_map:
            values = power + part if stores_terms else scores
            v.store_head(out, start, n, apply(values, v.splat_fields(x, stats)))
        else:
            store_row_value(x, out, row, extreme, stats)

    def rows(x, out, n, first, last):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        end = last * n
        if n <= v.vector_length(source):
            for start in range(first * n, end, n):
                short_row(source, target, loops.Row(start, n, end))
            return
        reads_twice = stores_terms or n <= loops.IN_CACHE_LENGTH(source)
        terms = target if stores_terms else None
        later = target if is_map and not stores_terms else None
        values = target if stores_terms else source
        next_max = -math.inf
        if reads_twice:
            next_max = loops.row_max(source, first * n, n)
        for start in range(first * n, end, n):
            row, has_next = loops.Row(start, n, end), start + n < end
            extreme, common = next_max, 0
            if is_map:
                touch_pages(source, target, start, n, end)
            if reads_twice:
                top, finite, params, whole = loops.row_params(source, extreme)
                total, common = row_sums.sum_exp(source, terms, row, top, whole, later)
            else:
                extreme, total = row_sums.online_sum_exp(source, row)
                top, finite, params, _ = loops.row_params(source, extreme)
            total = statistic(source, row, top, params, total)
            stats = finish(top, finite, params, total)
            # Three long rows at a time would thrash the cache.
            ahead = has_next and not stores_terms and n <= loops.BLOCK_LENGTH(source)
            if not is_map:
                store_row_value(source, target, row, extreme, stats)
            else:
                whole_stats = v.splat_fields(source, stats)
                if ahead:
                    next_max = write(values, target, row, whole_stats, source)
                    continue
                if stores_terms and has_next and common & TOP_EXPONENT_BIT(source):
                    normal = without_down(whole_stats)
                    next_max = write(values, target, row, normal, source)
                    continue
                write(values, target, row, whole_stats, None)
            if has_next and reads_twice:
                next_max = loops.row_max(source, start + n, n)

    return rows
