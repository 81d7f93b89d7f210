"""The layout of slices along the vectors: one row after the other."""

import math

from softmax_lib import _vector as v
from softmax_lib._jit import inlined, outlined
from softmax_lib._kernels import row_loops as loops
from softmax_lib._kernels import row_sums
from softmax_lib._kernels.accumulator import accumulate, reduce_total, zero_sum
from softmax_lib._kernels.exponential import TERM_SCALE, scaled_exp
from softmax_lib._kernels.first_touch import touch_pages
from softmax_lib._kernels.row_loops import MAXIMA_BYTES
from softmax_lib._kernels.slices import TOP_EXPONENT_BIT, without_down
from softmax_lib._layout import BLOCK_BYTES


def row_statistic(op):
    """Return what gives the statistic of a row: its total, or the logarithm of that."""
    stores_terms = op.stores_terms

    @inlined
    def statistic(x, row, top, params, total):
        if stores_terms:
            return row_sums.row_total(x, row, top, params, total)
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
    write_again = write_row_again(write) if stores_terms else None
    statistic = row_statistic(op)

    @inlined
    def short_row(x, out, row):
        """Do a row that fits in one vector, which never leaves the registers."""
        start, n, _ = row
        scores = v.load_head(x, start, n, -math.inf)
        extreme = v.reduce_max(scores)
        top, finite, params, whole = loops.row_params(x, extreme)
        power, part = scaled_exp(scores, whole)
        unit = v.splat(x, TERM_SCALE(x))
        total = reduce_total(accumulate(zero_sum(unit), power, part), unit, 1)
        stats = finish(top, finite, params, statistic(x, row, top, params, total))
        if is_map:
            values = power + part if stores_terms else scores
            v.store_head(out, start, n, apply(values, v.splat_fields(x, stats)))
        else:
            store_row_value(x, out, row, extreme, stats)

    @inlined
    def rows_of_terms(x, out, n, first, end):
        """Do rows whose terms are written to the result and scaled there.

        In place they are written elsewhere, since a total may want the scores again.
        """
        scratch, in_place = v.stack_alloc(out, BLOCK_BYTES), v.same_pointer(x, out)
        maxima = v.stack_alloc(out, MAXIMA_BYTES)
        next_max = loops.block_maxima(x, first, n, maxima)
        for start in range(first, end, n):
            row, has_next = loops.Row(start, n, end), start + n < end
            touch_pages(x, out, start, n, end)
            terms = v.shifted(scratch, -start) if in_place else out
            top, finite, params, whole = loops.row_params(x, next_max)
            how = maxima, None, in_place
            total, common = row_sums.sum_exp(x, terms, row, top, whole, *how)
            total = statistic(x, row, top, params, total)
            stats = v.splat_fields(x, finish(top, finite, params, total))
            if in_place and n > loops.BLOCK_LENGTH(x):
                write_again(x, out, row, top, whole, stats, scratch)
            elif has_next and common & TOP_EXPONENT_BIT(x):
                normal = without_down(stats)
                next_max = loops.write_ahead(write, terms, out, row, normal, x, maxima)
                continue
            else:
                write(terms, out, row, stats, None, 0)
            if has_next:
                next_max = loops.block_maxima(x, start + n, n, maxima)

    @inlined
    def rows_of_scores(x, out, n, first, end):
        """Do rows whose scores are read again, or whose result is one number."""
        reads_twice = n <= loops.IN_CACHE_LENGTH(x)
        later = out if is_map else None
        maxima, next_max = v.stack_alloc(out, MAXIMA_BYTES), -math.inf
        if reads_twice:
            next_max = loops.block_maxima(x, first, n, maxima)
        for start in range(first, end, n):
            row, has_next = loops.Row(start, n, end), start + n < end
            extreme = next_max
            if is_map:
                touch_pages(x, out, start, n, end)
            if reads_twice:
                top, finite, params, whole = loops.row_params(x, extreme)
                how = maxima, later, False
                total, _ = row_sums.sum_exp(x, None, row, top, whole, *how)
            else:
                extreme, total = row_sums.online_sum_exp(x, row)
                top, finite, params, _ = loops.row_params(x, extreme)
            total = statistic(x, row, top, params, total)
            stats = finish(top, finite, params, total)
            if not is_map:
                store_row_value(x, out, row, extreme, stats)
            elif has_next and n <= loops.BLOCK_LENGTH(x):
                # Three longer rows at a time would thrash the cache.
                next_max = write(x, out, row, v.splat_fields(x, stats), x, n)
                continue
            else:
                write(x, out, row, v.splat_fields(x, stats), None, 0)
            if has_next and reads_twice:
                next_max = loops.block_maxima(x, start + n, n, maxima)

    def rows(x, out, n, first, last):
        source, target = read(v.data_pointer(x)), v.data_pointer(out)
        end = last * n
        if n <= v.vector_length(source):
            for start in range(first * n, end, n):
                short_row(source, target, loops.Row(start, n, end))
        elif stores_terms:
            rows_of_terms(source, target, n, first * n, end)
        else:
            rows_of_scores(source, target, n, first * n, end)

    return rows


def write_row_again(write):
    """Return a loop for rows whose terms were not kept."""

    @outlined
    def write_again(x, out, row, top, params, stats, scratch):
        """Write the results of a row from terms computed again, block by block."""
        start, n, end = row
        for b in range(start, start + n, loops.BLOCK_LENGTH(x)):
            block = loops.Row(b, min(loops.BLOCK_LENGTH(x), start + n - b), end)
            terms = v.shifted(scratch, -b)
            row_sums.sum_exp(x, terms, block, top, params, None, None, False)
            write(terms, out, block, stats, None, 0)

    return write_again
