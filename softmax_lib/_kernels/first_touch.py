"""New memory at less than half of its price.

The memory of a large new array does not exist yet. The system hands it out page by
page, when a page is first touched, and clears it then: a large part of the time of a
result larger than the caches. Linux gives large arrays pages of 2 MB, and clears each
towards the place that was touched, which the caches will need next. A result is
written from its start, so each page would be cleared from its end to its start, and
backwards that takes more than twice as long (benchmarks/pages.md). If the end is
touched first, the page is cleared forwards.

Other systems, and memory that exists already, lose nothing: one number in two million
bytes is written twice.
"""

from softmax_lib import _vector as v
from softmax_lib._jit import inlined
from softmax_lib._layout import PAGE_BYTES, VECTOR_BYTES


@inlined
def touch_pages(x, out, start, n, end):
    """Touch the last number of each page that begins in out[start : start + n].

    All of out from start to end is yet to be written. Where x is out its pages exist
    already, and nothing is done.
    """
    if not v.same_pointer(x, out):
        size = PAGE_BYTES // VECTOR_BYTES * v.vector_length(out)
        first = start + v.count_to_boundary(out, start, PAGE_BYTES)
        for page in range(first, start + n, size):
            v.store_scalar(out, min(page + size, end) - 1, 0.0)
