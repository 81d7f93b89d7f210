"""The second path, on arrays of float64 rows, with results in float32 or float64."""

from softmax_lib import _vector as v
from softmax_lib._exact import second as p
from softmax_lib._exact import second_loops as loops
from softmax_lib._exact.finish import to_float32, to_float64
from softmax_lib._jit import inlined, kernel, renamed
from softmax_lib._kernels import pairs
from softmax_lib._kernels.pairs import Pair, power_of_two

LANES, SCRATCH_BYTES = loops.LANES, loops.SCRATCH_BYTES


@inlined
def store(results, i, count, value):
    """Store a vector, or its first count numbers."""
    if count == LANES:
        v.store(results, i, value)
    else:
        v.store_head(results, i, count, value)


def softmax_kernel(name, finish):
    """Return the kernel of softmax for a dtype of results."""
    share_of = loops.share_of(finish)

    def rows(x, out, n, first, last):
        scores, results = v.data_pointer(x), v.data_pointer(out)
        scratch = v.stack_alloc(scores, SCRATCH_BYTES)
        for start in range(first * n, last * n, n):
            total = loops.row_total(scores, start, n, scratch)
            whole = loops.denominator(total)
            for i in range(0, n, LANES):
                count = min(LANES, n - i)
                e = pairs.exponential(
                    p.gap(loops.load(scores, start + i, count), total.top)
                )
                share = share_of(results, pairs.one_plus(e.g), whole, e.n, total.error)
                store(results, start + i, count, share)

    return kernel(renamed(rows, __name__, name))


def log_softmax_kernel(name, finish):
    """Return the kernel of log-softmax for a dtype of results."""
    log_share_of = loops.log_share_of(finish)

    def rows(x, out, n, first, last):
        scores, results = v.data_pointer(x), v.data_pointer(out)
        scratch = v.stack_alloc(scores, SCRATCH_BYTES)
        for start in range(first * n, last * n, n):
            total = loops.row_total(scores, start, n, scratch)
            log = loops.scaled_log(total)
            for i in range(0, n, LANES):
                count = min(LANES, n - i)
                score = loops.load(scores, start + i, count)
                value = log_share_of(results, total.top, score, log, total.error)
                store(results, start + i, count, value)

    return kernel(renamed(rows, __name__, name))


def logsumexp_kernel(name, finish):
    """Return the kernel of log-sum-exp for a dtype of results."""
    log_sum_of = loops.log_sum_of(finish)

    def rows(x, out, n, first, last):
        scores, results = v.data_pointer(x), v.data_pointer(out)
        scratch = v.stack_alloc(scores, SCRATCH_BYTES)
        for row in range(first, last):
            total = loops.row_total(scores, row * n, n, scratch)
            log = loops.scaled_log(total)
            value = log_sum_of(results, total.top, log, total.error)
            v.store_scalar(results, row, v.lane0(value))

    return kernel(renamed(rows, __name__, name))


def sigmoid_kernel(name, finish):
    """Return the kernel of the sigmoid for a dtype of results."""
    share_of = loops.share_of(finish)

    def entries(x, out, n, first, last):
        scores, results = v.data_pointer(x), v.data_pointer(out)
        for i in range(first * n, last * n, LANES):
            count = min(LANES, last * n - i)
            score = loops.load(scores, i, count)
            minus = v.maximum(-p.CUTOFF, 0.0 - v.fabs(score))
            e = pairs.exponential(Pair(minus, v.splat(minus, 0.0)))
            a = pairs.one_plus(e.g)
            power = power_of_two(e.n + 512.0)
            other = pairs.scale(pairs.scale(a, power), 1.0 / p.SCALE)
            s = pairs.one_plus(other)
            negative = score < 0.0
            one = Pair(v.select(negative, a.hi, 1.0), v.select(negative, a.lo, 0.0))
            n_of_one = v.select(negative, e.n, 0.0)
            store(results, i, count, share_of(results, one, s, n_of_one, p.ERROR))

    return kernel(renamed(entries, __name__, name))


softmax_to_float32 = softmax_kernel("softmax_to_float32", to_float32)
softmax_to_float64 = softmax_kernel("softmax_to_float64", to_float64)
log_softmax_to_float32 = log_softmax_kernel("log_softmax_to_float32", to_float32)
log_softmax_to_float64 = log_softmax_kernel("log_softmax_to_float64", to_float64)
logsumexp_to_float32 = logsumexp_kernel("logsumexp_to_float32", to_float32)
logsumexp_to_float64 = logsumexp_kernel("logsumexp_to_float64", to_float64)
sigmoid_to_float32 = sigmoid_kernel("sigmoid_to_float32", to_float32)
sigmoid_to_float64 = sigmoid_kernel("sigmoid_to_float64", to_float64)
