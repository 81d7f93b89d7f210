"""New memory, at less than half of its price.

The memory of a large new array is not there yet. The system gives it out in pages, when
they are first touched, and clears them before: a large part of the time of a result
beyond the caches. Linux gives large arrays pages of 2 MB, and clears one toward the
place that was touched, because that is where the caches will be asked next. A result
is written from its start, so each page would be cleared from its end to its start, and
backwards that takes more than twice as long (benchmarks/pages.md). Whoever touches the
end first has it cleared forwards.

Other systems, and memory that is there already, have no harm from that: a number in
two million bytes is written once more.
"""

from softmax_lib._jit import formula
from softmax_lib._kernels.lanes import BYTES, is_same, put, until, width

PAGE = 2 << 20


@formula
def enter_pages(x, out, start, n, end):
    """Touch the last number of each page that begins in out[start : start + n].

    All from start to end is yet to be written, from numbers of x. Where x is out they
    are there already, and nothing is done.
    """
    if not is_same(x, out):
        size = PAGE // BYTES * width(out)
        for page in range(start + until(out, start, PAGE), start + n, size):
            put(out, min(page + size, end) - 1, 0.0)
