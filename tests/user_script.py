"""What a user writes: checked by mypy --strict, and run."""

from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

import softmax_lib.dask as lazily
from softmax_lib import (
    LogSumExp,
    cross_entropy,
    cross_entropy_and_grad,
    log_sigmoid,
    log_softmax,
    log_softmax_vjp,
    logsumexp,
    sigmoid,
    softmax,
    softmax_vjp,
)

scores: NDArray[np.float32] = np.zeros((2, 3), np.float32)
shares: NDArray[np.float32] = softmax(scores, axis=(0, 1))
logs: NDArray[np.float32] = log_softmax(scores, where=scores < 1)
whole: np.float32 = logsumexp(scores, axis=None)
column: NDArray[np.float32] = logsumexp(scores, 0, b=2, keepdims=True)
wider: Any = logsumexp(scores, b=[[0.5]])
log: np.float32
sign: np.float32
log, sign = logsumexp(scores, None, b=np.arange(3), return_sign=True)
logs_in_place, signs = logsumexp(scores, 1, return_sign=True, out=np.zeros(2, "f4"))
rows: np.float32 | NDArray[np.float32] = logsumexp(scores)
half: np.float64 = sigmoid(0.0)
of_integers: NDArray[np.float64] = log_sigmoid(np.arange(3))
of_lists: Any = softmax([[1, 2], [3, 4]])
in_place: NDArray[np.float32] = softmax(scores, out=scores)

loss: np.float32 = cross_entropy(scores, [0, 2], weight=np.ones(3))
surprise: np.float64 = cross_entropy(np.arange(3), 1, reduction="sum")
each: Any = cross_entropy(scores, [0, -1], reduction="none", ignore_index=-1)
mean: np.float32
slope: NDArray[np.float32]
mean, slope = cross_entropy_and_grad(scores, scores, axis=0, label_smoothing=0.1)
each, slope = cross_entropy_and_grad(scores, [0, 2], reduction="none")
back: NDArray[np.float32] = softmax_vjp(shares, slope, axis=(0, 1))
log_back: NDArray[np.float32] = log_softmax_vjp(logs, slope, None)
from_lists: Any = softmax_vjp([0.5, 0.5], [1, 0])
total: LogSumExp = LogSumExp(2, np.float32).update(scores).merge(LogSumExp(2, "f4"))
lazy: da.Array = da.zeros((2, 3))
lazy_logs: da.Array = lazily.log_softmax(lazy, where=lazy < 1)
lazy_signs: tuple[da.Array, da.Array] = lazily.logsumexp(lazy, return_sign=True)
lazy_loss: da.Array
lazy_loss, lazy = lazily.cross_entropy_and_grad(lazy, [0, 2], reduction="sum")
part: Any = total.softmax(scores[:, :2])
