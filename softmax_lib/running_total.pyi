from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["LogSumExp"]

_Axis = int | tuple[int, ...] | None

VERSION: int

class _Fields(NamedTuple):
    top: NDArray[Any]
    ties: NDArray[np.int64]
    place: NDArray[np.int64]
    sums: NDArray[np.float64]

class LogSumExp:
    fields: _Fields
    shape: tuple[int, ...]
    def __init__(
        self, shape: int | tuple[int, ...] = (), dtype: DTypeLike = ...
    ) -> None: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def update(
        self, x: ArrayLike, /, axis: _Axis = -1, *, where: ArrayLike | None = None
    ) -> LogSumExp: ...
    def merge(self, other: LogSumExp, /) -> LogSumExp: ...
    def __iadd__(self, other: LogSumExp, /) -> LogSumExp: ...
    def logsumexp(self) -> Any: ...
    def softmax(
        self,
        block: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        where: ArrayLike | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any: ...
    def log_softmax(
        self,
        block: ArrayLike,
        /,
        axis: _Axis = -1,
        *,
        where: ArrayLike | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any: ...
    def cross_entropy(
        self, scores: ArrayLike, /, *, weights: ArrayLike | None = None
    ) -> Any: ...
    def cross_entropy_grad(
        self,
        block: ArrayLike,
        labels: ArrayLike,
        /,
        axis: int = -1,
        *,
        start: int = 0,
        weights: ArrayLike | None = None,
        divisor: float = 1.0,
    ) -> NDArray[Any]: ...

def update(fields: _Fields, x: NDArray[Any]) -> None: ...
def merge(fields: _Fields, others: _Fields) -> None: ...
def logsumexp(fields: _Fields) -> NDArray[Any]: ...
