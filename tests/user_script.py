"""What a user writes: checked by mypy --strict, and run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_lib import log_sigmoid, log_softmax, logsumexp, sigmoid, softmax

scores: NDArray[np.float32] = np.zeros((2, 3), np.float32)
shares: NDArray[np.float32] = softmax(scores, axis=(0, 1))
logs: NDArray[np.float32] = log_softmax(scores, where=scores < 1)
whole: np.float32 = logsumexp(scores, axis=None)
column: NDArray[np.float32] = logsumexp(scores, 0, b=[[2.0]], keepdims=True)
rows: np.float32 | NDArray[np.float32] = logsumexp(scores)
half: np.float64 = sigmoid(0.0)
of_integers: NDArray[np.float64] = log_sigmoid(np.arange(3))
of_lists: Any = softmax([[1, 2], [3, 4]])
in_place: NDArray[np.float32] = softmax(scores, out=scores)
