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
divide_by_zero = external_call(kernels.divide_by_zero)


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
    # Labels of uint64 beyond int64 become negative: out of range as well.
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
    found = weight.astype(like.dtype)
    for w in found:
        if not np.isfinite(w):
            raise ValueError("got a weight that is not finite in the dtype of logits")
    return found


@inlined
def checked_smoothing(smoothing):
    """Return the label smoothing; 0 for None."""
    if smoothing is None:
        return 0.0
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError("got a label_smoothing that is no number from 0 to 1")
    return float(smoothing)


@kernel
def refuse_label(place, sign, size, n):
    """Raise; a kernel, because a message takes Numba a while to compile."""
    label = f"-{size}" if sign < 0 else f"{size}"
    allowed = f"0 to {n - 1}" if n else "none (there are no classes)"
    raise ValueError(f"got labels.flat[{place}] = {label}; allowed are {allowed}")


_refuse_label = external_call(refuse_label)


@by_type
def sign_and_size(label, labels):
    """Return the sign of a label, as it was before it became an int64, and its size.

    Numba cannot print the smallest int64.
    """
    if getattr(labels, "dtype", labels) == types.uint64:
        return lambda label, labels: (1, np.uint64(label))
    return lambda label, labels: (-1 if label < 0 else 1, np.uint64(abs(label)))


@by_type
def ignored_label(ignore, labels):
    """Do as `_arguments.to_ignored_label`, for labels of the type of `labels`."""
    if isinstance(ignore, types.NoneType):
        return lambda ignore, labels: (NO_LABEL, False)
    if (getattr(labels, "dtype", labels) == types.uint64) == (ignore == types.uint64):
        # Labels of a narrow unsigned type are not negative either.
        return lambda ignore, labels: (np.int64(ignore), True)
    # One of the two has the width of uint64, the other one a sign.
    return lambda ignore, labels: (np.int64(ignore), np.int64(ignore) >= 0)


@inlined
def mean_divisor(given, labels, weight, ignore, n, mean):
    """Check the labels; return the one to ignore, and the divisor of a mean.

    `labels` are those `given` as int64.
    """
    ignored, ignores = ignored_label(ignore, given)
    bad, count = _validate_labels((labels, n, ignored, ignores))
    if bad >= 0:
        _refuse_label((bad, *sign_and_size(labels[bad], given), n))
    if not ignores:
        ignored = NO_LABEL
    if not mean:
        return ignored, (1.0, 0.0)
    if weight.size:
        return ignored, _label_weight_sum((labels, weight, ignored))
    return ignored, (float(count), 0.0)
