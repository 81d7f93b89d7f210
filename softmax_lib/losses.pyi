from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["cross_entropy", "cross_entropy_and_grad", "log_softmax_vjp", "softmax_vjp"]

_F = TypeVar("_F", np.float16, np.float32, np.float64)
_Axis = int | tuple[int, ...] | None
_Reduction = Literal["mean", "sum", "none"]
_Ints = NDArray[np.integer[Any]] | NDArray[np.bool_]

@overload
def cross_entropy(
    logits: NDArray[_F],
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: Literal["mean", "sum"] = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> _F: ...
@overload
def cross_entropy(
    logits: _Ints,
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: Literal["mean", "sum"] = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> np.float64: ...
@overload
def cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: _Reduction = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Any: ...
@overload
def cross_entropy_and_grad(
    logits: NDArray[_F],
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: Literal["mean", "sum"] = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> tuple[_F, NDArray[_F]]: ...
@overload
def cross_entropy_and_grad(
    logits: NDArray[_F],
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: Literal["none"],
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Any, NDArray[_F]]: ...
@overload
def cross_entropy_and_grad(
    logits: ArrayLike,
    labels: ArrayLike,
    /,
    axis: int = -1,
    *,
    reduction: _Reduction = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Any, NDArray[Any]]: ...
@overload
def softmax_vjp(p: NDArray[_F], g: NDArray[_F], /, axis: _Axis = -1) -> NDArray[_F]: ...
@overload
def softmax_vjp(p: ArrayLike, g: ArrayLike, /, axis: _Axis = -1) -> Any: ...
@overload
def log_softmax_vjp(
    logp: NDArray[_F], g: NDArray[_F], /, axis: _Axis = -1
) -> NDArray[_F]: ...
@overload
def log_softmax_vjp(logp: ArrayLike, g: ArrayLike, /, axis: _Axis = -1) -> Any: ...
