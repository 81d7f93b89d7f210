r"""The second path: exponentials and logarithms as pairs of float64.

Scores are float64 here, any of them. The arithmetic, the exponential and the logarithm
are those of `_kernels.pairs`, which has their errors; w is 2^-106, and all errors are
relative unless said otherwise.

**The argument** is x - m <= 0 for the largest score m, exact as a pair. In all the
error of a term is below 2^-93.

**A total** of k terms in a lane adds 3 k w, and the 8 lanes 24 w.

**The logarithm** starts from that of the first path.

`ERROR` is 2^-90 and leaves a factor of 8; 4 k w is added to it for long slices.
"""

from softmax_lib import _vector as v
from softmax_lib._exact.first import log_total
from softmax_lib._jit import inlined
from softmax_lib._kernels.pairs import Pair, refine_log, two_sum

ERROR = 2.0**-90

# Terms are 2^512 times too large, so that their low parts are not subnormal.
SCALE = 2.0**512

# Lower scores count as the largest one minus this. The terms lie below 2^-1154; no
# result in float64 tells numbers below 2^-1100 apart.
CUTOFF = 800.0
SLACK = SCALE * 2.0**-1100
LEAST_LOG = SCALE * 2.0**-1300


@inlined
def gap(x, top):
    """Return x - top as a pair, exactly unless it is below the cutoff."""
    d = two_sum(x, 0.0 - top)
    far = d.hi < -CUTOFF
    return Pair(v.select(far, -CUTOFF, d.hi), v.select(far, 0.0, d.lo))


@inlined
def log_one_plus(t):
    """Return log(1 + t) for a pair t >= 0 that is not below 2^-400."""
    return refine_log(t, log_total(0.0 * t.hi + 1.0, t.hi))
