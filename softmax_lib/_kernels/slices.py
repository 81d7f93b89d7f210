"""The rows of a folded array, one after the other."""

from softmax_lib._jit import kernel
from softmax_lib._kernels.rows import log_softmax_row, logsumexp_row, softmax_row


@kernel
def softmax_slices(x, out):
    """Softmax of every x[o, :, i]."""
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            softmax_row(x[o, :, i], out[o, :, i])


@kernel
def log_softmax_slices(x, out):
    """Log-softmax of every x[o, :, i]."""
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            log_softmax_row(x[o, :, i], out[o, :, i])


@kernel
def logsumexp_slices(x, out):
    """Log-sum-exp of every x[o, :, i], written to out[o, i]."""
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            out[o, i] = logsumexp_row(x[o, :, i])
