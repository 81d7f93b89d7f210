"""The sigmoid and its logarithm, one number at a time."""

import numpy as np

from softmax_lib._jit import kernel


@kernel
def sigmoid_flat(x, out):
    """1 / (1 + exp(-x)), written with e = exp(-|x|), which cannot overflow."""
    for i in range(x.size):
        e = np.exp(-abs(np.float64(x[i])))
        out[i] = (1.0 if x[i] >= 0 else e) / (1.0 + e) if x[i] == x[i] else np.nan


@kernel
def log_sigmoid_flat(x, out):
    """-log(1 + exp(-x)), written as min(x, 0) - log1p(exp(-|x|))."""
    for i in range(x.size):
        v = np.float64(x[i])
        out[i] = min(v, 0.0) - np.log1p(np.exp(-abs(v))) if v == v else np.nan
