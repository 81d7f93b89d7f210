"""Labels, weights and smoothing inside ``@njit``."""

import numpy as np
from numba import types

from softmax_lib._arguments import NO_LABEL
from softmax_lib._jit import inlined, kernel
from softmax_lib._kernels import labels as kernels
from softmax_lib._njit.arguments import by_type
from softmax_lib._njit.arrays import flat, is_c_contiguous, reduced_shape
from softmax_lib._njit.linking import external_call

_validate_labels = external_call(kernels.validate_labels)
_label_weight_sum = external_call(kernels.label_weight_sum)
mean_loss = external_call(kernels.mean_loss)


@by_type
def ravel_labels(labels, shape, mask):
    """Return class indices as flat int64, one a slice."""
    if not isinstance(labels, types.Array):
        return lambda labels, shape, mask: np.full(1, np.int64(labels))
    if len(shape) == 1:
        return lambda labels, shape, mask: np.full(1, np.int64(labels[()]))

    def ravel(labels, shape, mask):
        if labels.shape != reduced_shape(shape, mask, shape[1:]):
            raise ValueError("got labels of another shape than logits without the axis")
        return as_int64(labels)

    return ravel


@by_type
def as_int64(labels):
    """Return labels as int64, flat, in C order."""
    if labels.dtype == types.uint64:
        # Labels beyond int64 are out of range too.
        top = np.uint64(2**63 - 1)
        return lambda labels: flat(np.minimum(labels, top).astype(np.int64))
    if labels.dtype != types.int64:
        return lambda labels: flat(labels.astype(np.int64))
    if not labels.aligned:
        return lambda labels: flat(labels.copy())
    return lambda labels: flat(labels if is_c_contiguous(labels) else labels.copy())


@inlined
def class_weights(weight, like, n):
    """Return the weights in the dtype of the logits; an empty array for None."""
    if weight is None:
        return np.empty(0, like.dtype)
    if weight.size != n:
        raise ValueError("got weight of another length; there is one for each class")
    for w in weight:
        if w < 0:
            raise ValueError("got a negative weight; allowed are numbers from 0 on")
    return weight.astype(like.dtype)


@inlined
def checked_smoothing(smoothing):
    """Return the label smoothing; 0 for None."""
    if smoothing is None:
        return 0.0
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError("got a label_smoothing that is no number from 0 to 1")
    return float(smoothing)


@kernel
def refuse_label(place, label, n):
    """Raise; a kernel, because a message takes Numba a while to compile."""
    raise ValueError(f"got labels.flat[{place}] = {label}; allowed are 0 to {n - 1}")


_refuse_label = external_call(refuse_label)


@inlined
def mean_divisor(labels, weight, ignore, n, mean):
    """Check the labels; return the one to ignore, and the divisor of a mean."""
    ignores = ignore is not None
    ignored = NO_LABEL if ignore is None else np.int64(ignore)
    bad, count = _validate_labels((labels, n, ignored, ignores))
    if bad >= 0:
        _refuse_label((bad, labels[bad], n))
    if not mean:
        return ignored, (1.0, 0.0)
    if weight.size:
        return ignored, _label_weight_sum((labels, weight, ignored))
    return ignored, (float(count), 0.0)
