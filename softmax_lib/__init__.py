"""Accurate and fast softmax, log-softmax, log-sum-exp and sigmoid for NumPy arrays."""

from softmax_lib import _overloads as _overloads
from softmax_lib.activations import (
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
)

__all__ = ["log_sigmoid", "log_softmax", "logsumexp", "sigmoid", "softmax"]
