from typing import Literal

from dask.array import Array
from numpy.typing import ArrayLike

__all__ = ["cross_entropy", "cross_entropy_and_grad", "log_softmax_vjp", "softmax_vjp"]

_Axis = int | tuple[int, ...] | None
_Reduction = Literal["mean", "sum", "none"]

def cross_entropy(
    logits: Array,
    labels: ArrayLike | Array,
    /,
    axis: int = -1,
    *,
    reduction: _Reduction = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Array: ...
def cross_entropy_and_grad(
    logits: Array,
    labels: ArrayLike | Array,
    /,
    axis: int = -1,
    *,
    reduction: _Reduction = "mean",
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Array, Array]: ...
def softmax_vjp(p: Array, g: Array, /, axis: _Axis = -1) -> Array: ...
def log_softmax_vjp(logp: Array, g: Array, /, axis: _Axis = -1) -> Array: ...
