"""Accurate and fast softmax, its logarithm, losses and gradients for NumPy arrays."""

from softmax_lib import _losses_overloads as _losses_overloads
from softmax_lib import _overloads as _overloads
from softmax_lib.activations import (
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
)
from softmax_lib.losses import (
    cross_entropy,
    cross_entropy_and_grad,
    log_softmax_vjp,
    softmax_vjp,
)

__all__ = [
    "cross_entropy",
    "cross_entropy_and_grad",
    "log_sigmoid",
    "log_softmax",
    "log_softmax_vjp",
    "logsumexp",
    "sigmoid",
    "softmax",
    "softmax_vjp",
]
